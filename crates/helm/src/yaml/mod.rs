//! YAML as `sigs.k8s.io/yaml` reads and writes it: YAML 1.1 scalars on the way in, the bytes of
//! goyaml v2's emitter on the way out. Comments and styles are not kept.

mod direct;
mod facts;
mod json;
mod order;
mod read;
mod resolve;
mod scalar;
mod write;

pub(crate) use direct::write_value;
pub use json::marshal;
pub(crate) use read::{Part, Parts, kind_name, parse_parts};
pub use read::{YamlError, parse, parse_documents, read_map, read_value, to_floats};
pub use resolve::scalar_text;
pub use write::write;

/// What `toYamlPretty` gives.
pub fn write_pretty(value: &serde_json::Value) -> String {
    without_line_break(write::write_as(value, write::Dialect::V3))
}

/// YAML text without the final line break: what `toYaml` gives.
pub fn write_trimmed(value: &serde_json::Value) -> String {
    without_line_break(write(value))
}

/// Without the line break at its end, as templates want it.
pub(crate) fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

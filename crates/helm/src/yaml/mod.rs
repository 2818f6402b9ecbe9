//! YAML as `sigs.k8s.io/yaml` reads and writes it: YAML 1.1 scalars on the way in, the bytes of
//! goyaml v2's emitter on the way out. Comments and styles are not kept.

mod facts;
mod json;
mod order;
mod read;
mod resolve;
mod scalar;
mod write;

pub use json::marshal;
pub(crate) use read::{Part, Parts, kind_name, parse_parts};
pub use read::{YamlError, parse, parse_documents, read_map, read_value, to_floats};
pub use resolve::scalar_text;
pub use write::write;

/// What `toYamlPretty` gives.
pub fn write_pretty(value: &serde_json::Value) -> String {
    let text = write::write_as(value, write::Dialect::V3);
    text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
}

/// YAML text without the final line break: what `toYaml` gives.
pub fn write_trimmed(value: &serde_json::Value) -> String {
    let mut text = write(value);
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

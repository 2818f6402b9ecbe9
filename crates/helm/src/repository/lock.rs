//! `Chart.lock`: which versions a chart's dependencies were resolved to, and the digest that ties it to `Chart.yaml`.

use serde_json::Value;

use super::digest;
use crate::chart::Dependency;
use crate::{json, yaml};

/// Resolved dependencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    pub dependencies: Vec<Dependency>,
    /// `sha256:…`
    pub digest: String,
    /// As Helm writes it (RFC 3339 with nanoseconds).
    pub generated: String,
}

impl Lock {
    pub fn new(asked: &[Dependency], resolved: Vec<Dependency>, generated: String) -> Self {
        let digest = digest_of(asked, &resolved);
        Self { dependencies: resolved, digest, generated }
    }

    /// Reads what `Chart.lock` holds.
    pub fn read(file: &Value) -> Result<Self, String> {
        let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
        let dependencies = file["dependencies"].as_array().into_iter().flatten();
        Ok(Self {
            dependencies: dependencies.map(Dependency::read).collect::<Result<_, _>>()?,
            digest: text("digest"),
            generated: text("generated"),
        })
    }

    /// The file.
    pub fn to_yaml(&self) -> String {
        let dependencies: Vec<Value> = self.dependencies.iter().map(Dependency::to_json).collect();
        yaml::write(&serde_json::json!({
            "generated": self.generated, "digest": self.digest, "dependencies": dependencies,
        }))
    }

    /// Whether it still is that of what `Chart.yaml` asks for.
    pub fn fits(&self, asked: &[Dependency]) -> bool {
        self.digest == digest_of(asked, &self.dependencies) || self.digest == digest_of_helm2(asked)
    }
}

/// Helm's digest: of both lists as Go writes them as JSON.
fn digest_of(asked: &[Dependency], resolved: &[Dependency]) -> String {
    hashed(&format!("[{},{}]", go_list(asked), go_list(resolved)))
}

fn digest_of_helm2(asked: &[Dependency]) -> String {
    hashed(&format!("{{\"dependencies\":{}}}", go_list(asked)))
}

/// Go writes a structure's fields in their order, not sorted.
fn go_list(all: &[Dependency]) -> String {
    let write = |value: &Value| json::write(value, json::Style::COMPACT);
    let one = |dependency: &Dependency| {
        let fields: Vec<String> = match dependency.to_json() {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| format!("{}:{}", write(&Value::from(key.as_str())), write(value)))
                .collect(),
            _ => Vec::new(),
        };
        format!("{{{}}}", fields.join(","))
    };
    format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(","))
}

fn hashed(text: &str) -> String {
    format!("sha256:{}", digest(text.as_bytes()))
}

//! The documents of the OCI image format, as far as Landfall writes them.
//! <https://github.com/opencontainers/image-spec>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::layer::LayerBlob;
use crate::recipe::Recipe;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// Where images are named as if they came from there; nothing is ever fetched from it.
pub(crate) const PREFIX: &str = "localhost/landfall";

const CREATED: &str = "2025-08-09T00:00:00Z";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub schema_version: u32,
    pub media_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub media_type: String,
    /// With its `sha256:`.
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(crate) fn new(media_type: &str, hex: &str, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{hex}"),
            size,
            annotations: BTreeMap::new(),
        }
    }

    pub(crate) fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }

    /// Named so that containerd and other tools find the name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        for key in ["io.containerd.image.name", "org.opencontainers.image.ref.name"] {
            self.annotations.insert(key.to_owned(), name.to_owned());
        }
        self
    }
}

pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `layers` with the names of the recipes that made them, lowest first.
pub(crate) fn config(recipe: &Recipe, layers: &[(String, LayerBlob)]) -> Vec<u8> {
    let run = &recipe.run;
    let mut env: BTreeMap<&str, &str> =
        BTreeMap::from([("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")]);
    env.extend(run.env.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let mut config = json!({
        "Env": env.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "Labels": {
            "org.opencontainers.image.description": recipe.description,
            "org.opencontainers.image.title": recipe.name,
            "org.opencontainers.image.version": recipe.tag,
        },
    });
    // Numbers: a kubelet that must not run root cannot judge a name.
    if let Some((uid, gid)) = run.user.as_deref().and_then(|user| recipe.ids_of(user)) {
        config["User"] = Value::String(format!("{uid}:{gid}"));
    }
    if !run.entrypoint.is_empty() {
        config["Entrypoint"] = json!(run.entrypoint);
    }
    if !run.command.is_empty() {
        config["Cmd"] = json!(run.command);
    }
    if let Some(workdir) = &run.workdir {
        config["WorkingDir"] = Value::String(workdir.clone());
    }
    let document = json!({
        "created": CREATED,
        "architecture": architecture(),
        "os": "linux",
        "config": config,
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|(_, l)| format!("sha256:{}", l.diff_id)).collect::<Vec<_>>(),
        },
        "history": layers.iter().map(|(name, _)| json!({"created": CREATED, "created_by": format!("landfall {name}")})).collect::<Vec<_>>(),
    });
    document.to_string().into_bytes()
}

pub(crate) fn manifest(config_hex: &str, config_size: u64, layers: &[(String, LayerBlob)]) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        config: Descriptor::new(CONFIG, config_hex, config_size),
        layers: layers.iter().map(|(_, l)| Descriptor::new(LAYER, &l.digest, l.size)).collect(),
    }
}

pub(crate) fn index(manifests: &[Descriptor]) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_config_says_how_a_container_runs() {
        let text = "name = \"x\"\ndescription = \"d\"\nfrom = \"base\"\n[[user]]\nname = \"u\"\nuid = 7\n\
                    [run]\nuser = \"u\"\nentrypoint = [\"/x\"]\nenv = {HOME = \"/h\"}\n";
        let recipe = Recipe::parse("x.toml", text).unwrap();
        let layer = LayerBlob { digest: "d".into(), size: 1, diff_id: "f".into(), unpacked: 2 };
        let value: Value = serde_json::from_slice(&config(&recipe, &[("x".into(), layer)])).unwrap();
        assert_eq!(value["config"]["User"], "7:7");
        assert_eq!(value["config"]["Entrypoint"], json!(["/x"]));
        assert_eq!(value["config"]["Env"][0], "HOME=/h");
        assert_eq!(value["rootfs"]["diff_ids"], json!(["sha256:f"]));
        assert!(value["config"].get("WorkingDir").is_none());
    }
}

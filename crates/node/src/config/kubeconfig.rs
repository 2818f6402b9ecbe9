//! Kubeconfigs. Written as JSON, which every reader of YAML reads.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::pki::Pair;

/// How a kubeconfig's user proves who it is.
#[derive(Debug)]
pub(crate) enum Credentials<'a> {
    /// Inside the file: it can be carried elsewhere.
    Embedded(&'a Pair),
    /// By the names of the files in the node.
    Files { cert: &'a Path, key: &'a Path },
}

pub(crate) fn kubeconfig(name: &str, server: &str, ca: &str, user: &str, with: &Credentials<'_>) -> String {
    let credentials = match with {
        Credentials::Embedded(pair) => json!({
            "client-certificate-data": STANDARD.encode(&pair.cert),
            "client-key-data": STANDARD.encode(&pair.key),
        }),
        Credentials::Files { cert, key } => json!({"client-certificate": cert, "client-key": key}),
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": name,
            "cluster": {"server": server, "certificate-authority-data": STANDARD.encode(ca)},
        }],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    });
    format!("{config:#}\n")
}

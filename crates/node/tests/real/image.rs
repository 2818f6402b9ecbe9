//! A small image for the test's pods, out of files of the node's own tree: a shell, socat and their libraries.

use std::io;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};

pub const NAME: &str = "localhost/landfall/node-test:1";
const PAUSE: &str = "localhost/landfall/pause:3.10";
const PROGRAMS: [&str; 5] = ["dash", "sh", "sleep", "socat", "socat1"];

/// An OCI layout in a tar, with the pods' image and one that stands in for pause.
pub fn tar(tree: &Path) -> io::Result<Vec<u8>> {
    let layer = layer(tree)?;
    let layer_digest = digest(&layer);
    let mut blobs = vec![(layer_digest.clone(), layer.clone())];
    let mut manifests = Vec::new();
    for (name, entrypoint) in [(NAME, json!(["/usr/bin/sh"])), (PAUSE, json!(["/usr/bin/sleep", "infinity"]))]
    {
        let config = serde_json::to_vec(&json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": entrypoint, "Env": ["PATH=/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        }))?;
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(&config),
                "size": config.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": layer_digest,
                "size": layer.len(),
            }],
        }))?;
        manifests.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(&manifest),
            "size": manifest.len(),
            "annotations": {"io.containerd.image.name": name},
        }));
        blobs.extend([(digest(&config), config), (digest(&manifest), manifest)]);
    }
    let mut tar = tar::Builder::new(Vec::new());
    put(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    put(&mut tar, "index.json", &serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": manifests}))?)?;
    for (digest, blob) in &blobs {
        put(&mut tar, &format!("blobs/{}", digest.replace(':', "/")), blob)?;
    }
    tar.into_inner()
}

fn layer(tree: &Path) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    for name in ["bin", "lib", "lib64"] {
        tar.append_path_with_name(tree.join(name), name)?;
    }
    for name in ["usr", "usr/bin", "usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu"] {
        tar.append_dir(name, tree.join(name))?;
    }
    for program in PROGRAMS {
        let path = format!("usr/bin/{program}");
        if tree.join(&path).symlink_metadata().is_ok() {
            tar.append_path_with_name(tree.join(&path), path)?;
        }
    }
    for dir in ["usr/lib64", "usr/lib/x86_64-linux-gnu"] {
        for entry in std::fs::read_dir(tree.join(dir))?.flatten() {
            if !entry.file_type()?.is_dir() {
                let name = format!("{dir}/{}", entry.file_name().to_string_lossy());
                tar.append_path_with_name(entry.path(), name)?;
            }
        }
    }
    tar.into_inner()
}

fn put(tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, content)
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold("sha256:".into(), |hex: String, byte| format!("{hex}{byte:02x}"))
}

//! Pushes images to a registry, for clusters that Landfall did not make.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use base64::Engine as _;
use futures::TryStreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use serde::{Deserialize, Serialize};
use tokio_util::io::ReaderStream;

use crate::error::{Error, IoContext, Result};
use crate::oci::MANIFEST;
use crate::progress::Progress;
use crate::store::{ImageRef, Store};

/// Where to push: `host[:port][/prefix]`.
#[derive(Clone)]
pub struct Registry {
    host: String,
    prefix: String,
    plain_http: bool,
    auth: RegistryAuth,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("host", &self.host)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    pub name: String,
    /// What a chart's `images.tags` gets.
    pub reference: String,
    pub digest: String,
}

impl Registry {
    pub fn parse(text: &str) -> Result<Self> {
        let plain = text.trim_end_matches('/');
        let bad = |reason: &str| Error::Registry { registry: text.to_owned(), reason: reason.to_owned() };
        if plain.contains("://") {
            return Err(bad("write it without http:// or https://, as registry.example.com/team"));
        }
        let (host, prefix) = plain.split_once('/').unwrap_or((plain, ""));
        if host.is_empty() || format!("{host}/{prefix}/x:y").replace("//", "/").parse::<Reference>().is_err()
        {
            return Err(bad("that is not host[:port][/prefix]"));
        }
        if !host.contains(['.', ':']) && host != "localhost" {
            return Err(bad(
                "a registry's host has a dot or a port, as registry.example.com or localhost:5000",
            ));
        }
        Ok(Self {
            host: host.to_owned(),
            prefix: prefix.to_owned(),
            plain_http: false,
            auth: RegistryAuth::Anonymous,
        })
    }

    /// Without TLS; only on this machine, where nobody listens in.
    pub fn plain_http(mut self) -> Result<Self> {
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        if name != "localhost" && !address.is_ok_and(|address| address.is_loopback()) {
            return Err(Error::Registry {
                registry: self.host,
                reason: "plain HTTP is only for a registry on this machine; give this one a certificate"
                    .to_owned(),
            });
        }
        self.plain_http = true;
        Ok(self)
    }

    pub fn with_login(mut self, user: String, password: String) -> Self {
        self.auth = RegistryAuth::Basic(user, password);
        self
    }

    /// Takes the login that `docker login` or `podman login` left in this file, if there is one.
    pub fn with_docker_config(self, path: &Path) -> Result<Self> {
        Ok(match docker_login(path, &self.host)? {
            Some((user, password)) => self.with_login(user, password),
            None => self,
        })
    }

    fn reference(&self, image: &ImageRef) -> Result<Reference> {
        let (_, tag) = image.reference.rsplit_once(':').unwrap_or(("", "latest"));
        let repository = if self.prefix.is_empty() {
            image.name.clone()
        } else {
            format!("{}/{}", self.prefix, image.name)
        };
        let text = format!("{}/{repository}:{tag}", self.host);
        text.parse().map_err(|_| Error::Registry {
            registry: self.host.clone(),
            reason: format!("`{text}` is no reference"),
        })
    }
}

/// The login of a host that `docker login` and its like left in this file, or in the helper that the file names.
pub fn docker_login(path: &Path, host: &str) -> Result<Option<(String, String)>> {
    let Ok(text) = std::fs::read(path) else { return Ok(None) };
    let config: DockerConfig = serde_json::from_slice(&text)
        .map_err(|e| Error::Damaged { path: path.to_path_buf(), reason: e.to_string() })?;
    Ok(config.login(host))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, DockerAuth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct DockerAuth {
    auth: Option<String>,
}

impl DockerConfig {
    fn login(&self, host: &str) -> Option<(String, String)> {
        if let Some(helper) = self.cred_helpers.get(host).or(self.creds_store.as_ref())
            && let Some(login) = ask_helper(helper, host)
        {
            return Some(login);
        }
        let plain = |key: &str| {
            key.trim_start_matches("https://").trim_end_matches('/').trim_end_matches("/v1").to_owned()
        };
        let auth = self.auths.iter().find(|(key, _)| plain(key) == host)?.1.auth.as_ref()?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(auth).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

/// <https://github.com/docker/docker-credential-helpers>
fn ask_helper(helper: &str, host: &str) -> Option<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(host.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let answer: Answer = serde_json::from_slice(&output.stdout).ok()?;
    Some((answer.username, answer.secret))
}

impl Store {
    /// Pushes images with their tags; a blob that the registry has is not sent again.
    pub async fn push(
        &self,
        images: &[ImageRef],
        registry: &Registry,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<Pushed>> {
        // Without a process-wide choice the TLS library would refuse to start; a choice already made stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |e: oci_client::errors::OciDistributionError| Error::Registry {
            registry: registry.host.clone(),
            reason: explain(&e.to_string()),
        };
        let client = Client::new(ClientConfig {
            protocol: if registry.plain_http { ClientProtocol::Http } else { ClientProtocol::Https },
            use_monolithic_push: true,
            ..ClientConfig::default()
        });
        progress(Progress::Planned { items: images.iter().map(|i| i.reference.clone()).collect() });
        let mut pushed = Vec::new();
        // Which repository has a blob by now: the registry can take it from there.
        let mut holders: BTreeMap<String, Reference> = BTreeMap::new();
        for image in images {
            let begin = Instant::now();
            let target = registry.reference(image)?;
            let item = target.whole();
            progress(Progress::Started { item: item.clone() });
            client.auth(&target, &registry.auth, RegistryOperation::Push).await.map_err(failed)?;
            let manifest = self.manifest(&image.digest)?;
            let mut bytes = 0;
            for blob in manifest.layers.iter().chain([&manifest.config]) {
                if client.blob_exists(&target, &blob.digest).await.map_err(failed)? {
                    continue;
                }
                if let Some(holder) = holders.get(&blob.digest) {
                    let _ = client.mount_blob(&target, holder, &blob.digest).await;
                    if client.blob_exists(&target, &blob.digest).await.map_err(failed)? {
                        continue;
                    }
                }
                progress(Progress::Stage {
                    item: item.clone(),
                    stage: "upload",
                    detail: blob.digest.clone(),
                });
                let path = self.blobs().join(blob.hex());
                let file = tokio::fs::File::open(&path).await.on("read", &path)?;
                let stream = ReaderStream::with_capacity(file, 1 << 20)
                    .map_err(oci_client::errors::OciDistributionError::IoError);
                client
                    .push_blob_stream(&target, stream, &blob.digest, Some(blob.size))
                    .await
                    .map_err(failed)?;
                bytes += blob.size;
                holders.insert(blob.digest.clone(), target.clone());
            }
            let path = self.blobs().join(image.digest.trim_start_matches("sha256:"));
            let text = std::fs::read(&path).on("read", &path)?;
            let kind = http::HeaderValue::from_static(MANIFEST);
            client.push_manifest_raw(&target, text, kind).await.map_err(failed)?;
            progress(Progress::Finished { item: item.clone(), took: begin.elapsed(), bytes });
            pushed.push(Pushed { name: image.name.clone(), reference: item, digest: image.digest.clone() });
        }
        Ok(pushed)
    }
}

/// The usual causes in plain words.
fn explain(reason: &str) -> String {
    let lower = reason.to_lowercase();
    let hint = if lower.contains("unauthorized") || lower.contains("401") || lower.contains("denied") {
        "; log in with `docker login` or `podman login`, and check that you may push there"
    } else if lower.contains("connect") || lower.contains("sending request") {
        "; check the host and port, and that the registry speaks HTTPS (`--plain-http` for one on this machine)"
    } else {
        ""
    };
    format!("{reason}{hint}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image() -> ImageRef {
        ImageRef {
            name: "keystone".into(),
            reference: "localhost/landfall/keystone:2025.1".into(),
            digest: "sha256:00".into(),
            size: 1,
        }
    }

    #[test]
    fn an_image_keeps_its_name_and_tag_under_the_prefix() {
        let of = |text: &str| Registry::parse(text).unwrap().reference(&image()).unwrap().whole();
        assert_eq!(
            of("registry.example.com/cloud/images/"),
            "registry.example.com/cloud/images/keystone:2025.1"
        );
        assert_eq!(of("127.0.0.1:5000"), "127.0.0.1:5000/keystone:2025.1");
    }

    #[test]
    fn what_is_no_registry_is_told() {
        let said = |text: &str| Registry::parse(text).unwrap_err().to_string();
        assert!(said("https://registry.example.com").contains("without http"));
        assert!(said("team").contains("a dot or a port"));
        assert!(said("").contains("host[:port]"));
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(Registry::parse("127.0.0.1:5000").unwrap().plain_http().is_ok());
        assert!(Registry::parse("localhost:5000").unwrap().plain_http().is_ok());
        assert!(Registry::parse("registry.example.com").unwrap().plain_http().is_err());
    }

    #[test]
    fn a_docker_login_is_found_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, r#"{"auths": {"https://registry.example.com/": {"auth": "bWU6czNjcmV0"}}}"#)
            .unwrap();
        let registry = Registry::parse("registry.example.com/x").unwrap().with_docker_config(&path).unwrap();
        assert!(
            matches!(&registry.auth, RegistryAuth::Basic(user, password) if user == "me" && password == "s3cret")
        );
        assert!(!format!("{registry:?}").contains("s3cret"));
        let other = Registry::parse("other.example.com").unwrap().with_docker_config(&path).unwrap();
        assert!(matches!(other.auth, RegistryAuth::Anonymous));
    }
}

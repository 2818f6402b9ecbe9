//! Keys of guests' disks in Ceph, as secrets of libvirt's: in its memory only, and not to be read back. A key that
//! comes later, or changes, is taken over when the kubelet brings it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::virsh;
use crate::folder::Watch;
use crate::pod::{self, Error, Result, say};

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Key {
    /// The number by which Nova and Cinder name it.
    uuid: String,
    /// Ceph's user, without `client.`.
    user: String,
    /// Where the key is; not there yet where its service was not installed.
    file: PathBuf,
}

/// The keys that `CEPH_KEYS` names.
pub fn keys() -> Result<Vec<Key>> {
    let Some(text) = pod::var("CEPH_KEYS") else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| Error::BadVariable {
        variable: "CEPH_KEYS".into(),
        value: text,
        wanted: "a list of {uuid, user, file}",
    })
}

/// Defines each key that is there, and again when it is replaced; never returns of itself.
///
/// # Errors
/// Where libvirt does not take one at first. Later that is told, and ends nothing.
pub async fn follow(keys: Vec<Key>) -> Result<()> {
    futures::future::try_join_all(keys.iter().map(follow_one)).await?;
    std::future::pending().await
}

async fn follow_one(key: &Key) -> Result<()> {
    let mut watch = Watch::of(key.file.parent().unwrap_or(Path::new("/")))?;
    let mut known = key.read();
    match &known {
        Some(_) => define(key).await?,
        None => say(&format!("secret {}: no key of client.{} yet", key.uuid, key.user)),
    }
    loop {
        watch.changed().await;
        let now = key.read();
        if now.is_some() && now != known {
            match define(key).await {
                Ok(()) => known = now,
                Err(error) => say(&format!("secret {}: {error}", key.uuid)),
            }
        }
    }
}

impl Key {
    fn read(&self) -> Option<Vec<u8>> {
        fs::read(&self.file).ok().filter(|text| !text.is_empty())
    }
}

async fn define(key: &Key) -> Result<()> {
    let file = std::env::temp_dir().join(format!("landfall-ceph-{}.xml", key.uuid));
    fs::write(&file, description(key)).map_err(Error::io(format!("cannot write {}", file.display())))?;
    let path = file.display().to_string();
    virsh(&["secret-define", "--file", &path]).await?;
    let _ = fs::remove_file(&file);
    // By its file: words of a command line are seen by all.
    virsh(&["secret-set-value", "--secret", &key.uuid, "--file", &key.file.display().to_string()]).await?;
    say(&format!("secret {} holds the key of client.{}", key.uuid, key.user));
    Ok(())
}

fn description(key: &Key) -> String {
    let Key { uuid, user, .. } = key;
    format!(
        "<secret ephemeral='yes' private='yes'><uuid>{uuid}</uuid><usage type='ceph'><name>client.{user} secret</name></usage></secret>\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(file: &Path) -> Key {
        let text = format!(
            r#"{{"uuid": "457eb676-33da-42ec-9a8c-9293d545c337", "user": "cinder", "file": "{}"}}"#,
            file.display()
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_secret_stays_in_memory_and_private() {
        let text = description(&key(Path::new("/nowhere/key")));
        assert!(text.contains("ephemeral='yes' private='yes'"), "{text}");
        assert!(text.contains("<uuid>457eb676-33da-42ec-9a8c-9293d545c337</uuid>"), "{text}");
        assert!(text.contains("client.cinder secret"), "{text}");
    }

    #[test]
    fn a_key_that_is_not_there_yet_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let key = key(&dir.path().join("key"));
        assert_eq!(key.read(), None);
        fs::write(&key.file, "").unwrap();
        assert_eq!(key.read(), None, "an empty one neither");
        fs::write(&key.file, "AQ==").unwrap();
        assert_eq!(key.read().as_deref(), Some(&b"AQ=="[..]));
    }
}

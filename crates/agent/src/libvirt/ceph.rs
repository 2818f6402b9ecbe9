//! The key of guests' disks in Ceph, as a secret of libvirt's: in its memory only, and not to be read back.

use std::fs;
use std::path::Path;

use super::virsh;
use crate::pod::{Error, Result, say};

pub async fn define(uuid: &str, user: &str, key: &Path) -> Result<()> {
    let file = std::env::temp_dir().join("landfall-ceph-secret.xml");
    fs::write(&file, description(uuid, user))
        .map_err(Error::io(format!("cannot write {}", file.display())))?;
    let path = file.display().to_string();
    virsh(&["secret-define", "--file", &path]).await?;
    let _ = fs::remove_file(&file);
    // By its file: words of a command line are seen by all.
    virsh(&["secret-set-value", "--secret", uuid, "--file", &key.display().to_string()]).await?;
    say(&format!("secret {uuid} holds the key of client.{user}"));
    Ok(())
}

fn description(uuid: &str, user: &str) -> String {
    format!(
        "<secret ephemeral='yes' private='yes'><uuid>{uuid}</uuid><usage type='ceph'><name>client.{user} secret</name></usage></secret>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stays_in_memory_and_private() {
        let text = description("457eb676-33da-42ec-9a8c-9293d545c337", "openstack");
        assert!(text.contains("ephemeral='yes' private='yes'"), "{text}");
        assert!(text.contains("<uuid>457eb676-33da-42ec-9a8c-9293d545c337</uuid>"), "{text}");
    }
}

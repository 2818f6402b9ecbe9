//! Copies this program into a folder that another container of the pod mounts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::pod::{Error, Result, say};

const NAME: &str = "landfall-agent";
const ALIAS: &str = "kubernetes-entrypoint";

pub fn run(dir: &Path) -> Result<u8> {
    let own = std::env::current_exe().map_err(Error::io("cannot find this program's own file"))?;
    install(&own, dir)?;
    say(&format!("installed {}", dir.join(NAME).display()));
    Ok(0)
}

/// A file in use is never written to: the copy is renamed over it.
fn install(own: &Path, dir: &Path) -> Result<()> {
    let io = |what: &str| Error::io(format!("cannot {what} {}", dir.display()));
    fs::create_dir_all(dir).map_err(io("make"))?;
    let fresh = dir.join(format!(".{NAME}.{}", std::process::id()));
    let written = fs::copy(own, &fresh)
        .and_then(|_| fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&fresh, dir.join(NAME)));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written.map_err(io("write into"))?;
    let alias = dir.join(format!(".{ALIAS}.{}", std::process::id()));
    symlink(NAME, &alias).and_then(|()| fs::rename(&alias, dir.join(ALIAS))).map_err(io("link in"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn installing_again_replaces_the_file_whole() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own");
        let into = dir.path().join("a/b");
        for text in ["first", "second"] {
            fs::write(&own, text).unwrap();
            install(&own, &into).unwrap();
            assert_eq!(fs::read_to_string(into.join(ALIAS)).unwrap(), text);
        }
        assert_eq!(fs::metadata(into.join(NAME)).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(&into).unwrap().count(), 2, "no left-overs");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = install(&file, &file.join("x")).unwrap_err().to_string();
        assert!(error.contains("file/x"), "{error}");
    }
}

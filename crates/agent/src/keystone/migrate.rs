//! `keystone-manage credential_migrate` upon a repository of files that this pod owns.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::keys::Keys;
use crate::pod::{self, Error, Result, say};

pub struct Repository {
    dir: PathBuf,
    program: String,
}

impl Repository {
    pub fn from_environment() -> Self {
        let dir = pod::var_of(&["KEY_REPOSITORY", "KEYSTONE_KEYS_REPOSITORY"])
            .unwrap_or_else(|| "/etc/keystone/credential-keys".to_owned());
        Self {
            dir: dir.into(),
            program: pod::var("KEYSTONE_MANAGE").unwrap_or_else(|| "keystone-manage".to_owned()),
        }
    }

    /// Encrypts every credential with the primary of these keys.
    pub async fn migrate(&self, keys: &Keys) -> Result<()> {
        sync(&self.dir, keys).map_err(Error::io(format!(
            "cannot write keys to {} (it must be an emptyDir that keystone may write)",
            self.dir.display()
        )))?;
        say(&format!("running {} credential_migrate", self.program));
        let output = Command::new(&self.program)
            .arg("credential_migrate")
            .output()
            .await
            .map_err(Error::io(format!("cannot run {} (the image must be keystone's)", self.program)))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().filter(|l| !l.trim().is_empty()).take(3).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Err(Error::Failed(format!(
            "{} credential_migrate failed ({}): {}",
            self.program,
            output.status,
            last.join(" / ")
        )))
    }
}

/// Makes the folder hold exactly these keys, 0600, new ones before old ones go.
fn sync(dir: &Path, keys: &Keys) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    // A mounted emptyDir belongs to somebody else: then its mode stays.
    let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
    let mut kept = Vec::new();
    for (name, key) in keys.entries() {
        let fresh = dir.join(format!(".{name}.new"));
        let _ = fs::remove_file(&fresh);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&key)?;
        file.sync_all()?;
        fs::rename(&fresh, dir.join(&name))?;
        kept.push(name);
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.parse::<u64>().is_ok() && !kept.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::keys::{Setup, generate, rotate, setup};
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_folder_holds_exactly_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        let repository = dir.path().join("keys");
        let Setup::Made(mut keys) = setup(None, generate) else { unreachable!() };
        sync(&repository, &keys).unwrap();
        assert_eq!(names(&repository), ["0", "1"]);
        for _ in 0..3 {
            keys = rotate(&keys, 3, generate).unwrap().keys;
            sync(&repository, &keys).unwrap();
        }
        assert_eq!(names(&repository), ["0", "3", "4"]);
        let mode = fs::metadata(repository.join("4")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_migration_that_fails_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("manage");
        fs::write(&script, "#!/bin/sh\necho first >&2; echo 'no database' >&2; exit 3\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let repository =
            Repository { dir: dir.path().join("keys"), program: script.to_string_lossy().into_owned() };
        let Setup::Made(keys) = setup(None, generate) else { unreachable!() };
        let error = repository.migrate(&keys).await.unwrap_err().to_string();
        assert!(error.contains("no database") && error.contains('3'), "{error}");
    }
}

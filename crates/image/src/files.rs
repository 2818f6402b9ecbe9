//! Files that are either whole or not there.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{IoContext, Result};

/// Marks what an interrupted run leaves behind; such names are removed when found.
const MARK: &str = ".landfall-tmp-";

/// A folder that takes its name only when it is complete.
#[derive(Debug)]
pub(crate) struct TempDir {
    path: PathBuf,
    target: PathBuf,
}

impl TempDir {
    /// Beside `target`, on the same file system.
    pub(crate) fn beside(target: &Path) -> Result<Self> {
        let parent = target.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).on("make", parent)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = parent.join(format!("{MARK}{name}.{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).on("remove", &path)?;
        }
        std::fs::create_dir(&path).on("make", &path)?;
        Ok(Self { path, target: target.to_path_buf() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn keep(mut self) -> Result<()> {
        if self.target.exists() {
            std::fs::remove_dir_all(&self.target).on("remove", &self.target)?;
        }
        std::fs::rename(&self.path, &self.target).on("rename to", &self.target)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes what interrupted runs left in `dir`; the caller holds the store's lock.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(MARK) {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                std::fs::remove_dir_all(&path).on("remove", &path)?;
            } else {
                std::fs::remove_file(&path).on("remove", &path)?;
            }
        }
    }
    Ok(())
}

/// A name in `dir` for a file being written.
pub(crate) fn temp_name(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{MARK}{name}.{}", std::process::id()))
}

/// Replaces a file in one step.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let temp = temp_name(parent, &path.file_name().unwrap_or_default().to_string_lossy());
    let mut file = std::fs::File::create(&temp).on("write", &temp)?;
    file.write_all(bytes).on("write", &temp)?;
    std::fs::rename(&temp, path).on("rename to", path)
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(std::io::Error::from).on("write", path)?;
    bytes.push(b'\n');
    write_atomic(path, &bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_that_is_not_kept_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        let made = TempDir::beside(&target).unwrap();
        std::fs::write(made.path().join("x"), "1").unwrap();
        drop(made);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let made = TempDir::beside(&target).unwrap();
        std::fs::write(made.path().join("x"), "2").unwrap();
        made.keep().unwrap();
        assert_eq!(std::fs::read_to_string(target.join("x")).unwrap(), "2");
    }

    #[test]
    fn leftovers_go_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(format!("{MARK}x.1"))).unwrap();
        std::fs::write(dir.path().join(format!("{MARK}y.2")), "").unwrap();
        std::fs::write(dir.path().join("kept"), "").unwrap();
        remove_leftovers(dir.path()).unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"]);
    }
}

//! Takes out of a tree what differs from build to build, and what must not be in an
//! image: logs, caches, identities, keys.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use walkdir::WalkDir;

use crate::accounts;
use crate::error::{Error, IoContext, Result};

/// What every file made during a build is dated: the release of Debian trixie.
pub(crate) const EPOCH: i64 = 1_754_697_600;

const REMOVED: &[&str] = &[
    "/etc/.pwd.lock",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/hostname",
    "/etc/passwd-",
    "/etc/resolv.conf",
    "/etc/shadow-",
    "/etc/subgid-",
    "/etc/subuid-",
    "/etc/ssh/ssh_host_*",
    "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "/etc/ssl/private/*",
    "/root/.*",
    "/run/*",
    "/tmp/*",
    "/tmp/.*",
    "/usr/sbin/policy-rc.d",
    "/var/cache/apt/*",
    "/var/cache/debconf/*-old",
    "/var/cache/ldconfig/aux-cache",
    "/var/cache/man/*",
    "/var/lib/apt/lists/*",
    "/var/lib/dbus/machine-id",
    "/var/lib/dpkg/*-old",
    "/var/lib/dpkg/lock*",
    "/var/lib/dpkg/triggers/Lock",
    "/var/lib/dpkg/updates/*",
    "/var/lib/systemd/random-seed",
    "/var/tmp/*",
];

/// `root` is the whole tree, parents included.
pub(crate) fn clean(root: &Path) -> Result<()> {
    for pattern in REMOVED {
        remove(root, pattern)?;
    }
    for entry in WalkDir::new(root.join("var/log")).into_iter().flatten() {
        if !entry.file_type().is_dir() {
            std::fs::remove_file(entry.path()).on("remove", entry.path())?;
        }
    }
    // Empty, not absent: a read-only root gets its own by a mount over it.
    let machine_id = root.join("etc/machine-id");
    if root.join("etc").is_dir() && std::fs::metadata(&machine_id).map_or(true, |m| m.len() > 0) {
        std::fs::write(&machine_id, "").on("write", &machine_id)?;
    }
    accounts::settle_dates(root)
}

/// Removes what a path names; `*` stands for anything within one component.
pub(crate) fn remove(root: &Path, pattern: &str) -> Result<()> {
    for path in expand(root, pattern) {
        let meta = path.symlink_metadata().on("look at", &path)?;
        if meta.is_dir() {
            std::fs::remove_dir_all(&path).on("remove", &path)?;
        } else {
            std::fs::remove_file(&path).on("remove", &path)?;
        }
    }
    Ok(())
}

fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = found
            .into_iter()
            .flat_map(|dir| -> Vec<PathBuf> {
                if !part.contains('*') {
                    let path = dir.join(part);
                    return path.symlink_metadata().is_ok().then_some(path).into_iter().collect();
                }
                // Links are not followed: they could lead out of the tree.
                if dir.symlink_metadata().is_ok_and(|m| m.is_symlink()) {
                    return Vec::new();
                }
                let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
                entries
                    .filter(|e| matches(part, &e.file_name().to_string_lossy()))
                    .map(|e| e.path())
                    .collect()
            })
            .collect();
    }
    found
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).filter(|i| tail.is_char_boundary(*i)).any(|i| matches(rest, &tail[i..]))
        }),
    }
}

/// Dates what was made since `start` (seconds) as the epoch. What came out of a package
/// keeps its own date, which compiled Python compares with its source's.
pub(crate) fn settle_times(dir: &Path, start: i64) -> Result<()> {
    let epoch = Timespec { tv_sec: EPOCH, tv_nsec: 0 };
    let times = Timestamps { last_access: epoch, last_modification: epoch };
    for entry in WalkDir::new(dir).contents_first(true) {
        let entry = entry.map_err(std::io::Error::from).on("read", dir)?;
        let meta = entry.metadata().map_err(std::io::Error::from).on("look at", entry.path())?;
        if meta.mtime() >= start {
            utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).on("date", entry.path())?;
        }
    }
    Ok(())
}

/// An image is passed on; a private key made at build time would be everybody's.
pub(crate) fn refuse_secrets(image: &str, dir: &Path) -> Result<()> {
    for top in ["etc", "var", "root"] {
        for entry in WalkDir::new(dir.join(top)).into_iter().flatten() {
            let small = entry.metadata().is_ok_and(|m| m.is_file() && m.len() < 64 * 1024);
            if !small {
                continue;
            }
            let text = std::fs::read(entry.path()).on("read", entry.path())?;
            let secret = text.windows(18).any(|w| w == b"PRIVATE KEY-----\nM")
                || entry.file_name() == ".erlang.cookie";
            if secret {
                let path = entry.path().strip_prefix(dir).unwrap_or(entry.path());
                return Err(Error::Secret { image: image.to_owned(), path: format!("/{}", path.display()) });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_star_stays_within_a_component() {
        assert!(matches("*-old", "status-old"));
        assert!(matches("keystone*db", "keystone.db"));
        assert!(matches("*", "x"));
        assert!(!matches("*-old", "status"));
        let root = tempfile::tempdir().unwrap();
        for path in ["a/b/x", "a/c/x", "a/c/y"] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        remove(root.path(), "/a/*/x").unwrap();
        assert!(!root.path().join("a/b/x").exists() && root.path().join("a/c/y").exists());
    }

    #[test]
    fn links_are_not_followed_out_of_the_tree() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("precious"), "").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("tmp")).unwrap();
        remove(root.path(), "/tmp/*").unwrap();
        assert!(outside.path().join("precious").exists());
    }

    #[test]
    fn only_what_the_build_made_gets_the_epoch() {
        let dir = tempfile::tempdir().unwrap();
        for (name, time) in [("old", 1_000), ("new", 2_000)] {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            let t = Timespec { tv_sec: time, tv_nsec: 5 };
            let times = Timestamps { last_access: t, last_modification: t };
            utimensat(CWD, &path, &times, AtFlags::empty()).unwrap();
        }
        settle_times(dir.path(), 1_500).unwrap();
        let mtime = |name| dir.path().join(name).metadata().unwrap().mtime();
        assert_eq!((mtime("old"), mtime("new")), (1_000, EPOCH));
    }

    #[test]
    fn a_private_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        refuse_secrets("x", dir.path()).unwrap();
        std::fs::write(dir.path().join("etc/key.pem"), "-----BEGIN PRIVATE KEY-----\nMII").unwrap();
        assert!(refuse_secrets("x", dir.path()).unwrap_err().to_string().contains("/etc/key.pem"));
    }
}

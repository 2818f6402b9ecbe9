//! Mounts that only the building thread sees. When it ends, by whatever cause, the
//! kernel takes them away: nothing is left to clean up on the host.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use crate::error::{Error, IoContext, Result};

/// Runs `work` on a thread of its own, in a mount namespace of its own.
pub(crate) fn in_private<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let root = Path::new("/");
                let failed = |e: nix::Error| mount_error("a private mount namespace", root, e);
                unshare(CloneFlags::CLONE_NEWNS).map_err(failed)?;
                mount(None::<&str>, root, None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
                    .map_err(failed)?;
                work()
            })
            .join()
            .map_err(|_| Error::Worker)?
    })
}

/// `lower` from the lowest up. The options keep the upper folder plain: whole files, no redirects.
pub(crate) fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, target: &Path) -> Result<()> {
    let lowers: Vec<_> = lower.iter().rev().map(|path| escape(path)).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={},index=off,metacopy=off,redirect_dir=off,xino=off,volatile",
        lowers.join(":"),
        escape(upper),
        escape(work)
    );
    mount(Some("overlay"), target, Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .map_err(|e| mount_error("the layers (overlayfs)", target, e))
}

fn escape(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
}

pub(crate) fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|e| mount_error("a folder", target, e))
}

pub(crate) fn bind_read_only(source: &Path, target: &Path) -> Result<()> {
    bind(source, target)?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
        .map_err(|e| mount_error("a folder, read-only", target, e))
}

pub(crate) fn tmpfs(target: &Path) -> Result<()> {
    mount(Some("tmpfs"), target, Some("tmpfs"), MsFlags::empty(), Some("mode=1777"))
        .map_err(|e| mount_error("a memory file system", target, e))
}

pub(crate) fn unmount(target: &Path) -> Result<()> {
    umount2(target, MntFlags::MNT_DETACH).on("unmount", target)
}

fn mount_error(what: &'static str, path: &Path, error: nix::Error) -> Error {
    Error::Mount { what, path: path.to_path_buf(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_paths_are_escaped() {
        assert_eq!(escape(Path::new("/a:b,c\\d")), "/a\\:b\\,c\\\\d");
    }
}

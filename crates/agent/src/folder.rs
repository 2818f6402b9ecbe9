//! A folder whose files others replace, watched.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, channel};

use crate::pod::{Error, Result};

/// Tells when a file of a folder was replaced, or is new.
#[derive(Debug)]
pub struct Watch(Receiver<()>);

impl Watch {
    pub fn of(dir: &Path) -> Result<Self> {
        let failed = |e: Errno| Error::Failed(format!("cannot watch {}: {e}", dir.display()));
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).map_err(failed)?;
        // The kubelet puts a Secret's folder in its place first, and only then the names that lead into it.
        let seen = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CREATE;
        inotify.add_watch(dir, seen).map_err(failed)?;
        // One note is enough, however often it changes before somebody looks.
        let (sender, receiver) = channel(1);
        std::thread::spawn(move || {
            while let Ok(_) | Err(Errno::EINTR) = inotify.read_events() {
                if let Err(TrySendError::Closed(())) = sender.try_send(()) {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Returns at once where something changed since the last call.
    pub async fn changed(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn a_secret_that_comes_late_is_seen_with_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::of(dir.path()).unwrap();
        std::fs::create_dir(dir.path().join("..2026")).unwrap();
        std::fs::write(dir.path().join("..2026/key"), "AQ==").unwrap();
        symlink("..2026", dir.path().join("..data_tmp")).unwrap();
        std::fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
        let seen = async {
            while std::fs::read(dir.path().join("key")).is_err() {
                watch.changed().await;
            }
        };
        let named = async { symlink("..data/key", dir.path().join("key")).unwrap() };
        tokio::join!(seen, named);
    }
}

//! A folder whose files others replace, watched.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, channel};

use crate::pod::{Error, Result};

/// Tells when a file of a folder was replaced.
#[derive(Debug)]
pub struct Watch(Receiver<()>);

impl Watch {
    pub fn of(dir: &Path) -> Result<Self> {
        let failed = |e: Errno| Error::Failed(format!("cannot watch {}: {e}", dir.display()));
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).map_err(failed)?;
        inotify.add_watch(dir, AddWatchFlags::IN_MOVED_TO).map_err(failed)?;
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

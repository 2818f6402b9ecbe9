//! The program that a container is for, as this one's child: set up once it runs, ended when the pod must go.

use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::signal::unix::Signal as Listener;

use crate::pod::{Error, Result};

/// Watches over a program until it ends, of itself or since `term` came. `set_up` is carried out meanwhile; its
/// error ends the program too. `name` is for messages.
pub async fn watch(
    mut child: Child,
    mut term: Listener,
    name: &str,
    set_up: impl Future<Output = Result<()>>,
) -> Result<ExitStatus> {
    let ended = tokio::select! {
        done = set_up => {
            if let Err(error) = done {
                let _ = child.kill().await;
                return Err(error);
            }
            tokio::select! {
                ended = child.wait() => ended,
                _ = term.recv() => stop(&mut child).await,
            }
        }
        ended = child.wait() => ended,
        _ = term.recv() => stop(&mut child).await,
    };
    ended.map_err(Error::io(format!("cannot wait for {name}")))
}

async fn stop(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    child.wait().await
}

/// The exit code, or 128 and the number of the signal that ended it.
pub fn code(ended: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

//! Collects every child that ends: the components, and the orphans that pods and shims leave to PID 1.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::Signal;
use tokio::sync::oneshot;

use crate::supervisor::Shared;

/// How a component ended, in words.
pub(crate) type End = String;

/// Who wants to know of which child's end.
#[derive(Default)]
pub(crate) struct Reaper(RefCell<HashMap<i32, oneshot::Sender<End>>>);

impl Reaper {
    pub(crate) fn expect(&self, pid: u32) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        self.0.borrow_mut().insert(pid as i32, sender);
        receiver
    }

    fn ended(&self, pid: Pid, end: End) {
        if let Some(sender) = self.0.borrow_mut().remove(&pid.as_raw()) {
            let _ = sender.send(end);
        }
    }
}

pub(crate) async fn run(shared: Rc<Shared>, mut child: Signal) {
    loop {
        // Before the first signal too: one child may have ended before we listened.
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => shared.reaper.ended(pid, format!("exit code {code}")),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    shared.reaper.ended(pid, format!("killed by {signal}"));
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(_) | Err(_) => {}
            }
        }
        if child.recv().await.is_none() {
            return;
        }
    }
}

//! Telling processes apart for good: a number is used again, a number with its start time is not.

use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A killed process ends at once unless the kernel itself holds it.
const KILLED: Duration = Duration::from_secs(20);

/// One process of this machine since it was switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// In clock ticks since the machine was switched on (field 22 of /proc/PID/stat).
    pub(crate) start: u64,
    /// Which switching on: start times begin anew with each.
    pub(crate) boot: String,
}

impl Process {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, start: start_time(&stat)?, boot: boot()? })
    }

    /// Whether it runs. A dead one that nobody has collected yet does not.
    pub(crate) fn is_alive(&self) -> bool {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) else { return false };
        start_time(&stat) == Some(self.start) && !is_dead(&stat) && boot().as_ref() == Some(&self.boot)
    }

    /// Sends a signal and waits until the process has ended, for a limited time. True if it has.
    pub(crate) async fn end(&self, signal: Signal, limit: Duration) -> Result<bool> {
        let Some(pid) = Pid::from_raw(self.pid as i32) else { return Ok(true) };
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::NONBLOCK) else { return Ok(true) };
        // Asked after the descriptor was opened: from here on it cannot become another process.
        if !self.is_alive() {
            return Ok(true);
        }
        if pidfd_send_signal(&descriptor, signal).is_err() {
            return Ok(!self.is_alive());
        }
        let descriptor =
            crate::descriptor::readable(descriptor).map_err(Error::system("waiting for a process"))?;
        Ok(tokio::time::timeout(limit, descriptor.readable()).await.is_ok())
    }

    /// Kills a node's PID 1, which takes everything of the node with it, and waits for its end.
    pub(crate) async fn kill(&self, node: &str) -> Result<()> {
        if self.end(Signal::KILL, KILLED).await? {
            return Ok(());
        }
        Err(Error::System {
            what: format!("ending node {node}"),
            source: std::io::Error::other(format!(
                "process {} does not end although killed; something holds it in the kernel",
                self.pid
            )),
        })
    }
}

/// The name in parentheses may hold blanks and parentheses itself.
fn after_name(stat: &str) -> Option<&str> {
    stat.rsplit_once(')').map(|(_, rest)| rest.trim_start())
}

fn start_time(stat: &str) -> Option<u64> {
    // State is field 3, so the start time (22) is the twentieth after the name.
    after_name(stat)?.split(' ').nth(19)?.parse().ok()
}

/// The CPU time that this process has taken until now, in steps of a clock tick (10 ms).
pub(crate) fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15: in user space (a guest's time with it) and in the kernel.
    let mut ticks = after_name(&stat)?.split(' ').skip(11).map(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis((ticks.next()?? + ticks.next()??) * 10))
}

fn is_dead(stat: &str) -> bool {
    after_name(stat).is_none_or(|rest| rest.starts_with('Z') || rest.starts_with('X'))
}

fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(start_time(stat), Some(4242));
        assert!(!is_dead(stat));
        assert!(is_dead("7 (x) Z 1"));
    }

    #[test]
    fn a_process_of_another_start_is_not_alive() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Process { start: own.start + 1, ..own.clone() }.is_alive());
        assert!(!Process { boot: "other".into(), ..own }.is_alive());
    }
}

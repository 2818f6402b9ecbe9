//! Naming a process of one machine so that the same machine can tell later whether it still lives:
//! boot, pid namespace, pid and start time, all from `/proc`. Elsewhere nothing is told.

use std::fs;

/// `<boot>:<pid namespace>:<pid>:<start>`; empty where `/proc` does not say.
pub(super) fn mark() -> String {
    let pid = std::process::id();
    match (machine(), start(pid)) {
        (Some(machine), Some(start)) => format!("{machine}:{pid}:{start}"),
        _ => String::new(),
    }
}

/// Whether the process that this mark names lives; none where it is of another machine.
pub(super) fn lives(mark: &str) -> Option<bool> {
    let mut parts = mark.rsplitn(3, ':');
    let (started, pid, home) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    (machine()? == home).then(|| start(pid).is_some_and(|start| start == started))
}

fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}:{}", boot.trim(), namespace.to_string_lossy().replace(':', "")))
}

/// Field 22 of `/proc/<pid>/stat`; the second may hold spaces, in parentheses.
fn start(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_never_was_does_not() {
        let own = mark();
        assert_eq!(lives(&own), Some(true), "{own}");
        let (head, _) = own.rsplit_once(':').unwrap_or_default();
        assert_eq!(lives(&format!("{head}:1")), Some(false), "{own}");
    }

    #[test]
    fn of_other_machines_nothing_is_told() {
        assert_eq!(lives("another:pid[1]:99999999:5"), None);
        assert_eq!(lives(""), None);
    }
}

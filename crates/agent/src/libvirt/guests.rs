//! Where guests live: in a cgroup of the node's beside those of its pods. What ends a pod ends every process in its
//! cgroups, and guests are to outlive the pod that started them: so libvirtd, and with it each QEMU, runs in this one.
//! The container must share the node's processes (`hostPID`), by which the next libvirtd knows the guests again.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::pod::{self, Error, Result, say};

const GROUP: &str = "landfall-guests";
const PROCESSES: &str = "cgroup.procs";
const DAEMON: &str = "libvirtd";
/// A libvirtd that was left has no work to finish; then it is ended by force.
const PATIENCE: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Where the node's cgroups are in this container; none: guests end with the pod.
fn mounted() -> Option<PathBuf> {
    pod::var("NODE_CGROUPS").map(PathBuf::from)
}

/// Becomes libvirtd, in the guests' cgroup.
///
/// # Errors
/// Only where libvirtd can not be run: guests that end with the pod are better than none.
pub fn become_daemon() -> Error {
    match mounted().map(|root| join(&root)) {
        None => say("guests end with this pod: NODE_CGROUPS is not set"),
        Some(Err(reason)) => say(&format!("guests end with this pod: {reason}")),
        Some(Ok(())) => say("guests outlive this pod"),
    }
    Error::io("cannot run libvirtd")(Command::new(DAEMON).exec())
}

/// Moves this process into the group, in every hierarchy.
fn join(root: &Path) -> std::result::Result<(), String> {
    let found = hierarchies(root);
    if found.is_empty() {
        return Err(format!("no cgroups in {}", root.display()));
    }
    for hierarchy in found {
        let group = hierarchy.join(GROUP);
        enter(&hierarchy, &group).map_err(|error| format!("{}: {error}", group.display()))?;
    }
    Ok(())
}

fn enter(hierarchy: &Path, group: &Path) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // In version 1 a new cpuset has no CPU and no memory, and takes no process until it has.
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = fs::read_to_string(group.join(file)).unwrap_or_default();
        if let Ok(above) = fs::read_to_string(hierarchy.join(file))
            && own.trim().is_empty()
            && !above.trim().is_empty()
        {
            fs::write(group.join(file), above.trim())?;
        }
    }
    fs::write(group.join(PROCESSES), "0")
}

/// The folder itself in version 2, else one a hierarchy; names that only lead to another are left out.
fn hierarchies(root: &Path) -> Vec<PathBuf> {
    if root.join(PROCESSES).exists() {
        return vec![root.to_owned()];
    }
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| path.join(PROCESSES).exists())
        .collect();
    found.sort();
    found
}

/// Ends a libvirtd whose pod was ended by force: two of them would fight for the guests.
pub async fn end_left() -> Result<()> {
    let Some(root) = mounted() else { return Ok(()) };
    for pid in left(&root, Path::new("/proc")) {
        say(&format!("ending the libvirtd of an earlier pod (process {pid})"));
        let (process, mut tries) = (Pid::from_raw(pid), 0);
        while kill(process, (tries == 0).then_some(Signal::SIGTERM)).is_ok() {
            tries += 1;
            if tries > PATIENCE {
                let _ = kill(process, Signal::SIGKILL);
            }
            if tries > 2 * PATIENCE {
                return Err(Error::Failed(format!("process {pid}, an earlier libvirtd, does not end")));
            }
            sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Processes of the group that are libvirtd.
fn left(root: &Path, proc: &Path) -> Vec<i32> {
    let mut found: Vec<i32> = hierarchies(root)
        .iter()
        .filter_map(|hierarchy| fs::read_to_string(hierarchy.join(GROUP).join(PROCESSES)).ok())
        .flat_map(|text| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<i32>>())
        .filter(|pid| {
            let name = fs::read_to_string(proc.join(pid.to_string()).join("comm"));
            *pid > 0 && name.is_ok_and(|name| name.trim() == DAEMON)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hierarchy(root: &Path, name: &str) -> PathBuf {
        let dir = root.join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(PROCESSES), "").unwrap();
        dir
    }

    #[test]
    fn every_hierarchy_is_entered_once_and_a_cpuset_is_filled_first() {
        let root = tempfile::tempdir().unwrap();
        let cpuset = hierarchy(root.path(), "cpuset");
        fs::write(cpuset.join("cpuset.cpus"), "0-1\n").unwrap();
        hierarchy(root.path(), "cpu,cpuacct");
        fs::create_dir(root.path().join("no-hierarchy")).unwrap();
        std::os::unix::fs::symlink("cpu,cpuacct", root.path().join("cpu")).unwrap();
        join(root.path()).unwrap();
        join(root.path()).unwrap();
        for name in ["cpuset", "cpu,cpuacct"] {
            let group = root.path().join(name).join(GROUP);
            assert_eq!(fs::read_to_string(group.join(PROCESSES)).unwrap(), "0", "{name}");
        }
        assert_eq!(fs::read_to_string(cpuset.join(GROUP).join("cpuset.cpus")).unwrap(), "0-1");
        assert_eq!(hierarchies(root.path()).len(), 2);
    }

    #[test]
    fn version_two_is_one_folder() {
        let root = tempfile::tempdir().unwrap();
        hierarchy(root.path(), "");
        hierarchy(root.path(), "kubepods");
        assert_eq!(hierarchies(root.path()), [root.path()]);
    }

    #[test]
    fn a_place_without_cgroups_is_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(join(root.path()).unwrap_err().starts_with("no cgroups in"));
    }

    #[test]
    fn of_what_is_left_only_libvirtd_is_ended() {
        let (root, proc) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["memory", "pids"] {
            let group = hierarchy(root.path(), name).join(GROUP);
            fs::create_dir(&group).unwrap();
            fs::write(group.join(PROCESSES), "12\n13\n0\n").unwrap();
        }
        for (pid, name) in [("12", "libvirtd\n"), ("13", "qemu-system-x86\n"), ("0", "libvirtd\n")] {
            fs::create_dir(proc.path().join(pid)).unwrap();
            fs::write(proc.path().join(pid).join("comm"), name).unwrap();
        }
        assert_eq!(left(root.path(), proc.path()), [12]);
    }
}

//! How much memory a cluster takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::Landfall;
use crate::host::read;

const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Memory of all processes of a cluster, in bytes: proportional shares (PSS), so that pages which
/// processes have in common count once.
///
/// # Errors
/// Where the cluster's nodes can not be asked.
pub fn memory_of(landfall: &Landfall) -> Result<u64, String> {
    let status = landfall.run(&["local", "status", "--name", &landfall.cluster, "-o", "json"]).ended(0)?;
    let status: serde_json::Value =
        serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let firsts: BTreeSet<u64> =
        status["nodes"].as_array().into_iter().flatten().filter_map(|node| node["pid"].as_u64()).collect();
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u64>() else { continue };
        let stat = read(&format!("/proc/{pid}/stat"));
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parents.insert(pid, parent.unwrap_or(0_u64));
    }
    let is_inside = |pid: u64| {
        let mut at = pid;
        while at > 1 && !firsts.contains(&at) {
            at = parents.get(&at).copied().unwrap_or(0);
        }
        firsts.contains(&at)
    };
    let pss = |pid: u64| -> u64 {
        let text = read(&format!("/proc/{pid}/smaps_rollup"));
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
    };
    Ok(parents.keys().copied().filter(|pid| is_inside(*pid)).map(pss).sum())
}

/// What `work` ends with, and the most memory that was seen of a cluster meanwhile, as [`memory_of`] counts it.
pub fn peak_memory_of<T>(landfall: &Landfall, work: impl FnOnce() -> T) -> (T, u64) {
    let (over, ended) = channel::<()>();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut most = 0;
            while ended.recv_timeout(BETWEEN_LOOKS) == Err(RecvTimeoutError::Timeout) {
                most = most.max(memory_of(landfall).unwrap_or(0));
            }
            most
        });
        let done = work();
        drop(over);
        (done, watcher.join().unwrap_or(0))
    })
}

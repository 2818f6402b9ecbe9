//! What a cluster could leave on the host.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Host {
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    cgroups: BTreeSet<PathBuf>,
    processes: BTreeSet<u32>,
    settings: BTreeSet<String>,
    rules: String,
}

impl Host {
    pub fn look(tree: &Path) -> std::io::Result<Self> {
        let mut cgroups = BTreeSet::new();
        folders(Path::new("/sys/fs/cgroup"), 4, &mut cgroups);
        Ok(Self {
            mounts: std::fs::read_to_string("/proc/self/mountinfo")?.lines().map(str::to_owned).collect(),
            links: names("/sys/class/net").into_iter().collect(),
            cgroups,
            processes: processes(),
            settings: [
                "vm/overcommit_memory",
                "vm/panic_on_oom",
                "kernel/panic",
                "kernel/panic_on_oops",
                "net/ipv4/ip_forward",
                "net/ipv4/conf/all/route_localnet",
            ]
            .iter()
            .map(|name| {
                let value = std::fs::read_to_string(Path::new("/proc/sys").join(name)).unwrap_or_default();
                format!("{name} = {}", value.trim())
            })
            .collect(),
            rules: rules(tree)?,
        })
    }

    /// What is here that was not there `before`. Others may use this machine meanwhile: of what comes and goes
    /// (mounts, links, cgroups, processes) only what bears the cluster's name, folder or namespaces counts.
    pub fn left_since(
        &self,
        before: &Self,
        name: &str,
        root: &Path,
        namespaces: &BTreeSet<String>,
    ) -> Vec<String> {
        let root = root.display().to_string();
        let ours = |text: &str| text.contains(name) || text.contains(&root);
        let mut left: Vec<String> = Vec::new();
        left.extend(self.mounts.difference(&before.mounts).filter(|mount| ours(mount)).cloned());
        left.extend(self.links.difference(&before.links).filter(|link| ours(link)).cloned());
        left.extend(
            self.cgroups
                .difference(&before.cgroups)
                .map(|path| path.display().to_string())
                .filter(|path| ours(path)),
        );
        for pid in self.processes.difference(&before.processes) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            // One that has ended waits for this machine's init to notice: that is not for us to hasten.
            let ended = status.lines().any(|line| line.starts_with("State:") && line.contains('Z'));
            if !ended && (ours(&line) || !namespaces_of(&[*pid]).is_disjoint(namespaces)) {
                left.push(format!("process {pid}: {line}"));
            }
        }
        left.extend(self.settings.symmetric_difference(&before.settings).cloned());
        if self.rules != before.rules {
            left.push(format!("rules: {}", self.rules));
        }
        left
    }
}

/// The namespaces of processes that are not this process's own.
pub fn namespaces_of(pids: &[u32]) -> BTreeSet<String> {
    let of = |pid: &str| -> BTreeSet<String> {
        let dir = format!("/proc/{pid}/ns");
        names(&dir)
            .into_iter()
            .filter_map(|name| std::fs::read_link(Path::new(&dir).join(name)).ok())
            .map(|target| target.display().to_string())
            .collect()
    };
    let own = of("self");
    pids.iter().flat_map(|pid| of(&pid.to_string())).filter(|name| !own.contains(name)).collect()
}

fn names(dir: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn processes() -> BTreeSet<u32> {
    names("/proc").iter().filter_map(|name| name.parse().ok()).collect()
}

fn folders(dir: &Path, depth: u32, found: &mut BTreeSet<PathBuf>) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth > 0 {
            folders(&entry.path(), depth - 1, found);
        }
        found.insert(entry.path());
    }
}

/// The host's firewall, by the node tree's `nft`, which runs on its own libraries.
fn rules(tree: &Path) -> std::io::Result<String> {
    let output = Command::new(tree.join("usr/lib64/ld-linux-x86-64.so.2"))
        .arg("--library-path")
        .arg(tree.join("usr/lib/x86_64-linux-gnu"))
        .arg(tree.join("usr/sbin/nft"))
        .args(["list", "ruleset"])
        .output()?;
    assert!(output.status.success(), "nft: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! The host as it is seen from outside: what a removed cluster must leave no trace in.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Lines that describe the host, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    pub mounts: BTreeSet<String>,
    pub links: BTreeSet<String>,
    pub addresses: BTreeSet<String>,
    pub namespaces: BTreeSet<String>,
    pub cgroups: BTreeSet<String>,
    pub processes: BTreeSet<String>,
    pub firewall: BTreeSet<String>,
    pub state: BTreeSet<String>,
}

impl Host {
    /// Looks at the host now.
    pub fn now() -> Self {
        Self {
            mounts: read("/proc/self/mountinfo").lines().filter_map(mount).collect(),
            links: names("/sys/class/net"),
            addresses: read("/proc/net/fib_trie")
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| line.contains("10.89.") || line.contains("10.90."))
                .collect(),
            namespaces: namespaces(),
            cgroups: cgroups(Path::new("/sys/fs/cgroup"), 3),
            processes: processes(),
            firewall: output("nft", &["list", "ruleset"]).lines().map(str::to_owned).collect(),
            state: names("/var/lib/landfall"),
        }
    }

    /// Whether the firewall's rules can be seen at all: without `nft` their comparison would say nothing.
    pub fn firewall_is_seen() -> bool {
        Command::new("nft").args(["list", "ruleset"]).output().is_ok_and(|done| done.status.success())
    }

    /// What `after` has that this has not, and the other way round; empty when they are the same.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let pairs = [
            ("mount", &self.mounts, &after.mounts),
            ("link", &self.links, &after.links),
            ("address", &self.addresses, &after.addresses),
            ("namespace", &self.namespaces, &after.namespaces),
            ("cgroup", &self.cgroups, &after.cgroups),
            ("process", &self.processes, &after.processes),
            ("firewall rule", &self.firewall, &after.firewall),
            ("state folder", &self.state, &after.state),
        ];
        let mut found = Vec::new();
        for (kind, before, after) in pairs {
            found.extend(after.difference(before).map(|line| format!("left behind: {kind} {line}")));
            found.extend(before.difference(after).map(|line| format!("gone: {kind} {line}")));
        }
        found
    }
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// Mount point and filesystem; the numbers before them change by themselves.
fn mount(line: &str) -> Option<String> {
    let mut fields = line.split(' ');
    let point = fields.nth(4)?;
    let kind = line.split(" - ").nth(1)?.split(' ').next()?;
    Some(format!("{point} {kind}"))
}

/// Network namespaces that some process lives in, beyond our own, and named ones.
fn namespaces() -> BTreeSet<String> {
    let mut found = names("/run/netns");
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if is_dead(&read(&entry.path().join("stat").to_string_lossy())) {
            continue;
        }
        for kind in ["net", "mnt", "pid"] {
            if let Ok(link) = std::fs::read_link(entry.path().join("ns").join(kind)) {
                found.insert(link.to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// A dead process whose parent has not asked for it yet holds nothing.
fn is_dead(stat: &str) -> bool {
    stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z") || rest.starts_with(" X"))
}

fn cgroups(folder: &Path, depth: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.insert(entry.path().to_string_lossy().into_owned());
            if depth > 1 {
                found.extend(cgroups(&entry.path(), depth - 1));
            }
        }
    }
    found
}

/// Programs of the cluster by name; others come and go as they like.
fn processes() -> BTreeSet<String> {
    let ours = [
        "landfall",
        "etcd",
        "kube",
        "containerd",
        "runc",
        "pause",
        "coredns",
        "nginx",
        "mariadbd",
        "beam.smp",
        "uwsgi",
        "memcached",
    ];
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let name = read(&format!("/proc/{pid}/comm")).trim().to_owned();
        let dead = is_dead(&read(&format!("/proc/{pid}/stat")));
        if !dead && pid != std::process::id() && ours.iter().any(|word| name.starts_with(word)) {
            found.insert(format!("{pid} {name}"));
        }
    }
    found
}

fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .map(|done| String::from_utf8_lossy(&done.stdout).into_owned())
        .unwrap_or_default()
}

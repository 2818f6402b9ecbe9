//! What preflight sees of the host, as plain data.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use crate::cgroup::{self, Kind};
use crate::error::Result;
use crate::layout::Layout;
use crate::network::{self, HostLink};
use crate::preflight::nft;
use crate::spec::{NEEDED_BINARIES, Spec};
use crate::state::State;

/// Which kind of cgroups a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupVersion {
    None,
    V1,
    V2,
    /// Version 1 with its controllers, and version 2 beside it without any.
    Hybrid,
}

/// What there is of a cluster of this name already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    None,
    Running {
        nodes: u32,
    },
    /// Complete, but its nodes do not run.
    Stopped {
        nodes: u32,
    },
    /// Parts of it, which cannot be gone on from; and which.
    Broken(String),
}

/// The host, as far as a cluster depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub root: bool,
    pub overlay: bool,
    /// `net`, `mnt`, `pid`, …
    pub namespaces: BTreeSet<String>,
    pub nf_tables: bool,
    pub cgroup: CgroupVersion,
    pub controllers: BTreeSet<String>,
    pub memory_available: u64,
    pub disk_free: u64,
    /// The state's folder is on an overlay itself, on which no overlay can be put.
    pub state_on_overlay: bool,
    pub links: Vec<HostLink>,
    /// Network, prefix, and the link that it is reached by.
    pub routes: Vec<(Ipv4Addr, u8, String)>,
    /// Packets between a bridge's links pass the host's firewall.
    pub bridges_filtered: bool,
    pub inotify_instances: u64,
    pub bundle_missing: Vec<String>,
    pub earlier: Earlier,
}

impl Host {
    /// Looks, and changes nothing.
    pub async fn look(spec: &Spec) -> Result<Self> {
        let layout = Layout::new(&spec.state_root, &spec.name);
        let handle = network::connect()?;
        let survey = network::survey(&handle).await?;
        let hierarchies = cgroup::mounted()?;
        let (cgroup, controllers) = cgroups(&hierarchies);
        let (disk_free, state_on_overlay) = disk(&spec.state_root);
        let leftover = hierarchies
            .iter()
            .any(|hierarchy| hierarchy.mount.join(layout.cgroup("k1")).join(cgroup::DAEMONS).exists());
        let bridges = [layout.bridge(), layout.tunnel_bridge()];
        let bridge = survey.links.iter().any(|link| bridges.contains(&link.name));
        Ok(Self {
            root: nix::unistd::geteuid().is_root(),
            overlay: read("/proc/filesystems").split_whitespace().any(|word| word == "overlay"),
            namespaces: names("/proc/self/ns"),
            nf_tables: nft::is_there(),
            cgroup,
            controllers,
            memory_available: memory_available(&read("/proc/meminfo")),
            disk_free,
            state_on_overlay,
            links: survey.links,
            routes: survey.routes,
            bridges_filtered: read("/proc/sys/net/bridge/bridge-nf-call-iptables").trim() == "1",
            inotify_instances: read("/proc/sys/fs/inotify/max_user_instances").trim().parse().unwrap_or(0),
            bundle_missing: bundle_missing(spec),
            earlier: earlier(&layout, leftover || bridge),
        })
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn names(dir: &str) -> BTreeSet<String> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn cgroups(hierarchies: &[cgroup::Hierarchy]) -> (CgroupVersion, BTreeSet<String>) {
    let mut controllers = BTreeSet::new();
    let (mut first, mut second) = (false, false);
    for hierarchy in hierarchies {
        match &hierarchy.kind {
            Kind::V1(names) => {
                first |= names.iter().any(|name| !name.starts_with("name="));
                controllers.extend(names.iter().cloned());
            }
            Kind::V2 => {
                second = true;
                let text =
                    std::fs::read_to_string(hierarchy.mount.join("cgroup.controllers")).unwrap_or_default();
                controllers.extend(text.split_whitespace().map(str::to_owned));
            }
        }
    }
    let version = match (first, second) {
        (false, false) => CgroupVersion::None,
        (true, false) => CgroupVersion::V1,
        (false, true) => CgroupVersion::V2,
        (true, true) => CgroupVersion::Hybrid,
    };
    (version, controllers)
}

fn memory_available(meminfo: &str) -> u64 {
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or(0)
        << 10
}

/// Free bytes where the state will be, and whether that is on an overlay.
fn disk(state_root: &Path) -> (u64, bool) {
    const OVERLAYFS: i64 = 0x794c_7630;
    let Some(there) = state_root.ancestors().find(|path| path.exists()) else { return (0, false) };
    let free = rustix::fs::statvfs(there).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    let overlay = rustix::fs::statfs(there).is_ok_and(|stat| stat.f_type == OVERLAYFS);
    (free, overlay)
}

fn bundle_missing(spec: &Spec) -> Vec<String> {
    let mut missing: Vec<String> = NEEDED_BINARIES
        .iter()
        .filter(|name| !spec.bundle.bin.get(**name).is_some_and(|path| path.is_file()))
        .map(|name| (*name).to_owned())
        .collect();
    if !spec.bundle.node_tree.join("usr/sbin/runc").is_file() {
        missing.push(format!("the Debian tree {}", spec.bundle.node_tree.display()));
    }
    missing
}

fn earlier(layout: &Layout, leftover: bool) -> Earlier {
    match State::read(layout) {
        Ok(Some(state)) => {
            let running = state.node_names().iter().filter(|node| state.alive(node).is_some()).count();
            if running == 0 {
                Earlier::Stopped { nodes: state.nodes }
            } else {
                Earlier::Running { nodes: running as u32 }
            }
        }
        // An empty folder is all that a run leaves which was killed at its very beginning.
        Ok(None) if std::fs::read_dir(&layout.dir).is_ok_and(|mut entries| entries.next().is_some()) => {
            Earlier::Broken(format!("{} without a state.json", layout.dir.display()))
        }
        Ok(None) if leftover => Earlier::Broken("a link or cgroup of its name".into()),
        Ok(None) => Earlier::None,
        Err(error) => Earlier::Broken(error.to_string()),
    }
}

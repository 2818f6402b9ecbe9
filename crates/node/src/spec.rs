//! What is asked of an embedded cluster: its name, size, place and parts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Where clusters keep their state unless told otherwise.
pub const DEFAULT_STATE_ROOT: &str = "/var/lib/landfall";

/// More nodes than this do not fit the node subnet's plan (`.11` upwards).
pub const MAX_NODES: u32 = 64;

/// The files that a node runs from. Nothing of it is written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Name of the binary (`landfall-kube`, `containerd`, `containerd-shim-runc-v2`) to its file.
    pub bin: BTreeMap<String, PathBuf>,
    /// A Debian tree with runc, CNI plugins, nftables and the usual tools: the lower layer of every node's root.
    pub node_tree: PathBuf,
    /// A set of images that was prepared for new nodes (the folder `prepared/sets/<key>` of the cache); without one
    /// they start without images.
    #[serde(default)]
    pub images: Option<PathBuf>,
}

/// Binaries without which no node starts.
pub const NEEDED_BINARIES: [&str; 3] = ["landfall-kube", "containerd", "containerd-shim-runc-v2"];

/// Further names of the bundle's multi-call binaries: they choose what they are by the name they are called.
pub const APPLETS: [(&str, &[&str]); 2] = [
    (
        "landfall-kube",
        &[
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubectl",
            "kubelet",
        ],
    ),
    ("containerd", &["ctr"]),
];

/// The subnet of the nodes: a /24 whose `.1` is the host's bridge and `.11` the first node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet(Ipv4Addr);

impl Default for Subnet {
    fn default() -> Self {
        Self(Ipv4Addr::new(10, 89, 0, 0))
    }
}

impl Subnet {
    pub const PREFIX: u8 = 24;

    pub fn network(self) -> Ipv4Addr {
        self.0
    }

    /// The host's address on the bridge.
    pub fn host(self) -> Ipv4Addr {
        self.nth(1)
    }

    /// The address of node `number` (1 is k1).
    pub fn node(self, number: u32) -> Ipv4Addr {
        self.nth(10 + number as u8)
    }

    fn nth(self, last: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.0.octets();
        Ipv4Addr::new(a, b, c, last)
    }

    /// Whether another network has an address in common with this one.
    pub fn overlaps(self, network: Ipv4Addr, prefix: u8) -> bool {
        let prefix = prefix.min(Self::PREFIX);
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        (self.0.to_bits() & mask) == (network.to_bits() & mask)
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |reason| Error::Subnet { value: text.to_owned(), reason };
        let (address, prefix) = text.split_once('/').unwrap_or((text, "24"));
        if prefix != "24" {
            return Err(fail("it must be a /24, such as 10.89.0.0/24"));
        }
        let address: Ipv4Addr =
            address.parse().map_err(|_| fail("it must be an IPv4 network such as 10.89.0.0/24"))?;
        if address.octets()[3] != 0 {
            return Err(fail("the last number must be 0, as in 10.89.0.0/24"));
        }
        if !address.is_private() {
            return Err(fail("it must be private (10/8, 172.16/12 or 192.168/16)"));
        }
        Ok(Self(address))
    }
}

impl TryFrom<String> for Subnet {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, Self::PREFIX)
    }
}

/// What the control plane may be told beyond its defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// Further flags of the API server, after ours.
    pub apiserver: Vec<String>,
    /// Give up the safety of etcd's data over a power loss; for throwaway clusters only.
    pub throwaway: bool,
}

/// A cluster as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Lower-case letters, digits and hyphens, 32 at most.
    pub name: String,
    /// How many nodes; a cluster that has more already keeps them.
    pub nodes: u32,
    /// The folder that holds one folder a cluster.
    pub state_root: PathBuf,
    pub bundle: Bundle,
    pub subnet: Subnet,
    pub tuning: Tuning,
}

impl Spec {
    pub fn new(name: impl Into<String>, nodes: u32, bundle: Bundle) -> Self {
        Self {
            name: name.into(),
            nodes,
            state_root: PathBuf::from(DEFAULT_STATE_ROOT),
            bundle,
            subnet: Subnet::default(),
            tuning: Tuning::default(),
        }
    }
}

/// Whether a name can be that of a cluster: it becomes part of folder, link and cgroup names.
pub fn check_name(name: &str) -> Result<()> {
    let fail = |reason| Err(Error::Name { name: name.to_owned(), reason });
    if name.is_empty() || name.len() > 32 {
        return fail("it must have 1 to 32 characters");
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return fail("only lower-case letters, digits and hyphens are allowed");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return fail("it must begin and end with a letter or a digit");
    }
    Ok(())
}

/// How far the making of a cluster is; sent by channel, never printed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// `preflight`, `network`, `k1`, `k2`, … or `ready`.
    pub stage: String,
    /// What happens there now: `etcd starting`, `kubelet ready`, …
    pub detail: String,
    /// The stage has come to its end.
    pub done: bool,
}

/// Where progress goes. Nobody need listen.
#[derive(Debug, Clone, Default)]
pub struct ProgressSink(Option<tokio::sync::mpsc::UnboundedSender<Progress>>);

impl ProgressSink {
    pub fn new(sender: tokio::sync::mpsc::UnboundedSender<Progress>) -> Self {
        Self(Some(sender))
    }

    pub(crate) fn tell(&self, stage: &str, detail: impl Into<String>, done: bool) {
        if let Some(sender) = &self.0 {
            // A display that has gone away is no reason to stop.
            let _ = sender.send(Progress { stage: stage.to_owned(), detail: detail.into(), done });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_that_would_break_a_path_or_link_are_refused() {
        for bad in ["", "A", "a/b", "../x", "-a", "a-", "a b", &"x".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad:?} was taken");
        }
        for good in ["landfall", "a", "test-2"] {
            check_name(good).unwrap();
        }
    }

    #[test]
    fn a_subnet_is_a_private_slash_24() {
        let subnet: Subnet = "10.91.3.0/24".parse().unwrap();
        assert_eq!(subnet.host().to_string(), "10.91.3.1");
        assert_eq!(subnet.node(2).to_string(), "10.91.3.12");
        for bad in ["10.89.0.0/16", "10.89.0.1/24", "8.8.8.0/24", "x"] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn overlap_counts_wider_and_narrower_networks() {
        let subnet = Subnet::default();
        assert!(subnet.overlaps(Ipv4Addr::new(10, 0, 0, 0), 8));
        assert!(subnet.overlaps(Ipv4Addr::new(10, 89, 0, 128), 25));
        assert!(!subnet.overlaps(Ipv4Addr::new(10, 89, 1, 0), 24));
        assert!(subnet.overlaps(Ipv4Addr::UNSPECIFIED, 0));
    }
}

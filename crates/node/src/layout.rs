//! Where things are: names and paths of one cluster on the host, and of one node inside itself.
//!
//! Pure: it names, it creates nothing.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::spec::Subnet;

pub(crate) const SERVICE_RANGE: &str = "10.96.0.0/16";
pub(crate) const SERVICE_NETWORK: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 96, 0, 0), 16);
pub(crate) const POD_RANGE: &str = "10.244.0.0/16";
pub(crate) const FIRST_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);
pub(crate) const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
pub(crate) const CLUSTER_DOMAIN: &str = "cluster.local";
pub(crate) const API_PORT: u16 = 6443;
pub(crate) const PAUSE_IMAGE: &str = "localhost/landfall/pause:3.10";

/// Paths inside a node.
pub(crate) mod inside {
    pub(crate) const BIN: &str = "/opt/landfall/bin";
    pub(crate) const KUBERNETES: &str = "/etc/kubernetes";
    pub(crate) const RUN: &str = "/run/landfall";
    pub(crate) const CONTROL: &str = "/run/landfall/control.sock";
    pub(crate) const LOGS: &str = "/var/log/landfall";
    pub(crate) const CONTAINERD: &str = "/run/containerd/containerd.sock";
    pub(crate) const RESOLV: &str = "/etc/kubernetes/resolv.conf";
    pub(crate) const PATH: &str =
        "/opt/landfall/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/// The names and places of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(state_root: &Path, name: &str) -> Self {
        Self { name: name.to_owned(), dir: state_root.join(name) }
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    /// Beside the cluster's folder, so that removing the folder does not remove the lock.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.dir.with_file_name(format!(".{}.lock", self.name))
    }

    /// What the cluster's folder is called while it is being removed.
    pub(crate) fn doomed(&self) -> PathBuf {
        self.dir.with_file_name(format!(".{}.removing", self.name))
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.dir.join("pki")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    pub(crate) fn node(&self, node: &str) -> NodeDir {
        NodeDir(self.dir.join("nodes").join(node))
    }

    pub(crate) fn bridge(&self) -> String {
        link_name("lf", &self.name, None)
    }

    pub(crate) fn veth(&self, node: &str) -> String {
        link_name("lf", &self.name, Some(node))
    }

    /// The other end of a veth until it has moved into its node, where it is called eth0.
    pub(crate) fn veth_peer(&self, node: &str) -> String {
        format!("lp{}", &digest(&format!("{}/{node}", self.name))[..10])
    }

    /// The bridge that nodes' second links are in. The host has no address on it.
    pub(crate) fn tunnel_bridge(&self) -> String {
        link_name("lt", &self.name, None)
    }

    pub(crate) fn tunnel_veth(&self, node: &str) -> String {
        link_name("lt", &self.name, Some(node))
    }

    /// The other end, until it is the node's eth1.
    pub(crate) fn tunnel_peer(&self, node: &str) -> String {
        format!("lq{}", &digest(&format!("{}/{node}", self.name))[..10])
    }

    /// The node's cgroup, relative to each hierarchy's root.
    pub(crate) fn cgroup(&self, node: &str) -> String {
        format!("landfall-{}-{node}", self.name)
    }

    /// A stable address: a node that starts again is not looked for at its old one.
    pub(crate) fn mac(&self, node: &str) -> [u8; 6] {
        let digest = Sha256::digest(format!("{}/{node}", self.name));
        [0x02, 0x1f, digest[0], digest[1], digest[2], digest[3]]
    }

    /// That of the second link.
    pub(crate) fn tunnel_mac(&self, node: &str) -> [u8; 6] {
        let [first, _, rest @ ..] = self.mac(node);
        [first, 0x2f, rest[0], rest[1], rest[2], rest[3]]
    }

    pub(crate) fn machine_id(&self, node: &str) -> String {
        digest(&format!("machine-id {}/{node}", self.name))[..32].to_owned()
    }
}

/// The folder of one node on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeDir(PathBuf);

impl NodeDir {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    pub(crate) fn upper(&self) -> PathBuf {
        self.0.join("upper")
    }
    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }
    /// Where the root is put together, in the node's mount namespace only.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.join("root")
    }
    pub(crate) fn var_lib(&self) -> PathBuf {
        self.0.join("var-lib")
    }
    pub(crate) fn var_log(&self) -> PathBuf {
        self.0.join("var-log")
    }
    pub(crate) fn kubernetes(&self) -> PathBuf {
        self.0.join("etc-kubernetes")
    }
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("node.json")
    }
    pub(crate) fn component_logs(&self) -> PathBuf {
        self.var_log().join("landfall")
    }
    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.component_logs().join("supervisor.log")
    }
}

/// Node names are `k` and a number, from 1.
pub(crate) fn node_name(number: u32) -> String {
    format!("k{number}")
}

pub(crate) fn pod_network(number: u32) -> (Ipv4Addr, u8) {
    (Ipv4Addr::new(10, 244, number as u8, 0), 24)
}

pub(crate) fn api_server(subnet: Subnet) -> String {
    format!("https://{}:{API_PORT}", subnet.node(1))
}

/// Link names have 15 characters at most; a long cluster name is stood for by its digest.
fn link_name(kind: &str, cluster: &str, node: Option<&str>) -> String {
    let suffix = node.map(|node| format!("-{node}")).unwrap_or_default();
    let full = format!("{kind}-{cluster}{suffix}");
    if full.len() <= 15 { full } else { format!("{kind}{}{suffix}", &digest(cluster)[..8]) }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_names_fit_the_kernel_and_differ_by_cluster() {
        for name in ["landfall", "a", "a-rather-long-name-of-a-cluster", "a-rather-long-name-of-a-clusteR2"] {
            let layout = Layout::new(Path::new("/x"), name);
            let links = [
                layout.bridge(),
                layout.veth("k64"),
                layout.veth_peer("k64"),
                layout.tunnel_bridge(),
                layout.tunnel_veth("k64"),
                layout.tunnel_peer("k64"),
            ];
            for (at, link) in links.iter().enumerate() {
                assert!(link.len() <= 15, "{link}");
                assert!(!links[..at].contains(link), "{link} twice");
            }
        }
        let (a, b) = (
            Layout::new(Path::new("/x"), "a-long-name-of-cluster-1"),
            Layout::new(Path::new("/x"), "a-long-name-of-cluster-2"),
        );
        assert_ne!(a.bridge(), b.bridge());
        assert_ne!(a.veth("k1"), b.veth("k1"));
        assert_ne!(a.veth_peer("k1"), a.veth_peer("k2"));
    }

    #[test]
    fn hardware_addresses_are_local_and_unicast() {
        let layout = Layout::new(Path::new("/x"), "landfall");
        assert_eq!(layout.mac("k1")[0] & 0b11, 0b10);
        assert_ne!(layout.mac("k1"), layout.mac("k2"));
        assert_ne!(layout.mac("k1"), layout.tunnel_mac("k1"));
        assert_eq!(layout.tunnel_mac("k1")[0] & 0b11, 0b10);
    }
}

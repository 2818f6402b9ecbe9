//! What the catalog needs to know of a cloud and of the cluster below it, as plain data.

use std::collections::BTreeMap;

use serde_json::Value;

/// The only region; upstream's name.
pub const REGION: &str = "RegionOne";

/// The Ceph below the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceph {
    /// Rook's namespace.
    pub namespace: String,
    /// Nobody runs Rook here: Landfall's own stand-in is brought up (embedded cluster only).
    pub stand_in: bool,
    /// StorageClass that the guide's step O01 makes.
    pub class: String,
}

/// From the cloud file and from what the cluster shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    pub cloud: String,
    /// Public names are `keystone.<domain>` and so on.
    pub domain: String,
    pub namespace: String,
    /// StorageClass of the databases' volumes; `None` leaves it to the cluster's default class.
    pub storage_class: Option<String>,
    pub ingress_class: String,
    /// Where the client's pod finds the public names; `None` leaves it to DNS.
    pub ingress_address: Option<String>,
    /// Names of the nodes that carry the control plane; empty means all.
    pub control_plane_nodes: Vec<String>,
    /// Nodes that servers run on, and those that carry routers and DHCP; empty means all.
    pub compute_nodes: Vec<String>,
    pub network_nodes: Vec<String>,
    /// All nodes of the cluster, by name, in order.
    pub nodes: Vec<String>,
    /// Link that tunnels between nodes go over; `None`: that of the default route.
    pub tunnel_interface: Option<String>,
    /// Address that nodes have outside of the cloud, with its network's length, where nothing else leads there.
    pub outside: Option<String>,
    pub ceph: Ceph,
    /// Values laid over a service's own, by service.
    pub overrides: BTreeMap<String, Value>,
    /// Full references by image: `keystone`, `keystone:2025.1` or `localhost/landfall/keystone:2025.1`.
    /// Images that are not named stay as the charts have them.
    pub images: BTreeMap<String, String>,
    /// Cores of the smallest node.
    pub cores: usize,
}

impl Inputs {
    /// `keystone.citec.com`
    pub(crate) fn public(&self, service: &str) -> String {
        format!("{service}.{}", self.domain)
    }

    /// Worker processes or schedulers that a small machine still has room for.
    pub(crate) fn workers(&self) -> usize {
        (self.cores / 2).clamp(1, 4)
    }

    /// Members of what keeps data by majority: three where the loss of one node can be outlived.
    pub(crate) fn members(&self) -> usize {
        if self.control_plane_nodes.len() >= 3 { 3 } else { 1 }
    }

    /// Pods of an API, so that one is left when a node is lost.
    pub(crate) fn api_replicas(&self) -> usize {
        self.control_plane_nodes.len().clamp(1, 2)
    }

    /// Nodes that servers run on, by name.
    pub(crate) fn compute(&self) -> &[String] {
        if self.compute_nodes.is_empty() { &self.nodes } else { &self.compute_nodes }
    }

    /// Nodes that carry routers and DHCP, by name.
    pub(crate) fn network(&self) -> &[String] {
        if self.network_nodes.is_empty() { &self.nodes } else { &self.network_nodes }
    }

    /// Reference of an image by its bare name, where the inputs give one.
    pub(crate) fn image(&self, name: &str) -> Option<&str> {
        let bare = |key: &str| {
            let key = key.rsplit('/').next().unwrap_or(key);
            key.split([':', '@']).next() == Some(name)
        };
        self.images.iter().find(|(key, _)| bare(key)).map(|(_, reference)| reference.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) fn inputs() -> Inputs {
        Inputs {
            cloud: "citec".into(),
            domain: "citec.com".into(),
            namespace: "openstack".into(),
            storage_class: Some("general".into()),
            ingress_class: "nginx".into(),
            ingress_address: Some("10.89.0.11".into()),
            control_plane_nodes: vec!["k1".into()],
            compute_nodes: vec!["k1".into()],
            network_nodes: vec!["k1".into()],
            nodes: vec!["k1".into()],
            tunnel_interface: Some("eth1".into()),
            outside: Some("203.0.113.1/24".into()),
            ceph: Ceph { namespace: "rook-ceph".into(), stand_in: true, class: "rook-ceph-block".into() },
            overrides: BTreeMap::new(),
            images: BTreeMap::new(),
            cores: 2,
        }
    }

    #[test]
    fn an_image_is_found_by_bare_name_tagged_name_or_reference() {
        for key in ["keystone", "keystone:2025.1", "localhost/landfall/keystone:2025.1", "keystone@sha256:00"]
        {
            let mut inputs = inputs();
            inputs.images.insert(key.into(), "registry/x@sha256:1".into());
            assert_eq!(inputs.image("keystone"), Some("registry/x@sha256:1"), "{key}");
            assert_eq!(inputs.image("key"), None);
        }
    }
}

//! Renders the files and command lines of every daemon of a node: pure functions of the cluster's plan.

mod cni;
mod containerd;
mod control_plane;
mod kubeconfig;
mod kubelet;
mod proxy;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

pub(crate) use kubeconfig::{Credentials, kubeconfig};

use crate::layout::{self, Layout, inside};
use crate::manifest::{Bind, File, Manifest, Network, Route, TunnelLink};
use crate::seed;
use crate::spec::{APPLETS, Bundle, Subnet, Tuning};

/// What the rendering of one node depends on.
#[derive(Debug, Clone)]
pub(crate) struct NodePlan<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) bundle: &'a Bundle,
    pub(crate) subnet: Subnet,
    pub(crate) tuning: &'a Tuning,
    /// 1 is k1, the control plane.
    pub(crate) number: u32,
    /// How many nodes the cluster has.
    pub(crate) nodes: u32,
    /// The folder of shared layers, if the node's images were not imported.
    pub(crate) layers: Option<PathBuf>,
}

impl NodePlan<'_> {
    pub(crate) fn name(&self) -> String {
        layout::node_name(self.number)
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.subnet.node(self.number)
    }

    pub(crate) fn is_control_plane(&self) -> bool {
        self.number == 1
    }
}

/// Everything that PID 1 of this node needs to know.
pub(crate) fn manifest(plan: &NodePlan<'_>) -> Manifest {
    let node = plan.name();
    let dir = plan.layout.node(&node);
    let bind =
        |source: PathBuf, target: &str| Bind { source, target: PathBuf::from(target), read_only: false };
    let mut binds = vec![
        bind(dir.var_lib(), "/var/lib"),
        bind(dir.var_log(), "/var/log"),
        bind(dir.kubernetes(), inside::KUBERNETES),
    ];
    if let Some(layers) = &plan.layers {
        binds.push(Bind { source: layers.clone(), target: seed::LAYERS.into(), read_only: true });
    }
    let mut components = if plan.is_control_plane() { control_plane::components(plan) } else { Vec::new() };
    components.push(containerd::component());
    components.push(kubelet::component(plan));
    components.push(proxy::component(plan));
    Manifest {
        cluster: plan.layout.name.clone(),
        machine_id: plan.layout.machine_id(&node),
        tree: plan.bundle.node_tree.clone(),
        upper: dir.upper(),
        work: dir.work(),
        root: dir.root(),
        binds,
        binaries: plan.bundle.bin.iter().map(|(name, path)| (path.clone(), name.clone())).collect(),
        links: links(plan.bundle),
        files: files(plan),
        cgroup: plan.layout.cgroup(&node),
        network: Network {
            arrives_as: plan.layout.veth_peer(&node),
            address: plan.address(),
            prefix: Subnet::PREFIX,
            mac: plan.layout.mac(&node),
            routes: routes(plan.subnet, plan.number, plan.nodes),
            tunnel: TunnelLink {
                arrives_as: plan.layout.tunnel_peer(&node),
                mac: plan.layout.tunnel_mac(&node),
            },
        },
        components,
        node,
    }
}

/// The applets' names, for those that the bundle does not hold as files of their own.
fn links(bundle: &Bundle) -> Vec<(String, String)> {
    APPLETS
        .iter()
        .flat_map(|(binary, names)| names.iter().map(move |name| ((*name).to_owned(), (*binary).to_owned())))
        .filter(|(name, _)| !bundle.bin.contains_key(name))
        .collect()
}

/// One route for each other node's pods, and one that covers the services: without it a process in the node's own
/// network has no way towards a service address, and kube-proxy never gets to see the packet.
pub(crate) fn routes(subnet: Subnet, own: u32, nodes: u32) -> Vec<Route> {
    let (network, prefix) = layout::SERVICE_NETWORK;
    let mut routes = vec![Route { network, prefix, gateway: None }];
    for other in (1..=nodes).filter(|number| *number != own) {
        let (network, prefix) = layout::pod_network(other);
        routes.push(Route { network, prefix, gateway: Some(subnet.node(other)) });
    }
    routes
}

/// /etc/hosts of every node.
pub(crate) fn hosts(subnet: Subnet, nodes: u32) -> String {
    let mut hosts = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for number in 1..=nodes {
        hosts.push_str(&format!("{} {}\n", subnet.node(number), layout::node_name(number)));
    }
    hosts
}

fn files(plan: &NodePlan<'_>) -> Vec<File> {
    let node = plan.name();
    let public = |path: &str, content: String| File { path: PathBuf::from(path), content, mode: 0o644 };
    let resolv = format!(
        "nameserver {}\nsearch svc.{domain} {domain}\noptions ndots:5\n",
        layout::DNS_SERVICE,
        domain = layout::CLUSTER_DOMAIN
    );
    let mut files = vec![
        public("/etc/hostname", format!("{node}\n")),
        public("/etc/hosts", hosts(plan.subnet, plan.nodes)),
        public("/etc/resolv.conf", resolv),
        public("/etc/machine-id", format!("{}\n", plan.layout.machine_id(&node))),
        // Login shells set their own PATH.
        public("/etc/profile.d/landfall.sh", format!("export PATH={}\n", inside::PATH)),
        // What pods with the node's DNS get: there is no server to ask outside the cluster.
        public(inside::RESOLV, "# no name server outside the cluster\n".to_owned()),
        public("/etc/cni/net.d/10-landfall.conflist", cni::conflist(plan.number)),
        public("/etc/containerd/config.toml", containerd::config()),
        public(&in_kubernetes("kubelet.yaml"), kubelet::config(plan)),
        public(&in_kubernetes("kube-proxy.yaml"), proxy::config(plan)),
    ];
    if plan.is_control_plane() {
        files.push(public(&in_kubernetes("scheduler.yaml"), control_plane::scheduler_config()));
    }
    files
}

/// A path in the node's /etc/kubernetes.
pub(crate) fn in_kubernetes(file: &str) -> String {
    Path::new(inside::KUBERNETES).join(file).display().to_string()
}

/// The garbage collector's settings of a Go daemon. Many small daemons share one machine: a heap that is collected
/// earlier costs little here, and the soft limit keeps a burst (a list of everything) from staying for good.
fn go_memory(gogc: u32, limit_mib: u32) -> Vec<(String, String)> {
    vec![("GOGC".to_owned(), gogc.to_string()), ("GOMEMLIMIT".to_owned(), format!("{limit_mib}MiB"))]
}

#[cfg(test)]
mod tests;

//! What one node is told: a plain file that the library writes and the node's PID 1 carries out.
//!
//! All decisions are made while it is written; PID 1 decides nothing by itself.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) cluster: String,
    pub(crate) node: String,
    pub(crate) machine_id: String,
    /// The node's folder of the root (lower layer).
    pub(crate) tree: PathBuf,
    pub(crate) upper: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) root: PathBuf,
    /// Folders of the real disk: source on the host, target in the node.
    pub(crate) binds: Vec<Bind>,
    /// Binaries, bound read-only: file on the host and name.
    pub(crate) binaries: Vec<(PathBuf, String)>,
    /// Further names of the binaries: name and what it points at.
    pub(crate) links: Vec<(String, String)>,
    /// Files written into the root before anything starts.
    pub(crate) files: Vec<File>,
    /// Folder of the node in each cgroup hierarchy.
    pub(crate) cgroup: String,
    pub(crate) network: Network,
    pub(crate) components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bind {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) content: String,
    pub(crate) mode: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    /// The veth's end as it arrives in the node; it becomes eth0.
    pub(crate) arrives_as: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) mac: [u8; 6],
    pub(crate) routes: Vec<Route>,
    /// The second link, for tunnels between nodes: it gets no address, since a switch may want to own it.
    pub(crate) tunnel: TunnelLink,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TunnelLink {
    /// As it arrives in the node; it becomes eth1.
    pub(crate) arrives_as: String,
    pub(crate) mac: [u8; 6],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) network: Ipv4Addr,
    pub(crate) prefix: u8,
    /// None: on the link itself.
    pub(crate) gateway: Option<Ipv4Addr>,
}

/// One daemon of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// What must hold before this one starts.
    pub(crate) after: Vec<After>,
    pub(crate) ready: Vec<Ready>,
    /// Seconds between SIGTERM and SIGKILL when the node stops.
    pub(crate) stop_seconds: u64,
}

/// What a component waits for before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum After {
    /// A component of this node is ready.
    Ready(String),
    /// A component of this node has said `READY=1`, though its health may yet fail: it answers.
    Serving(String),
    /// A server of another node answers a GET, whatever it answers. Nothing tells us when, so it is tried; one that
    /// listens already and does not answer yet is waited for.
    Answered { url: String, kubeconfig: PathBuf },
    /// The same, and the answer is 200.
    Healthy { url: String, kubeconfig: PathBuf },
}

impl After {
    /// The component of this node that is meant, if one is.
    pub(crate) fn component(&self) -> Option<&str> {
        match self {
            Self::Ready(name) | Self::Serving(name) => Some(name),
            Self::Answered { .. } | Self::Healthy { .. } => None,
        }
    }
}

/// How a component shows that it is ready. All that are listed must hold, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ready {
    /// It says `READY=1` on the socket named by NOTIFY_SOCKET, as for systemd.
    Notify,
    /// A GET of the URL answers 200, with the credentials of a kubeconfig (over TLS) or none.
    Http { url: String, kubeconfig: Option<PathBuf> },
}

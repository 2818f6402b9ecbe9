//! A cluster that is there: what can be asked of it and done in it, by its name.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::layout::{Layout, node_name};
use crate::reexec::ENTER;
use crate::spec::check_name;
use crate::state::State;
use crate::supervisor::{ComponentStatus, Request, connect};

/// A cluster of this machine.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(crate) layout: Layout,
    pub(crate) state: State,
    root: PathBuf,
}

/// How a cluster is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub name: String,
    pub kubeconfig: PathBuf,
    pub server: String,
    pub nodes: Vec<NodeState>,
}

/// How a node is; what Kubernetes itself holds of it is not in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeState {
    pub name: String,
    pub address: String,
    pub running: bool,
    /// PID 1 of the node, as the host counts processes.
    pub pid: Option<u32>,
    pub components: Vec<ComponentStatus>,
}

impl NodeState {
    /// Whether every component is ready.
    pub fn is_ready(&self) -> bool {
        self.running && self.components.iter().all(|component| component.phase == crate::Phase::Ready)
    }
}

impl Cluster {
    /// Finds a cluster; None if there is none of this name, not even a half-made one.
    pub fn find(state_root: &Path, name: &str) -> Result<Option<Self>> {
        check_name(name)?;
        let layout = Layout::new(state_root, name);
        let state = State::read(&layout)?;
        Ok(state.map(|state| Self { layout, state, root: state_root.to_path_buf() }))
    }

    /// Finds a cluster that must be there.
    pub fn open(state_root: &Path, name: &str) -> Result<Self> {
        Self::find(state_root, name)?
            .ok_or_else(|| Error::NoCluster { name: name.to_owned(), root: state_root.to_path_buf() })
    }

    pub(crate) fn of(layout: Layout, state: State, root: &Path) -> Self {
        Self { layout, state, root: root.to_path_buf() }
    }

    /// The names of the clusters under a folder.
    pub fn list(state_root: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(state_root)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().join("state.json").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    pub fn name(&self) -> &str {
        &self.layout.name
    }

    pub fn state_root(&self) -> &Path {
        &self.root
    }

    /// The administrator's kubeconfig (mode 0600).
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// `k1`, `k2`, …
    pub fn nodes(&self) -> Vec<String> {
        self.state.node_names()
    }

    pub fn server(&self) -> String {
        crate::layout::api_server(self.state.subnet)
    }

    /// The host's address on the nodes' network, and that of each node.
    pub fn addresses(&self) -> Vec<(String, std::net::Ipv4Addr)> {
        (1..=self.state.nodes).map(|number| (node_name(number), self.state.subnet.node(number))).collect()
    }

    /// PID 1 of each node that runs, as the host counts processes.
    pub fn pids(&self) -> Vec<u32> {
        self.nodes().iter().filter_map(|node| self.state.alive(node)).map(|process| process.pid).collect()
    }

    /// Asks every node's supervisor.
    pub async fn status(&self) -> Status {
        let nodes = self.addresses().into_iter().map(|(name, address)| async move {
            let process = self.state.alive(&name);
            let components = match process {
                Some(process) => match connect(process.pid, &Request::Status).await {
                    Ok(mut answers) => answers.next().await.map(|status| status.components),
                    Err(_) => None,
                },
                None => None,
            };
            NodeState {
                name,
                address: address.to_string(),
                running: process.is_some(),
                pid: process.map(|process| process.pid),
                components: components.unwrap_or_default(),
            }
        });
        Status {
            name: self.name().to_owned(),
            kubeconfig: self.kubeconfig(),
            server: self.server(),
            nodes: futures::future::join_all(nodes).await,
        }
    }

    /// A command that runs a program inside a node, as root, with the node's PATH; on k1 kubectl is the administrator.
    /// Its stdio is the caller's to choose; its exit code is the program's. Killing it kills the program.
    pub fn enter(
        &self,
        node: &str,
        argv: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<std::process::Command> {
        let process = self.process(node)?;
        let program = std::env::current_exe().map_err(Error::system("finding this program's own file"))?;
        let mut command = std::process::Command::new(program);
        command.arg(ENTER).arg(process.pid.to_string()).arg(self.layout.cgroup(node)).args(argv);
        Ok(command)
    }

    pub(crate) fn process(&self, node: &str) -> Result<&crate::process::Process> {
        self.check_node(node)?;
        self.state
            .alive(node)
            .ok_or_else(|| Error::NotRunning { cluster: self.name().to_owned(), node: node.to_owned() })
    }

    pub(crate) fn check_node(&self, node: &str) -> Result<()> {
        let known = self.nodes();
        if known.iter().any(|name| name == node) {
            return Ok(());
        }
        Err(Error::NoNode { cluster: self.name().to_owned(), node: node.to_owned(), known: known.join(", ") })
    }
}

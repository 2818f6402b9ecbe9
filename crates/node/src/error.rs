//! What can go wrong with an embedded cluster, in words that say what to do next.

use std::path::{Path, PathBuf};

use crate::preflight::{Finding, Severity};

/// The one error type of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} failed on {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },

    #[error("{what} failed: {source}")]
    System { what: String, source: std::io::Error },

    #[error("this machine is not ready for a cluster:{}", list(.0))]
    Preflight(Vec<Finding>),

    #[error("network: {what} failed: {reason}")]
    Network { what: String, reason: String },

    #[error("certificates: {0}")]
    Certificate(String),

    #[error("the cluster's name `{name}` cannot be used: {reason}")]
    Name { name: String, reason: &'static str },

    #[error("{value} is not a usable subnet for the nodes: {reason}")]
    Subnet { value: String, reason: &'static str },

    #[error("the bundle lacks {what}; build it first (`cargo xtask up` does), or name another bundle")]
    Bundle { what: String },

    #[error(
        "there is no embedded cluster called `{name}` under {}; `landfall local up` makes one",
        root.display()
    )]
    NoCluster { name: String, root: PathBuf },

    #[error("the cluster `{cluster}` has no node called `{node}`; it has {known}")]
    NoNode { cluster: String, node: String, known: String },

    #[error("node {node} of cluster `{cluster}` is not running; `landfall local up` starts it again")]
    NotRunning { cluster: String, node: String },

    #[error("node {node} has no component called `{component}`; it has {known}")]
    NoComponent { node: String, component: String, known: String },

    #[error(
        "a cluster called `{name}` runs from another folder ({}); choose another name, or name that folder",
        manifest.display()
    )]
    Elsewhere { name: String, manifest: PathBuf },

    #[error(
        "another landfall process works on the cluster `{name}` right now (process {holder}); wait for it to end"
    )]
    Busy { name: String, holder: String },

    #[error("node {node} could not be started: {reason}\n{log}")]
    Launch { node: String, reason: String, log: String },

    #[error("{component} on node {node} does not stay up (started {starts} times); its last lines:\n{log}")]
    Component { node: String, component: String, starts: u32, log: String },

    #[error("node {node} ended while it was being started; its supervisor's last lines:\n{log}")]
    NodeDied { node: String, log: String },

    #[error("the cluster did not become ready in {seconds} s: {waiting}")]
    NotReady { seconds: u64, waiting: String },

    #[error("the images could not be loaded into node {node}: {reason}")]
    Images { node: String, reason: String },

    #[error("the state of the cluster in {} cannot be read: {reason}; `landfall local down` removes it", path.display())]
    State { path: PathBuf, reason: String },

    #[error("Kubernetes API: {0}")]
    Api(String),
}

/// The findings that stand in the way, a line each, with their remedies.
fn list(findings: &[Finding]) -> String {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .fold(String::new(), |text, finding| text + "\n  " + &finding.what + ": " + &finding.remedy.en)
}

impl Error {
    /// Wraps an I/O error with what was done to which file.
    pub(crate) fn file(what: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::File { what, path, source }
    }

    /// The same for an errno.
    pub(crate) fn file_errno(
        what: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(nix::errno::Errno) -> Self {
        let path = path.as_ref().to_path_buf();
        move |errno| Self::File { what, path, source: errno.into() }
    }

    /// Wraps the error of a system call.
    pub(crate) fn system<E: Into<std::io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::System { what, source: source.into() }
    }

    pub(crate) fn network(what: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> Self {
        let what = what.into();
        move |source| Self::Network { what, reason: source.to_string() }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

//! The embedded cluster: a real Kubernetes on this machine, whose nodes are containers that we make ourselves.
//!
//! [`up`] makes one or brings it back, [`down`] removes it; a [`Cluster`] is asked and worked in by its name. What a
//! node is made of is decided here as plain data (`config`, `manifest`), carried out by a launcher (`launch`,
//! `rootfs`) and kept alive by the node's PID 1 (`supervisor`). Parts of it run as processes of their own: whoever
//! uses this crate calls [`reexec`] first of all.
//!
//! Not in here: what Kubernetes runs (DNS, ingress, storage), and where the bundle's files come from.

mod cgroup;
mod cluster;
mod config;
mod credentials;
mod descriptor;
mod devices;
mod down;
mod enter;
mod error;
mod files;
mod images;
mod kvm;
mod launch;
mod layout;
mod logs;
mod manifest;
mod network;
mod pki;
pub mod preflight;
mod process;
mod ready;
mod reexec;
mod rootfs;
mod seed;
mod spec;
mod state;
mod supervisor;
mod up;

pub use cluster::{Cluster, NodeState, Status};
pub use down::down;
pub use error::{Error, Result};
pub use kvm::works as kvm_works;
pub use network::HostLink;
pub use preflight::{Finding, Remedy, Severity, Topic, preflight};
pub use reexec::reexec;
pub use spec::{
    APPLETS, Bundle, DEFAULT_STATE_ROOT, MAX_NODES, NEEDED_BINARIES, Progress, ProgressSink, Spec, Subnet,
    Tuning, check_name,
};
pub use supervisor::{ComponentStatus, NodeStatus, Phase};
pub use up::up;

//! What the environment tells a daemon, and where its files are.

use std::path::PathBuf;

use crate::pod::{self, Error, Result};

/// Keys, maps and admin sockets: in memory, gone with the pod.
pub const RUN: &str = "/run/ceph";

/// Of one daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub namespace: String,
    /// Letters of all monitors: a, b, c.
    pub monitors: Vec<String>,
    /// `a` of `mon.a`, `0` of `osd.0`.
    pub id: String,
    pub pod_ip: String,
}

impl Settings {
    pub fn from_environment() -> Result<Self> {
        let monitors = needed("MONITORS", "letters of the monitors: a or a,b,c")?;
        Ok(Self {
            namespace: pod::namespace(),
            monitors: monitors.split(',').map(|id| id.trim().to_owned()).collect(),
            id: needed("DAEMON_ID", "which monitor (a) or OSD (0) this is")?,
            pod_ip: needed("ROOK_POD_IP", "give it by the downward API (status.podIP)")?,
        })
    }

    /// The daemon's folder in its volume.
    pub fn data(&self, kind: &str) -> PathBuf {
        PathBuf::from(format!("/var/lib/ceph/{kind}/ceph-{}", self.id))
    }
}

pub fn needed(variable: &str, hint: &'static str) -> Result<String> {
    pod::var(variable).ok_or_else(|| Error::MissingVariable { variable: variable.to_owned(), hint })
}

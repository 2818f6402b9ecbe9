//! Kubernetes, behind one trait with a real and a simulated side: apply, read, watch, exec, logs.

pub mod api;
pub mod lease;
pub mod real;

pub use api::{Cluster, ClusterError};
pub use real::{connect, connect_as};

/// Field manager of what Landfall itself keeps (Lease, journal, labels); releases are Helm's: `helm`.
pub const MANAGER: &str = "landfall";

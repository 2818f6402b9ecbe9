//! Kubernetes, behind one trait with a real and a simulated side: apply, read, watch, exec, logs.

pub mod api;
pub mod lease;
pub mod real;

pub use api::{Cluster, ClusterError};
pub use real::{connect, connect_as};

//! Ceph as a cloud needs it: pools, users with exact caps, the clients' `ceph.conf`, health.
//!
//! Two ways lead there, and [`Ceph::open`] finds out which: where Rook's operator runs, by its resources
//! (`CephBlockPool`, `CephClient`), which it carries out; else by Ceph's own command line in the pod of
//! `rook-ceph-tools`. Everything is asked for through the Kubernetes API. What Ceph and Rook answer is
//! read by pure functions ([`answers`], [`monitors`]).

pub mod answers;
mod ceph;
pub mod error;
pub mod monitors;
pub mod quorum;
mod resources;
mod toolbox;

pub use ceph::{Ceph, State};
pub use error::Error;

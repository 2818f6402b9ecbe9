//! A small client of Keystone and of what its catalog names: what checks and registration need, and
//! nothing that a cloud's users would.
//!
//! Talks HTTP to a socket address under the name that the Ingress knows, so that no name has to be
//! in DNS or `/etc/hosts`; inside the cluster by URL. Passwords and tokens are in no error and no `Debug`.

mod api;
mod compute;
mod dashboard;
mod error;
mod glance;
mod keystone;
mod network;
mod registry;
mod volume;
mod web;

pub use api::Api;
pub use compute::{Compute, ComputeService, Hypervisor, HypervisorService, Placement, Provider};
pub use dashboard::{Dashboard, Page};
pub use error::Error;
pub use glance::{Glance, Image, sha256};
pub use keystone::{Credentials, Domain, Keystone, Service, Token};
pub use network::{Agent, Network};
pub use registry::{Account, Done, Endpoint, EndpointAction, Registry, decide};
pub use reqwest::Method;
pub use volume::{Volume, VolumeService, Volumes};
pub use web::{Answer, Web};

#[cfg(test)]
mod loopback;

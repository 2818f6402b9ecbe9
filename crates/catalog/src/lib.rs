//! What Landfall knows of each service: its chart, its values from the cloud file, what must be
//! there before it, its check points and their remedies. One file a service; no I/O.
//!
//! The cloud file itself is `landfall-config`'s; what is needed of it comes as [`Inputs`].

mod accounts;
pub mod blueprint;
mod ceph;
mod ceph_config;
mod cinder;
mod compose;
mod coredns;
mod glance;
mod horizon;
mod inputs;
mod keystone;
mod libvirt;
mod mariadb;
mod memcached;
mod neutron;
mod nova;
mod openstackclient;
mod openvswitch;
mod placement;
mod rabbitmq;
mod service;
pub mod ssh;
mod values;

pub use ceph::CONF as CEPH_CONF;
pub use ceph_config::CRON_JOB as CEPH_CRON_JOB;
pub use compose::{blueprint, elsewhere, required_secrets};
pub use inputs::{Ceph, Inputs, REGION};
pub use keystone::ADMIN_SECRET;
pub use openstackclient::OPENSTACK_COMMAND;
pub use service::{Leftover, SecretKind, SecretSpec, Service, UnknownService, expand, services, through};

/// The folder `charts/`: one chart a service, and the library chart `toolkit`.
pub static CHARTS: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../charts");

//! Ids of all that was made or found, by which Ceph, Open vSwitch and libvirt are asked whether something is left.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Traces(Mutex<Ids>);

#[derive(Debug, Default, Clone)]
pub(super) struct Ids {
    /// Images, volumes and backups: their ids are in the names of what Ceph has.
    pub blocks: BTreeSet<String>,
    pub servers: BTreeSet<String>,
    pub ports: BTreeSet<String>,
    /// Networks and routers: their ids are in the names of namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Traces {
    fn ids(&self) -> MutexGuard<'_, Ids> {
        // An insertion can not leave half an id behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn block(&self, id: &str) {
        self.ids().blocks.insert(id.to_owned());
    }

    pub fn server(&self, id: &str) {
        self.ids().servers.insert(id.to_owned());
    }

    pub fn port(&self, id: &str) {
        self.ids().ports.insert(id.to_owned());
    }

    pub fn namespace(&self, id: &str) {
        self.ids().namespaces.insert(id.to_owned());
    }

    pub fn all(&self) -> Ids {
        self.ids().clone()
    }
}

//! Releases as real Helm 4 has them, of any chart on any cluster: installed, upgraded, rolled back, tested, removed.
//!
//! Records are Helm's own (Secrets of the type `helm.sh/release.v1`), objects are applied with its field manager and carry
//! its marks of ownership: what was begun here goes on there, and the other way round. Sources: Helm 4.3.1's actions as its
//! documentation describes them, and its records as they lie in a cluster.

mod error;
mod hooks;
mod install;
mod lookup;
mod objects;
mod rollback;
mod store;
mod test;
mod uninstall;
mod upgrade;
mod values;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use landfall_cluster::api::Cluster;

pub use error::Error;
pub use install::Install;
pub use rollback::Rollback;
pub use store::{Stored, list};
pub use test::Tested;
pub use uninstall::Uninstall;
pub use upgrade::{Former, Upgrade};
pub use values::computed;

/// How real Helm calls itself when it applies: it goes on with our releases, and we with its.
pub(crate) const MANAGER: &str = "helm";
/// Revisions that are kept, as with Helm.
pub(crate) const HISTORY: usize = 10;

pub type Result<T> = std::result::Result<T, Error>;

/// What all actions share.
#[derive(Debug, Clone)]
pub struct Actions {
    cluster: Arc<dyn Cluster>,
    pub namespace: String,
    pub options: Options,
}

/// How an action goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// For hooks, deletions, and what `wait` waits for.
    pub timeout: Duration,
    /// Until all objects of the release are ready; hooks are waited for in any case.
    pub wait: bool,
    pub hooks: bool,
    /// Take fields that another manager has.
    pub force_conflicts: bool,
    /// Make objects part of the release that are there and of no release.
    pub take_ownership: bool,
    /// In place of Helm's own words in the history.
    pub description: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(5),
            wait: false,
            hooks: true,
            force_conflicts: false,
            take_ownership: false,
            description: None,
        }
    }
}

impl Actions {
    pub fn new(cluster: Arc<dyn Cluster>, namespace: impl Into<String>, options: Options) -> Self {
        Self { cluster, namespace: namespace.into(), options }
    }

    fn described(&self, usual: &str) -> String {
        self.options.description.clone().unwrap_or_else(|| usual.to_owned())
    }
}

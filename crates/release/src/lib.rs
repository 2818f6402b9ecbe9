//! Releases as real Helm 4 has them, of any chart on any cluster: installed, upgraded, rolled back, tested, removed.
//!
//! Records are Helm's own (Secrets of the type `helm.sh/release.v1`), objects are applied with its field manager and carry
//! its marks of ownership: what was begun here goes on there, and the other way round. Sources: Helm 4.3.1's actions as its
//! documentation describes them, and its records as they lie in a cluster.
//!
//! Objects are put there by the server (server-side apply) or, where that is asked for or was the way before, by a
//! three-way merge (`merge`, pure) whose outcome is sent as a patch.

mod error;
mod hooks;
mod install;
mod lookup;
mod managed;
mod merge;
mod objects;
mod put;
mod recover;
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
pub use objects::objects;
pub use recover::{Listener, Undoing};
pub use rollback::Rollback;
pub use store::{Stored, list};
pub use test::Tested;
pub use uninstall::Uninstall;
pub use upgrade::{Former, Upgrade};
pub use values::computed;

/// How real Helm calls itself when it applies: it goes on with our releases, and we with its.
pub(crate) const MANAGER: &str = "helm";
/// Revisions that are kept where nothing else is asked for, as with Helm.
const HISTORY: usize = 10;

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
    /// Objects are put there by the server's apply, or else by a merge of ours. None: as the revision was that is upgraded or
    /// gone back to; by the server where there was none.
    pub server_side: Option<bool>,
    /// An upgrade that fails goes back to the last revision that was deployed, an installation that fails is removed.
    pub rollback_on_failure: bool,
    /// What an upgrade or a rollback has made is deleted where it fails.
    pub cleanup_on_failure: bool,
    /// How many revisions are kept; 0 for all.
    pub history: usize,
    /// Only what would be: nothing is written.
    pub dry_run: Option<DryRun>,
    /// Is told of a failure before it is undone.
    pub listener: Option<Arc<dyn Listener>>,
}

/// How far an action goes that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// Renders; `lookup` of templates finds nothing.
    Client,
    /// Renders with what is in the cluster, and asks whose the objects are that are there.
    Server,
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
            server_side: None,
            rollback_on_failure: false,
            cleanup_on_failure: false,
            history: HISTORY,
            dry_run: None,
            listener: None,
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

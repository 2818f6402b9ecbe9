//! What keeps a release from being what was asked for.

use landfall_cluster::api::ClusterError;
use landfall_helm::HelmError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("release {name} is not in namespace {namespace}")]
    NoRelease { name: String, namespace: String },
    #[error("release {name} has no revision {revision}; it has {known}")]
    NoRevision { name: String, revision: i64, known: String },
    #[error("release {name} has no revision that can be gone back to")]
    NothingToRollBackTo { name: String },
    #[error("release {name} is in namespace {namespace} already (revision {revision}, {status})")]
    NameInUse { name: String, namespace: String, revision: i64, status: String },
    /// Another program is at work, or died at it.
    #[error(
        "release {name}: revision {revision} is {status} since {since}: another program is at work on it, or ended before it was done"
    )]
    Pending { name: String, revision: i64, status: String, since: String },
    #[error("release {name} was never deployed: there is nothing to upgrade")]
    NeverDeployed { name: String },
    #[error("{object} is there and does not belong to release {release}: {why}")]
    NotOurs { object: String, release: String, why: String },
    #[error("{object}: {source}")]
    Refused { object: String, source: ClusterError },
    #[error("{event} hook {object} failed: {why}")]
    Hook { event: String, object: String, why: String },
    #[error("{object} is not ready after {seconds} s: {why}")]
    TimedOut { object: String, seconds: u64, why: String },
    #[error("{object} is not gone after {seconds} s: its finalizers, or what it owns, hold it")]
    NotGone { object: String, seconds: u64 },
    #[error("{object}: {why}")]
    Unwell { object: String, why: String },
    #[error("label {0} is Helm's own: a release cannot have another")]
    OwnLabel(String),
    /// An upgrade failed, and was undone.
    #[error("{why}; release {name} is what revision {revision} was again (as revision {now})")]
    WentBack { name: String, revision: i64, now: i64, why: Box<Error> },
    /// An installation failed, and was undone.
    #[error("{why}; what was made of release {name} is removed again")]
    Removed { name: String, why: Box<Error> },
    /// Something failed, and undoing it did so too.
    #[error("{why}; undoing it for release {name} failed as well: {undoing}")]
    NotUndone { name: String, why: Box<Error>, undoing: Box<Error> },
    #[error("the record of release {name}: {why}")]
    Record { name: String, why: String },
    #[error(transparent)]
    Chart(#[from] HelmError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Error {
    /// What failed first, where more came of it.
    pub fn root(&self) -> &Self {
        match self {
            Self::WentBack { why, .. } | Self::Removed { why, .. } | Self::NotUndone { why, .. } => {
                why.root()
            }
            other => other,
        }
    }

    /// The object that kept the release from what was asked, as `Kind name` or `Kind namespace/name`.
    pub fn object(&self) -> Option<&str> {
        match self.root() {
            Self::Hook { object, .. } | Self::TimedOut { object, .. } | Self::Unwell { object, .. } => {
                Some(object)
            }
            _ => None,
        }
    }
}

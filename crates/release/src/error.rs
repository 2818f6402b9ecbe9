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
    #[error("{object}: {why}")]
    Unwell { object: String, why: String },
    #[error("the record of release {name}: {why}")]
    Record { name: String, why: String },
    #[error(transparent)]
    Chart(#[from] HelmError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

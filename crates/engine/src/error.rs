//! What can go wrong before or around a run. Failures of steps are data: [`crate::event::Failure`].

use landfall_cluster::api::ClusterError;
use landfall_cluster::lease::LockError;
use landfall_plan::PlanError;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Another run is at work: who, since when.
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("chart {chart} could not be rendered for release {release}: {message}")]
    Render { release: String, chart: String, message: String },
    #[error("the record of release {release} can not be {what}: {message}")]
    Record { release: String, what: &'static str, message: String },
    #[error("the cluster lets this user not do what the cloud needs: {}", missing.join("; "))]
    Permissions { missing: Vec<String> },
    #[error("no random numbers from the operating system: {0}")]
    Random(String),
    #[error("stopped before anything was changed")]
    Cancelled,
}

pub type Result<T> = std::result::Result<T, EngineError>;

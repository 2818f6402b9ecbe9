//! One execution of a plan: its inputs and its outcome.

use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::Secrets;
use landfall_cluster::api::Cluster;
use landfall_plan::model::{Plan, RenderedRelease};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::checks::CheckContext;
use crate::event::{Event, Failure};
use crate::records::Records;

/// All that a run needs beside its plan.
#[derive(Debug)]
pub struct RunContext {
    pub cluster: Arc<dyn Cluster>,
    pub cloud: String,
    /// The OpenStack namespace: journal, secrets and lease live there.
    pub namespace: String,
    pub releases: Vec<RenderedRelease>,
    pub secrets: Secrets,
    pub records: Arc<dyn Records>,
    pub checks: CheckContext,
    /// Cancelled by Ctrl-C: no new step starts, records stay pending, the next run goes on.
    pub cancel: CancellationToken,
    pub events: UnboundedSender<Event>,
    pub limits: Limits,
    /// Who runs, for the lease: `user@host pid 123`.
    pub holder: String,
}

/// Bounds of a run.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Steps at once.
    pub steps: usize,
    /// Longest time without any progress seen in what a step waits for; then it fails as `no-progress`.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 32, patience: Duration::from_secs(15 * 60) }
    }
}

/// How a run ended, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitKind {
    Ok,
    /// A step failed for good.
    StepFailed,
    /// All steps done, but a check did not pass.
    CheckFailed,
    Cancelled,
    /// The cluster stopped answering or refused by permission.
    Cluster,
}

#[derive(Debug, Clone)]
pub struct RunOutcome {
    pub run: String,
    pub exit: ExitKind,
    /// Whether anything in the cluster was changed.
    pub changed: bool,
    /// Steps that failed, in the order of failing.
    pub failures: Vec<(String, Failure)>,
    /// Ids of checks that did not pass.
    pub failed_checks: Vec<String>,
    pub done: usize,
    pub of: usize,
    pub took: Duration,
}

/// Carries out `plan`. Holds the lease while it runs; events end with `RunDone` or `RunCancelled`.
///
/// # Errors
/// [`EngineError::Lock`](crate::EngineError::Lock) when another run is at work, and cluster errors that
/// come before the first step. What happens to steps is in the outcome.
pub async fn run(plan: Plan, ctx: RunContext) -> crate::error::Result<RunOutcome> {
    let _ = (plan, ctx);
    Err(crate::EngineError::Cancelled)
}

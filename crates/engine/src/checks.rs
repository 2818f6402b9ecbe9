//! Check points carried out, each with its evidence. A check that does not hold is tried again, with
//! growing pauses, for as long as patience lasts: right after a start some things take a moment.

mod ceph;
mod compute;
mod dashboard;
mod ingress;
mod kinds;
mod network;
mod object;
mod openstack;
mod table;
mod volume;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::{CheckSpec, Secrets};
use landfall_cluster::api::Cluster;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What checks need beside the cluster.
#[derive(Debug, Clone)]
pub struct CheckContext {
    /// Where HTTP for Ingress hosts goes; none: found from the Ingress' status or its controller's pods.
    pub ingress: Option<SocketAddr>,
    /// Name of the administrator's password in [`Secrets`].
    pub admin_secret: String,
    pub region: String,
    /// How long a check may go on failing before it counts as failed.
    pub patience: Duration,
}

impl Default for CheckContext {
    fn default() -> Self {
        Self {
            ingress: None,
            admin_secret: "keystone-admin".into(),
            region: "RegionOne".into(),
            patience: Duration::from_mins(1),
        }
    }
}

#[derive(Debug, Clone)]
pub struct CheckOutcome {
    pub spec: CheckSpec,
    pub passed: bool,
    /// Whether trying again would show the same.
    pub settled: bool,
    /// The line, table or number that was seen.
    pub evidence: String,
    pub took: Duration,
}

/// What one try saw.
pub(crate) enum Tried {
    Passed(String),
    /// May hold in a moment.
    NotYet(String),
    /// Trying again shows the same.
    Never(String),
}

/// One check, tried until it passes or patience ends.
pub async fn check(
    cluster: &Arc<dyn Cluster>,
    spec: &CheckSpec,
    secrets: &Secrets,
    ctx: &CheckContext,
    cancel: &CancellationToken,
) -> CheckOutcome {
    let began = Instant::now();
    let deadline = began + ctx.patience;
    let mut pause = FIRST_PAUSE;
    let outcome = |passed, settled, evidence| CheckOutcome {
        spec: spec.clone(),
        passed,
        settled,
        evidence,
        took: began.elapsed(),
    };
    loop {
        let tried = tokio::select! {
            tried = kinds::carry_out(cluster, &spec.kind, secrets, ctx) => tried,
            () = cancel.cancelled() => return outcome(false, false, "stopped".to_owned()),
        };
        let seen = match tried {
            Tried::Passed(evidence) => return outcome(true, true, evidence),
            Tried::Never(evidence) => return outcome(false, true, evidence),
            Tried::NotYet(evidence) => evidence,
        };
        if Instant::now() + pause > deadline {
            return outcome(false, false, seen);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return outcome(false, false, seen),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// All of them side by side (`landfall verify`); `each` is called as they end, the result is in the order of `specs`.
pub async fn verify(
    cluster: &Arc<dyn Cluster>,
    specs: &[CheckSpec],
    secrets: &Secrets,
    ctx: &CheckContext,
    cancel: &CancellationToken,
    each: &(dyn Fn(&CheckOutcome) + Send + Sync),
) -> Vec<CheckOutcome> {
    futures::future::join_all(specs.iter().map(|spec| async move {
        let outcome = check(cluster, spec, secrets, ctx, cancel).await;
        each(&outcome);
        outcome
    }))
    .await
}

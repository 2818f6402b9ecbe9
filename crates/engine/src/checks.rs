//! Check points carried out, each with its evidence.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::{CheckSpec, Secrets};
use landfall_cluster::api::Cluster;
use tokio_util::sync::CancellationToken;

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
            patience: Duration::from_secs(60),
        }
    }
}

#[derive(Debug, Clone)]
pub struct CheckOutcome {
    pub spec: CheckSpec,
    pub passed: bool,
    /// The line, table or number that was seen.
    pub evidence: String,
    pub took: Duration,
}

/// One check, tried until it passes or patience ends.
pub async fn check(
    cluster: &Arc<dyn Cluster>,
    spec: &CheckSpec,
    secrets: &Secrets,
    ctx: &CheckContext,
    cancel: &CancellationToken,
) -> CheckOutcome {
    let _ = (cluster, secrets, ctx, cancel);
    CheckOutcome { spec: spec.clone(), passed: false, evidence: String::new(), took: Duration::ZERO }
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
    let outcomes =
        futures::future::join_all(specs.iter().map(|spec| async move {
            let outcome = check(cluster, spec, secrets, ctx, cancel).await;
            each(&outcome);
            outcome
        }))
        .await;
    outcomes
}

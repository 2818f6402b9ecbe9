//! One execution of a plan: lease, journal, events, outcome. What runs when is [`crate::schedule`]'s.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::{Prerequisite, Secrets};
use landfall_cluster::api::{Access, Cluster, ClusterError, Gvk};
use landfall_cluster::lease::RunLock;
use landfall_plan::model::{Action, Change, Plan, RenderedRelease, Step};
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::act::Shared;
use crate::again::again;
use crate::checks::CheckContext;
use crate::emit::{Emit, millis};
use crate::event::{Event, Failure, StepBrief, What};
use crate::journal::{self, Entry};
use crate::observe::Observer;
use crate::records::Records;
use crate::schedule::{Scheduler, Tally};

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
    /// What looks hopeless must look so for this long: controllers need a moment to take up a change.
    pub certainty: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 32, patience: Duration::from_mins(15), certainty: Duration::from_secs(2) }
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
    let began = Instant::now();
    let id = run_id();
    let changes = plan.changes();
    allowed(&*ctx.cluster, &ctx.namespace, &plan).await?;
    // The Lease needs a home. Its labels are a step of the plan.
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ctx.namespace}});
    let gvk = Gvk::new("v1", "Namespace");
    if again(|| ctx.cluster.get(&gvk, None, &ctx.namespace)).await?.is_none() {
        match again(|| ctx.cluster.create(&home)).await {
            Ok(_) | Err(ClusterError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let lock = RunLock::acquire(Arc::clone(&ctx.cluster), &ctx.namespace, &ctx.cloud, &ctx.holder).await?;
    let cancel = ctx.cancel.child_token();
    let lost = forward(lock.lost(), cancel.clone());

    let emit = Emit::new(&id, ctx.events.clone());
    emit.send(What::RunStarted {
        cluster: ctx.cluster.name().to_owned(),
        cloud: ctx.cloud.clone(),
        steps: plan.steps.iter().map(brief).collect(),
        changes,
    });
    let mut entry = Entry {
        run: id.clone(),
        began: jiff::Timestamp::now().to_string(),
        holder: ctx.holder.clone(),
        end: "running".to_owned(),
        ..Entry::default()
    };
    if changes > 0 {
        journal::write(&*ctx.cluster, &ctx.namespace, &entry).await?;
    }
    let namespaces: BTreeSet<String> = ctx
        .releases
        .iter()
        .map(|r| r.namespace.clone())
        .chain([ctx.namespace.clone(), "kube-system".to_owned()])
        .collect();
    let of = plan.steps.len();
    let shared = Arc::new(Shared {
        observer: Observer::start(&ctx.cluster, &namespaces),
        cluster: Arc::clone(&ctx.cluster),
        releases: ctx.releases,
        secrets: ctx.secrets,
        records: ctx.records,
        emit: emit.clone(),
        cancel: cancel.clone(),
        limits: ctx.limits,
    });
    let tally = Scheduler::new(plan, shared, ctx.checks).run().await;
    lost.abort();

    let exit = exit_kind(&tally);
    let took = began.elapsed();
    end_word(exit).clone_into(&mut entry.end);
    entry.took_ms = millis(took);
    entry.changed = tally.changed;
    entry.steps = tally.times.iter().map(|(step, took, _)| (step.clone(), *took)).collect();
    entry.failures =
        tally.failures.iter().map(|(step, failure)| (step.clone(), failure.code.clone())).collect();
    if (changes > 0 || exit != ExitKind::Ok)
        && let Err(error) = journal::write(&*ctx.cluster, &ctx.namespace, &entry).await
    {
        tracing::warn!(%error, "the journal could not be written");
    }
    lock.release().await;
    if tally.cancelled {
        emit.send(What::RunCancelled { done: tally.done, of });
    } else {
        emit.send(What::RunDone {
            ok: exit == ExitKind::Ok,
            changed: tally.changed,
            took_ms: millis(took),
            critical_path: tally.critical_path,
        });
    }
    Ok(RunOutcome {
        run: id,
        exit,
        changed: tally.changed,
        failures: tally.failures,
        failed_checks: tally.failed_checks,
        done: tally.done,
        of,
        took,
    })
}

/// Cancels `then` when `first` is; its handle ends the wait.
pub(crate) fn forward(first: CancellationToken, then: CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        first.cancelled().await;
        then.cancel();
    })
}

/// Sortable by time, and not the same for two runs of one second.
pub(crate) fn run_id() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

fn brief(step: &Step) -> StepBrief {
    let change = match step.change {
        Change::Create => "create",
        Change::Update => "update",
        Change::Replace => "replace",
        Change::None => "none",
    };
    StepBrief {
        id: step.id.clone(),
        service: step.service.clone(),
        guide: step.guide.clone(),
        change: change.to_owned(),
    }
}

fn exit_kind(tally: &Tally) -> ExitKind {
    if tally.cancelled {
        ExitKind::Cancelled
    } else if tally
        .failures
        .iter()
        .any(|(_, f)| matches!(f.code.as_str(), "cluster-unreachable" | "forbidden"))
    {
        ExitKind::Cluster
    } else if !tally.failures.is_empty() {
        ExitKind::StepFailed
    } else if !tally.failed_checks.is_empty() {
        ExitKind::CheckFailed
    } else {
        ExitKind::Ok
    }
}

fn end_word(exit: ExitKind) -> &'static str {
    match exit {
        ExitKind::Ok => "ok",
        ExitKind::StepFailed | ExitKind::Cluster => "failed",
        ExitKind::CheckFailed => "checks-failed",
        ExitKind::Cancelled => "cancelled",
    }
}

/// Asks beforehand whether this user may do what the plan needs.
async fn allowed(cluster: &dyn Cluster, namespace: &str, plan: &Plan) -> crate::error::Result<()> {
    if plan.changes() == 0 {
        return Ok(());
    }
    let access = |verb: &str, group: &str, resource: &str, namespace: Option<&str>| Access {
        verb: verb.into(),
        group: group.into(),
        resource: resource.into(),
        namespace: namespace.map(str::to_owned),
    };
    let home = Some(namespace);
    let mut asked = vec![
        access("update", "coordination.k8s.io", "leases", home),
        access("patch", "", "secrets", home),
        access("patch", "", "configmaps", home),
        access("patch", "apps", "deployments", home),
        access("patch", "apps", "statefulsets", home),
        access("patch", "batch", "jobs", home),
        access("watch", "", "pods", home),
    ];
    for step in plan.steps.iter().filter(|s| s.change != Change::None) {
        if let Action::Ensure { prerequisite } = &step.action {
            match prerequisite {
                Prerequisite::Namespace { .. } => asked.push(access("patch", "", "namespaces", None)),
                Prerequisite::NodeLabel { .. } => asked.push(access("patch", "", "nodes", None)),
                Prerequisite::CorednsRbac => {
                    asked.push(access("patch", "rbac.authorization.k8s.io", "clusterroles", None));
                }
                Prerequisite::Object { object, .. } if object["kind"] == "StorageClass" => {
                    asked.push(access("patch", "storage.k8s.io", "storageclasses", None));
                }
                Prerequisite::CephPool { rook, .. } | Prerequisite::CephKey { rook, .. } => {
                    asked.push(access("create", "", "pods/exec", Some(rook)));
                }
                Prerequisite::Secret { .. } | Prerequisite::Object { .. } | Prerequisite::CephConf { .. } => {
                }
            }
        }
    }
    let denied = again(|| cluster.denied(&asked)).await?;
    if denied.is_empty() {
        return Ok(());
    }
    Err(crate::EngineError::Permissions { missing: denied.iter().map(ToString::to_string).collect() })
}

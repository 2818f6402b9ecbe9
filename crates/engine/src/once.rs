//! A CronJob's work, done once and now: as `kubectl create job --from` makes it, waited for by watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfall_catalog::blueprint::Secrets;
use landfall_cluster::api::{Cluster, Gvk};
use landfall_health::object::is_owned_by;
use landfall_health::{ObjectRef, readiness};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::act::{Scope, Shared, Stop};
use crate::again::again;
use crate::emit::Emit;
use crate::event::{Event, Failure, What};
use crate::failure;
use crate::helm_records::HelmRecords;
use crate::observe::Observer;
use crate::run::{Limits, run_id};

/// Lines of what the Job said.
const LINES: i64 = 100;
/// As `kubectl` marks it.
const BY_HAND: &str = "cronjob.kubernetes.io/instantiate";

/// A Job that has done its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub job: String,
    /// What it wrote, its last lines.
    pub said: String,
}

/// Why there is none.
#[derive(Debug)]
pub enum NotDone {
    /// The CronJob is not there.
    Absent,
    Failed(Box<Failure>),
    Cancelled,
}

/// Runs `cron_job` of `namespace`; `waiting` hears what is waited for, root cause last. A Job that fails
/// is not tried again: who asked is there to look.
///
/// # Errors
/// [`NotDone`] with its cause.
pub async fn once(
    cluster: &Arc<dyn Cluster>,
    namespace: &str,
    cron_job: &str,
    limits: Limits,
    cancel: &CancellationToken,
    mut waiting: impl FnMut(&[String]) + Send + 'static,
) -> std::result::Result<Done, NotDone> {
    let id = run_id();
    let key = format!("CronJob/{namespace}/{cron_job}");
    let gvk = Gvk::new("batch/v1", "CronJob");
    let found = again(|| cluster.get(&gvk, Some(namespace), cron_job)).await;
    let found = found.map_err(|error| failed(failure::of_cluster(&error, &key)))?.ok_or(NotDone::Absent)?;
    let job = by_hand(&found, &id);
    let at = ObjectRef::new("Job", namespace, job["metadata"]["name"].as_str().unwrap_or_default());
    let (events, mut heard) = unbounded_channel::<Event>();
    let hearing = tokio::spawn(async move {
        while let Some(event) = heard.recv().await {
            if let What::StepWaiting { causes, .. } = event.what {
                waiting(&causes);
            }
        }
    });
    let shared = Shared {
        observer: Observer::start(cluster, &BTreeSet::from([namespace.to_owned()])),
        cluster: Arc::clone(cluster),
        releases: Vec::new(),
        secrets: Secrets(BTreeMap::new()),
        records: Arc::new(HelmRecords::default()),
        emit: Emit::new(&id, events),
        cancel: cancel.clone(),
        limits,
    };
    again(|| cluster.create(&job)).await.map_err(|error| failed(failure::of_cluster(&error, &at.key())))?;
    let ended = shared
        .until(&at.key(), std::slice::from_ref(&at), Scope::All, |world| {
            world.get(&at).is_some_and(|job| readiness(job).is_ready())
        })
        .await;
    match ended {
        Ok(()) => {}
        Err(Stop::Failed(failure)) => return Err(NotDone::Failed(failure)),
        Err(Stop::Skipped(_) | Stop::Cancelled) => return Err(NotDone::Cancelled),
    }
    let said = said(&shared, &at).await;
    // Its sender goes with it.
    drop(shared);
    let _ = hearing.await;
    Ok(Done { job: at.name, said })
}

fn failed(failure: Failure) -> NotDone {
    NotDone::Failed(Box::new(failure))
}

/// The Job as its CronJob would make it; the CronJob clears it away with its own.
fn by_hand(cron_job: &Value, id: &str) -> Value {
    let (meta, template) = (&cron_job["metadata"], &cron_job["spec"]["jobTemplate"]);
    let mut spec = template["spec"].clone();
    spec["backoffLimit"] = json!(0);
    let mut annotations = template["metadata"]["annotations"].clone();
    annotations[BY_HAND] = json!("manual");
    let name = format!("{}-{}", meta["name"].as_str().unwrap_or_default(), suffix(id));
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": meta["name"],
                "uid": meta["uid"], "controller": true}],
        },
        "spec": spec,
    })
}

/// Of a run's id what a name may have.
fn suffix(id: &str) -> String {
    id.chars().filter(char::is_ascii_digit).collect()
}

/// What the pod that did it wrote.
async fn said(shared: &Shared, at: &ObjectRef) -> String {
    let pod = shared.observer.read(|world| {
        let job = world.get(at)?;
        let mut pods = world.of_kind("Pod", &at.namespace).filter(|pod| is_owned_by(pod, job));
        let pod = pods.find(|pod| pod["status"]["phase"] != "Failed")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some((text(&pod["metadata"]["name"])?, text(&pod["spec"]["containers"][0]["name"])?))
    });
    let Some((pod, container)) = pod else { return String::new() };
    let log = again(|| shared.cluster.logs(&at.namespace, &pod, &container, LINES, false)).await;
    log.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_by_hand_is_the_cron_jobs_own() {
        let cron_job = json!({
            "metadata": {"name": "update", "namespace": "openstack", "uid": "u"},
            "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"backoffLimit": 4, "template": {"spec": {}}}}},
        });
        let job = by_hand(&cron_job, "20260101T000000.123Z");
        assert_eq!(job["metadata"]["name"], "update-20260101000000123");
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "u");
        assert_eq!(job["metadata"]["annotations"][BY_HAND], "manual");
        assert_eq!(job["spec"], json!({"backoffLimit": 0, "template": {"spec": {}}}));
    }
}

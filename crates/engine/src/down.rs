//! `landfall down`: removes what `up` made, in reverse order, and says beforehand what data goes.
//!
//! What belongs to a release is observed (Helm's marks on the objects), so that leftovers of a run that
//! died are found, too. Data is kept unless it is asked for by name: volumes, and with them the
//! passwords and keys without which they would be of no use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_cluster::lease::RunLock;
use landfall_plan::model::Object;
use landfall_plan::object::{is_cluster_scoped, is_workload, key, kind, name, namespace};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::act::is_kept;
use crate::again::again;
use crate::emit::{Emit, millis};
use crate::error::Result;
use crate::event::{Event, Failure, StepBrief, What};
use crate::run::{ExitKind, RunOutcome, forward, run_id};
use crate::{failure, journal, records, secrets};

/// Kinds that charts bring, besides volumes.
const KINDS: [(&str, &str); 21] = [
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
];
const CLAIM: &str = "PersistentVolumeClaim";
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, Default)]
pub struct DownOptions {
    /// Deletes PersistentVolumeClaims too: the data.
    pub volumes: bool,
    /// Only these releases; empty is all that are recorded.
    pub only: Vec<String>,
}

/// What `down` found, as plain data. Secrets among the objects have no values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The cloud's own.
    pub namespace: String,
    pub releases: Vec<FoundRelease>,
    /// PersistentVolumeClaims of that namespace, and those of services that are at home in another.
    pub volumes: Vec<Object>,
    /// `Kind/namespace/name` of what programs made at run time, and of Landfall's own Secret.
    pub runtime: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundRelease {
    pub name: String,
    pub namespace: String,
    pub revision: u32,
    pub status: String,
    /// Objects that carry this release's name, and hook objects left over.
    pub objects: Vec<Object>,
    /// Names of its record Secrets.
    pub records: Vec<String>,
}

/// Data that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// `PersistentVolumeClaim/openstack/mysql-data-mariadb-server-0`.
    pub object: String,
    /// Plain words: `5Gi: the databases of MariaDB`.
    pub what: String,
    pub kept: bool,
}

/// What data goes and what stays. Pure.
pub fn losses(inventory: &Inventory, options: &DownOptions) -> Vec<Loss> {
    let mut all: Vec<Loss> = inventory
        .volumes
        .iter()
        .filter(|claim| concerns(inventory, options, name(claim)))
        .map(|claim| {
            let size = claim["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or("?");
            let holds = match name(claim) {
                n if n.contains("mysql") || n.contains("mariadb") => "the databases of MariaDB",
                n if n.contains("rabbitmq") => "the queues of RabbitMQ",
                n if n.contains("ceph-osd") => "the disk of Ceph, with images and volumes",
                n if n.contains("ceph-mon") => "the maps of Ceph, without which its disks can not be read",
                _ => "its files",
            };
            Loss {
                object: key(claim, &inventory.namespace),
                what: format!("{size}: {holds}"),
                kept: !options.volumes,
            }
        })
        .collect();
    all.extend(inventory.runtime.iter().filter(|key| concerns(inventory, options, key)).map(|key| {
        let what = match key.rsplit('/').next().unwrap_or_default() {
            secrets::NAME => "the generated passwords of all services",
            "rook-ceph-mon" => "the identity of Ceph and its administrator's key",
            _ => "made while the service ran",
        };
        Loss { object: key.clone(), what: what.to_owned(), kept: !options.volumes }
    }));
    all
}

/// Whether a piece of data belongs to what is removed: by the workloads' names in it.
fn concerns(inventory: &Inventory, options: &DownOptions, data: &str) -> bool {
    if options.only.is_empty() {
        return true;
    }
    options.only.iter().any(|release| {
        let sets = inventory.releases.iter().filter(|r| r.name == *release).flat_map(|r| &r.objects);
        data.contains(release.as_str())
            || sets.filter(|o| kind(o) == "StatefulSet").any(|o| data.contains(name(o)))
    })
}

/// What the cloud has in other namespaces: which services are at home there, maybe none.
pub type Elsewhere = BTreeMap<String, BTreeSet<&'static str>>;

/// Looks; changes nothing. In other namespaces than the cloud's own it sees what bears the marks of its
/// releases, and what the services leave that are at home there; all else there is somebody else's.
///
/// # Errors
/// When the cluster does not answer or forbids to look.
pub async fn inspect(cluster: &dyn Cluster, namespace: &str, elsewhere: &Elsewhere) -> Result<Inventory> {
    let mut inventory = Inventory { namespace: namespace.into(), ..Inventory::default() };
    for record in &records::list(cluster, namespace, "").await? {
        inventory.record(record, namespace);
    }
    for (home, services) in elsewhere.iter().filter(|(_, services)| !services.is_empty()) {
        let records = seen(records::list(cluster, home, "").await)?;
        for record in records.iter().filter(|record| services.contains(records::release_name(record))) {
            inventory.record(record, home);
        }
    }
    let homes: Vec<&str> = [namespace].into_iter().chain(elsewhere.keys().map(String::as_str)).collect();
    let places = |kind: &str| {
        if is_cluster_scoped(kind) { vec![None] } else { homes.iter().copied().map(Some).collect() }
    };
    let all = KINDS
        .iter()
        .flat_map(|(api, kind)| places(kind).into_iter().map(move |home| (Gvk::new(api, kind), home)));
    let listings = stream::iter(all).map(|(gvk, home)| async move {
        match again(|| cluster.list(&gvk, home, "app.kubernetes.io/managed-by=Helm")).await {
            // Not to be seen is not ours to remove; a cluster without the kind has none.
            Err(ClusterError::UnknownKind(_) | ClusterError::Forbidden { .. }) => Ok(Vec::new()),
            answer => answer,
        }
    });
    let found: Vec<Vec<Value>> = listings.buffered(AT_ONCE).try_collect().await?;
    for mut object in found.into_iter().flatten() {
        let mark = |name: &str| object["metadata"]["annotations"][format!("meta.helm.sh/{name}")].as_str();
        let (release, home) = (mark("release-name"), mark("release-namespace"));
        let at = inventory
            .releases
            .iter()
            .position(|r| Some(r.name.as_str()) == release && Some(r.namespace.as_str()) == home);
        if let Some(map) = object.as_object_mut() {
            map.remove("data");
        }
        if let Some(at) = at {
            inventory.releases[at].objects.push(object);
        }
    }
    inventory.leave_behind(cluster, elsewhere).await?;
    // Installed last, removed first.
    inventory.releases.sort_by_key(|r| std::cmp::Reverse(order(&r.name)));
    Ok(inventory)
}

/// What may not be seen elsewhere is not ours.
fn seen(found: Result<Vec<Value>>) -> Result<Vec<Value>> {
    match found {
        Err(crate::EngineError::Cluster(ClusterError::Forbidden { .. })) => Ok(Vec::new()),
        answer => answer,
    }
}

impl Inventory {
    fn record(&mut self, record: &Value, home: &str) {
        let release = records::release_name(record);
        let known = self.releases.iter().position(|r| r.name == release && r.namespace == home);
        let at = known.unwrap_or_else(|| {
            self.releases.push(FoundRelease {
                name: release.to_owned(),
                namespace: home.to_owned(),
                revision: 0,
                status: String::new(),
                objects: Vec::new(),
                records: Vec::new(),
            });
            self.releases.len() - 1
        });
        let found = &mut self.releases[at];
        if records::revision(record) >= found.revision {
            found.revision = records::revision(record);
            records::status(record).clone_into(&mut found.status);
        }
        found.records.push(name(record).to_owned());
    }

    /// Volumes, and what programs made at run time.
    async fn leave_behind(&mut self, cluster: &dyn Cluster, elsewhere: &Elsewhere) -> Result<()> {
        let claims = Gvk::new("v1", CLAIM);
        self.volumes = again(|| cluster.list(&claims, Some(&self.namespace), "")).await?;
        let mut wanted = vec![(self.namespace.clone(), "Secret", secrets::NAME)];
        for service in landfall_catalog::services() {
            let home = elsewhere.iter().find(|(_, services)| services.contains(service.name));
            let home = home.map_or(&self.namespace, |(home, _)| home);
            wanted.extend(service.leftovers.iter().map(|left| (home.clone(), left.kind, left.name)));
        }
        for (home, kind, pattern) in wanted {
            // Of the cloud's own namespace all volumes are known already.
            if !matches!(kind, "Secret" | "ConfigMap") && (kind != CLAIM || home == self.namespace) {
                continue;
            }
            let gvk = Gvk::new("v1", kind);
            for object in again(|| cluster.list(&gvk, Some(&home), "")).await? {
                let fits = match pattern.strip_suffix('*') {
                    Some(beginning) => name(&object).starts_with(beginning),
                    None => name(&object) == pattern,
                };
                let key = key(&object, &home);
                if fits && kind == CLAIM {
                    self.volumes.push(object);
                } else if fits && !self.runtime.contains(&key) {
                    self.runtime.push(key);
                }
            }
        }
        Ok(())
    }
}

/// Rank in the catalog's order; what is not in it counts as on top.
fn order(release: &str) -> usize {
    let all = landfall_catalog::services();
    all.iter().position(|service| service.name == release).unwrap_or(all.len())
}

/// Removes. Steps in events: `<release>/remove`, `volumes/remove`, `secrets/remove`.
///
/// # Errors
/// [`EngineError::Lock`](crate::EngineError::Lock) when a run is at work.
pub async fn down(
    cluster: Arc<dyn Cluster>,
    cloud: &str,
    inventory: &Inventory,
    options: &DownOptions,
    holder: &str,
    cancel: CancellationToken,
    events: UnboundedSender<Event>,
) -> Result<RunOutcome> {
    let began = Instant::now();
    let id = run_id();
    let lock = RunLock::acquire(Arc::clone(&cluster), &inventory.namespace, cloud, holder).await?;
    let cancel = cancel.child_token();
    let lost = forward(lock.lost(), cancel.clone());
    let steps = steps(inventory, options);
    let emit = Emit::new(&id, events);
    emit.send(What::RunStarted {
        cluster: cluster.name().to_owned(),
        cloud: cloud.to_owned(),
        steps: steps.iter().map(|step| brief(&step.id)).collect(),
        changes: steps.len(),
    });
    let mut failures: Vec<(String, Failure)> = Vec::new();
    let (mut done, mut changed) = (0, false);
    for step in &steps {
        if cancel.is_cancelled() {
            break;
        }
        let from = Instant::now();
        emit.send(What::StepStarted { step: step.id.clone() });
        match remove_all(&*cluster, step, &emit).await {
            Ok(removed) => {
                changed |= removed;
                done += 1;
                let took_ms = millis(from.elapsed());
                emit.send(What::StepDone { step: step.id.clone(), changed: removed, took_ms });
            }
            Err((object, error)) => {
                let failure = failure::of_cluster(&error, &object);
                emit.send(What::StepFailed { step: step.id.clone(), failure: failure.clone() });
                failures.push((step.id.clone(), failure));
            }
        }
    }
    lost.abort();
    lock.release().await;
    let exit = match (cancel.is_cancelled(), failures.is_empty()) {
        (true, _) => ExitKind::Cancelled,
        (_, false) => ExitKind::StepFailed,
        _ => ExitKind::Ok,
    };
    let took = began.elapsed();
    if exit == ExitKind::Cancelled {
        emit.send(What::RunCancelled { done, of: steps.len() });
    } else {
        let ok = exit == ExitKind::Ok;
        emit.send(What::RunDone { ok, changed, took_ms: millis(took), critical_path: Vec::new() });
    }
    Ok(RunOutcome {
        run: id,
        exit,
        changed,
        failures,
        failed_checks: Vec::new(),
        done,
        of: steps.len(),
        took,
    })
}

/// Things that go together; later stages go when the earlier are gone.
struct Removal {
    id: String,
    stages: Vec<Vec<(Gvk, Option<String>, String)>>,
}

fn steps(inventory: &Inventory, options: &DownOptions) -> Vec<Removal> {
    let own = Some(inventory.namespace.clone());
    let target = |object: &Object| {
        let home = namespace(object, &inventory.namespace);
        let home = (!home.is_empty()).then(|| home.to_owned());
        Gvk::of(object).map(|gvk| (gvk, home, name(object).to_owned()))
    };
    let mut steps = Vec::new();
    let wanted = |release: &&FoundRelease| options.only.is_empty() || options.only.contains(&release.name);
    for release in inventory.releases.iter().filter(wanted) {
        let (running, rest): (Vec<&Object>, Vec<&Object>) = release
            .objects
            .iter()
            .filter(|o| !is_kept(o))
            .partition(|o| is_workload(kind(o)) || kind(o) == "CronJob");
        // Their permissions and settings stay as long as pods may still use them.
        let mut stages: Vec<Vec<_>> =
            [running, rest].into_iter().map(|stage| stage.into_iter().filter_map(target).collect()).collect();
        // The records last: until then a killed `down` finds its release again.
        let secret = records::secret_kind();
        let home = Some(release.namespace.clone());
        stages.push(release.records.iter().map(|r| (secret.clone(), home.clone(), r.clone())).collect());
        steps.push(Removal { id: format!("{}/remove", release.name), stages });
    }
    if options.volumes {
        let claims = inventory.volumes.iter().filter(|claim| concerns(inventory, options, name(claim)));
        steps
            .push(Removal { id: "volumes/remove".into(), stages: vec![claims.filter_map(target).collect()] });
        let mut rest: Vec<_> = inventory
            .runtime
            .iter()
            .filter(|key| concerns(inventory, options, key))
            .filter_map(|key| {
                let mut parts = key.split('/');
                let (kind, home, name) = (parts.next()?, parts.next()?, parts.next()?);
                Some((Gvk::new("v1", kind), Some(home.to_owned()), name.to_owned()))
            })
            .collect();
        if options.only.is_empty() {
            rest.push((Gvk::new("v1", "ConfigMap"), own, journal::NAME.to_owned()));
        }
        steps.push(Removal { id: "secrets/remove".into(), stages: vec![rest] });
    }
    steps
}

async fn remove_all(
    cluster: &dyn Cluster,
    step: &Removal,
    emit: &Emit,
) -> std::result::Result<bool, (String, ClusterError)> {
    let mut removed = false;
    for stage in &step.stages {
        if stage.is_empty() {
            continue;
        }
        let names: BTreeSet<String> =
            stage.iter().map(|(gvk, _, name)| format!("{} {name}", gvk.kind.to_lowercase())).collect();
        emit.waiting(
            &step.id,
            vec![format!("removing {}", names.into_iter().collect::<Vec<_>>().join(", "))],
        );
        let results: Vec<bool> = stream::iter(stage.clone())
            .map(|(gvk, home, name)| async move {
                again(|| cluster.delete(&gvk, home.as_deref(), &name, true)).await.map_err(|error| {
                    (format!("{}/{}/{name}", gvk.kind, home.as_deref().unwrap_or_default()), error)
                })
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        removed |= results.contains(&true);
    }
    Ok(removed)
}

fn brief(id: &str) -> StepBrief {
    let service = id.split('/').next().unwrap_or_default().to_owned();
    StepBrief { id: id.to_owned(), service, guide: String::new(), change: "remove".to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn inventory() -> Inventory {
        let claim = |name: &str| {
            json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "openstack"},
            "spec": {"resources": {"requests": {"storage": "5Gi"}}}})
        };
        Inventory {
            namespace: "openstack".into(),
            volumes: vec![claim("mysql-data-mariadb-server-0"), claim("rabbitmq-data-rabbitmq-rabbitmq-0")],
            runtime: vec!["Secret/openstack/landfall-secrets".into()],
            ..Inventory::default()
        }
    }

    #[test]
    fn data_is_kept_unless_volumes_are_named() {
        let kept = losses(&inventory(), &DownOptions::default());
        assert!(kept.iter().all(|loss| loss.kept));
        let gone = losses(&inventory(), &DownOptions { volumes: true, only: Vec::new() });
        assert_eq!(gone.len(), 3);
        assert!(gone.iter().all(|loss| !loss.kept));
        assert_eq!(gone[0].what, "5Gi: the databases of MariaDB");
    }

    #[test]
    fn what_is_elsewhere_goes_from_there_and_is_told_with_its_place() {
        let mut inventory = inventory();
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "rook-ceph-osd-0", "namespace": "rook-ceph"},
            "spec": {"resources": {"requests": {"storage": "10Gi"}}}});
        inventory.volumes.push(claim);
        inventory.runtime.push("Secret/rook-ceph/rook-ceph-mon".into());
        let only = DownOptions { volumes: true, only: vec!["ceph".into()] };
        let told: Vec<String> =
            losses(&inventory, &only).iter().map(|loss| format!("{}: {}", loss.object, loss.what)).collect();
        assert_eq!(
            told,
            [
                "PersistentVolumeClaim/rook-ceph/rook-ceph-osd-0: 10Gi: the disk of Ceph, with images and volumes",
                "Secret/rook-ceph/rook-ceph-mon: the identity of Ceph and its administrator's key",
            ]
        );
        let targets: Vec<_> =
            steps(&inventory, &only).into_iter().flat_map(|step| step.stages).flatten().collect();
        assert!(targets.iter().all(|(_, home, _)| home.as_deref() == Some("rook-ceph")), "{targets:?}");
    }

    #[test]
    fn only_the_data_of_the_service_that_goes_is_named() {
        let only = DownOptions { volumes: true, only: vec!["rabbitmq".into()] };
        let gone = losses(&inventory(), &only);
        assert_eq!(
            gone.iter().map(|l| l.object.as_str()).collect::<Vec<_>>(),
            ["PersistentVolumeClaim/openstack/rabbitmq-data-rabbitmq-rabbitmq-0"]
        );
    }
}

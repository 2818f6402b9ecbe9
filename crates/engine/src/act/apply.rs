//! A release's objects: applied with Helm's field manager, those that are no more wanted deleted.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use landfall_cluster::api::{Applied, ClusterError, Gvk};
use landfall_helm::adopt;
use landfall_plan::model::{Object, RenderedRelease};
use landfall_plan::object::{covers, is_cluster_scoped, is_workload, key, kind, name, namespace};
use serde_json::{Value, json};

use super::{Acted, Shared, refused, unrecorded};
use crate::again::again;
use crate::records;

/// Exactly what real Helm calls itself, so that it goes on with our releases without conflicts.
pub(crate) const HELM: &str = "helm";
const AT_ONCE: usize = 8;

impl Shared {
    pub async fn apply(&self, release: &RenderedRelease) -> Acted {
        let begun =
            records::begin(&*self.cluster, &*self.records, release).await.map_err(unrecorded(release))?;
        let mut changed = begun.wrote;
        self.observer.settled().await;
        for stage in stages(release) {
            let results: Vec<bool> = stream::iter(stage)
                .map(|object| async move { self.apply_one(release, &object).await })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            changed |= results.contains(&true);
        }
        changed |= self.prune(release, &begun.former).await?;
        Ok(changed)
    }

    async fn apply_one(&self, release: &RenderedRelease, object: &Object) -> Acted {
        let owned = owned(object, release);
        let key = key(object, &release.namespace);
        if kind(object) == "Job" {
            return self.apply_job(&owned, &key).await;
        }
        let (applied, live) =
            again(|| self.cluster.apply(&owned, HELM, false)).await.map_err(refused(&key))?;
        // The watch may bring it later than this release is first looked at.
        self.observer.take(live);
        Ok(applied != Applied::Unchanged)
    }

    /// A Job's template can not change: where it must, the Job is made anew.
    async fn apply_job(&self, job: &Value, key: &str) -> Acted {
        let gvk = Gvk::new("batch/v1", "Job");
        let (home, name) = (job["metadata"]["namespace"].as_str(), name(job));
        let live = again(|| self.cluster.get(&gvk, home, name)).await.map_err(refused(key))?;
        if live.is_some_and(|live| !covers(&live["spec"]["template"], &job["spec"]["template"])) {
            again(|| self.cluster.delete(&gvk, home, name, true)).await.map_err(refused(key))?;
        }
        match again(|| self.cluster.apply(job, HELM, false)).await {
            Err(ClusterError::Invalid { message, .. }) if message.contains("immutable") => {
                again(|| self.cluster.delete(&gvk, home, name, true)).await.map_err(refused(key))?;
                again(|| self.cluster.apply(job, HELM, false)).await.map_err(refused(key))?;
                Ok(true)
            }
            answer => Ok(answer.map_err(refused(key))?.0 != Applied::Unchanged),
        }
    }

    /// Deletes what former manifests had and this one has not.
    async fn prune(&self, release: &RenderedRelease, former: &[Object]) -> Acted {
        let kept: BTreeSet<String> = release.objects.iter().map(|o| key(o, &release.namespace)).collect();
        let mut changed = false;
        let mut seen = BTreeSet::new();
        for object in former {
            let gone = key(object, &release.namespace);
            if kept.contains(&gone) || is_kept(object) || !seen.insert(gone.clone()) {
                continue;
            }
            let Some(gvk) = Gvk::of(object) else { continue };
            let home = namespace(object, &release.namespace);
            let home = (!home.is_empty()).then_some(home);
            match again(|| self.cluster.delete(&gvk, home, name(object), false)).await {
                Ok(deleted) => changed |= deleted,
                // The kind itself is gone, and so are its objects.
                Err(ClusterError::UnknownKind(_)) => {}
                Err(error) => return Err(refused(&gone)(error)),
            }
        }
        Ok(changed)
    }
}

/// Data, and what the chart asks to be kept.
pub(crate) fn is_kept(object: &Value) -> bool {
    matches!(kind(object), "PersistentVolumeClaim" | "Namespace")
        || object["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
}

/// With the marks by which Helm knows its own.
pub(crate) fn owned(object: &Object, release: &RenderedRelease) -> Object {
    let mut object = object.clone();
    if !is_cluster_scoped(kind(&object)) && object["metadata"]["namespace"].as_str().is_none_or(str::is_empty)
    {
        object["metadata"]["namespace"] = json!(release.namespace);
    }
    adopt(&mut object, &release.name, &release.namespace);
    object
}

/// Namespaces and definitions, then what pods need, then workloads; within each, all at once.
fn stages(release: &RenderedRelease) -> [Vec<Object>; 3] {
    let mut stages: [Vec<Object>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for object in &release.objects {
        let stage = match kind(object) {
            "Namespace" | "CustomResourceDefinition" => 0,
            other if is_workload(other) || other == "CronJob" => 2,
            _ => 1,
        };
        stages[stage].push(object.clone());
    }
    stages
}

//! Hooks: begun when what their pod waits for is there, so that no pod sits in its init container;
//! then waited for. A hook that ran for this very content is not run again.

use landfall_cluster::api::Gvk;
use landfall_health::dependency::Dependency;
use landfall_health::object::labels_match;
use landfall_health::{ObjectRef, Readiness, World, readiness};
use landfall_plan::model::{RenderedHook, RenderedRelease};
use landfall_plan::object::{kind, name, namespace};
use serde_json::{Value, json};

use super::apply::{HELM, owned};
use super::{Acted, Scope, Shared, Stop, refused};
use crate::again::again;
use crate::records::DIGEST_ANNOTATION;

impl Shared {
    pub async fn hook(&self, step: &str, release: &RenderedRelease, hook: &RenderedHook) -> Acted {
        let mut object = owned(&hook.object, release);
        let at = ObjectRef::new(kind(&object), namespace(&object, &release.namespace), name(&object));
        let Some(gvk) = Gvk::of(&object) else { return Ok(false) };
        let home = (!at.namespace.is_empty()).then_some(at.namespace.as_str());
        let key = at.key();
        object["metadata"]["annotations"][DIGEST_ANNOTATION] = json!(release.digest);
        if !matches!(kind(&object), "Job" | "Pod") {
            // Before-hook-creation matters for what runs; this is only put there.
            let (applied, _) =
                again(|| self.cluster.apply(&object, HELM, true)).await.map_err(refused(&key))?;
            return Ok(applied != landfall_cluster::api::Applied::Unchanged);
        }

        let live = again(|| self.cluster.get(&gvk, home, &at.name)).await.map_err(refused(&key))?;
        let ours = live
            .as_ref()
            .is_some_and(|l| l["metadata"]["annotations"][DIGEST_ANNOTATION] == release.digest.as_str());
        let state = live.as_ref().map(readiness);
        match (&live, ours, state) {
            (Some(_), true, Some(Readiness::Ready)) => {
                return if has(hook, "hook-succeeded") {
                    again(|| self.cluster.delete(&gvk, home, &at.name, false)).await.map_err(refused(&key))
                } else {
                    Ok(false)
                };
            }
            // Begun by a run that died: go on with it.
            (Some(_), true, Some(Readiness::Progressing { .. })) => {}
            (found, ..) => {
                self.until_startable(step, release, hook).await?;
                if found.is_some() {
                    again(|| self.cluster.delete(&gvk, home, &at.name, true)).await.map_err(refused(&key))?;
                }
                again(|| self.cluster.apply(&object, HELM, true)).await.map_err(refused(&key))?;
            }
        }
        let begun = again(|| self.cluster.get(&gvk, home, &at.name)).await.map_err(refused(&key))?;
        let uid = begun.map(|o| o["metadata"]["uid"].clone()).unwrap_or_default();
        let ended =
            self.until(step, std::slice::from_ref(&at), Scope::All, |world| finished(world, &at, &uid)).await;
        let policy = if ended.is_ok() { "hook-succeeded" } else { "hook-failed" };
        let over = ended.is_ok() || matches!(ended, Err(Stop::Failed(_)));
        if over && has(hook, policy) {
            again(|| self.cluster.delete(&gvk, home, &at.name, false)).await.map_err(refused(&key))?;
        }
        ended.map(|()| true)
    }

    /// Waits for what the hook's pod would wait for in its init container.
    async fn until_startable(&self, step: &str, release: &RenderedRelease, hook: &RenderedHook) -> Acted<()> {
        let declared = landfall_plan::graph::declared(&hook.object, &release.namespace);
        let mut targets: Vec<ObjectRef> = declared.dependencies.iter().filter_map(target).collect();
        targets.sort();
        let ended = self
            .until(step, &targets, Scope::All, |world| declared.dependencies.iter().all(|d| is_met(world, d)))
            .await;
        ended.map_err(|stop| match stop {
            // Not this hook's fault: the step of what is waited for tells it.
            Stop::Failed(failure) => {
                Stop::Skipped(failure.causes.last().map_or(failure.code, |root| root.object.clone()))
            }
            other => other,
        })
    }
}

fn has(hook: &RenderedHook, policy: &str) -> bool {
    hook.delete_policies.iter().any(|p| p == policy)
}

/// Whether this very object (not one of the same name before it) has succeeded.
fn finished(world: &World, at: &ObjectRef, uid: &Value) -> bool {
    world.get(at).is_some_and(|o| o["metadata"]["uid"] == *uid && readiness(o).is_ready())
}

/// The object that a diagnosis of a dependency begins with.
fn target(dependency: &Dependency) -> Option<ObjectRef> {
    Some(match dependency {
        Dependency::Service { namespace, name } => ObjectRef::new("Service", namespace, name),
        Dependency::Job { namespace, name } => ObjectRef::new("Job", namespace, name),
        Dependency::DaemonSet { namespace, name } => ObjectRef::new("DaemonSet", namespace, name),
        _ => return None,
    })
}

/// Whether a dependency is met, as far as can be seen from outside of the pod; the rest is left to
/// the pod's own waiting.
fn is_met(world: &World, dependency: &Dependency) -> bool {
    let ready = |at: ObjectRef| world.get(&at).is_some_and(|object| readiness(object).is_ready());
    let as_map = |labels: &std::collections::BTreeMap<String, String>| -> serde_json::Map<String, Value> {
        labels.iter().map(|(k, v)| (k.clone(), json!(v))).collect()
    };
    match dependency {
        Dependency::Service { namespace, name } => world
            .of_kind("EndpointSlice", namespace)
            .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == name.as_str())
            .flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten())
            .any(|endpoint| endpoint["conditions"]["ready"] != json!(false)),
        Dependency::Job { namespace, name } => ready(ObjectRef::new("Job", namespace, name)),
        Dependency::DaemonSet { namespace, name } => ready(ObjectRef::new("DaemonSet", namespace, name)),
        Dependency::Jobs { namespace, labels } => {
            let wanted = as_map(labels);
            let mut jobs = world
                .of_kind("Job", namespace)
                .filter(|j| labels_match(j["metadata"].get("labels"), &wanted))
                .peekable();
            jobs.peek().is_some() && jobs.all(|job| readiness(job).is_ready())
        }
        Dependency::Pod { namespace, labels, .. } => {
            let wanted = as_map(labels);
            world
                .of_kind("Pod", namespace)
                .any(|pod| labels_match(pod["metadata"].get("labels"), &wanted) && readiness(pod).is_ready())
        }
        _ => true,
    }
}

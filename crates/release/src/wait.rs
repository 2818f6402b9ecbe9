//! Waiting by watches until objects are ready, or cannot become so.

use std::time::Duration;

use futures::StreamExt as _;
use landfall_cluster::api::{Gvk, Seen};
use landfall_health::{Readiness, readiness};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::objects::shown;
use crate::{Actions, Error, Result};

/// Kinds whose readiness is worth waiting for; others are what they are as soon as they are there.
const WAITED_FOR: [&str; 10] = [
    "APIService",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Job",
    "PersistentVolumeClaim",
    "Pod",
    "ReplicaSet",
    "Service",
    "StatefulSet",
];

impl Actions {
    /// Until all are ready; one deadline for all.
    pub(crate) async fn all_ready(&self, objects: &[Value]) -> Result<()> {
        let deadline = Instant::now() + self.options.timeout;
        let waited = |object: &&Value| object["kind"].as_str().is_some_and(|kind| WAITED_FOR.contains(&kind));
        for object in objects.iter().filter(waited) {
            self.ready(object, deadline).await?;
        }
        Ok(())
    }

    /// Until one is ready, which for a Job or a Pod that runs to its end is that it has succeeded.
    pub(crate) async fn ready(&self, object: &Value, deadline: Instant) -> Result<()> {
        let Some(gvk) = Gvk::of(object) else { return Ok(()) };
        let place = self.placed(object);
        let (namespace, name) = (place["metadata"]["namespace"].as_str(), &object["metadata"]["name"]);
        let mut changes = self.cluster.watch(&gvk, namespace, "");
        let mut why = "it has not been seen yet".to_owned();
        loop {
            let Ok(change) = timeout_at(deadline, changes.next()).await else {
                return Err(self.late(object, why));
            };
            let seen = match change {
                Some(Ok(Seen::Listed(all))) => all,
                Some(Ok(Seen::Applied(one))) => vec![one],
                Some(Ok(Seen::Deleted(one))) if one["metadata"]["name"] == *name => {
                    "it was deleted".clone_into(&mut why);
                    continue;
                }
                Some(Ok(Seen::Deleted(_))) => continue,
                Some(Err(source)) if source.is_transient() => {
                    why = source.to_string();
                    continue;
                }
                Some(Err(source)) => return Err(Error::Refused { object: shown(object), source }),
                None => return Err(self.late(object, why)),
            };
            for one in seen.iter().filter(|one| one["metadata"]["name"] == *name) {
                match readiness(one) {
                    Readiness::Ready => return Ok(()),
                    Readiness::Failed { reason } => {
                        return Err(Error::Unwell { object: shown(object), why: reason });
                    }
                    Readiness::Progressing { reason } => why = reason,
                }
            }
        }
    }

    fn late(&self, object: &Value, why: String) -> Error {
        let seconds = self.options.timeout.max(Duration::from_secs(1)).as_secs();
        Error::TimedOut { object: shown(object), seconds, why }
    }
}

//! Whether one object is ready, in the manner of kstatus: from its own fields, never from the clock.

mod batch;
mod pod;
mod workload;

pub(crate) use workload::selected_labels;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{
    condition, condition_is, condition_says, field, is_terminating, list, number, says, text,
};

/// How far an object is. `reason` is a short sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "readiness", rename_all = "kebab-case")]
pub enum Readiness {
    Ready,
    /// On its way, or waiting for something.
    Progressing {
        reason: String,
    },
    /// Will not get ready without a hand.
    Failed {
        reason: String,
    },
}

impl Readiness {
    pub fn is_ready(&self) -> bool {
        *self == Self::Ready
    }

    /// The reason, where there is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Progressing { reason } | Self::Failed { reason } => Some(reason),
        }
    }

    pub(crate) fn progressing(reason: impl Into<String>) -> Self {
        Self::Progressing { reason: reason.into() }
    }

    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into() }
    }
}

/// Names of the pods that are ready, by the node that each is on.
pub fn ready_by_node(pods: &[Value]) -> BTreeMap<String, String> {
    let ready = pods.iter().filter(|pod| readiness(pod).is_ready());
    let word = |pod: &Value, pointer: &str| field(pod, pointer)?.as_str().map(str::to_owned);
    ready.filter_map(|pod| Some((word(pod, "/spec/nodeName")?, word(pod, "/metadata/name")?))).collect()
}

/// Judges an object by its kind. Kinds unknown here are judged by their conditions (`Ready`,
/// `Available`, `Stalled`, `Failed`, `Reconciling`) and `observedGeneration`; what has no status is ready.
/// A Job or a Pod that runs to completion is ready when it has succeeded, which is also how hooks are judged.
pub fn readiness(object: &Value) -> Readiness {
    if is_terminating(object) {
        return Readiness::progressing("is being deleted");
    }
    if let Some(behind) = not_observed(object) {
        return behind;
    }
    match text(object, "/kind") {
        "Deployment" => workload::deployment(object),
        "ReplicaSet" | "ReplicationController" => workload::replica_set(object),
        "StatefulSet" => workload::stateful_set(object),
        "DaemonSet" => workload::daemon_set(object),
        "Pod" => pod::pod(object),
        "Job" => batch::job(object),
        "PersistentVolumeClaim" => claim(object),
        "Service" => service(object),
        "Ingress" => ingress(object),
        "CustomResourceDefinition" => definition(object),
        "Namespace" => match text(object, "/status/phase") {
            "Terminating" => Readiness::progressing("is being deleted"),
            _ => Readiness::Ready,
        },
        "Node" => node(object),
        "APIService" => by_conditions(object, &["Available"]),
        // Nothing waits for these: a CronJob runs when its time comes.
        "CronJob" | "PodDisruptionBudget" => Readiness::Ready,
        _ => generic(object),
    }
}

/// The controller has not yet seen the latest spec.
fn not_observed(object: &Value) -> Option<Readiness> {
    let generation = number(object, "/metadata/generation")?;
    let observed = number(object, "/status/observedGeneration")?;
    (observed < generation).then(|| Readiness::progressing("its latest change is not yet taken up"))
}

fn claim(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        "Bound" => Readiness::Ready,
        "Lost" => Readiness::failed(format!("its volume {} is lost", text(object, "/spec/volumeName"))),
        _ => Readiness::progressing("is not bound to a volume"),
    }
}

fn service(object: &Value) -> Readiness {
    let waits = text(object, "/spec/type") == "LoadBalancer"
        && list(object, "/status/loadBalancer/ingress").is_empty()
        && list(object, "/spec/externalIPs").is_empty();
    if waits { Readiness::progressing("no load balancer has given it an address") } else { Readiness::Ready }
}

/// An Ingress works as soon as a controller has taken it; not all controllers publish an address, so
/// its absence is no reason to wait.
fn ingress(_object: &Value) -> Readiness {
    Readiness::Ready
}

fn definition(object: &Value) -> Readiness {
    if condition_is(object, "NamesAccepted", "False") {
        return Readiness::failed(condition_says(object, "NamesAccepted"));
    }
    by_conditions(object, &["Established"])
}

fn node(object: &Value) -> Readiness {
    if condition_is(object, "Ready", "True") {
        return Readiness::Ready;
    }
    let why = condition_says(object, "Ready");
    Readiness::progressing(if why.is_empty() {
        "is not ready".to_owned()
    } else {
        format!("is not ready: {why}")
    })
}

fn by_conditions(object: &Value, wanted: &[&str]) -> Readiness {
    match wanted.iter().find(|w| !condition_is(object, w, "True")) {
        None => Readiness::Ready,
        Some(missing) => {
            let why = condition_says(object, missing);
            Readiness::progressing(if why.is_empty() {
                format!("is not {missing}")
            } else {
                format!("is not {missing}: {why}")
            })
        }
    }
}

fn generic(object: &Value) -> Readiness {
    for bad in ["Stalled", "Failed"] {
        if condition_is(object, bad, "True") {
            return Readiness::failed(condition_says(object, bad));
        }
    }
    if condition_is(object, "Reconciling", "True") {
        return Readiness::progressing(condition_says(object, "Reconciling"));
    }
    for good in ["Ready", "Available"] {
        if condition(object, good).is_some() {
            return by_conditions(object, &[good]);
        }
    }
    // Rook's resources tell a phase beside their conditions.
    match text(object, "/status/phase") {
        "Failure" | "Failed" | "Error" => {
            Readiness::failed(says(text(object, "/status/phase"), text(object, "/status/message")))
        }
        phase @ ("Progressing" | "Pending" | "Creating" | "Connecting" | "Updating") => {
            Readiness::progressing(says(phase, text(object, "/status/message")))
        }
        _ => Readiness::Ready,
    }
}

#[cfg(test)]
mod tests;

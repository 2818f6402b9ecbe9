//! Deployments, StatefulSets, DaemonSets, ReplicaSets: the rollout is through and all of it answers.

use serde_json::Value;

use super::Readiness;
use crate::object::{condition, condition_is, condition_says, field, number, text};

fn replicas(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

fn status(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

pub fn deployment(object: &Value) -> Readiness {
    let wanted = replicas(object);
    if condition(object, "Progressing").is_some_and(|c| text(c, "/reason") == "ProgressDeadlineExceeded") {
        return Readiness::failed(condition_says(object, "Progressing"));
    }
    if condition_is(object, "ReplicaFailure", "True") {
        return Readiness::progressing(condition_says(object, "ReplicaFailure"));
    }
    let (updated, total, available) =
        (status(object, "updatedReplicas"), status(object, "replicas"), status(object, "availableReplicas"));
    if updated < wanted {
        Readiness::progressing(format!("{updated} of {wanted} pods have the latest template"))
    } else if total > updated {
        Readiness::progressing(format!("{} old pods are still to go", total - updated))
    } else if available < wanted {
        Readiness::progressing(format!("{available} of {wanted} pods are available"))
    } else {
        Readiness::Ready
    }
}

pub fn replica_set(object: &Value) -> Readiness {
    let wanted = replicas(object);
    if condition_is(object, "ReplicaFailure", "True") {
        return Readiness::progressing(condition_says(object, "ReplicaFailure"));
    }
    match status(object, "readyReplicas") {
        ready if ready < wanted => Readiness::progressing(format!("{ready} of {wanted} pods are ready")),
        _ => Readiness::Ready,
    }
}

pub fn stateful_set(object: &Value) -> Readiness {
    let wanted = replicas(object);
    let ready = status(object, "readyReplicas");
    if ready < wanted {
        return Readiness::progressing(format!("{ready} of {wanted} pods are ready"));
    }
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Readiness::Ready;
    }
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    let updated = status(object, "updatedReplicas");
    if updated < wanted - partition {
        return Readiness::progressing(format!(
            "{updated} of {} pods have the latest template",
            wanted - partition
        ));
    }
    let (current, update) = (text(object, "/status/currentRevision"), text(object, "/status/updateRevision"));
    if partition == 0 && !update.is_empty() && current != update {
        return Readiness::progressing("its rollout is not yet through");
    }
    Readiness::Ready
}

pub fn daemon_set(object: &Value) -> Readiness {
    let Some(wanted) = number(object, "/status/desiredNumberScheduled") else {
        return Readiness::progressing("is not yet taken up");
    };
    if wanted == 0
        && let Some(labels) = selected_labels(object)
    {
        return Readiness::progressing(format!("no node has the label {labels}"));
    }
    let (updated, available) = (status(object, "updatedNumberScheduled"), status(object, "numberAvailable"));
    if text(object, "/spec/updateStrategy/type") != "OnDelete" && updated < wanted {
        Readiness::progressing(format!("{updated} of {wanted} nodes have the latest template"))
    } else if available < wanted {
        Readiness::progressing(format!("it is available on {available} of {wanted} nodes"))
    } else {
        Readiness::Ready
    }
}

/// Labels, as `a=b,c=d`, of the nodes that a DaemonSet is for; none where it is for all.
pub(crate) fn selected_labels(object: &Value) -> Option<String> {
    let selector = field(object, "/spec/template/spec/nodeSelector")?.as_object()?;
    let pairs = selector.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let labels = pairs.collect::<Vec<_>>().join(",");
    (!labels.is_empty()).then_some(labels)
}

//! Pods: ready means serving, or succeeded where the pod runs to its end.

use serde_json::Value;

use super::Readiness;
use crate::object::{condition, condition_is, condition_says, field, list, says, text};

/// Waiting reasons that do not go away by themselves.
const DEAD_ENDS: [&str; 2] = ["InvalidImageName", "ErrImageNeverPull"];

pub fn pod(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        "Succeeded" => return Readiness::Ready,
        "Failed" => {
            let why = says(text(object, "/status/reason"), text(object, "/status/message"));
            return Readiness::failed(if why.is_empty() {
                format!("failed{}", exit(object))
            } else {
                format!("failed: {why}")
            });
        }
        _ => {}
    }
    if condition_is(object, "Ready", "True") {
        return Readiness::Ready;
    }
    if condition_is(object, "PodScheduled", "False") {
        let message = condition(object, "PodScheduled").map(|c| text(c, "/message")).unwrap_or_default();
        return Readiness::progressing(if message.is_empty() {
            "Pending".to_owned()
        } else {
            format!("Pending: {message}")
        });
    }
    let inits = list(object, "/status/initContainerStatuses");
    let of = inits.len().max(list(object, "/spec/initContainers").len());
    for (at, status) in inits.iter().enumerate() {
        if finished_well(status)
            || field(status, "/state/running").is_some() && is_sidecar(object, text(status, "/name"))
        {
            continue;
        }
        return unready(status, &format!("init container {} ({} of {of})", text(status, "/name"), at + 1));
    }
    for status in list(object, "/status/containerStatuses") {
        if status.get("ready").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        return unready(status, &format!("container {}", text(status, "/name")));
    }
    let why = condition_says(object, "Ready");
    Readiness::progressing(match (text(object, "/status/phase"), why.is_empty()) {
        ("", _) => "is not yet taken up by a node".to_owned(),
        (phase, true) => phase.to_owned(),
        (phase, false) => format!("{phase}: {why}"),
    })
}

fn finished_well(status: &Value) -> bool {
    field(status, "/state/terminated/exitCode").and_then(Value::as_i64) == Some(0)
}

/// An init container with `restartPolicy: Always` runs beside the others.
fn is_sidecar(object: &Value, name: &str) -> bool {
    list(object, "/spec/initContainers")
        .iter()
        .any(|c| text(c, "/name") == name && text(c, "/restartPolicy") == "Always")
}

fn unready(status: &Value, who: &str) -> Readiness {
    if let Some(waiting) = field(status, "/state/waiting") {
        let reason = text(waiting, "/reason");
        let told = format!("{who}: {}", says(reason, text(waiting, "/message")));
        return if DEAD_ENDS.contains(&reason) {
            Readiness::failed(told)
        } else {
            Readiness::progressing(told)
        };
    }
    if let Some(ended) = field(status, "/state/terminated") {
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
        return Readiness::progressing(format!("{who} ended with code {code} ({})", text(ended, "/reason")));
    }
    Readiness::progressing(if who.starts_with("init") {
        format!("{who} is running")
    } else {
        format!("{who} is running but not ready")
    })
}

/// The exit code of the first container that failed.
fn exit(object: &Value) -> String {
    list(object, "/status/initContainerStatuses")
        .iter()
        .chain(list(object, "/status/containerStatuses"))
        .find_map(|s| {
            let code = field(s, "/state/terminated/exitCode")?.as_i64().filter(|c| *c != 0)?;
            Some(format!(
                ": container {} ended with code {code} ({})",
                text(s, "/name"),
                text(s, "/state/terminated/reason")
            ))
        })
        .unwrap_or_default()
}

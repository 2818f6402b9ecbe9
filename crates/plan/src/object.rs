//! Reading rendered objects: keys, pod templates, labels.

use serde_json::Value;

/// Kinds without a namespace that charts bring.
const CLUSTER_SCOPED: [&str; 19] = [
    "APIService",
    "CSIDriver",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

pub fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind)
}

pub fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Its own namespace, else the release's; empty for cluster-scoped kinds.
pub fn namespace<'a>(object: &'a Value, release_namespace: &'a str) -> &'a str {
    if is_cluster_scoped(kind(object)) {
        return "";
    }
    object["metadata"]["namespace"].as_str().filter(|n| !n.is_empty()).unwrap_or(release_namespace)
}

/// `Kind/namespace/name`, as in a snapshot.
pub fn key(object: &Value, release_namespace: &str) -> String {
    format!("{}/{}/{}", kind(object), namespace(object, release_namespace), name(object))
}

/// The pod template's owner of `metadata` and `spec`: the object itself for a Pod.
pub fn pod_template(object: &Value) -> Option<&Value> {
    match kind(object) {
        "Pod" => Some(object),
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => object.pointer("/spec/template"),
        _ => None,
    }
}

/// Kinds whose readiness a release waits for. A CronJob runs later.
pub fn is_workload(kind: &str) -> bool {
    matches!(kind, "Pod" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job")
}

/// Whether everything that `wanted` says is in `live`, which may say more (defaults, status).
pub fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(field, value)| match live.get(field) {
                Some(found) => covers(found, value),
                // The server leaves out what is empty.
                None => is_empty(value),
            })
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(l, w)| covers(l, w))
        }
        _ => live == wanted || quantity(live).is_some_and(|l| quantity(wanted) == Some(l)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.values().all(is_empty),
        Value::Number(n) => n.as_i64() == Some(0),
    }
}

/// Quantities are rewritten by the server (`1000m` is `1`); milli-units of what reads as one.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        _ => return None,
    };
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 3 {
        return None;
    }
    let milli: i128 = format!("{whole}{fraction:0<3}").parse().ok()?;
    Some(match suffix {
        "" => milli,
        "m" => milli / 1000,
        "k" => milli * 1000,
        "M" => milli * 1_000_000,
        "G" => milli * 1_000_000_000,
        "Ki" => milli << 10,
        "Mi" => milli << 20,
        "Gi" => milli << 30,
        "Ti" => milli << 40,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_live_object_with_defaults_covers_what_was_wanted() {
        let wanted =
            json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1000m"}}, "env": []}]});
        let live = json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}, "terminationMessagePath": "/x"}],
            "dnsPolicy": "ClusterFirst"});
        assert!(covers(&live, &wanted));
        assert!(!covers(&live, &json!({"containers": [{"name": "b"}]})));
        assert!(!covers(&live, &json!({"containers": []})));
    }

    #[test]
    fn cluster_scoped_objects_have_keys_without_a_namespace() {
        let role = json!({"kind": "ClusterRole", "metadata": {"name": "coredns", "namespace": "x"}});
        assert_eq!(key(&role, "openstack"), "ClusterRole//coredns");
        let pod = json!({"kind": "Pod", "metadata": {"name": "a"}});
        assert_eq!(key(&pod, "openstack"), "Pod/openstack/a");
    }
}

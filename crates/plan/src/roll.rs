//! Which pods an upgrade replaces, and why: templates as they are to be against those that are live.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change;
use crate::model::{Change, RenderedRelease, Snapshot};
use crate::object::{covers, key, kind, name, namespace};

/// Fields that are named at most; the rest is counted.
const SHOWN: usize = 4;

/// A workload whose pods are replaced, added or taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    pub service: String,
    /// `Deployment/openstack/keystone-api`
    pub object: String,
    pub what: Effect,
    /// Fields of the pod template that differ: `spec.containers[keystone-api].image`.
    pub because: Vec<String>,
}

/// What becomes of its pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// All of them are replaced, as its strategy has it.
    Roll { pods: i64 },
    /// Only their number changes.
    Scale { from: i64, to: i64 },
    /// They are replaced only when somebody deletes them.
    OnDelete { pods: i64 },
}

/// What rolls when these releases are applied; nothing of those that do not change or are not there yet.
pub fn rolls(releases: &[RenderedRelease], snapshot: &Snapshot) -> Vec<Roll> {
    let changed = releases.iter().filter(|release| change::of_release(release, snapshot) == Change::Update);
    changed
        .flat_map(|release| release.objects.iter().filter_map(|object| roll(object, release, snapshot)))
        .collect()
}

fn roll(object: &Value, release: &RenderedRelease, snapshot: &Snapshot) -> Option<Roll> {
    if !matches!(kind(object), "Deployment" | "StatefulSet" | "DaemonSet") {
        return None;
    }
    let live = snapshot.objects.get(&key(object, &release.namespace))?;
    let because = differences(&live["spec"]["template"], &object["spec"]["template"]);
    let pods = |object: &Value| match kind(object) {
        "DaemonSet" => live["status"]["desiredNumberScheduled"].as_i64().unwrap_or(0),
        _ => object["spec"]["replicas"].as_i64().unwrap_or(1),
    };
    let (from, to) = (pods(live), pods(object));
    let on_delete = object["spec"]["updateStrategy"]["type"] == "OnDelete";
    let what = match (because.is_empty(), on_delete) {
        (true, _) if from == to => return None,
        (true, _) => Effect::Scale { from, to },
        (false, true) => Effect::OnDelete { pods: from },
        (false, false) => Effect::Roll { pods: to },
    };
    let object = format!("{}/{}/{}", kind(object), namespace(object, &release.namespace), name(object));
    Some(Roll { service: release.service.clone(), object, what, because })
}

/// Fields of a live template that are to be otherwise; empty where applying leaves the pods alone. What
/// the live one says beyond is the server's defaults, but for labels, annotations and node selectors,
/// which only charts write.
pub fn differences(live: &Value, wanted: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(live, wanted, "", &mut found);
    for (pointer, path) in [
        ("/metadata/labels", "metadata.labels"),
        ("/metadata/annotations", "metadata.annotations"),
        ("/spec/nodeSelector", "spec.nodeSelector"),
    ] {
        let keys = |of: &Value| -> BTreeSet<String> {
            of.pointer(pointer)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect()
        };
        // Written by kubectl and controllers, not by charts.
        let theirs =
            |key: &&String| !key.contains("kubernetes.io/") && !key.contains("landfall.dev/restarted");
        for gone in keys(live).difference(&keys(wanted)).filter(theirs) {
            found.push(format!("{path}.{gone}"));
        }
    }
    found
}

fn walk(live: &Value, wanted: &Value, path: &str, found: &mut Vec<String>) {
    if covers(live, wanted) {
        return;
    }
    let below = |field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (field, value) in wanted {
                match live.get(field) {
                    Some(there) => walk(there, value, &below(field), found),
                    None if covers(
                        &Value::Object(serde_json::Map::new()),
                        &serde_json::json!({ field: value }),
                    ) => {}
                    None => found.push(below(field)),
                }
            }
        }
        (Value::Array(live), Value::Array(wanted)) => items(live, wanted, path, found),
        _ => found.push(path.to_owned()),
    }
}

/// Containers, variables and volumes are told by their names.
fn items(live: &[Value], wanted: &[Value], path: &str, found: &mut Vec<String>) {
    let named = |items: &[Value]| items.iter().all(|item| item["name"].is_string());
    if !named(live) || !named(wanted) {
        found.push(path.to_owned());
        return;
    }
    let find = |items: &[Value], name: &Value| items.iter().find(|item| item["name"] == *name).cloned();
    let label = |item: &Value| format!("{path}[{}]", item["name"].as_str().unwrap_or_default());
    let before = found.len();
    for item in wanted {
        match find(live, &item["name"]) {
            Some(there) => walk(&there, item, &label(item), found),
            None => found.push(label(item)),
        }
    }
    found.extend(live.iter().filter(|item| find(wanted, &item["name"]).is_none()).map(label));
    // The same in another order is another template all the same.
    if found.len() == before {
        found.push(path.to_owned());
    }
}

impl Roll {
    /// `spec.containers[api].image, spec.volumes and 3 more`
    pub fn reasons(&self) -> String {
        let mut text = self.because.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if self.because.len() > SHOWN {
            text.push_str(&format!(" and {} more", self.because.len() - SHOWN));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::model::ReleaseState;

    fn deployment(replicas: i64, template: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "keystone-api"},
               "spec": {"replicas": replicas, "template": template}})
    }

    fn template(image: &str) -> Value {
        json!({"metadata": {"annotations": {"configmap-etc-hash": "1"}},
               "spec": {"containers": [{"name": "api", "image": image, "env": [{"name": "A", "value": "1"}]}]}})
    }

    /// As the server keeps it: with defaults.
    fn live(object: &Value) -> Value {
        let mut live = object.clone();
        live["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
        live["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] =
            json!("/dev/termination-log");
        live
    }

    fn found(before: &Value, after: &Value, digest: &str) -> Vec<Roll> {
        let release = RenderedRelease {
            service: "keystone".into(),
            name: "keystone".into(),
            namespace: "openstack".into(),
            objects: vec![after.clone()],
            hooks: Vec::new(),
            digest: "now".into(),
        };
        let state = ReleaseState { revision: 1, status: "deployed".into(), digest: digest.into() };
        let snapshot = Snapshot {
            objects: BTreeMap::from([(key(after, "openstack"), live(before))]),
            releases: BTreeMap::from([("openstack/keystone".into(), state)]),
            ceph: None,
        };
        rolls(&[release], &snapshot)
    }

    #[test]
    fn another_image_rolls_and_says_which() {
        let (before, after) = (deployment(2, template("a")), deployment(2, template("b")));
        let rolls = found(&before, &after, "before");
        assert_eq!(rolls[0].object, "Deployment/openstack/keystone-api");
        assert_eq!(rolls[0].what, Effect::Roll { pods: 2 });
        assert_eq!(rolls[0].because, ["spec.containers[api].image"]);
    }

    #[test]
    fn more_replicas_scale_and_roll_nothing() {
        let rolls = found(&deployment(1, template("a")), &deployment(3, template("a")), "before");
        assert_eq!(rolls[0].what, Effect::Scale { from: 1, to: 3 });
    }

    #[test]
    fn a_change_elsewhere_in_the_release_rolls_nothing() {
        assert_eq!(found(&deployment(1, template("a")), &deployment(1, template("a")), "before"), []);
    }

    #[test]
    fn a_release_that_is_as_it_should_be_is_not_looked_into() {
        assert_eq!(found(&deployment(1, template("a")), &deployment(1, template("a")), "now"), []);
    }

    #[test]
    fn what_is_taken_away_rolls_too() {
        let mut after = template("a");
        after["spec"]["containers"][0]["env"] = json!([]);
        let rolls = found(&deployment(1, template("a")), &deployment(1, after), "before");
        assert_eq!(rolls[0].because, ["spec.containers[api].env[A]"]);
        let mut after = template("a");
        after["metadata"] = json!({});
        let rolls = found(&deployment(1, template("a")), &deployment(1, after), "before");
        assert_eq!(rolls[0].because, ["metadata.annotations.configmap-etc-hash"]);
    }

    #[test]
    fn a_restart_by_hand_is_no_difference() {
        let mut before = template("a");
        before["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
            json!("2026-11-25T00:00:00Z");
        assert_eq!(differences(&before, &template("a")), Vec::<String>::new());
    }

    #[test]
    fn many_reasons_are_counted() {
        let roll = Roll {
            service: String::new(),
            object: String::new(),
            what: Effect::Roll { pods: 1 },
            because: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(),
        };
        assert_eq!(roll.reasons(), "a, b, c, d and 2 more");
    }
}

//! Whether a dependency is met, and if not, why: judged from the objects at hand. Pure.

use landfall_health::dependency::{CustomResource, Dependency};
use landfall_health::object::{
    condition, condition_is, is_terminating, list, name, number, selector_matches, text,
};
use landfall_health::{Readiness, readiness};
use serde_json::Value;

use super::source::Held;

/// The pod that waits.
#[derive(Debug, Clone, Default)]
pub struct Own {
    pub pod: String,
    pub node: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Met,
    /// Why not, as a clause.
    Unmet(String),
}

fn unmet(why: impl Into<String>) -> Status {
    Status::Unmet(why.into())
}

/// Dependencies that are about the node or the pod itself.
pub fn needs_own_pod(dependency: &Dependency) -> bool {
    matches!(dependency, Dependency::DaemonSet { .. } | Dependency::Pod { same_node: true, .. })
}

/// `seen` is what the sources of the dependency hold, in their order.
pub fn evaluate(dependency: &Dependency, seen: &[&Held], own: &Own) -> Status {
    let Some(first) = seen.first() else { return unmet("is not looked at yet") };
    // Endpoints stand in where the role allows no EndpointSlices; nothing stands in for the others.
    if let (Some(trouble), false) = (&first.trouble, matches!(dependency, Dependency::Service { .. })) {
        return unmet(trouble.clone());
    }
    if !first.listed && !matches!(dependency, Dependency::Service { .. }) {
        return unmet("asking the cluster");
    }
    let only = first.objects.values().next();
    match dependency {
        Dependency::Service { .. } => service(seen),
        Dependency::Job { .. } => job(only, seen.get(1).copied()),
        Dependency::Jobs { .. } => jobs(first),
        Dependency::DaemonSet { .. } => daemon_set(only, seen.get(1).copied()),
        Dependency::Pod { same_node, .. } => pod(first, *same_node),
        Dependency::Container { name } => container(only, name, &own.pod),
        Dependency::Secret { key, .. } | Dependency::ConfigMap { key, .. } => data(only, key.as_deref()),
        Dependency::CustomResource(custom) => custom_resource(only, custom),
        Dependency::Socket { .. } | Dependency::Config { .. } => unmet("is not an object of the cluster"),
    }
}

fn service(seen: &[&Held]) -> Status {
    let answers = seen.iter().flat_map(|h| h.objects.values()).any(|o| {
        let slice = list(o, "/endpoints").iter().any(|e| is_ready(e) && !list(e, "/addresses").is_empty());
        slice || list(o, "/subsets").iter().any(|s| !list(s, "/addresses").is_empty())
    });
    if answers {
        return Status::Met;
    }
    if seen.iter().all(|h| !h.listed) {
        let troubles: Vec<&str> = seen.iter().filter_map(|h| h.trouble.as_deref()).collect();
        return if troubles.len() == seen.len() {
            unmet(troubles.join("; "))
        } else {
            unmet("asking the cluster")
        };
    }
    let mut unready: Vec<&str> = seen
        .iter()
        .flat_map(|h| h.objects.values())
        .flat_map(|o| {
            let slices =
                list(o, "/endpoints").iter().filter(|e| !is_ready(e)).map(|e| text(e, "/targetRef/name"));
            slices.chain(
                list(o, "/subsets")
                    .iter()
                    .flat_map(|s| list(s, "/notReadyAddresses"))
                    .map(|e| text(e, "/targetRef/name")),
            )
        })
        .filter(|n| !n.is_empty())
        .collect();
    unready.sort_unstable();
    unready.dedup();
    if unready.is_empty() {
        unmet("no endpoints yet")
    } else {
        unmet(format!("not ready: {}", unready.join(", ")))
    }
}

fn is_ready(endpoint: &Value) -> bool {
    endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true)
}

fn succeeded(job: &Value) -> bool {
    number(job, "/status/succeeded").unwrap_or(0) > 0
}

fn job(job: Option<&Value>, pods: Option<&Held>) -> Status {
    let Some(job) = job else { return unmet("is not there yet") };
    if succeeded(job) {
        return Status::Met;
    }
    let own = readiness(job);
    if let Readiness::Failed { reason } = &own {
        return unmet(reason.clone());
    }
    // Of its pods the youngest tells.
    let pod = pods.and_then(|p| {
        p.objects
            .values()
            .filter(|p| !is_terminating(p))
            .max_by_key(|p| text(p, "/metadata/creationTimestamp"))
    });
    match pod {
        Some(pod) => unmet(pod_says(pod)),
        None => unmet(own.reason().unwrap_or("is not completed")),
    }
}

fn pod_says(pod: &Value) -> String {
    let says = readiness(pod);
    let says = says.reason().unwrap_or("is running");
    format!("pod {} {says}", name(pod).unwrap_or_default())
}

fn jobs(held: &Held) -> Status {
    if held.objects.is_empty() {
        return unmet("there is no such job yet");
    }
    let open: Vec<&str> = held.objects.values().filter(|j| !succeeded(j)).filter_map(name).collect();
    if open.is_empty() { Status::Met } else { unmet(format!("not completed: {}", open.join(", "))) }
}

/// As the original: a DaemonSet without a pod on this node holds nothing up.
fn daemon_set(set: Option<&Value>, pods: Option<&Held>) -> Status {
    let Some(set) = set else { return unmet("is not there yet") };
    let Some(pods) = pods.filter(|p| p.listed) else { return unmet("asking for the pods of this node") };
    let empty = Value::Null;
    let selector = set.pointer("/spec/selector").unwrap_or(&empty);
    let mine: Vec<&Value> = pods
        .objects
        .values()
        .filter(|p| selector_matches(p.pointer("/metadata/labels"), selector) && !is_terminating(p))
        .collect();
    match mine.iter().find(|p| !condition_is(p, "Ready", "True")) {
        Some(pod) => unmet(pod_says(pod)),
        None => Status::Met,
    }
}

fn pod(held: &Held, same_node: bool) -> Status {
    if held.objects.values().any(|p| condition_is(p, "Ready", "True")) {
        return Status::Met;
    }
    match held.objects.values().next() {
        Some(pod) => unmet(pod_says(pod)),
        None if same_node => unmet("there is no such pod on this node yet"),
        None => unmet("there is no such pod yet"),
    }
}

fn container(pod: Option<&Value>, container: &str, own: &str) -> Status {
    let Some(pod) = pod else { return unmet(format!("pod {own} is not to be seen (POD_NAME)")) };
    let ready = list(pod, "/status/containerStatuses")
        .iter()
        .any(|s| text(s, "/name") == container && s.get("ready").and_then(Value::as_bool) == Some(true));
    if ready { Status::Met } else { unmet("is not ready") }
}

/// Values of Secrets are never looked at beyond their being there.
fn data(object: Option<&Value>, key: Option<&str>) -> Status {
    let Some(object) = object else { return unmet("is not there yet") };
    let Some(key) = key else { return Status::Met };
    let filled = ["/data", "/binaryData"]
        .iter()
        .filter_map(|p| object.pointer(p)?.get(key)?.as_str())
        .any(|v| !v.is_empty());
    if filled { Status::Met } else { unmet(format!("has no key {key} yet")) }
}

fn custom_resource(object: Option<&Value>, wanted: &CustomResource) -> Status {
    let Some(object) = object else { return unmet("is not there yet") };
    for field in &wanted.fields {
        let pointer = format!("/{}", field.key.replace('/', "~1").replace('.', "/"));
        match object.pointer(&pointer) {
            None => return unmet(format!("{} is not set yet", field.key)),
            Some(Value::String(value)) if *value == field.value => {}
            Some(Value::String(value)) => {
                return unmet(format!("{} is {value}, not {}", field.key, field.value));
            }
            // The original compares strings only; numbers and booleans are taken by their text.
            Some(other) => {
                let value = other.to_string();
                if value != field.value {
                    return unmet(format!("{} is {value}, not {}", field.key, field.value));
                }
            }
        }
    }
    for wish in &wanted.conditions {
        if !condition_is(object, &wish.kind, &wish.status) {
            let now = condition(object, &wish.kind);
            return unmet(match now {
                None => format!("has no condition {} yet", wish.kind),
                Some(c) => {
                    format!("condition {} is {}: {}", wish.kind, text(c, "/status"), text(c, "/message"))
                }
            });
        }
    }
    Status::Met
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::source::Update;
    use super::*;

    fn held(objects: Vec<Value>) -> Held {
        let mut held = Held::default();
        held.take(Update::Listed(objects));
        held
    }

    fn trouble(why: &str) -> Held {
        let mut held = Held::default();
        held.take(Update::Trouble(why.into()));
        held
    }

    fn of(dependency: &Dependency, seen: &[&Held]) -> Status {
        evaluate(dependency, seen, &Own { pod: "own".into(), node: Some("k1".into()) })
    }

    fn service() -> Dependency {
        Dependency::Service { namespace: "n".into(), name: "mariadb".into() }
    }

    fn job() -> Dependency {
        Dependency::Job { namespace: "n".into(), name: "sync".into() }
    }

    #[test]
    fn one_ready_endpoint_is_enough() {
        let slice = |ready: Value| {
            json!({"metadata": {"name": "s"}, "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": {"name": "mariadb-server-0"}}]})
        };
        assert_eq!(of(&service(), &[&held(vec![slice(json!(true))]), &Held::default()]), Status::Met);
        assert_eq!(
            of(&service(), &[&held(vec![slice(Value::Null)]), &Held::default()]),
            Status::Met,
            "unknown counts as ready"
        );
        assert_eq!(
            of(&service(), &[&held(vec![slice(json!(false))]), &Held::default()]),
            unmet("not ready: mariadb-server-0")
        );
        assert_eq!(of(&service(), &[&held(vec![]), &held(vec![])]), unmet("no endpoints yet"));
    }

    #[test]
    fn endpoints_stand_in_where_slices_may_not_be_read() {
        let endpoints =
            json!({"metadata": {"name": "mariadb"}, "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]});
        assert_eq!(
            of(&service(), &[&trouble("may not list endpointslices"), &held(vec![endpoints])]),
            Status::Met
        );
        assert_eq!(of(&service(), &[&trouble("a"), &trouble("b")]), unmet("a; b"));
        assert_eq!(of(&service(), &[&trouble("a"), &Held::default()]), unmet("asking the cluster"));
    }

    #[test]
    fn a_job_must_have_succeeded_and_says_what_its_pod_says() {
        let with = |status: Value| {
            held(vec![json!({"kind": "Job", "metadata": {"name": "sync"}, "status": status})])
        };
        let none = held(vec![]);
        assert_eq!(of(&job(), &[&with(json!({"succeeded": 1})), &none]), Status::Met);
        assert_eq!(of(&job(), &[&none, &none]), unmet("is not there yet"));
        assert_eq!(of(&job(), &[&with(json!({"active": 1, "startTime": "x"})), &none]), unmet("is running"));
        let pods = held(vec![
            json!({"kind": "Pod", "metadata": {"name": "sync-a", "creationTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Failed"}}),
            json!({"kind": "Pod", "metadata": {"name": "sync-b", "creationTimestamp": "2026-01-01T00:00:09Z"}, "status": {"phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}}),
        ]);
        assert_eq!(
            of(&job(), &[&with(json!({"active": 1})), &pods]),
            unmet("pod sync-b Pending: 0/1 nodes are available: 1 Insufficient cpu.")
        );
        let gave_up = with(
            json!({"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}]}),
        );
        assert_eq!(of(&job(), &[&gave_up, &pods]), unmet("failed: BackoffLimitExceeded: m"));
    }

    #[test]
    fn jobs_by_label_must_all_have_succeeded() {
        let jobs =
            Dependency::Jobs { namespace: "n".into(), labels: [("a".to_owned(), "b".to_owned())].into() };
        let one = |name: &str, n: i64| json!({"metadata": {"name": name}, "status": {"succeeded": n}});
        assert_eq!(of(&jobs, &[&held(vec![])]), unmet("there is no such job yet"));
        assert_eq!(of(&jobs, &[&held(vec![one("x", 1), one("y", 0)])]), unmet("not completed: y"));
        assert_eq!(of(&jobs, &[&held(vec![one("x", 1), one("y", 2)])]), Status::Met);
    }

    #[test]
    fn a_daemonset_is_judged_by_its_pod_on_this_node_only() {
        let set = Dependency::DaemonSet { namespace: "n".into(), name: "ovs".into() };
        let ds = held(vec![
            json!({"kind": "DaemonSet", "metadata": {"name": "ovs"}, "spec": {"selector": {"matchLabels": {"app": "ovs"}}}}),
        ]);
        let pod = |name: &str, app: &str, ready: &str| json!({"kind": "Pod", "metadata": {"name": name, "labels": {"app": app}}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}});
        assert_eq!(of(&set, &[&held(vec![]), &held(vec![])]), unmet("is not there yet"));
        assert_eq!(
            of(&set, &[&ds, &held(vec![pod("other", "x", "False")])]),
            Status::Met,
            "none of its pods is here"
        );
        assert_eq!(of(&set, &[&ds, &held(vec![pod("ovs-1", "ovs", "False")])]), unmet("pod ovs-1 Running"));
        assert_eq!(of(&set, &[&ds, &held(vec![pod("ovs-1", "ovs", "True")])]), Status::Met);
        assert_eq!(of(&set, &[&ds, &Held::default()]), unmet("asking for the pods of this node"));
    }

    #[test]
    fn secrets_are_there_with_the_key_that_is_needed() {
        let secret = |key: Option<&str>| Dependency::Secret {
            namespace: "n".into(),
            name: "keys".into(),
            key: key.map(Into::into),
        };
        let one = held(vec![json!({"metadata": {"name": "keys"}, "data": {"0": "eA==", "1": ""}})]);
        assert_eq!(of(&secret(None), &[&one]), Status::Met);
        assert_eq!(of(&secret(Some("0")), &[&one]), Status::Met);
        assert_eq!(of(&secret(Some("1")), &[&one]), unmet("has no key 1 yet"), "empty is not there");
        assert_eq!(of(&secret(None), &[&held(vec![])]), unmet("is not there yet"));
        assert_eq!(of(&secret(None), &[&trouble("may not get secrets")]), unmet("may not get secrets"));
    }

    #[test]
    fn custom_resources_match_fields_and_conditions() {
        let parsed = landfall_health::dependency::parse(
            |n| {
                (n == "DEPENDENCY_CUSTOM_RESOURCE").then_some(
                r#"[{"apiVersion":"ceph.rook.io/v1","kind":"CephCluster","name":"c","fields":[{"key":"status.phase","value":"Ready"},{"key":"spec.mon.count","value":"3"}],"conditions":[{"type":"Ready"}]}]"#)
            },
            "n",
        );
        let custom = &parsed.dependencies[0];
        let with = |phase: &str, status: &str| {
            held(vec![
                json!({"metadata": {"name": "c"}, "spec": {"mon": {"count": 3}}, "status": {"phase": phase, "conditions": [{"type": "Ready", "status": status, "message": "mons"}]}}),
            ])
        };
        assert_eq!(of(custom, &[&with("Ready", "True")]), Status::Met);
        assert_eq!(
            of(custom, &[&with("Progressing", "True")]),
            unmet("status.phase is Progressing, not Ready")
        );
        assert_eq!(of(custom, &[&with("Ready", "False")]), unmet("condition Ready is False: mons"));
        assert_eq!(
            of(custom, &[&held(vec![json!({"metadata": {"name": "c"}})])]),
            unmet("status.phase is not set yet")
        );
    }

    #[test]
    fn pods_by_label_and_own_containers() {
        let pods = |same_node| Dependency::Pod {
            namespace: "n".into(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            same_node,
        };
        assert_eq!(of(&pods(true), &[&held(vec![])]), unmet("there is no such pod on this node yet"));
        let ready = json!({"kind": "Pod", "metadata": {"name": "x"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!(of(&pods(false), &[&held(vec![ready])]), Status::Met);
        let container = Dependency::Container { name: "libvirt".into() };
        let own = |ready: bool| {
            held(vec![
                json!({"metadata": {"name": "own"}, "status": {"containerStatuses": [{"name": "libvirt", "ready": ready}]}}),
            ])
        };
        assert_eq!(of(&container, &[&own(false)]), unmet("is not ready"));
        assert_eq!(of(&container, &[&own(true)]), Status::Met);
    }
}

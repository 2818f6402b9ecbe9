//! Why a pod finds no node: the scheduler's message taken apart, and whether any node could ever take
//! the pod as things stand, judged from the nodes and the pods on them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::object::{
    condition_is, expression_matches, field, is_terminating, labels_match, list, name, text,
};
use crate::quantity;

/// One thing that nodes lack for a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// `cpu`, `memory`, or an extended resource; the scheduler says `Insufficient cpu`.
    Resource(String),
    /// Node selector or required node affinity; `key=value` where it is known.
    Label(Option<String>),
    /// A taint that the pod does not tolerate, `key=value:effect`.
    Taint(String),
    /// The node is cordoned.
    Cordoned,
    /// The node is not ready, under pressure, or not yet set up: it goes by itself.
    NodeCondition(String),
    /// Another pod keeps it away (anti-affinity, host ports).
    Neighbour(String),
    /// A volume of the pod: unbound, missing, or on another node.
    Volume(String),
    TooManyPods,
    NoNodes,
    Other(String),
}

/// The scheduler's message, taken apart: how many nodes there are, and what how many of them lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    pub nodes: u32,
    pub lacks: Vec<(u32, Lack)>,
}

/// Taints that Kubernetes puts there for a while.
const PASSING_TAINTS: [&str; 8] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.cilium.io/agent-not-ready",
];

/// Takes apart e.g. `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {a: b}. preemption: …`.
pub fn parse_message(message: &str) -> Message {
    if message.trim().is_empty() {
        return Message::default();
    }
    if message.contains("no nodes available") {
        return Message { nodes: 0, lacks: vec![(0, Lack::NoNodes)] };
    }
    let message = message.split(" preemption:").next().unwrap_or(message);
    let Some((head, tail)) = message.split_once(" nodes are available: ") else {
        return Message { nodes: 0, lacks: vec![(0, lack(message.trim_end_matches('.')))] };
    };
    let nodes = head.rsplit('/').next().and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    let lacks = split_outside_braces(tail.trim().trim_end_matches('.'))
        .into_iter()
        .map(|part| match part.split_once(' ').and_then(|(n, rest)| Some((n.parse::<u32>().ok()?, rest))) {
            Some((count, rest)) => (count, lack(rest)),
            // `pod has unbound immediate PersistentVolumeClaims` has no count: it holds everywhere.
            None => (nodes, lack(part)),
        })
        .collect();
    Message { nodes, lacks }
}

fn split_outside_braces(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

fn lack(reason: &str) -> Lack {
    let has = |needle: &str| reason.contains(needle);
    if let Some(resource) = reason.strip_prefix("Insufficient ") {
        return Lack::Resource(resource.trim_end_matches('.').to_owned());
    }
    if has("node affinity/selector")
        || has("node affinity") && !has("volume node affinity")
        || has("node selector")
    {
        return Lack::Label(None);
    }
    if has("taint") {
        let taint = reason.split_once('{').and_then(|(_, t)| t.split_once('}')).map_or("", |(t, _)| t);
        let taint = taint.replace(": ", "=").trim_end_matches(['=', ':']).trim().to_owned();
        return match PASSING_TAINTS.iter().find(|p| taint.starts_with(**p)) {
            Some(passing) => Lack::NodeCondition((*passing).to_owned()),
            None => Lack::Taint(taint),
        };
    }
    if has("were unschedulable") {
        return Lack::Cordoned;
    }
    if has("anti-affinity") || has("free ports") || has("pod affinity") || has("topology spread") {
        return Lack::Neighbour(reason.to_owned());
    }
    if has("ersistentvolumeclaim")
        || has("PersistentVolume")
        || has("persistent volumes")
        || has("volume node affinity")
    {
        return Lack::Volume(reason.to_owned());
    }
    if has("Too many pods") {
        return Lack::TooManyPods;
    }
    Lack::Other(reason.to_owned())
}

/// What no node can offer as things stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// What stands in the way, the most telling first.
    pub lacks: Vec<Lack>,
    /// No node could take the pod unless a person changes something.
    pub never: bool,
    /// Figures for the resource that is short: `asks for 64 cpu; k1 has 2, 250m of it free`.
    pub figures: String,
}

/// Judges a pod against the nodes. `pods` are all that are known; those that run to an end free their
/// room, others keep it. Without nodes only the message speaks.
pub fn judge(pod: &Value, message: &str, nodes: &[&Value], pods: &[&Value]) -> Verdict {
    let parsed = parse_message(message);
    let mut said: Vec<Lack> = parsed.lacks.iter().map(|(_, l)| l.clone()).collect();
    if nodes.is_empty() {
        let never = !said.is_empty()
            && said.iter().all(|l| matches!(l, Lack::Label(_) | Lack::Taint(_) | Lack::Cordoned))
            || parsed
                .lacks
                .iter()
                .any(|(n, l)| *n == parsed.nodes && *n > 0 && matches!(l, Lack::Label(_) | Lack::Taint(_)));
        name_labels(&mut said, pod);
        return Verdict { lacks: said, never, figures: String::new() };
    }
    let wants = requests(pod);
    let per_node: Vec<NodeView> = nodes.iter().map(|n| NodeView::of(n, pod, &wants, pods)).collect();
    let never = per_node.iter().all(|n| n.permanent.is_some());
    let mut lacks: Vec<Lack> = Vec::new();
    for lack in per_node
        .iter()
        .filter_map(|n| n.permanent.clone())
        .chain(per_node.iter().filter_map(|n| n.passing.clone()))
    {
        if !lacks.contains(&lack) {
            lacks.push(lack);
        }
    }
    // Where a node fails by its size, that is what to tell: labels and taints keep the others away by intent.
    lacks.sort_by_key(|l| match l {
        Lack::Resource(_) => 0,
        Lack::Label(_) => 1,
        Lack::Taint(_) => 2,
        _ => 3,
    });
    // What only the scheduler knows (volumes, neighbours) stays; what the nodes told better goes.
    name_labels(&mut said, pod);
    for lack in said {
        let told = lacks.iter().any(|l| std::mem::discriminant(l) == std::mem::discriminant(&lack));
        if !told {
            lacks.push(lack);
        }
    }
    let figures = lacks
        .iter()
        .find_map(|l| match l {
            Lack::Resource(r) => Some(figures(r, &wants, &per_node)),
            _ => None,
        })
        .unwrap_or_default();
    Verdict { lacks, never, figures }
}

/// The scheduler does not say which label is missing; the pod does.
fn name_labels(lacks: &mut [Lack], pod: &Value) {
    for lack in lacks {
        if *lack == Lack::Label(None) {
            *lack = Lack::Label(selector_text(pod));
        }
    }
}

fn selector_text(pod: &Value) -> Option<String> {
    let selector = field(pod, "/spec/nodeSelector").and_then(Value::as_object)?;
    let pairs: Vec<String> =
        selector.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

struct NodeView {
    name: String,
    /// Resource -> (allocatable, free as far as the pods are known).
    room: BTreeMap<String, (f64, f64)>,
    permanent: Option<Lack>,
    passing: Option<Lack>,
}

impl NodeView {
    fn of(node: &Value, pod: &Value, wants: &BTreeMap<String, f64>, pods: &[&Value]) -> Self {
        let node_name = name(node).unwrap_or_default();
        let mut room = BTreeMap::new();
        let (mut permanent, mut passing) = (placement(node, pod), None);
        if permanent.is_none() && !condition_is(node, "Ready", "True") {
            passing = Some(Lack::NodeCondition("not ready".to_owned()));
        }
        let here: Vec<&&Value> =
            pods.iter().filter(|p| text(p, "/spec/nodeName") == node_name && !is_finished(p)).collect();
        for (resource, wanted) in wants {
            let has = field(node, "/status/allocatable")
                .and_then(|a| a.get(resource))
                .and_then(Value::as_str)
                .and_then(quantity::parse)
                .unwrap_or(0.0);
            let used = |stays: bool| -> f64 {
                here.iter()
                    .filter(|p| !stays || stays_put(p))
                    .filter_map(|p| requests(p).get(resource).copied())
                    .sum()
            };
            room.insert(resource.clone(), (has, (has - used(false)).max(0.0)));
            if *wanted <= 0.0 {
                continue;
            }
            if wanted - (has - used(true)) > 1e-9 {
                permanent.get_or_insert_with(|| Lack::Resource(resource.clone()));
            } else if wanted - (has - used(false)) > 1e-9 {
                passing.get_or_insert_with(|| Lack::Resource(resource.clone()));
            }
        }
        Self { name: node_name.to_owned(), room, permanent, passing }
    }
}

/// What keeps a pod off a node whatever its resources: cordon, selector, affinity, taints.
fn placement(node: &Value, pod: &Value) -> Option<Lack> {
    let labels = field(node, "/metadata/labels");
    let empty = Map::new();
    let selector = field(pod, "/spec/nodeSelector").and_then(Value::as_object).unwrap_or(&empty);
    let missing: Vec<String> = selector
        .iter()
        .filter(|(k, v)| !labels_match(labels, &Map::from_iter([((*k).clone(), (*v).clone())])))
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    if !missing.is_empty() {
        return Some(Lack::Label(Some(missing.join(","))));
    }
    let terms = list(
        pod,
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
    );
    let term_fits = |term: &Value| {
        list(term, "/matchExpressions").iter().all(|e| expression_matches(labels, e))
            && list(term, "/matchFields")
                .iter()
                .all(|e| expression_matches(Some(&serde_json::json!({"metadata.name": name(node)})), e))
    };
    if !terms.is_empty() && !terms.iter().any(term_fits) {
        let wanted = terms.first().and_then(|t| list(t, "/matchExpressions").first()).map(|e| {
            let values: Vec<&str> = list(e, "/values").iter().filter_map(Value::as_str).collect();
            format!("{}={}", text(e, "/key"), values.join("|"))
        });
        return Some(Lack::Label(wanted));
    }
    for taint in list(node, "/spec/taints") {
        let effect = text(taint, "/effect");
        if effect == "PreferNoSchedule" || list(pod, "/spec/tolerations").iter().any(|t| tolerates(t, taint))
        {
            continue;
        }
        let key = text(taint, "/key");
        if PASSING_TAINTS.contains(&key) {
            continue;
        }
        if key == "node.kubernetes.io/unschedulable" {
            return Some(Lack::Cordoned);
        }
        let value = text(taint, "/value");
        let shown =
            if value.is_empty() { format!("{key}:{effect}") } else { format!("{key}={value}:{effect}") };
        return Some(Lack::Taint(shown));
    }
    None
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
    if !effect.is_empty() && effect != text(taint, "/effect") {
        return false;
    }
    match text(toleration, "/operator") {
        "Exists" => key.is_empty() || key == text(taint, "/key"),
        _ => key == text(taint, "/key") && text(toleration, "/value") == text(taint, "/value"),
    }
}

fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Keeps its room until a person takes it away: not a Job's pod, not one that is being deleted.
fn stays_put(pod: &Value) -> bool {
    !is_terminating(pod) && !list(pod, "/metadata/ownerReferences").iter().any(|o| text(o, "/kind") == "Job")
}

/// What a pod asks for, as the scheduler counts it: the sum of its containers and sidecars, or the
/// largest init container, plus the overhead; requests of the whole pod come first.
pub fn requests(pod: &Value) -> BTreeMap<String, f64> {
    let of = |container: &Value| -> BTreeMap<String, f64> {
        let read = |part: &str| {
            let values = field(container, &format!("/resources/{part}")).and_then(Value::as_object);
            values
                .into_iter()
                .flatten()
                .filter_map(|(k, v)| Some((k.clone(), quantity::parse(v.as_str()?)?)))
                .collect::<BTreeMap<_, _>>()
        };
        let mut asked = read("limits");
        asked.extend(read("requests"));
        asked
    };
    let mut sum: BTreeMap<String, f64> = BTreeMap::new();
    let add = |sum: &mut BTreeMap<String, f64>, more: BTreeMap<String, f64>| {
        for (k, v) in more {
            *sum.entry(k).or_default() += v;
        }
    };
    for container in list(pod, "/spec/containers") {
        add(&mut sum, of(container));
    }
    let mut peak: BTreeMap<String, f64> = BTreeMap::new();
    for container in list(pod, "/spec/initContainers") {
        if text(container, "/restartPolicy") == "Always" {
            add(&mut sum, of(container));
            continue;
        }
        for (k, v) in of(container) {
            let most = peak.entry(k).or_default();
            *most = most.max(v);
        }
    }
    for (k, v) in peak {
        let entry = sum.entry(k).or_default();
        *entry = entry.max(v);
    }
    if let Some(spec) = pod.get("spec") {
        sum.extend(of(spec));
    }
    if let Some(overhead) = field(pod, "/spec/overhead").and_then(Value::as_object) {
        add(
            &mut sum,
            overhead.iter().filter_map(|(k, v)| Some((k.clone(), quantity::parse(v.as_str()?)?))).collect(),
        );
    }
    sum
}

fn figures(resource: &str, wants: &BTreeMap<String, f64>, nodes: &[NodeView]) -> String {
    let Some(wanted) = wants.get(resource) else { return String::new() };
    let show = |v: f64| quantity::show(resource, v);
    let each: Vec<String> = nodes
        .iter()
        .take(4)
        .filter_map(|n| {
            n.room
                .get(resource)
                .map(|(has, free)| format!("{} has {}, {} of it free", n.name, show(*has), show(*free)))
        })
        .collect();
    let more = if nodes.len() > 4 { format!("; and {} more nodes", nodes.len() - 4) } else { String::new() };
    format!("asks for {} {resource}; {}{more}", show(*wanted), each.join("; "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn node(name: &str, cpu: &str, labels: Value, taints: Value) -> Value {
        json!({"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {"taints": taints},
            "status": {"allocatable": {"cpu": cpu, "memory": "8Gi"}, "conditions": [{"type": "Ready", "status": "True"}]}})
    }

    fn pod(spec: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    }

    fn asks(cpu: &str) -> Value {
        json!({"containers": [{"resources": {"requests": {"cpu": cpu}}}]})
    }

    #[test]
    fn the_message_is_taken_apart() {
        let message = "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
        let parsed = parse_message(message);
        assert_eq!(parsed.nodes, 3);
        assert_eq!(
            parsed.lacks,
            [
                (1, Lack::Taint("node-role.kubernetes.io/control-plane".into())),
                (2, Lack::Resource("memory".into())),
                (1, Lack::Label(None))
            ]
        );
        let volume = parse_message(
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
        );
        assert!(matches!(&volume.lacks[..], [(1, Lack::Volume(_))]));
        assert_eq!(parse_message("no nodes available to schedule pods").lacks, [(0, Lack::NoNodes)]);
        let passing = parse_message(
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
        );
        assert!(matches!(&passing.lacks[..], [(1, Lack::NodeCondition(_))]));
        assert!(matches!(
            &parse_message("persistentvolumeclaim \"mysql-data\" not found").lacks[..],
            [(0, Lack::Volume(_))]
        ));
    }

    #[test]
    fn a_label_that_no_node_has_is_named_and_final() {
        let pod = pod(json!({"nodeSelector": {"openstack-control-plane": "enabled"}}));
        let bare = node("k1", "2", json!({}), json!([]));
        let verdict = judge(
            &pod,
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            &[&bare],
            &[],
        );
        assert!(verdict.never);
        assert_eq!(verdict.lacks, [Lack::Label(Some("openstack-control-plane=enabled".into()))]);
        let labelled = node("k2", "2", json!({"openstack-control-plane": "enabled"}), json!([]));
        assert!(!judge(&pod, "", &[&bare, &labelled], &[]).never);
    }

    #[test]
    fn more_cpu_than_any_node_has_is_final_but_a_busy_job_passes() {
        let k1 = node("k1", "2", json!({}), json!([]));
        let message = "0/1 nodes are available: 1 Insufficient cpu.";
        let big = judge(&pod(asks("64")), message, &[&k1], &[]);
        assert!(big.never);
        assert_eq!(big.figures, "asks for 64 cpu; k1 has 2, 2 of it free");
        let mut job = json!({"metadata": {"name": "j", "ownerReferences": [{"kind": "Job", "name": "sync"}]}, "spec": asks("1500m")});
        job["spec"]["nodeName"] = json!("k1");
        let waits = judge(&pod(asks("1")), message, &[&k1], &[&job]);
        assert!(!waits.never, "the job will end");
        assert_eq!(waits.lacks, [Lack::Resource("cpu".into())]);
        job["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "api"}]);
        assert!(judge(&pod(asks("1")), message, &[&k1], &[&job]).never, "a server stays");
        job["metadata"]["deletionTimestamp"] = json!("now");
        assert!(!judge(&pod(asks("1")), message, &[&k1], &[&job]).never, "it goes");
    }

    #[test]
    fn taints_and_tolerations() {
        let tainted = node(
            "k1",
            "2",
            json!({}),
            json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
        );
        let bare = pod(json!({}));
        assert_eq!(
            judge(&bare, "", &[&tainted], &[]).lacks,
            [Lack::Taint("node-role.kubernetes.io/control-plane:NoSchedule".into())]
        );
        let tolerant = pod(json!({"tolerations": [{"operator": "Exists"}]}));
        assert!(!judge(&tolerant, "", &[&tainted], &[]).never);
        let passing = node(
            "k1",
            "2",
            json!({}),
            json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]),
        );
        assert!(!judge(&bare, "", &[&passing], &[]).never);
    }

    #[test]
    fn without_nodes_only_what_the_message_proves_is_final() {
        let bare = pod(json!({"nodeSelector": {"a": "b"}}));
        assert!(
            judge(
                &bare,
                "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
                &[],
                &[]
            )
            .never
        );
        assert!(!judge(&bare, "0/2 nodes are available: 2 Insufficient cpu.", &[], &[]).never);
    }

    #[test]
    fn a_pod_asks_for_its_largest_moment() {
        let pod = pod(
            json!({"containers": [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"limits": {"cpu": "200m"}}}],
            "initContainers": [{"resources": {"requests": {"cpu": "1"}}}, {"restartPolicy": "Always", "resources": {"requests": {"cpu": "50m", "memory": "1Gi"}}}]}),
        );
        let asked = requests(&pod);
        assert!((asked["cpu"] - 1.0).abs() < 1e-9);
        assert!((asked["memory"] - 1024f64.powi(3)).abs() < 1.0);
    }
}

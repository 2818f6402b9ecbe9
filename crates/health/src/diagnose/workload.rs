//! Workloads and Services: which of their pods hold them up, or why there are none.

use serde_json::{Map, Value};

use super::{Code, Diagnosis, Walk, event_message, remedy, spoken};
use crate::object::{
    ObjectRef, condition_is, condition_says, field, is_owned_by, is_terminating, labels_match, number,
    selector_matches, text,
};
use crate::readiness::{Readiness, readiness, selected_labels};
use crate::scheduling::Lack;

const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

impl Walk<'_> {
    pub(super) fn workload(&mut self, at: &ObjectRef, object: &Value) -> Diagnosis {
        let own = readiness(object);
        if own.is_ready() {
            return Diagnosis::healthy();
        }
        let says = own.reason().unwrap_or("is not ready").to_owned();
        let (makers, pods) = self.makers_and_pods(at, object);
        let none = pods.is_empty();
        let found = self.worst(pods);
        if !found.is_healthy() {
            return found.behind(at, says, "");
        }
        if none
            && at.kind == "DaemonSet"
            && let Some(labels) = daemon_set_without_nodes(object)
        {
            // Right after a node got its label, the controller may not have seen it yet.
            if self.has_node_for(object) {
                let says = format!("a node has the label {labels}; its pod will be made in a moment");
                return Diagnosis::root(at, Code::Starting, says, "desiredNumberScheduled: 0");
            }
            let lack = Lack::Label(Some(labels));
            return Diagnosis::root(at, Code::Unschedulable, says, "desiredNumberScheduled: 0")
                .with(remedy::unschedulable(Some(&lack), "", at))
                .terminal_if(self.world.knows("Node"));
        }
        if none {
            for maker in makers {
                if let Some(refused) = self.refused(&maker) {
                    return if maker == *at { refused } else { refused.behind(at, says, "") };
                }
            }
            if condition_is(object, "ReplicaFailure", "True") {
                return refusal(at, &condition_says(object, "ReplicaFailure"));
            }
        }
        match own {
            Readiness::Failed { reason } => {
                Diagnosis::root(at, Code::RolloutFailed, reason, "").terminal_if(true)
            }
            _ => Diagnosis::root(at, Code::Starting, says, ""),
        }
    }

    /// Whether a node has the labels that a DaemonSet selects its nodes by.
    fn has_node_for(&mut self, object: &Value) -> bool {
        let Some(wanted) = field(object, "/spec/template/spec/nodeSelector").and_then(Value::as_object)
        else {
            return false;
        };
        self.all("Node", "").iter().any(|node| labels_match(field(node, "/metadata/labels"), wanted))
    }

    /// Who makes the pods (the object itself; of a Deployment also its newest ReplicaSet), and the pods
    /// of its latest template that are there.
    fn makers_and_pods(&mut self, at: &ObjectRef, object: &Value) -> (Vec<ObjectRef>, Vec<ObjectRef>) {
        let mut makers = vec![at.clone()];
        let mut owner = object;
        if at.kind == "Deployment" {
            let revision = |set: &Value| {
                text(set, "/metadata/annotations/deployment.kubernetes.io~1revision")
                    .parse::<u64>()
                    .unwrap_or(0)
            };
            let newest = self
                .all("ReplicaSet", &at.namespace)
                .into_iter()
                .filter(|s| is_owned_by(s, object))
                .max_by_key(|s| revision(s));
            if let Some(set) = newest {
                makers.extend(ObjectRef::of(set));
                owner = set;
            }
        }
        // Where the ReplicaSets are not at hand, the selector must do.
        let by_selector = at.kind == "Deployment" && makers.len() == 1;
        let selector = field(object, "/spec/selector");
        let pods = self
            .all("Pod", &at.namespace)
            .into_iter()
            .filter(|p| match (by_selector, selector) {
                (true, Some(selector)) => selector_matches(field(p, "/metadata/labels"), selector),
                _ => is_owned_by(p, owner),
            })
            .filter(|p| !is_terminating(p))
            .filter_map(ObjectRef::of)
            .collect();
        (makers, pods)
    }

    /// Why pods could not even be made: quota, admission.
    pub(super) fn refused(&mut self, at: &ObjectRef) -> Option<Diagnosis> {
        let event = self.event(at, &["FailedCreate", "FailedDaemonPod"])?;
        Some(refusal(at, event_message(event)))
    }

    pub(super) fn service(&mut self, at: &ObjectRef, service: &Value) -> Diagnosis {
        if let Readiness::Progressing { reason } = readiness(service) {
            return Diagnosis::root(at, Code::Starting, reason, "");
        }
        let Some(selector) =
            field(service, "/spec/selector").and_then(Value::as_object).filter(|s| !s.is_empty())
        else {
            return Diagnosis::healthy();
        };
        let pods: Vec<&Value> = self
            .all("Pod", &at.namespace)
            .into_iter()
            .filter(|p| {
                labels_match(field(p, "/metadata/labels"), selector) && !is_terminating(p) && !is_finished(p)
            })
            .collect();
        if pods.iter().any(|p| readiness(p).is_ready()) {
            return Diagnosis::healthy();
        }
        if !pods.is_empty() {
            let found = self.worst(pods.into_iter().filter_map(ObjectRef::of));
            let pod = found.links.first().map(|l| spoken(&l.object)).unwrap_or_default();
            return found.behind(at, format!("has no ready endpoint: {pod} is not ready"), "");
        }
        let shown = |s: &Map<String, Value>| {
            s.iter()
                .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(",")
        };
        let Some(workload) = self.behind_service(at, selector) else {
            return Diagnosis::root(
                at,
                Code::ServiceWithoutPods,
                "has no endpoint: no pod has the labels it selects",
                shown(selector),
            )
            .with(remedy::service_without_pods(&shown(selector)));
        };
        let found = self.visit(&workload);
        let replicas = self.world.get(&workload).and_then(|w| number(w, "/spec/replicas"));
        if found.is_healthy() && replicas == Some(0) {
            return Diagnosis::root(
                &workload,
                Code::ServiceWithoutPods,
                "is scaled to no pods",
                "replicas: 0",
            )
            .with(remedy::scaled_to_none(&workload))
            .behind(at, "has no endpoint", "");
        }
        if found.is_healthy() {
            return Diagnosis::root(
                at,
                Code::ServiceWithoutPods,
                "has no endpoint: no pod has all the labels it selects",
                shown(selector),
            )
            .with(remedy::service_without_pods(&shown(selector)));
        }
        found.behind(at, "has no endpoint", "")
    }

    /// The workload whose pods a Service means: the one whose template agrees with most of the selector
    /// (labels set at run time, such as the primary's, are on no template).
    pub(super) fn behind_service(
        &mut self,
        at: &ObjectRef,
        selector: &Map<String, Value>,
    ) -> Option<ObjectRef> {
        let mut best: Option<(usize, ObjectRef)> = None;
        for kind in WORKLOADS {
            for object in self.all(kind, &at.namespace) {
                let labels = field(object, "/spec/template/metadata/labels").and_then(Value::as_object);
                let agree =
                    labels.map_or(0, |l| selector.iter().filter(|(k, v)| l.get(*k) == Some(*v)).count());
                let contradicts =
                    labels.is_some_and(|l| selector.iter().any(|(k, v)| l.get(k).is_some_and(|x| x != v)));
                if agree == 0 || contradicts || best.as_ref().is_some_and(|(n, _)| *n >= agree) {
                    continue;
                }
                best = ObjectRef::of(object).map(|o| (agree, o));
            }
        }
        best.map(|(_, at)| at)
    }
}

fn daemon_set_without_nodes(object: &Value) -> Option<String> {
    let none = field(object, "/status/desiredNumberScheduled").and_then(Value::as_i64) == Some(0);
    none.then(|| selected_labels(object)).flatten()
}

fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

fn refusal(at: &ObjectRef, message: &str) -> Diagnosis {
    if message.contains("exceeded quota") || message.contains("must specify") && message.contains("quota") {
        return Diagnosis::root(at, Code::QuotaExceeded, "its pods exceed the namespace's quota", message)
            .terminal_if(true);
    }
    if message.contains("failed calling webhook") {
        return Diagnosis::root(at, Code::AdmissionRefused, "an admission webhook does not answer", message);
    }
    if message.contains("denied the request")
        || message.contains("violates PodSecurity")
        || message.contains("is forbidden")
    {
        return Diagnosis::root(at, Code::AdmissionRefused, "its pods are refused", message)
            .terminal_if(true);
    }
    let invalid = message.contains("is invalid");
    Diagnosis::root(at, Code::Failed, "its pods cannot be made", message).terminal_if(invalid)
}

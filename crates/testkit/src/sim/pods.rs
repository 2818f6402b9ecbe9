//! Pods: scheduled, waiting in their init containers, running, ready, done; or not, where a fault says so.

use landfall_health::dependency::Dependency;
use serde_json::{Value, json};

use super::controllers::{fits, is_ready};
use super::{Key, State};

impl State {
    pub(super) fn pods(&mut self) {
        let keys: Vec<Key> = self.of_kind("/Pod").map(|(k, _)| k.clone()).collect();
        for key in keys {
            let Some(pod) = self.objects.get(&key).cloned() else { continue };
            if let Some(next) = self.next(&pod, &key) {
                if next["status"]["initContainerStatuses"].is_array()
                    && pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
                {
                    self.idled.insert(key.2.clone());
                }
                // A pod that could go on may be made to wait for its turn.
                if next["status"] != pod["status"] && self.chance() {
                    self.put(next);
                }
            }
        }
    }

    pub(super) fn has_pending_choice(&self) -> bool {
        self.seed != 0
            && self
                .of_kind("/Pod")
                .any(|(key, pod)| self.next(pod, key).is_some_and(|next| next["status"] != pod["status"]))
    }

    /// The pod one step further; none where it stays as it is for good.
    fn next(&self, pod: &Value, key: &Key) -> Option<Value> {
        let workload = pod["metadata"]["annotations"]["simulated/workload"].as_str().unwrap_or(&key.2);
        let is_job = pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
            || matches!(pod["spec"]["restartPolicy"].as_str(), Some("Never" | "OnFailure"));
        let mut next = pod.clone();
        next["status"] = match pod["status"]["phase"].as_str() {
            Some("Succeeded" | "Failed") => return None,
            Some("Running") if is_job && self.faults.failing_jobs.contains(workload) => {
                json!({"phase": "Failed", "containerStatuses": containers(pod, &json!({"terminated": {"exitCode": 1, "reason": "Error"}}), false)})
            }
            Some("Running") if is_job => {
                json!({"phase": "Succeeded", "containerStatuses": containers(pod, &json!({"terminated": {"exitCode": 0, "reason": "Completed"}}), false)})
            }
            Some("Running") if self.faults.crashing.contains(workload) => {
                let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}});
                let mut statuses = containers(pod, &waiting, false);
                for status in &mut statuses {
                    status["restartCount"] = json!(5);
                    status["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
                }
                json!({"phase": "Running", "containerStatuses": statuses, "conditions": conditions(true, false)})
            }
            Some("Running") if self.faults.stuck.contains(workload) => return None,
            Some("Running") => json!({"phase": "Running", "conditions": conditions(true, true),
                "containerStatuses": containers(pod, &json!({"running": {}}), true)}),
            _ => self.begin(pod),
        };
        if next["status"]["phase"] != "Pending" || next["spec"]["nodeName"].is_null() {
            next["spec"]["nodeName"] = json!("k1");
        }
        if let Some("False") = next["status"]["conditions"][0]["status"].as_str() {
            next["spec"]["nodeName"] = Value::Null;
        }
        Some(next)
    }

    /// From Pending: scheduled, image pulled, init containers done.
    fn begin(&self, pod: &Value) -> Value {
        if let Some(message) = self.unschedulable(pod) {
            return json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "message": message}]});
        }
        let all =
            ["initContainers", "containers"].iter().filter_map(|f| pod["spec"][*f].as_array()).flatten();
        let mut images = all.filter_map(|c| c["image"].as_str());
        if let Some(image) = images.find(|i| self.faults.missing_images.contains(*i)) {
            let waiting = json!({"waiting": {"reason": "ImagePullBackOff",
                "message": format!("Back-off pulling image \"{image}\": not found")}});
            return json!({"phase": "Pending", "conditions": conditions(true, false),
                "containerStatuses": containers(pod, &waiting, false)});
        }
        let waits =
            landfall_plan::graph::declared(pod, pod["metadata"]["namespace"].as_str().unwrap_or_default());
        if waits.dependencies.iter().all(|d| self.is_met(d)) {
            return json!({"phase": "Running", "conditions": conditions(true, false),
                "containerStatuses": containers(pod, &json!({"running": {}}), false)});
        }
        let inits: Vec<Value> = pod["spec"]["initContainers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| json!({"name": c["name"], "image": c["image"], "ready": false, "restartCount": 0, "state": {"running": {}}}))
            .collect();
        json!({"phase": "Pending", "conditions": conditions(false, false), "initContainerStatuses": inits,
            "containerStatuses": containers(pod, &json!({"waiting": {"reason": "PodInitializing"}}), false)})
    }

    fn unschedulable(&self, pod: &Value) -> Option<String> {
        let claims = pod["spec"]["volumes"].as_array().into_iter().flatten();
        for claim in claims.filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str()) {
            let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
            let found =
                self.objects.get(&("/PersistentVolumeClaim".into(), namespace.to_owned(), claim.to_owned()));
            if found.is_none_or(|c| c["status"]["phase"] != "Bound") {
                return Some(
                    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.".into(),
                );
            }
        }
        let nodes: Vec<_> = self.of_kind("/Node").collect();
        if !nodes.iter().any(|(_, node)| fits(&pod["spec"]["nodeSelector"], &node["metadata"]["labels"])) {
            return Some(format!(
                "0/{} nodes are available: {0} node(s) didn't match Pod's node affinity/selector.",
                nodes.len()
            ));
        }
        let cpu = |text: &Value| match text.as_str() {
            Some(t) => t
                .strip_suffix('m')
                .map_or_else(|| t.parse::<f64>().unwrap_or(0.0) * 1000.0, |m| m.parse().unwrap_or(0.0)),
            None => 0.0,
        };
        let asked: f64 = pod["spec"]["containers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| cpu(&c["resources"]["requests"]["cpu"]))
            .sum();
        if nodes.iter().all(|(_, node)| cpu(&node["status"]["allocatable"]["cpu"]) < asked) {
            return Some(format!("0/{0} nodes are available: {0} Insufficient cpu.", nodes.len()));
        }
        None
    }

    fn is_met(&self, dependency: &Dependency) -> bool {
        let complete = |job: &Value| {
            job["status"]["conditions"]
                .as_array()
                .is_some_and(|c| c.iter().any(|c| c["type"] == "Complete" && c["status"] == "True"))
        };
        let object = |kind: &str, ns: &str, name: &str| {
            self.objects.get(&(kind.to_owned(), ns.to_owned(), name.to_owned()))
        };
        match dependency {
            Dependency::Service { namespace, name } => {
                let Some(selector) =
                    object("/Service", namespace, name).and_then(|s| s["spec"]["selector"].as_object())
                else {
                    return false;
                };
                let mut pods = self.of_kind("/Pod").filter(|(k, _)| k.1 == *namespace);
                pods.any(|(_, pod)| {
                    is_ready(pod) && selector.iter().all(|(l, v)| pod["metadata"]["labels"].get(l) == Some(v))
                })
            }
            Dependency::Job { namespace, name } => object("batch/Job", namespace, name).is_some_and(complete),
            Dependency::Jobs { namespace, labels } => {
                let mut jobs = self
                    .of_kind("batch/Job")
                    .filter(|(k, j)| {
                        k.1 == *namespace
                            && labels.iter().all(|(l, v)| j["metadata"]["labels"][l] == v.as_str())
                    })
                    .peekable();
                jobs.peek().is_some() && jobs.all(|(_, job)| complete(job))
            }
            Dependency::DaemonSet { namespace, name } => object("apps/DaemonSet", namespace, name)
                .is_some_and(|set| set["status"]["numberReady"] == set["status"]["desiredNumberScheduled"]),
            Dependency::Pod { namespace, labels, .. } => {
                let mut pods = self.of_kind("/Pod").filter(|(k, _)| k.1 == *namespace);
                pods.any(|(_, pod)| {
                    is_ready(pod) && labels.iter().all(|(l, v)| pod["metadata"]["labels"][l] == v.as_str())
                })
            }
            Dependency::Secret { namespace, name, .. } => object("/Secret", namespace, name).is_some(),
            Dependency::ConfigMap { namespace, name, .. } => object("/ConfigMap", namespace, name).is_some(),
            _ => true,
        }
    }
}

fn containers(pod: &Value, state: &Value, ready: bool) -> Vec<Value> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers
        .map(|c| json!({"name": c["name"], "image": c["image"], "ready": ready, "restartCount": 0, "state": state}))
        .collect()
}

fn conditions(initialized: bool, ready: bool) -> Value {
    let word = |yes: bool| if yes { "True" } else { "False" };
    json!([{"type": "PodScheduled", "status": "True"}, {"type": "Initialized", "status": word(initialized)},
        {"type": "Ready", "status": word(ready)}, {"type": "ContainersReady", "status": word(ready)}])
}

//! Init containers that wait for others: what they wait for, and why that is not there.

use serde_json::Value;

use super::{Code, Diagnosis, Walk, Want};
use crate::dependency::{self, Dependency};
use crate::object::{ObjectRef, condition_is, field, labels_match, list, number, text};
use crate::readiness::readiness;

/// What a container waits for, by its environment.
pub fn dependencies_of(container: &Value, namespace: &str) -> Vec<Dependency> {
    let env = list(container, "/env");
    let value = |name: &str| env.iter().find(|e| text(e, "/name") == name).map(|e| text(e, "/value"));
    dependency::parse(value, namespace).dependencies
}

impl Walk<'_> {
    /// The chain behind an init container's waiting; none where it waits for nothing that is known.
    pub(super) fn waiting(&mut self, at: &ObjectRef, pod: &Value, container: &Value) -> Option<Diagnosis> {
        let dependencies = dependencies_of(container, &at.namespace);
        if dependencies.is_empty() {
            return None;
        }
        let mut unmet: Vec<(String, Diagnosis)> = Vec::new();
        for dependency in &dependencies {
            if let Some(found) = self.unmet(at, pod, dependency) {
                unmet.push((dependency.to_string(), found));
            }
        }
        let names: Vec<String> = unmet.iter().map(|(n, _)| n.clone()).collect();
        // The first of equals: charts name what matters first.
        let mut worst: Option<(String, Diagnosis)> = None;
        for (name, found) in unmet {
            if worst
                .as_ref()
                .is_none_or(|(_, w)| (found.terminal, found.code.weight()) > (w.terminal, w.code.weight()))
            {
                worst = Some((name, found));
            }
        }
        Some(match worst {
            None => {
                Diagnosis::root(at, Code::Starting, "all it waits for is ready; it goes on in a moment", "")
            }
            Some((name, found)) => {
                let others: Vec<String> = names.into_iter().filter(|n| *n != name).collect();
                let evidence = if others.is_empty() {
                    String::new()
                } else {
                    format!("also waits for {}", others.join(", "))
                };
                found.behind(at, format!("waits for {name}"), evidence)
            }
        })
    }

    fn unmet(&mut self, at: &ObjectRef, pod: &Value, dependency: &Dependency) -> Option<Diagnosis> {
        match dependency {
            Dependency::Service { namespace, name } => {
                self.unmet_service(&ObjectRef::new("Service", namespace, name))
            }
            Dependency::Job { namespace, name } => self.unmet_job(&ObjectRef::new("Job", namespace, name)),
            Dependency::Jobs { namespace, labels } => {
                let wanted = to_map(labels);
                let jobs: Vec<ObjectRef> = self
                    .all("Job", namespace)
                    .into_iter()
                    .filter(|j| labels_match(field(j, "/metadata/labels"), &wanted))
                    .filter_map(ObjectRef::of)
                    .collect();
                if jobs.is_empty() {
                    return Some(missing(at, &dependency.to_string()));
                }
                jobs.iter().filter_map(|j| self.unmet_job(j)).max_by_key(Diagnosis::rank)
            }
            Dependency::DaemonSet { namespace, name } => {
                let set = ObjectRef::new("DaemonSet", namespace, name);
                let found = self.visit(&set);
                (!found.is_healthy()).then_some(found)
            }
            Dependency::Pod { namespace, labels, same_node } => {
                self.unmet_pod(at, pod, namespace, &to_map(labels), *same_node, dependency)
            }
            Dependency::Secret { namespace, name, key } => {
                self.unmet_config(&ObjectRef::new("Secret", namespace, name), key.as_deref())
            }
            Dependency::ConfigMap { namespace, name, key } => {
                self.unmet_config(&ObjectRef::new("ConfigMap", namespace, name), key.as_deref())
            }
            Dependency::CustomResource(custom) => {
                let object = ObjectRef::new(&custom.kind, &custom.namespace, &custom.name);
                let found = self.visit(&object);
                (!found.is_healthy()).then_some(found)
            }
            // The pod's own files and containers are not to be seen from outside.
            Dependency::Container { .. } | Dependency::Config { .. } | Dependency::Socket { .. } => None,
        }
    }

    fn unmet_job(&mut self, job: &ObjectRef) -> Option<Diagnosis> {
        if self.world.get(job).is_some_and(|j| number(j, "/status/succeeded").unwrap_or(0) > 0) {
            return None;
        }
        let found = self.visit(job);
        (!found.is_healthy()).then_some(found)
    }

    fn unmet_service(&mut self, service: &ObjectRef) -> Option<Diagnosis> {
        let answers = self.world.of_kind("EndpointSlice", &service.namespace).any(|s| {
            s["metadata"]["labels"]["kubernetes.io/service-name"] == service.name.as_str()
                && list(s, "/endpoints").iter().any(|e| {
                    field(e, "/conditions/ready").and_then(Value::as_bool) != Some(false)
                        && !list(e, "/addresses").is_empty()
                })
        });
        if answers {
            return None;
        }
        let found = self.visit(service);
        (!found.is_healthy()).then_some(found)
    }

    fn unmet_pod(
        &mut self,
        at: &ObjectRef,
        own: &Value,
        namespace: &str,
        labels: &serde_json::Map<String, Value>,
        same_node: bool,
        dependency: &Dependency,
    ) -> Option<Diagnosis> {
        let node = text(own, "/spec/nodeName");
        let pods: Vec<&Value> = self
            .all("Pod", namespace)
            .into_iter()
            .filter(|p| labels_match(field(p, "/metadata/labels"), labels))
            .filter(|p| !same_node || text(p, "/spec/nodeName") == node)
            .collect();
        if pods.iter().any(|p| condition_is(p, "Ready", "True")) {
            return None;
        }
        if !pods.is_empty() {
            let found =
                self.worst(pods.into_iter().filter(|p| !readiness(p).is_ready()).filter_map(ObjectRef::of));
            return (!found.is_healthy()).then_some(found);
        }
        let whose = ObjectRef::new("Pod", namespace, at.name.clone());
        match self.behind_service(&whose, labels) {
            Some(workload) => {
                let found = self.visit(&workload);
                Some(if found.is_healthy() { missing(at, &dependency.to_string()) } else { found })
            }
            None => Some(missing(at, &dependency.to_string())),
        }
    }

    fn unmet_config(&mut self, at: &ObjectRef, key: Option<&str>) -> Option<Diagnosis> {
        let Some(object) = self.world.get(at) else {
            self.wants.insert(Want::Object { object: at.clone() });
            return Some(Diagnosis::root(at, Code::DependencyMissing, "is not there", ""));
        };
        let key = key?;
        let there =
            ["/data", "/binaryData"].iter().any(|p| field(object, p).and_then(|d| d.get(key)).is_some());
        (!there).then(|| Diagnosis::root(at, Code::DependencyMissing, format!("has no key {key}"), ""))
    }
}

fn missing(at: &ObjectRef, what: &str) -> Diagnosis {
    Diagnosis::root(at, Code::DependencyMissing, format!("there is no {what}"), "")
}

fn to_map(labels: &std::collections::BTreeMap<String, String>) -> serde_json::Map<String, Value> {
    labels.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect()
}

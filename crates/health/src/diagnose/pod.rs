//! Pods: is there a node, do the volumes mount, which container holds it up.

use serde_json::Value;

use super::{Code, Diagnosis, Walk, event_count, event_message, remedy, spoken_ref};
use crate::object::{ObjectRef, condition, condition_is, field, is_terminating, list, says, text};
use crate::scheduling::{self, Lack};

impl Walk<'_> {
    pub(super) fn pod(&mut self, at: &ObjectRef, pod: &Value) -> Diagnosis {
        if is_terminating(pod) {
            return Diagnosis::root(at, Code::Starting, "is being deleted", "");
        }
        match text(pod, "/status/phase") {
            "Succeeded" => return Diagnosis::healthy(),
            "Failed" => return self.ended(at, pod),
            _ => {}
        }
        if condition_is(pod, "Ready", "True") {
            return Diagnosis::healthy();
        }
        let node = text(pod, "/spec/nodeName");
        if node.is_empty() {
            return self.unscheduled(at, pod);
        }
        if let Some(sick) = self.on_a_sick_node(at, node) {
            return sick;
        }
        if let Some(held) = self.held_by_container(at, pod) {
            return held;
        }
        self.not_started(at, pod)
    }

    fn ended(&mut self, at: &ObjectRef, pod: &Value) -> Diagnosis {
        if text(pod, "/status/reason") == "Evicted" {
            return Diagnosis::root(at, Code::Evicted, "was evicted", text(pod, "/status/message"));
        }
        self.held_by_container(at, pod).unwrap_or_else(|| {
            Diagnosis::root(
                at,
                Code::Failed,
                "failed",
                says(text(pod, "/status/reason"), text(pod, "/status/message")),
            )
        })
    }

    fn on_a_sick_node(&mut self, at: &ObjectRef, node: &str) -> Option<Diagnosis> {
        let node = ObjectRef::new("Node", "", node);
        // A node that is not in the world says nothing: most pods are held up by something else.
        self.world.get(&node)?;
        let found = self.visit(&node);
        (!found.is_healthy()).then(|| found.behind(at, format!("is on {}", spoken_ref(&node)), ""))
    }

    fn unscheduled(&mut self, at: &ObjectRef, pod: &Value) -> Diagnosis {
        if !list(pod, "/spec/schedulingGates").is_empty() {
            return Diagnosis::root(at, Code::Starting, "is held back by a scheduling gate", "");
        }
        let from_condition = condition(pod, "PodScheduled").map(|c| text(c, "/message")).unwrap_or_default();
        let message = match from_condition {
            "" => self.event(at, &["FailedScheduling"]).map(event_message).unwrap_or_default(),
            told => told,
        };
        if message.is_empty() {
            return Diagnosis::root(at, Code::Starting, "waits for the scheduler", "");
        }
        let parsed = scheduling::parse_message(message);
        if parsed.lacks.iter().any(|(_, l)| matches!(l, Lack::Volume(_))) {
            let found = self.worst(claims_of(at, pod));
            if !found.is_healthy() {
                let claim = found.links.first().map(|l| super::spoken(&l.object)).unwrap_or_default();
                return found.behind(at, format!("is Pending: it waits for {claim}"), message);
            }
        }
        let (nodes, pods) = (self.all("Node", ""), self.all("Pod", ""));
        let verdict = scheduling::judge(pod, message, &nodes, &pods);
        let growing = self.world.events_of(at).iter().any(|e| text(e, "/reason") == "TriggeredScaleUp");
        let why = verdict.lacks.first().map_or_else(|| "no node takes it".to_owned(), lack_in_words);
        let evidence = if verdict.figures.is_empty() {
            message.to_owned()
        } else {
            format!("{message} ({})", verdict.figures)
        };
        Diagnosis::root(at, Code::Unschedulable, format!("is Pending: {why}"), evidence)
            .terminal_if(verdict.never && !growing)
            .with(remedy::unschedulable(verdict.lacks.first(), &verdict.figures, at))
    }

    /// The first init container that is not through, else the worst of the containers.
    fn held_by_container(&mut self, at: &ObjectRef, pod: &Value) -> Option<Diagnosis> {
        for status in list(pod, "/status/initContainerStatuses") {
            let spec = container_spec(pod, "/spec/initContainers", text(status, "/name"));
            let through = field(status, "/state/terminated/exitCode").and_then(Value::as_i64) == Some(0);
            let sidecar = spec.is_some_and(|s| text(s, "/restartPolicy") == "Always");
            if through || sidecar && field(status, "/state/running").is_some() {
                continue;
            }
            if field(status, "/state/running").is_some()
                && let Some(waits) = spec.and_then(|s| self.waiting(at, pod, s))
            {
                return Some(waits);
            }
            return self.container(at, pod, status, true);
        }
        let mut worst: Option<Diagnosis> = None;
        for status in list(pod, "/status/containerStatuses") {
            if status.get("ready").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            if let Some(found) = self.container(at, pod, status, false)
                && worst.as_ref().is_none_or(|w| found.rank() > w.rank())
            {
                worst = Some(found);
            }
        }
        worst
    }

    /// Scheduled, but no container tells of trouble: mounts, sandbox, or just time.
    fn not_started(&mut self, at: &ObjectRef, pod: &Value) -> Diagnosis {
        let events = self.events(at);
        let latest =
            |reasons: &[&str]| events.iter().find(|e| reasons.contains(&text(e, "/reason"))).copied();
        let begun =
            list(pod, "/status/containerStatuses").iter().any(|s| field(s, "/state/running").is_some());
        if !begun {
            if let Some(event) = latest(&["FailedMount", "FailedAttachVolume", "FailedMapVolume"]) {
                return self.mount(at, pod, event);
            }
            if let Some(event) = latest(&["FailedCreatePodSandBox", "NetworkNotReady"]) {
                return Diagnosis::root(
                    at,
                    Code::SandboxFailed,
                    "its network or sandbox could not be made",
                    event_message(event),
                );
            }
        }
        let phase = text(pod, "/status/phase");
        Diagnosis::root(
            at,
            Code::Starting,
            if begun { "is running but not ready" } else { "is being started" },
            phase,
        )
    }

    fn mount(&mut self, at: &ObjectRef, pod: &Value, event: &Value) -> Diagnosis {
        let message = event_message(event);
        if let Some(found) = self.missing_config(at, message, event_count(event)) {
            return found;
        }
        let found = self.worst(claims_of(at, pod));
        if !found.is_healthy() {
            return found.behind(at, "a volume of it cannot be mounted", message);
        }
        Diagnosis::root(at, Code::VolumeMount, "a volume of it cannot be mounted", message)
    }

    /// `secret "x" not found` and its like. Something may still make it (a Job that is not through), so it is
    /// final only when nothing is left that could and the kubelet has tried for a while.
    pub(super) fn missing_config(&mut self, at: &ObjectRef, message: &str, tries: i64) -> Option<Diagnosis> {
        let (kind, name, key) = missing_name(message)?;
        let object = ObjectRef::new(kind, &at.namespace, &name);
        let may_come = self
            .all("Job", &at.namespace)
            .iter()
            .any(|j| !condition_is(j, "Complete", "True") && !condition_is(j, "Failed", "True"));
        let says = match &key {
            None => "is not there".to_owned(),
            Some(key) => format!("has no key {key}"),
        };
        let needs = format!("needs {}", spoken_ref(&object));
        Some(
            Diagnosis::root(&object, Code::ConfigMissing, says, message)
                .behind(at, needs, "")
                .terminal_if(!may_come && tries >= 5)
                .with(remedy::config_missing(&object, key.as_deref())),
        )
    }
}

/// `(kind, name, key)` out of the kubelet's words.
fn missing_name(message: &str) -> Option<(&'static str, String, Option<String>)> {
    // couldn't find key KEY in Secret NS/NAME
    if let Some((_, rest)) = message.split_once("couldn't find key ") {
        let (key, rest) = rest.split_once(" in ")?;
        let (kind, rest) = rest.split_once(' ')?;
        let kind = if kind.eq_ignore_ascii_case("secret") { "Secret" } else { "ConfigMap" };
        let name = rest.split_whitespace().next()?.rsplit('/').next()?;
        return Some((kind, name.to_owned(), Some(key.to_owned())));
    }
    for (word, kind) in [("secret \"", "Secret"), ("configmap \"", "ConfigMap")] {
        if let Some((_, rest)) = message.split_once(word)
            && let Some((name, rest)) = rest.split_once('"')
            && rest.trim_start().starts_with("not found")
        {
            return Some((kind, name.rsplit('/').next().unwrap_or(name).to_owned(), None));
        }
    }
    None
}

pub(super) fn container_spec<'a>(pod: &'a Value, at: &str, name: &str) -> Option<&'a Value> {
    list(pod, at).iter().find(|c| text(c, "/name") == name)
}

/// The volume claims of a pod, ephemeral ones by the name that they get.
fn claims_of(at: &ObjectRef, pod: &Value) -> Vec<ObjectRef> {
    list(pod, "/spec/volumes")
        .iter()
        .filter_map(|v| match text(v, "/persistentVolumeClaim/claimName") {
            "" => v.get("ephemeral").map(|_| format!("{}-{}", at.name, text(v, "/name"))),
            name => Some(name.to_owned()),
        })
        .map(|name| ObjectRef::new("PersistentVolumeClaim", &at.namespace, name))
        .collect()
}

fn lack_in_words(lack: &Lack) -> String {
    match lack {
        Lack::Resource(r) => format!("no node has enough {r}"),
        Lack::Label(Some(label)) => format!("no node has the label {label}"),
        Lack::Label(None) => "no node has the labels it asks for".to_owned(),
        Lack::Taint(taint) => format!("it does not tolerate the taint {taint}"),
        Lack::Cordoned => "the nodes are cordoned".to_owned(),
        Lack::NodeCondition(what) => format!("no node is ready ({what})"),
        Lack::Neighbour(what) | Lack::Volume(what) | Lack::Other(what) => what.clone(),
        Lack::TooManyPods => "every node has as many pods as it may".to_owned(),
        Lack::NoNodes => "the cluster has no node".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_read_from_the_kubelets_words() {
        let read = |m: &str| missing_name(m).map(|(k, n, key)| (k, n, key.unwrap_or_default()));
        assert_eq!(
            read("secret \"keystone-db\" not found"),
            Some(("Secret", "keystone-db".into(), String::new()))
        );
        assert_eq!(
            read("MountVolume.SetUp failed for volume \"etc\" : configmap \"keystone-etc\" not found"),
            Some(("ConfigMap", "keystone-etc".into(), String::new()))
        );
        assert_eq!(
            read("couldn't find key PW in Secret openstack/db"),
            Some(("Secret", "db".into(), "PW".into()))
        );
        assert_eq!(read("secret \"x\" is broken"), None);
    }
}

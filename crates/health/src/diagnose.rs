//! From a symptom to its root cause: a chain of links, each with its evidence, and what to do.
//!
//! The walk follows owner references, selectors, volumes and what init containers wait for. It never
//! fetches: what it would have liked to see it notes as [`Want`]s. A diagnosis is terminal when nothing
//! gets better without a hand, as far as the world at hand proves it.

mod container;
mod job;
mod logs;
mod pod;
mod remedy;
mod storage;
mod wait;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{self, ObjectRef, field, list, text};
use crate::readiness::{Readiness, readiness};

/// What is known of the cluster.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// By `Kind/namespace/name`.
    pub objects: BTreeMap<String, Value>,
    /// Events of either API group, in any order.
    pub events: Vec<Value>,
    /// Log texts by [`World::log_key`].
    pub logs: BTreeMap<String, String>,
    /// Kinds of which `objects` holds all (and `Event`, where `events` does): only then does absence prove anything.
    pub listed: BTreeSet<String>,
}

impl World {
    /// The key of a container's log in [`World::logs`].
    pub fn log_key(namespace: &str, pod: &str, container: &str, previous: bool) -> String {
        format!("Pod/{namespace}/{pod}/{container}{}", if previous { "/previous" } else { "" })
    }

    /// Drops the logs of a pod, which are no longer its last words.
    pub fn forget_logs(&mut self, namespace: &str, pod: &str) {
        let prefix = format!("Pod/{namespace}/{pod}/");
        self.logs.retain(|key, _| !key.starts_with(&prefix));
    }

    /// Adds an object under its own name; what has none is left out, and so is a former state of what is
    /// known, which a watch may bring late.
    pub fn insert(&mut self, object: Value) {
        let Some(at) = ObjectRef::of(&object) else { return };
        let key = at.key();
        if !self.objects.get(&key).is_some_and(|known| is_former(&object, known)) {
            self.objects.insert(key, object);
        }
    }

    pub fn get(&self, at: &ObjectRef) -> Option<&Value> {
        self.objects.get(&at.key())
    }

    /// All objects of a kind, in one namespace or (empty) in all.
    pub fn of_kind<'a>(&'a self, kind: &'a str, namespace: &'a str) -> impl Iterator<Item = &'a Value> {
        let prefix = if namespace.is_empty() { format!("{kind}/") } else { format!("{kind}/{namespace}/") };
        let start = prefix.clone();
        self.objects.range(start..).take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, v)| v)
    }

    /// Whether absence of an object of this kind proves that there is none.
    pub fn knows(&self, kind: &str) -> bool {
        self.listed.contains(kind) || self.of_kind(kind, "").next().is_some()
    }

    /// Events about an object, the latest first.
    pub fn events_of(&self, at: &ObjectRef) -> Vec<&Value> {
        let mut found: Vec<&Value> = self
            .events
            .iter()
            .filter(|e| {
                ["/involvedObject", "/regarding"].iter().filter_map(|p| field(e, p)).any(|o| {
                    text(o, "/kind") == at.kind
                        && text(o, "/name") == at.name
                        && text(o, "/namespace") == at.namespace
                })
            })
            .collect();
        found.sort_by_key(|e| std::cmp::Reverse(event_time(e)));
        found
    }
}

/// Whether `object` is what the very object that `known` is was before. Versions are compared as numbers,
/// which Kubernetes promises since 1.35 and held to before.
fn is_former(object: &Value, known: &Value) -> bool {
    let version = |of: &Value| text(of, "/metadata/resourceVersion").parse::<u64>().ok();
    text(object, "/metadata/uid") == text(known, "/metadata/uid")
        && version(object).zip(version(known)).is_some_and(|(this, known)| this < known)
}

fn event_time(event: &Value) -> &str {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ]
    .iter()
    .map(|p| text(event, p))
    .find(|t| !t.is_empty())
    .unwrap_or_default()
}

/// How often an event was seen.
fn event_count(event: &Value) -> i64 {
    ["/series/count", "/count", "/deprecatedCount"].iter().find_map(|p| object::number(event, p)).unwrap_or(1)
}

fn event_message(event: &Value) -> &str {
    let message = text(event, "/message");
    if message.is_empty() { text(event, "/note") } else { message }
}

/// What would make a diagnosis better, were it in the world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "kebab-case")]
pub enum Want {
    /// All objects of a kind, in a namespace or (empty) in all; then name it in [`World::listed`].
    Kind {
        kind: String,
        namespace: String,
    },
    Object {
        object: ObjectRef,
    },
    Events {
        object: ObjectRef,
    },
    /// The last lines of a container's log; 50 are enough.
    Logs {
        namespace: String,
        pod: String,
        container: String,
        previous: bool,
    },
}

/// One step from the symptom towards the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `Kind/namespace/name`.
    pub object: String,
    /// What is the matter with it, a clause without its name.
    pub says: String,
    /// What was seen: a condition's message, an event, log lines. May be empty.
    pub evidence: String,
}

/// What to do, in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    pub en: String,
    pub ko: String,
}

/// The root cause as a stable word; [`Code::as_str`] is what events and exit codes are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    Healthy,
    /// Nothing is wrong as far as can be seen; it takes its time.
    Starting,
    /// Something that is waited for is not there yet.
    DependencyMissing,
    ImageMissing,
    /// The registry could not be asked; a later try may do.
    ImageUnreachable,
    CrashLoop,
    ContainerCannotStart,
    OutOfMemory,
    Unschedulable,
    VolumeUnbound,
    VolumeMount,
    ConfigMissing,
    JobFailed,
    ProbeFailing,
    DatabaseAccessDenied,
    QueueAccessRefused,
    QuotaExceeded,
    AdmissionRefused,
    NodeNotReady,
    SandboxFailed,
    Evicted,
    ServiceWithoutPods,
    DiskFull,
    RolloutFailed,
    Failed,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Starting => "starting",
            Self::DependencyMissing => "dependency-missing",
            Self::ImageMissing => "image-missing",
            Self::ImageUnreachable => "image-unreachable",
            Self::CrashLoop => "crash-loop",
            Self::ContainerCannotStart => "container-cannot-start",
            Self::OutOfMemory => "out-of-memory",
            Self::Unschedulable => "unschedulable",
            Self::VolumeUnbound => "volume-unbound",
            Self::VolumeMount => "volume-mount",
            Self::ConfigMissing => "config-missing",
            Self::JobFailed => "job-failed",
            Self::ProbeFailing => "probe-failing",
            Self::DatabaseAccessDenied => "database-access-denied",
            Self::QueueAccessRefused => "queue-access-refused",
            Self::QuotaExceeded => "quota-exceeded",
            Self::AdmissionRefused => "admission-refused",
            Self::NodeNotReady => "node-not-ready",
            Self::SandboxFailed => "sandbox-failed",
            Self::Evicted => "evicted",
            Self::ServiceWithoutPods => "service-without-pods",
            Self::DiskFull => "disk-full",
            Self::RolloutFailed => "rollout-failed",
            Self::Failed => "failed",
        }
    }

    /// How much it tells: of several causes the most telling is followed.
    fn weight(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Starting => 1,
            Self::DependencyMissing | Self::ServiceWithoutPods => 2,
            Self::ProbeFailing => 3,
            _ => 4,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// From the symptom to the root; empty where nothing is wrong.
    pub links: Vec<Link>,
    pub code: Code,
    /// It does not get better without a hand.
    pub terminal: bool,
    pub remedy: Remedy,
}

impl Diagnosis {
    /// One sentence a link, the root last: `job keystone-db-sync: is running`.
    pub fn causes(&self) -> Vec<String> {
        self.links.iter().map(|l| format!("{}: {}", spoken(&l.object), l.says)).collect()
    }

    fn healthy() -> Self {
        Self { links: Vec::new(), code: Code::Healthy, terminal: false, remedy: Remedy::default() }
    }

    /// A root: the end of the chain.
    fn root(at: &ObjectRef, code: Code, says: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self {
            links: vec![Link { object: at.key(), says: says.into(), evidence: evidence.into() }],
            code,
            terminal: false,
            remedy: remedy::general(code),
        }
    }

    fn terminal_if(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    fn with(mut self, remedy: Remedy) -> Self {
        self.remedy = remedy;
        self
    }

    /// Puts a link before the chain.
    fn behind(mut self, at: &ObjectRef, says: impl Into<String>, evidence: impl Into<String>) -> Self {
        self.links.insert(0, Link { object: at.key(), says: says.into(), evidence: evidence.into() });
        self
    }

    fn rank(&self) -> (bool, u8, usize) {
        (self.terminal, self.code.weight(), self.links.len())
    }

    fn is_healthy(&self) -> bool {
        self.code == Code::Healthy
    }
}

/// `Job/openstack/x` as people say it: `job x`.
fn spoken(key: &str) -> String {
    ObjectRef::parse(key).map_or_else(|| key.to_owned(), |o| spoken_ref(&o))
}

fn spoken_ref(at: &ObjectRef) -> String {
    let kind = match at.kind.as_str() {
        "PersistentVolumeClaim" => "volume claim".to_owned(),
        "StorageClass" => "StorageClass".to_owned(),
        other => other.to_lowercase(),
    };
    format!("{kind} {}", at.name)
}

/// Follows the causes of a symptom.
pub fn diagnose(world: &World, symptom: &ObjectRef) -> Diagnosis {
    Walk::new(world).visit(symptom)
}

/// What the walk for this symptom would like to see and does not; fetch it, put it into the world, ask again.
/// Each answer may lead further, so two or three rounds make a full diagnosis.
pub fn wanted(world: &World, symptom: &ObjectRef) -> Vec<Want> {
    let mut walk = Walk::new(world);
    walk.visit(symptom);
    walk.wants.into_iter().collect()
}

struct Walk<'w> {
    world: &'w World,
    wants: BTreeSet<Want>,
    /// What is being looked at now: a chain that comes back to itself ends there.
    path: Vec<ObjectRef>,
}

impl<'w> Walk<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, wants: BTreeSet::new(), path: Vec::new() }
    }

    fn visit(&mut self, at: &ObjectRef) -> Diagnosis {
        if self.path.contains(at) {
            return Diagnosis::root(at, Code::Starting, "waits, in the end, for itself", String::new());
        }
        let Some(object) = self.world.get(at) else {
            if !self.world.listed.contains(&at.kind) {
                self.wants.insert(Want::Object { object: at.clone() });
            }
            return Diagnosis::root(at, Code::DependencyMissing, "is not there", String::new());
        };
        self.path.push(at.clone());
        let found = match at.kind.as_str() {
            "Pod" => self.pod(at, object),
            "Job" => self.job(at, object),
            "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => self.workload(at, object),
            "Service" => self.service(at, object),
            "Ingress" => self.ingress(at, object),
            "PersistentVolumeClaim" => self.claim(at, object),
            "Node" => Self::node(at, object),
            _ => Self::plain(at, object),
        };
        self.path.pop();
        found
    }

    /// The worst of several; healthy where there is none.
    fn worst(&mut self, of: impl IntoIterator<Item = ObjectRef>) -> Diagnosis {
        let mut worst = Diagnosis::healthy();
        for at in of {
            let found = self.visit(&at);
            if found.rank() > worst.rank() {
                worst = found;
            }
        }
        worst
    }

    fn plain(at: &ObjectRef, object: &Value) -> Diagnosis {
        match readiness(object) {
            Readiness::Ready => Diagnosis::healthy(),
            Readiness::Progressing { reason } => Diagnosis::root(at, Code::Starting, reason, ""),
            Readiness::Failed { reason } => Diagnosis::root(at, Code::Failed, reason, "").terminal_if(true),
        }
    }

    fn node(at: &ObjectRef, object: &Value) -> Diagnosis {
        match readiness(object) {
            Readiness::Ready => Diagnosis::healthy(),
            other => Diagnosis::root(
                at,
                Code::NodeNotReady,
                other.reason().unwrap_or("is not ready"),
                object::condition_says(object, "Ready"),
            )
            .with(remedy::node_not_ready(&at.name)),
        }
    }

    fn ingress(&mut self, at: &ObjectRef, object: &Value) -> Diagnosis {
        let mut services: BTreeSet<&str> = list(object, "/spec/rules")
            .iter()
            .flat_map(|r| list(r, "/http/paths"))
            .map(|p| text(p, "/backend/service/name"))
            .collect();
        services.insert(text(object, "/spec/defaultBackend/service/name"));
        services.remove("");
        let found = self.worst(services.into_iter().map(|s| ObjectRef::new("Service", &at.namespace, s)));
        if found.is_healthy() { found } else { found.behind(at, "its backend does not answer", "") }
    }

    /// Events of an object, the latest first; notes the wish for them where there are none.
    fn events(&mut self, at: &ObjectRef) -> Vec<&'w Value> {
        let found = self.world.events_of(at);
        if found.is_empty() && !self.world.listed.contains("Event") {
            self.wants.insert(Want::Events { object: at.clone() });
        }
        found
    }

    /// The latest event with one of these reasons.
    fn event(&mut self, at: &ObjectRef, reasons: &[&str]) -> Option<&'w Value> {
        self.events(at).into_iter().find(|e| reasons.contains(&text(e, "/reason")))
    }

    /// All of a kind; notes the wish for the list where it is not at hand.
    fn all(&mut self, kind: &str, namespace: &str) -> Vec<&'w Value> {
        if !self.world.knows(kind) {
            self.wants.insert(Want::Kind { kind: kind.to_owned(), namespace: namespace.to_owned() });
        }
        let world = self.world;
        let prefix = if namespace.is_empty() { format!("{kind}/") } else { format!("{kind}/{namespace}/") };
        world
            .objects
            .range(prefix.clone()..)
            .take_while(|(k, _)| k.starts_with(&prefix))
            .map(|(_, v)| v)
            .collect()
    }

    /// A container's log, either of its current or its previous life: the one asked for where it says
    /// anything.
    fn log(&mut self, pod: &ObjectRef, container: &str, previous: bool) -> Option<&'w str> {
        let world = self.world;
        let mut silent = None;
        for previous in [previous, !previous] {
            match world.logs.get(&World::log_key(&pod.namespace, &pod.name, container, previous)) {
                Some(log) if log.trim().is_empty() => silent = Some(log.as_str()),
                Some(log) => return Some(log),
                None => {
                    self.wants.insert(Want::Logs {
                        namespace: pod.namespace.clone(),
                        pod: pod.name.clone(),
                        container: container.to_owned(),
                        previous,
                    });
                    break;
                }
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests;

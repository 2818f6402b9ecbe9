//! A cluster in memory: server-side apply, watches, and controllers that bring workloads forward in
//! virtual steps, whenever something changed. No clock: what happens follows from what was asked, and
//! from a seed that says which of several pods goes on first.

mod apply;
mod controllers;
mod pods;
mod select;
mod side;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use landfall_cluster::api::{Access, ClusterError, ExecOutput, Gvk, Result, Seen};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What goes wrong, by name.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Images that no registry has.
    pub missing_images: BTreeSet<String>,
    /// Jobs whose pods end with an error.
    pub failing_jobs: BTreeSet<String>,
    /// Workloads whose containers end again and again.
    pub crashing: BTreeSet<String>,
    /// No StorageClass: claims stay unbound.
    pub no_storage: bool,
    /// The n-th write (from 1) answers with this error, once.
    pub failing_writes: BTreeMap<u64, String>,
    /// What this user may not do.
    pub denied: Vec<Access>,
    /// Pods that never get ready, by the name of their workload.
    pub stuck: BTreeSet<String>,
}

/// A handle; clones are the same cluster.
#[derive(Debug, Clone)]
pub struct Sim {
    shared: Arc<Shared>,
    _controllers: Arc<Stop>,
}

#[derive(Debug)]
struct Stop(JoinHandle<()>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// `(group/kind, namespace, name)`.
type Key = (String, String, String);

#[derive(Debug)]
struct Watcher {
    kind: String,
    namespace: Option<String>,
    selector: String,
    to: UnboundedSender<Result<Seen>>,
}

type Exec = Arc<dyn Fn(&str, &str, &[String]) -> ExecOutput + Send + Sync>;

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Value>,
    /// What each manager applied last.
    applied: BTreeMap<(Key, String), Value>,
    revision: u64,
    uids: u64,
    watchers: Vec<Watcher>,
    faults: Faults,
    /// Writes by the client, in order: `apply Deployment/openstack/x`.
    writes: Vec<String>,
    kill_after: Option<u64>,
    killed: CancellationToken,
    /// Zero: all pods go on at once.
    seed: u64,
    logs: BTreeMap<String, String>,
    exec: Option<Exec>,
    forward: Option<SocketAddr>,
    /// Pods of Jobs that sat in their init containers.
    idled: BTreeSet<String>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("objects", &self.objects.len())
            .field("writes", &self.writes.len())
            .finish_non_exhaustive()
    }
}

fn key_of(gvk: &Gvk, namespace: Option<&str>, name: &str) -> Key {
    let kind = format!("{}/{}", gvk.group, gvk.kind);
    let namespace =
        if landfall_plan::object::is_cluster_scoped(&gvk.kind) { "" } else { namespace.unwrap_or_default() };
    (kind, namespace.to_owned(), name.to_owned())
}

fn shown(key: &Key) -> String {
    let kind = key.0.rsplit('/').next().unwrap_or_default();
    format!("{kind}/{}/{}", key.1, key.2)
}

impl Sim {
    /// One node `k1`, CoreDNS, a default StorageClass. Needs a tokio runtime.
    pub fn new() -> Self {
        Self::seeded(0)
    }

    /// As [`new`](Self::new); a seed other than 0 lets pods go on in an order of its own.
    pub fn seeded(seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let weak = Arc::downgrade(&shared);
        let task = tokio::spawn(async move {
            while let Some(shared) = weak.upgrade() {
                let moved = shared.lock().step();
                if moved {
                    tokio::task::yield_now().await;
                } else {
                    shared.changed.notified().await;
                }
            }
        });
        let sim = Self { shared, _controllers: Arc::new(Stop(task)) };
        {
            let mut state = sim.shared.lock();
            state.seed = seed;
            for object in initial() {
                state.put(object);
            }
        }
        sim
    }

    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.shared.lock().faults);
        self.shared.changed.notify_one();
    }

    /// After `n` more writes every call hangs, as for a program that was killed; the token tells when.
    pub fn kill_after(&self, n: u64) -> CancellationToken {
        let mut state = self.shared.lock();
        state.kill_after = Some(n);
        state.killed = CancellationToken::new();
        state.killed.clone()
    }

    /// A new program may call again.
    pub fn revive(&self) {
        let mut state = self.shared.lock();
        state.kill_after = None;
        state.killed = CancellationToken::new();
        state.watchers.clear();
    }

    /// Writes so far: `apply Deployment/openstack/x`, `create …`, `replace …`, `patch …`, `delete …`.
    pub fn writes(&self) -> Vec<String> {
        self.shared.lock().writes.clone()
    }

    pub fn forget_writes(&self) {
        self.shared.lock().writes.clear();
    }

    /// Pods of Jobs that were begun before what they wait for was there.
    pub fn idled(&self) -> Vec<String> {
        self.shared.lock().idled.iter().cloned().collect()
    }

    /// `Kind/namespace/name` of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.shared.lock().objects.keys().map(shown).collect()
    }

    pub fn object(&self, key: &str) -> Option<Value> {
        let state = self.shared.lock();
        state.objects.iter().find(|(k, _)| shown(k) == key).map(|(_, v)| v.clone())
    }

    /// Puts an object there as another program would, not counted as a write.
    pub fn put(&self, object: Value) {
        self.shared.lock().put(object);
        self.shared.changed.notify_one();
    }

    pub fn remove(&self, key: &str) {
        let mut state = self.shared.lock();
        let found = state.objects.keys().find(|k| shown(k) == key).cloned();
        if let Some(found) = found {
            state.remove(&found);
        }
        drop(state);
        self.shared.changed.notify_one();
    }

    /// What `logs` answers for pods whose name begins so.
    pub fn log(&self, pod: &str, text: &str) {
        self.shared.lock().logs.insert(pod.into(), text.into());
    }

    /// What `exec` answers, by pod, container and command.
    pub fn on_exec(&self, answer: impl Fn(&str, &str, &[String]) -> ExecOutput + Send + Sync + 'static) {
        self.shared.lock().exec = Some(Arc::new(answer));
    }

    /// Where forwarded ports lead.
    pub fn forward_to(&self, address: SocketAddr) {
        self.shared.lock().forward = Some(address);
    }
}

impl Default for Sim {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Stores an object, with what the server adds; tells the watchers.
    fn put(&mut self, mut object: Value) -> Value {
        let Some(gvk) = Gvk::of(&object) else { return object };
        let key = key_of(
            &gvk,
            object["metadata"]["namespace"].as_str(),
            object["metadata"]["name"].as_str().unwrap_or_default(),
        );
        let before = self.objects.get(&key);
        let same = |field: &str| before.is_some_and(|b| b.get(field) == object.get(field));
        let generation = match before {
            None => 1,
            Some(b) => b["metadata"]["generation"].as_i64().unwrap_or(1) + i64::from(!same("spec")),
        };
        let uid = if let Some(b) = before {
            b["metadata"]["uid"].clone()
        } else {
            self.uids += 1;
            json!(format!("uid-{}", self.uids))
        };
        if let Some(b) = before {
            object["metadata"]["resourceVersion"] = b["metadata"]["resourceVersion"].clone();
        }
        object["metadata"]["uid"] = uid;
        object["metadata"]["generation"] = json!(generation);
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        if key.1.is_empty()
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("namespace");
        }
        if self.objects.get(&key) == Some(&object) {
            return object;
        }
        self.revision += 1;
        object["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        self.objects.insert(key.clone(), object.clone());
        self.tell(&key, &object, Seen::Applied);
        object
    }

    /// Removes an object and what it owns.
    fn remove(&mut self, key: &Key) -> Option<Value> {
        let object = self.objects.remove(key)?;
        self.applied.retain(|(k, _), _| k != key);
        self.tell(key, &object, Seen::Deleted);
        let uid = object["metadata"]["uid"].clone();
        let owned: Vec<Key> = self
            .objects
            .iter()
            .filter(|(_, o)| {
                o["metadata"]["ownerReferences"].as_array().is_some_and(|r| r.iter().any(|r| r["uid"] == uid))
            })
            .map(|(k, _)| k.clone())
            .collect();
        for child in owned {
            self.remove(&child);
        }
        Some(object)
    }

    fn tell(&mut self, key: &Key, object: &Value, seen: fn(Value) -> Seen) {
        self.watchers.retain(|watcher| {
            let concerns = watcher.kind == key.0
                && watcher.namespace.as_ref().is_none_or(|n| *n == key.1)
                && select::matches(&watcher.selector, &object["metadata"]["labels"]);
            !concerns || watcher.to.send(Ok(seen(object.clone()))).is_ok()
        });
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.objects.iter().filter(move |(k, _)| k.0 == kind)
    }

    /// Notes a write by the client; an error where a fault wants one.
    fn write(&mut self, what: &str, key: &Key) -> Result<()> {
        self.writes.push(format!("{what} {}", shown(key)));
        let number = self.writes.len() as u64;
        if let Some(message) = self.faults.failing_writes.remove(&number) {
            return Err(ClusterError::Unreachable { cluster: "simulated".into(), source_text: message });
        }
        Ok(())
    }

    /// True when the program is dead: then the call must hang.
    fn is_killed(&mut self) -> bool {
        match &mut self.kill_after {
            Some(0) => {
                self.killed.cancel();
                true
            }
            _ => false,
        }
    }

    fn count_down(&mut self) {
        if let Some(left) = &mut self.kill_after {
            *left = left.saturating_sub(1);
        }
    }

    /// Xorshift, for choices that a seed repeats.
    fn chance(&mut self) -> bool {
        if self.seed == 0 {
            return true;
        }
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed.is_multiple_of(3)
    }
}

fn initial() -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "k1", "labels": {"kubernetes.io/hostname": "k1"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "4", "memory": "8Gi"},
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "general",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "simulated"}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
                "template": {"metadata": {"labels": {"k8s-app": "kube-dns"}},
                    "spec": {"serviceAccountName": "coredns", "containers": [{"name": "coredns", "image": "coredns"}]}}}}),
    ]
}

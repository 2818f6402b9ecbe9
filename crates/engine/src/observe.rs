//! The shared picture of the cluster: one watch a kind, kept in one [`World`]; waiting is being woken
//! by its changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::StreamExt;
use landfall_cluster::api::{Cluster, ClusterError, Gvk, Seen};
use landfall_health::object::{ObjectRef, text};
use landfall_health::{Diagnosis, Want, World};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Kinds in a namespace that readiness and diagnosis look at.
const NAMESPACED: [(&str, &str); 10] = [
    ("v1", "Pod"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Service"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("v1", "Event"),
];
const CLUSTER_WIDE: [(&str, &str); 2] = [("v1", "Node"), ("storage.k8s.io/v1", "StorageClass")];
/// Lines of a log that a diagnosis may want.
const LOG_LINES: i64 = 50;

/// Watches until dropped.
#[derive(Debug)]
pub(crate) struct Observer {
    cluster: Arc<dyn Cluster>,
    world: Arc<RwLock<World>>,
    changed: watch::Sender<u64>,
    /// Kinds whose first listing is outstanding.
    outstanding: watch::Receiver<usize>,
    trouble: Arc<Mutex<BTreeMap<String, String>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Observer {
    pub fn start(cluster: &Arc<dyn Cluster>, namespaces: &BTreeSet<String>) -> Self {
        let kinds: Vec<(Gvk, Option<String>)> = NAMESPACED
            .iter()
            .flat_map(|(api, kind)| namespaces.iter().map(|ns| (Gvk::new(api, kind), Some(ns.clone()))))
            .chain(CLUSTER_WIDE.iter().map(|(api, kind)| (Gvk::new(api, kind), None)))
            .collect();
        let (left, outstanding) = watch::channel(kinds.len());
        let (changed, _) = watch::channel(0);
        let mut observer = Self {
            cluster: Arc::clone(cluster),
            world: Arc::default(),
            changed,
            outstanding,
            trouble: Arc::default(),
            tasks: Vec::new(),
        };
        // Absence is proven for a kind only when all of its namespaces were listed.
        let pending: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        for (gvk, _) in &kinds {
            *lock(&pending).entry(gvk.kind.clone()).or_default() += 1;
        }
        for (gvk, namespace) in kinds {
            let watching = Watching {
                stream: cluster.watch(&gvk, namespace.as_deref(), ""),
                kind: gvk.kind,
                namespace,
                world: Arc::clone(&observer.world),
                changed: observer.changed.clone(),
                left: left.clone(),
                pending: Arc::clone(&pending),
                trouble: Arc::clone(&observer.trouble),
            };
            observer.tasks.push(tokio::spawn(watching.follow()));
        }
        observer
    }

    /// Returns when every kind was listed once, or cannot be.
    pub async fn settled(&self) {
        let mut outstanding = self.outstanding.clone();
        let _ = outstanding.wait_for(|left| *left == 0).await;
    }

    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes at every change after this call.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What is the matter with watching itself.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).values().next().cloned()
    }

    /// Fetches what a diagnosis wants; an object that can not be had is left out, a log is empty.
    pub async fn fetch(&self, wants: &[Want]) {
        for want in wants {
            match want {
                Want::Logs { namespace, pod, container, previous } => {
                    let text = self.cluster.logs(namespace, pod, container, LOG_LINES, *previous).await;
                    let key = World::log_key(namespace, pod, container, *previous);
                    self.change(|world| world.logs.insert(key, text.unwrap_or_default()));
                }
                Want::Object { object } => {
                    let namespace = (!object.namespace.is_empty()).then_some(object.namespace.as_str());
                    let Some(gvk) = api_of(&object.kind) else { continue };
                    if let Ok(Some(found)) = self.cluster.get(&gvk, namespace, &object.name).await {
                        self.change(|world| world.insert(found));
                    }
                }
                Want::Kind { kind, namespace } => {
                    let Some(gvk) = api_of(kind) else { continue };
                    let namespace = (!namespace.is_empty()).then_some(namespace.as_str());
                    if let Ok(found) = self.cluster.list(&gvk, namespace, "").await {
                        self.change(|world| found.into_iter().for_each(|object| world.insert(object)));
                    }
                }
                // Watched already.
                Want::Events { .. } => {}
            }
        }
    }

    /// What the API answered to a change of ours. What is not known is left to the watch: it may be gone
    /// by now.
    pub fn take(&self, object: Value) {
        self.change(|world| {
            if ObjectRef::of(&object).is_some_and(|at| world.get(&at).is_some()) {
                world.insert(object);
            }
        });
    }

    /// Lets the logs that a diagnosis was made from be read anew.
    pub fn forget_logs(&self, diagnosis: &Diagnosis) {
        let pods = diagnosis
            .links
            .iter()
            .filter_map(|link| ObjectRef::parse(&link.object))
            .filter(|at| at.kind == "Pod");
        self.change(|world| pods.for_each(|pod| world.forget_logs(&pod.namespace, &pod.name)));
    }

    /// Without waking those who wait: it was one of them who asked.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) {
        change(&mut self.world.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The API of kinds that a diagnosis may ask for.
pub fn api_of(kind: &str) -> Option<Gvk> {
    let api = match kind {
        "Pod"
        | "Node"
        | "Secret"
        | "ConfigMap"
        | "Service"
        | "PersistentVolumeClaim"
        | "PersistentVolume"
        | "Namespace"
        | "Event"
        | "ResourceQuota"
        | "ServiceAccount"
        | "Endpoints" => "v1",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "StorageClass" => "storage.k8s.io/v1",
        "Ingress" | "IngressClass" => "networking.k8s.io/v1",
        "EndpointSlice" => "discovery.k8s.io/v1",
        _ => return None,
    };
    Some(Gvk::new(api, kind))
}

struct Watching {
    stream: futures::stream::BoxStream<'static, landfall_cluster::api::Result<Seen>>,
    kind: String,
    namespace: Option<String>,
    world: Arc<RwLock<World>>,
    changed: watch::Sender<u64>,
    left: watch::Sender<usize>,
    pending: Arc<Mutex<BTreeMap<String, usize>>>,
    trouble: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Watching {
    async fn follow(mut self) {
        let mut settled = false;
        while let Some(seen) = self.stream.next().await {
            match seen {
                Ok(seen) => {
                    lock(&self.trouble).remove(&self.kind);
                    let listed = matches!(seen, Seen::Listed(_));
                    self.take(seen, listed && !settled);
                    if listed && !settled {
                        settled = true;
                        self.left.send_modify(|left| *left = left.saturating_sub(1));
                    }
                }
                Err(error) => {
                    tracing::debug!(kind = self.kind, %error, "watching");
                    lock(&self.trouble).insert(self.kind.clone(), error.to_string());
                    // Nothing to hope for here: others must not wait for it.
                    let hopeless =
                        matches!(error, ClusterError::Forbidden { .. } | ClusterError::UnknownKind(_));
                    if hopeless && !settled {
                        settled = true;
                        self.left.send_modify(|left| *left = left.saturating_sub(1));
                    }
                    if hopeless {
                        lock(&self.trouble).remove(&self.kind);
                    }
                }
            }
            self.changed.send_modify(|version| *version += 1);
        }
    }

    fn take(&self, seen: Seen, first: bool) {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        // A container that came or went, or that a probe found unwell, has said more since.
        if let Seen::Applied(object) | Seen::Deleted(object) = &seen {
            let pod = match self.kind.as_str() {
                "Pod" => "/metadata",
                "Event" if text(object, "/involvedObject/kind") == "Pod" => "/involvedObject",
                _ => "",
            };
            if !pod.is_empty() {
                let word = |key: &str| text(object, &format!("{pod}/{key}"));
                world.forget_logs(word("namespace"), word("name"));
            }
        }
        if self.kind == "Event" {
            take_event(&mut world, seen);
        } else {
            match seen {
                Seen::Listed(all) => {
                    let prefix = match &self.namespace {
                        Some(namespace) => format!("{}/{namespace}/", self.kind),
                        None => format!("{}/", self.kind),
                    };
                    let listed: BTreeSet<String> =
                        all.iter().filter_map(ObjectRef::of).map(|at| at.key()).collect();
                    world.objects.retain(|key, _| !key.starts_with(&prefix) || listed.contains(key));
                    for object in all {
                        world.insert(object);
                    }
                }
                Seen::Applied(object) => world.insert(object),
                Seen::Deleted(object) => {
                    let key = ObjectRef::of(&object).map(|at| at.key());
                    // A successor of the same name may have come already.
                    if let Some(key) = key
                        && world.objects.get(&key).is_some_and(|now| uid(now) == uid(&object))
                    {
                        world.objects.remove(&key);
                    }
                }
            }
        }
        if first {
            let mut pending = lock(&self.pending);
            let left = pending.entry(self.kind.clone()).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                world.listed.insert(self.kind.clone());
            }
        }
    }
}

fn uid(object: &Value) -> &Value {
    &object["metadata"]["uid"]
}

fn take_event(world: &mut World, seen: Seen) {
    match seen {
        // Events of other namespaces stay.
        Seen::Listed(all) => {
            let known: BTreeSet<String> = all.iter().map(|e| uid(e).to_string()).collect();
            world.events.retain(|e| !known.contains(&uid(e).to_string()));
            world.events.extend(all);
        }
        Seen::Applied(event) => {
            world.events.retain(|known| uid(known) != uid(&event));
            world.events.push(event);
        }
        Seen::Deleted(event) => world.events.retain(|known| uid(known) != uid(&event)),
    }
}

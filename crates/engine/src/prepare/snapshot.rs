//! The snapshot: what the plan looks at, as plain data; one listing a kind and namespace. Values of
//! Secrets are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use landfall_catalog::blueprint::{Blueprint, Prerequisite};
use landfall_ceph::Ceph;
use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_health::dependency::Dependency;
use landfall_plan::graph::declared;
use landfall_plan::model::{CephState, ReleaseState, RenderedRelease, Snapshot};
use landfall_plan::object::{key, namespace};
use serde_json::{Value, json};

use crate::again::again;
use crate::error::Result;

const AT_ONCE: usize = 8;
/// Longest wait for a Ceph that may not be up.
const CEPH: Duration = Duration::from_secs(15);
const RBAC: &str = "rbac.authorization.k8s.io/v1";

pub(super) async fn gather(
    cluster: &dyn Cluster,
    blueprint: &Blueprint,
    releases: &[RenderedRelease],
    states: BTreeMap<String, ReleaseState>,
) -> Result<Snapshot> {
    let mut wanted = Wanted::default();
    for release in releases {
        for object in release.objects.iter().chain(release.hooks.iter().map(|h| &h.object)) {
            wanted.object(object, &release.namespace);
            // What releases wait for may be another's.
            for dependency in declared(object, &release.namespace).dependencies {
                wanted.dependency(&dependency);
            }
        }
    }
    for prerequisite in &blueprint.prerequisites {
        wanted.prerequisite(&prerequisite.what);
    }
    let listings = stream::iter(wanted.listings.iter()).map(|(gvk, home)| async move {
        match again(|| cluster.list(gvk, home.as_deref(), "")).await {
            // A kind that comes with a CRD of the release itself.
            Err(ClusterError::UnknownKind(_)) => Ok(Vec::new()),
            answer => answer,
        }
    });
    let listings = listings.buffer_unordered(AT_ONCE).try_collect::<Vec<Vec<Value>>>();
    let (found, ceph) = futures::join!(listings, ceph(cluster, blueprint));
    let mut snapshot = Snapshot { objects: BTreeMap::new(), releases: states, ceph };
    for object in found?.into_iter().flatten() {
        let key = key(&object, "");
        if wanted.keys.contains(&key) || object["kind"] == "Node" {
            snapshot.objects.insert(key, redacted(object));
        }
    }
    Ok(snapshot)
}

/// What Ceph shows, where the blueprint asks for something of it; none where it does not answer yet.
async fn ceph(cluster: &dyn Cluster, blueprint: &Blueprint) -> Option<CephState> {
    let rook = blueprint.prerequisites.iter().find_map(|wanted| match &wanted.what {
        Prerequisite::CephPool { rook, .. }
        | Prerequisite::CephKey { rook, .. }
        | Prerequisite::CephConf { rook, .. } => Some(rook.as_str()),
        _ => None,
    })?;
    let asked = async { Ceph::open(cluster, rook).await?.state().await };
    match tokio::time::timeout(CEPH, asked).await {
        Ok(Ok(state)) => Some(CephState { pools: state.pools, clients: state.clients, conf: state.conf }),
        Ok(Err(error)) => {
            tracing::debug!(%error, "looking at Ceph");
            None
        }
        Err(_) => None,
    }
}

#[derive(Default)]
struct Wanted {
    listings: BTreeSet<(Gvk, Option<String>)>,
    keys: BTreeSet<String>,
}

impl Wanted {
    fn one(&mut self, api_version: &str, kind: &str, home: Option<&str>, name: &str) {
        self.listings.insert((Gvk::new(api_version, kind), home.map(str::to_owned)));
        self.keys.insert(format!("{kind}/{}/{name}", home.unwrap_or_default()));
    }

    fn object(&mut self, object: &Value, release_namespace: &str) {
        let Some(gvk) = Gvk::of(object) else { return };
        let home = namespace(object, release_namespace);
        self.listings.insert((gvk, (!home.is_empty()).then(|| home.to_owned())));
        self.keys.insert(key(object, release_namespace));
    }

    fn dependency(&mut self, dependency: &Dependency) {
        match dependency {
            Dependency::Service { namespace, name } => self.one("v1", "Service", Some(namespace), name),
            Dependency::Job { namespace, name } => self.one("batch/v1", "Job", Some(namespace), name),
            Dependency::DaemonSet { namespace, name } => {
                self.one("apps/v1", "DaemonSet", Some(namespace), name);
            }
            _ => {}
        }
    }

    fn prerequisite(&mut self, prerequisite: &Prerequisite) {
        match prerequisite {
            Prerequisite::Namespace { name, .. } => self.one("v1", "Namespace", None, name),
            Prerequisite::NodeLabel { .. } => self.one("v1", "Node", None, ""),
            Prerequisite::CorednsRbac => {
                self.one("apps/v1", "Deployment", Some("kube-system"), "coredns");
                self.one(RBAC, "ClusterRole", None, "coredns");
                self.one(RBAC, "ClusterRoleBinding", None, "coredns");
            }
            Prerequisite::Secret { namespace, name, .. }
            | Prerequisite::CephKey { namespace, secret: name, .. } => {
                self.one("v1", "Secret", Some(namespace), name);
            }
            Prerequisite::Object { object, .. } => self.object(object, ""),
            Prerequisite::CephConf { namespace, name, .. } => {
                self.one("v1", "ConfigMap", Some(namespace), name);
            }
            // Ceph itself shows its pools.
            Prerequisite::CephPool { .. } => {}
        }
    }
}

/// A Secret keeps its keys, not their values; nothing keeps what no plan looks at.
fn redacted(mut object: Value) -> Value {
    if object["kind"] == "Secret"
        && let Some(data) = object["data"].as_object_mut()
    {
        data.values_mut().for_each(|value| *value = json!(""));
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_snapshot_has_keys_without_values() {
        let secret = redacted(
            json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "aHVudGVyMg=="}}),
        );
        assert_eq!(secret["data"], json!({"password": ""}));
    }
}

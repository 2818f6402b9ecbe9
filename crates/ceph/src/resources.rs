//! Rook's resources, which its operator carries out: `CephBlockPool`, `CephClient`, `CephCluster`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use landfall_cluster::MANAGER;
use landfall_cluster::api::{Applied, Cluster, ClusterError, Gvk, Seen};
use serde_json::{Value, json};

use crate::answers::{Caps, Health};
use crate::error::{Error, Result};

const API: &str = "ceph.rook.io/v1";
/// Longest wait for the operator to carry out one resource.
const PATIENCE: Duration = Duration::from_mins(3);
/// Copies of each object where neither the cloud file nor another pool says how many.
const COPIES: u64 = 3;

/// A running operator that serves its kinds.
#[derive(Debug)]
pub(crate) struct Resources<'a> {
    cluster: &'a dyn Cluster,
    namespace: &'a str,
}

impl<'a> Resources<'a> {
    /// None where the kinds are not served, or no operator runs to carry them out.
    pub(crate) async fn find(cluster: &'a dyn Cluster, namespace: &'a str) -> Result<Option<Self>> {
        match cluster.list(&Gvk::new(API, "CephBlockPool"), Some(namespace), "").await {
            Ok(_) => {}
            Err(ClusterError::UnknownKind(_) | ClusterError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // It may look after several namespaces from another one.
        let deployments =
            cluster.list(&Gvk::new("apps/v1", "Deployment"), None, "app=rook-ceph-operator").await?;
        let runs = |one: &Value| one["status"]["readyReplicas"].as_u64().unwrap_or_default() > 0;
        Ok(deployments.iter().any(runs).then_some(Self { cluster, namespace }))
    }

    async fn list(&self, kind: &str) -> Result<Vec<Value>> {
        Ok(self.cluster.list(&Gvk::new(API, kind), Some(self.namespace), "").await?)
    }

    /// Pools that the operator has made.
    pub(crate) async fn pools(&self) -> Result<BTreeSet<String>> {
        let pools = self.list("CephBlockPool").await?;
        // `spec.name` is for names that Kubernetes does not take, such as `.mgr`.
        let name = |pool: &Value| pool["spec"]["name"].as_str().map_or_else(|| name(pool), str::to_owned);
        Ok(pools.iter().filter(|pool| is_ready(pool)).map(name).collect())
    }

    pub(crate) async fn clients(&self) -> Result<BTreeMap<String, Caps>> {
        let clients = self.list("CephClient").await?;
        let caps = |client: &Value| {
            let each = client["spec"]["caps"].as_object().into_iter().flatten();
            each.map(|(daemon, allowed)| (daemon.clone(), allowed.as_str().unwrap_or_default().to_owned()))
                .collect()
        };
        Ok(clients.iter().filter(|c| is_ready(c)).map(|client| (name(client), caps(client))).collect())
    }

    pub(crate) async fn pool(&self, pool: &str, replicas: Option<u32>) -> Result<()> {
        let size = match replicas {
            Some(replicas) => u64::from(replicas),
            None => self.copies().await?,
        };
        let wanted = json!({
            "apiVersion": API,
            "kind": "CephBlockPool",
            "metadata": {"name": pool, "namespace": self.namespace},
            // One copy is what Rook refuses unless it is told that this is meant.
            "spec": {"replicated": {"size": size, "requireSafeReplicaSize": size > 1}},
        });
        self.cluster.apply(&wanted, MANAGER, true).await?;
        self.ready("CephBlockPool", pool).await.map(drop)
    }

    /// As many as other pools have; else three, or one a node where there are fewer.
    async fn copies(&self) -> Result<u64> {
        let pools = self.list("CephBlockPool").await?;
        let most = pools.iter().filter_map(|pool| pool["spec"]["replicated"]["size"].as_u64()).max();
        if let Some(most) = most {
            return Ok(most);
        }
        let nodes = self.cluster.list(&Gvk::new("v1", "Node"), None, "").await?;
        Ok(COPIES.min(nodes.len() as u64).max(1))
    }

    pub(crate) async fn key(&self, client: &str, caps: &Caps) -> Result<(String, bool)> {
        let wanted = json!({
            "apiVersion": API,
            "kind": "CephClient",
            "metadata": {"name": client, "namespace": self.namespace},
            "spec": {"caps": caps},
        });
        let (applied, _) = self.cluster.apply(&wanted, MANAGER, true).await?;
        let ready = self.ready("CephClient", client).await?;
        let usual = format!("rook-ceph-client-{client}");
        let secret = ready["status"]["info"]["secretName"].as_str().unwrap_or(&usual);
        let gvk = Gvk::new("v1", "Secret");
        let object = format!("Secret/{}/{secret}", self.namespace);
        let lacks = |message: &str| Error::Resource { object: object.clone(), message: message.to_owned() };
        let found = self.cluster.get(&gvk, Some(self.namespace), secret).await?;
        let found = found.ok_or_else(|| lacks("the operator has not made it"))?;
        // Newer versions name it `userKey`, too.
        let data = found["data"][client].as_str().or_else(|| found["data"]["userKey"].as_str());
        let key =
            data.and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        let key = key.filter(|key| !key.trim().is_empty()).ok_or_else(|| lacks("it holds no key"))?;
        Ok((key.trim().to_owned(), applied != Applied::Unchanged))
    }

    /// The resource once the operator has carried out its present generation.
    async fn ready(&self, kind: &str, name: &str) -> Result<Value> {
        let object = format!("{kind}/{}/{name}", self.namespace);
        let mut said = "the operator has not taken it up".to_owned();
        let waiting = async {
            let mut seen = self.cluster.watch(&Gvk::new(API, kind), Some(self.namespace), "");
            while let Some(change) = seen.next().await {
                let objects = match change? {
                    Seen::Listed(objects) => objects,
                    Seen::Applied(object) => vec![object],
                    Seen::Deleted(_) => continue,
                };
                let Some(found) = objects.into_iter().find(|object| object["metadata"]["name"] == name)
                else {
                    continue;
                };
                if is_ready(&found) {
                    return Ok(found);
                }
                if let Some(phase) = found["status"]["phase"].as_str() {
                    said = told(phase, &found);
                    // The operator tries again by itself; what it says last is what is told.
                }
            }
            Err(Error::Resource { object: object.clone(), message: "the watch ended".to_owned() })
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(done) => done,
            Err(_) => Err(Error::Resource {
                object: object.clone(),
                message: format!("not ready after {} s: {said}", PATIENCE.as_secs()),
            }),
        }
    }

    /// What the operator last saw of Ceph's health.
    pub(crate) async fn health(&self) -> Result<Option<Health>> {
        let clusters = self.list("CephCluster").await?;
        Ok(clusters.first().map(health))
    }
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// Carried out as it is now: `observedGeneration` lags after a change.
fn is_ready(object: &Value) -> bool {
    let observed = &object["status"]["observedGeneration"];
    object["status"]["phase"] == "Ready"
        && (observed.is_null() || *observed == object["metadata"]["generation"])
}

/// Phase and the operator's last words.
fn told(phase: &str, object: &Value) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let words: Vec<&str> = conditions.filter_map(|condition| condition["message"].as_str()).collect();
    if words.is_empty() { phase.to_owned() } else { format!("{phase}: {}", words.join("; ")) }
}

/// Of a CephCluster's status.
fn health(cluster: &Value) -> Health {
    let ceph = &cluster["status"]["ceph"];
    let status = ceph["health"].as_str().unwrap_or("unknown");
    let mut lines = vec![format!(
        "health: {status} (as the operator saw it at {})",
        ceph["lastChecked"].as_str().unwrap_or("an unknown time")
    )];
    for (check, detail) in ceph["details"].as_object().into_iter().flatten() {
        lines.push(format!("{check}: {}", detail["message"].as_str().unwrap_or_default()));
    }
    Health { ok: status == "HEALTH_OK", evidence: lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_ready_only_for_its_present_generation() {
        let resource = |phase: &str, observed: Value| json!({"metadata": {"generation": 2}, "status": {"phase": phase, "observedGeneration": observed}});
        assert!(is_ready(&resource("Ready", json!(2))));
        assert!(is_ready(&resource("Ready", Value::Null)));
        assert!(!is_ready(&resource("Ready", json!(1))));
        assert!(!is_ready(&resource("Failure", json!(2))));
    }

    #[test]
    fn the_operators_view_of_health_names_what_is_wrong() {
        let cluster = json!({"status": {"ceph": {"health": "HEALTH_WARN", "lastChecked": "now",
            "details": {"OSD_DOWN": {"message": "1 osds down", "severity": "HEALTH_WARN"}}}}});
        let health = health(&cluster);
        assert!(!health.ok);
        assert_eq!(
            health.evidence,
            "health: HEALTH_WARN (as the operator saw it at now)\nOSD_DOWN: 1 osds down"
        );
    }
}

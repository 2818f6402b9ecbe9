//! One Ceph, by whichever way leads to it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_cluster::api::{Cluster, Gvk};

use crate::answers::{self, Caps, Health};
use crate::error::{Error, Result};
use crate::monitors::Monitors;
use crate::quorum;
use crate::resources::Resources;
use crate::toolbox::Toolbox;

/// Where Rook writes down where its monitors are.
const ENDPOINTS: &str = "rook-ceph-mon-endpoints";
/// Where it keeps the identity of the cluster, beside keys that are not looked at.
const IDENTITY: &str = "rook-ceph-mon";

/// What a Ceph has, as far as a cloud is concerned. No key is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Pools that are made and have a purpose.
    pub pools: BTreeSet<String>,
    /// Caps of each user, by name without `client.`.
    pub clients: BTreeMap<String, Caps>,
    /// The `ceph.conf` that clients should have now.
    pub conf: String,
}

/// A Ceph below one namespace of Rook's.
#[derive(Debug)]
pub struct Ceph<'a> {
    cluster: &'a dyn Cluster,
    namespace: &'a str,
    resources: Option<Resources<'a>>,
    toolbox: Option<Toolbox<'a>>,
}

impl<'a> Ceph<'a> {
    /// Finds the ways that lead to it. Asks Kubernetes only, not Ceph.
    ///
    /// # Errors
    /// [`Error::Absent`] where there is none, which may be for a moment only; a cluster that does not answer.
    pub async fn open(cluster: &'a dyn Cluster, namespace: &'a str) -> Result<Self> {
        let (resources, toolbox) =
            tokio::try_join!(Resources::find(cluster, namespace), Toolbox::find(cluster, namespace))?;
        if resources.is_none() && toolbox.is_none() {
            return Err(Error::Absent { namespace: namespace.to_owned() });
        }
        Ok(Self { cluster, namespace, resources, toolbox })
    }

    /// Whether Rook's operator makes what is asked for.
    pub fn by_operator(&self) -> bool {
        self.resources.is_some()
    }

    /// Pools, users and the clients' configuration as they are now.
    ///
    /// # Errors
    /// Monitors that do not run, do not answer, or are not written down.
    pub async fn state(&self) -> Result<State> {
        let conf = self.conf().await?;
        // What was made by hand shows only in Ceph itself.
        let Some(toolbox) = &self.toolbox else {
            let resources = self.resources()?;
            let (pools, clients) = tokio::try_join!(resources.pools(), resources.clients())?;
            return Ok(State { pools, clients, conf });
        };
        quorum::expect(self.cluster, self.namespace).await?;
        let (pools, clients) = tokio::try_join!(toolbox.pools(), toolbox.clients())?;
        let pools = answers::pools(&pools)?.into_iter().filter(|(_, purposes)| !purposes.is_empty());
        Ok(State { pools: pools.map(|(name, _)| name).collect(), clients: answers::clients(&clients)?, conf })
    }

    /// Makes a pool of RBD images unless it is there, which stays as it is. Says whether it was made.
    ///
    /// # Errors
    /// What Ceph or the operator says.
    pub async fn pool(&self, name: &str, replicas: Option<u32>) -> Result<bool> {
        if let Some(toolbox) = &self.toolbox {
            let known = answers::pools(&toolbox.pools().await?)?;
            if known.get(name).is_some_and(|purposes| !purposes.is_empty()) {
                return Ok(false);
            }
        }
        match (&self.resources, &self.toolbox) {
            (Some(resources), _) => resources.pool(name, replicas).await?,
            (None, Some(toolbox)) => toolbox.pool(name, replicas).await?,
            (None, None) => return Err(self.absent()),
        }
        Ok(true)
    }

    /// The key of `client.<client>`, made where it is not there, with exactly these caps; and whether
    /// anything was changed.
    ///
    /// # Errors
    /// What Ceph or the operator says; never the key.
    pub async fn key(&self, client: &str, caps: &Caps) -> Result<(String, bool)> {
        match (&self.resources, &self.toolbox) {
            (Some(resources), _) => resources.key(client, caps).await,
            (None, Some(toolbox)) => toolbox.key(client, caps).await,
            (None, None) => Err(self.absent()),
        }
    }

    /// The `ceph.conf` that clients should have now.
    ///
    /// # Errors
    /// Where no monitor is written down, or the cluster's identity is not to be found.
    pub async fn conf(&self) -> Result<String> {
        let (monitors, fsid) = tokio::try_join!(monitors(self.cluster, self.namespace), self.fsid())?;
        Ok(monitors.conf(&fsid))
    }

    async fn fsid(&self) -> Result<String> {
        let secret = self.cluster.get(&Gvk::new("v1", "Secret"), Some(self.namespace), IDENTITY).await?;
        let fsid = secret.as_ref().and_then(|secret| secret["data"]["fsid"].as_str());
        let fsid = fsid.and_then(|text| STANDARD.decode(text).ok()).and_then(|b| String::from_utf8(b).ok());
        match (fsid, &self.toolbox) {
            (Some(fsid), _) => Ok(fsid.trim().to_owned()),
            (None, Some(toolbox)) => toolbox.fsid().await,
            (None, None) => Err(Error::Resource {
                object: format!("Secret/{}/{IDENTITY}", self.namespace),
                message: "it holds no fsid".to_owned(),
            }),
        }
    }

    /// How it is, and whether it has these pools.
    ///
    /// # Errors
    /// Monitors that do not run or do not answer.
    pub async fn health(&self, pools: &[String]) -> Result<Health> {
        let Some(toolbox) = &self.toolbox else {
            let resources = self.resources()?;
            let (health, known) = tokio::try_join!(resources.health(), resources.pools())?;
            let health = health.unwrap_or(Health { ok: false, evidence: "no CephCluster".to_owned() });
            return Ok(lacking(health, pools, &known));
        };
        quorum::expect(self.cluster, self.namespace).await?;
        let (status, known) = tokio::try_join!(toolbox.status(), toolbox.pools())?;
        let known: Vec<String> = answers::pools(&known)?.into_keys().collect();
        let health = answers::health(&status, &known)?;
        Ok(lacking(health, pools, &known.into_iter().collect()))
    }

    /// Names of the RBD images in a pool.
    ///
    /// # Errors
    /// [`Error::NoToolbox`] where only Rook's resources are there, which say nothing of images.
    pub async fn images(&self, pool: &str) -> Result<BTreeSet<String>> {
        match &self.toolbox {
            Some(toolbox) => toolbox.images(pool).await,
            None => Err(Error::NoToolbox { namespace: self.namespace.to_owned() }),
        }
    }

    fn resources(&self) -> Result<&Resources<'a>> {
        self.resources.as_ref().ok_or_else(|| Error::NoToolbox { namespace: self.namespace.to_owned() })
    }

    fn absent(&self) -> Error {
        Error::Absent { namespace: self.namespace.to_owned() }
    }
}

/// Where Rook says that the monitors are.
///
/// # Errors
/// [`Error::NoMonitors`] where it says nothing yet.
pub(crate) async fn monitors(cluster: &dyn Cluster, namespace: &str) -> Result<Monitors> {
    let found = cluster.get(&Gvk::new("v1", "ConfigMap"), Some(namespace), ENDPOINTS).await?;
    let data = found.as_ref().and_then(|found| found["data"]["data"].as_str()).unwrap_or_default();
    let monitors = Monitors::parse(data);
    if monitors.0.is_empty() {
        return Err(Error::NoMonitors { object: format!("ConfigMap/{namespace}/{ENDPOINTS}") });
    }
    Ok(monitors)
}

/// Pools that are wanted and not there.
fn lacking(mut health: Health, wanted: &[String], known: &BTreeSet<String>) -> Health {
    let missing: Vec<&str> =
        wanted.iter().filter(|pool| !known.contains(*pool)).map(String::as_str).collect();
    if !missing.is_empty() {
        health.ok = false;
        health.evidence.push_str(&format!("\nnot among the pools: {}", missing.join(", ")));
    }
    health
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_pool_is_no_good_health() {
        let health = |wanted: &str| {
            let known = BTreeSet::from([".mgr".to_owned()]);
            lacking(Health { ok: true, evidence: "health: HEALTH_OK".into() }, &[wanted.to_owned()], &known)
        };
        assert!(health(".mgr").ok);
        assert!(!health("replicapool").ok);
        assert!(health("replicapool").evidence.ends_with("not among the pools: replicapool"));
    }
}

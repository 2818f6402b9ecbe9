//! The real side of [`Cluster`](crate::api::Cluster), by kube-rs.

use std::path::Path;
use std::sync::Arc;

use crate::api::{Cluster, ClusterError, Result};

/// Connects by a kubeconfig (none: `$KUBECONFIG` or `~/.kube/config`) and context (none: its current one).
///
/// # Errors
/// [`ClusterError::Other`] for a kubeconfig that cannot be read. The first call tells whether it answers.
pub async fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Arc<dyn Cluster>> {
    connect_as(None, kubeconfig, context).await
}

/// As [`connect`], under a name for people such as `landfall (embedded)`.
pub async fn connect_as(
    name: Option<&str>,
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Arc<dyn Cluster>> {
    let _ = (name, kubeconfig, context);
    Err(ClusterError::Other("not there yet".into()))
}

//! From a kubeconfig to a client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::Real;
use super::discovery::Discovery;
use crate::api::{Cluster, ClusterError, Result};

/// A cluster that does not take a connection in this time is not there.
const CONNECT: Duration = Duration::from_secs(5);

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
    let file = match kubeconfig {
        Some(path) => Kubeconfig::read_from(path)
            .map_err(|e| ClusterError::Other(format!("kubeconfig {}: {}", path.display(), told(&e))))?,
        None => Kubeconfig::read().map_err(|e| ClusterError::Other(format!("kubeconfig: {}", told(&e))))?,
    };
    let known: Vec<String> = file.contexts.iter().map(|c| c.name.clone()).collect();
    if let Some(wanted) = context
        && !known.iter().any(|name| name == wanted)
    {
        return Err(ClusterError::Other(format!(
            "the kubeconfig has no context {wanted}; it has: {}",
            known.join(", ")
        )));
    }
    let shown = name.or(context).or(file.current_context.as_deref()).unwrap_or("default").to_owned();
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|e| ClusterError::Other(format!("kubeconfig: {}", told(&e))))?;
    config.connect_timeout = Some(CONNECT);
    let client =
        Client::try_from(config).map_err(|e| ClusterError::Other(format!("kubeconfig: {}", told(&e))))?;
    Ok(Arc::new(Real { name: shown, client, discovery: Discovery::default() }))
}

/// An error with its causes in one line, each said once.
pub(super) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

//! Trying a call again while the API server is away for a moment. Everything tried is safe to repeat.

use std::time::Duration;

use landfall_cluster::api::{ClusterError, Result};

/// Waits between tries; together as long as a control plane takes to come back.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

pub(crate) async fn again<T, F: Future<Output = Result<T>>>(mut call: impl FnMut() -> F) -> Result<T> {
    for pause in PAUSES {
        match call().await {
            Err(error @ ClusterError::Unreachable { .. }) => {
                tracing::debug!(%error, "trying again");
                tokio::time::sleep(pause).await;
            }
            answer => return answer,
        }
    }
    call().await
}

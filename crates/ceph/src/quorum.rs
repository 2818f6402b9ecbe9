//! Which of Ceph's daemons run, by what Kubernetes shows, and so whether Ceph can answer at all.
//!
//! Ceph's own client waits for monitors that are away until its time runs out, and then names none of them.

use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use serde_json::Value;

use crate::error::{Error, Result};

/// Rook's label of a monitor.
const MONITORS: &str = "app=rook-ceph-mon";

/// Deployments of daemons that have no pod at work, by name, beside how many there are. `selector` may be empty: all
/// of the namespace.
///
/// # Errors
/// A cluster that does not answer.
pub async fn away(
    cluster: &dyn Cluster,
    namespace: &str,
    selector: &str,
) -> std::result::Result<(Vec<String>, usize), ClusterError> {
    let all = cluster.list(&Gvk::new("apps/v1", "Deployment"), Some(namespace), selector).await?;
    Ok((idle(&all), all.len()))
}

/// Fails at once where fewer monitors run than can agree.
///
/// # Errors
/// [`Error::NoQuorum`] with the monitors' names. Monitors elsewhere, which Kubernetes knows nothing of,
/// are taken to run.
pub(crate) async fn expect(cluster: &dyn Cluster, namespace: &str) -> Result<()> {
    let (away, total) = away(cluster, namespace, MONITORS).await?;
    if total == 0 || answers(total - away.len(), total) {
        return Ok(());
    }
    Err(Error::NoQuorum { total, away: away.join(", ") })
}

/// More than half of the monitors must agree.
const fn answers(running: usize, total: usize) -> bool {
    running * 2 > total
}

fn idle(daemons: &[Value]) -> Vec<String> {
    let at_work = |daemon: &Value| daemon["status"]["readyReplicas"].as_u64().unwrap_or(0) > 0;
    let idle = daemons.iter().filter(|daemon| !at_work(daemon));
    idle.filter_map(|daemon| daemon["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn monitors_answer_while_more_than_half_of_them_run() {
        let seen = [(1, 1), (2, 3), (3, 3), (0, 1), (1, 3), (1, 2), (2, 4)].map(|(r, t)| answers(r, t));
        assert_eq!(seen, [true, true, true, false, false, false, false]);
    }

    #[test]
    fn a_monitor_without_a_ready_pod_is_away() {
        let monitor = |name: &str, status: Value| json!({"metadata": {"name": name}, "status": status});
        let seen = idle(&[
            monitor("rook-ceph-mon-a", json!({"replicas": 1, "readyReplicas": 1})),
            monitor("rook-ceph-mon-b", json!({"replicas": 1, "unavailableReplicas": 1})),
            monitor("rook-ceph-mon-c", json!({})),
        ]);
        assert_eq!(seen, ["rook-ceph-mon-b", "rook-ceph-mon-c"]);
    }
}

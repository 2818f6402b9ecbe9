//! Check points of Ceph.

use landfall_ceph::Ceph;
use landfall_cluster::api::{Cluster, ClusterError, Gvk};

use super::Tried;

type Seen = Result<Tried, ClusterError>;

/// Ceph is healthy, all of it, and has these pools.
pub(super) async fn health(cluster: &dyn Cluster, rook: &str, pools: &[String]) -> Seen {
    let asked = async { Ceph::open(cluster, rook).await?.health(pools).await };
    let tried = seen(asked.await.map(|health| {
        if health.ok { Tried::Passed(health.evidence) } else { Tried::NotYet(health.evidence) }
    }))?;
    let Tried::NotYet(evidence) = tried else { return Ok(tried) };
    // A Ceph without its daemons only says that time ran out.
    Ok(Tried::NotYet(match away(cluster, rook).await?.as_slice() {
        [] => evidence,
        away => format!("{evidence}\nnot running: {}", away.join(", ")),
    }))
}

/// Deployments of Ceph's daemons that have no pod at work.
async fn away(cluster: &dyn Cluster, rook: &str) -> Result<Vec<String>, ClusterError> {
    let (mut away, _) = landfall_ceph::quorum::away(cluster, rook, "").await?;
    away.retain(|name| name.starts_with("rook-ceph-"));
    Ok(away)
}

/// The `ceph.conf` of a ConfigMap is what clients should have now.
pub(super) async fn conf(cluster: &dyn Cluster, rook: &str, namespace: &str, name: &str) -> Seen {
    let found = cluster.get(&Gvk::new("v1", "ConfigMap"), Some(namespace), name).await?;
    let Some(found) = found else {
        return Ok(Tried::NotYet(format!("no ConfigMap {name} in namespace {namespace}")));
    };
    let held = found["data"]["ceph.conf"].as_str().unwrap_or_default();
    let hosts = landfall_ceph::monitors::named(held).unwrap_or("no monitor").to_owned();
    let asked = async { Ceph::open(cluster, rook).await?.conf().await };
    seen(asked.await.map(|wanted| match landfall_ceph::monitors::named(&wanted) {
        Some(now) if now == hosts => Tried::Passed(format!("{name}: mon_host = {hosts}")),
        // Nothing renews it before midnight: to wait would tell the same, later.
        Some(now) => Tried::Never(format!("{name} names {hosts}, the monitors are {now}")),
        None => Tried::NotYet(format!("{name} names {hosts}, the monitors are nowhere")),
    }))
}

fn seen(asked: landfall_ceph::error::Result<Tried>) -> Seen {
    match asked {
        Ok(tried) => Ok(tried),
        Err(landfall_ceph::Error::Cluster(error)) => Err(error),
        // Daemons restart, toolboxes come back.
        Err(error) => Ok(Tried::NotYet(error.to_string())),
    }
}

//! Check points of Ceph, and of objects that no pod stands for.

use std::collections::BTreeMap;

use landfall_ceph::Ceph;
use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use serde_json::Value;

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
    let deployments = cluster.list(&Gvk::new("apps/v1", "Deployment"), Some(rook), "").await?;
    let daemons =
        deployments.iter().filter(|one| one["status"]["availableReplicas"].as_u64().unwrap_or(0) == 0);
    let names = daemons.filter_map(|one| one["metadata"]["name"].as_str());
    Ok(names.filter(|name| name.starts_with("rook-ceph-")).map(str::to_owned).collect())
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

/// An object is there, and has these values at these JSON pointers.
pub(super) async fn object(
    cluster: &dyn Cluster,
    (api_version, kind, namespace, name): (&str, &str, &str, &str),
    fields: &BTreeMap<String, Value>,
) -> Seen {
    let home = (!namespace.is_empty()).then_some(namespace);
    let found = cluster.get(&Gvk::new(api_version, kind), home, name).await?;
    let Some(found) = found else { return Ok(Tried::NotYet(format!("no {kind} {name}"))) };
    let wrong: Vec<String> = fields
        .iter()
        .filter_map(|(pointer, wanted)| {
            let is = found.pointer(pointer).unwrap_or(&Value::Null);
            (is != wanted).then(|| format!("{}: {}, not {}", field(pointer), plain(is), plain(wanted)))
        })
        .collect();
    if !wrong.is_empty() {
        return Ok(Tried::NotYet(format!("{kind} {name}: {}", wrong.join("; "))));
    }
    let shown: Vec<String> =
        fields.iter().map(|(pointer, value)| format!("{} {}", field(pointer), plain(value))).collect();
    let mut evidence =
        format!("{kind} {name}: {}", if shown.is_empty() { "there".to_owned() } else { shown.join(", ") });
    if kind == "StorageClass" {
        evidence.push_str(&driver(cluster, &found, name).await?);
    }
    Ok(Tried::Passed(evidence))
}

/// Why a claim of a class can not bind, where it can not, and which class is used instead.
async fn driver(cluster: &dyn Cluster, class: &Value, name: &str) -> Result<String, ClusterError> {
    let provisioner = class["provisioner"].as_str().unwrap_or_default();
    let api = "storage.k8s.io/v1";
    if cluster.get(&Gvk::new(api, "CSIDriver"), None, provisioner).await?.is_some() {
        return Ok(format!("\nits driver {provisioner} is there: claims bind"));
    }
    let classes = cluster.list(&Gvk::new(api, "StorageClass"), None, "").await?;
    let default = classes.iter().find(|class| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    });
    let instead = match default.and_then(|class| class["metadata"]["name"].as_str()) {
        Some(default) if default != name => format!("volumes use the class {default} instead"),
        _ => "no other class is the default".to_owned(),
    };
    Ok(format!(
        "\nno CSI driver {provisioner} runs on this cluster (it needs Rook's, and a kernel with rbd), so a claim of this class would stay Pending: {instead}"
    ))
}

/// `/spec/schedule` as people write it.
fn field(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"))
}

//! Check points of objects that no pod stands for.

use std::collections::BTreeMap;

use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use serde_json::Value;

use super::Tried;

/// An object is there, and has these values at these JSON pointers.
pub(super) async fn has(
    cluster: &dyn Cluster,
    (api_version, kind, namespace, name): (&str, &str, &str, &str),
    fields: &BTreeMap<String, Value>,
) -> Result<Tried, ClusterError> {
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

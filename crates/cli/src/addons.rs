//! What the embedded cluster runs from the start: DNS, the ingress controller, the volumes' provisioner.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use futures::future::try_join_all;
use include_dir::{Dir, include_dir};
use landfall_cluster::api::{Cluster, Gvk, Seen};
use landfall_health::Readiness;
use serde_json::Value;

use crate::cloud::gvk;
use crate::exit::{Exit, Failure, Result};

static MANIFESTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../embedded/manifests");

/// Longest wait for the addons; their images are on the node already.
const PATIENCE: Duration = Duration::from_mins(2);

/// The addons' objects, with images by the names that change with their content.
pub(crate) fn objects(images: &BTreeMap<String, String>) -> Result<Vec<Value>> {
    let mut objects: Vec<Value> = Vec::new();
    for file in MANIFESTS.files() {
        let text = file.contents_utf8().unwrap_or_default();
        let read: Vec<Value> = serde_saphyr::from_multiple(text)
            .map_err(|error| Failure::new(Exit::Unexpected, format!("{}: {error}", file.path().display())))?;
        objects.extend(read.into_iter().filter(Value::is_object));
    }
    for object in &mut objects {
        pin(object, images);
    }
    objects.sort_by_key(rank_of);
    Ok(objects)
}

/// `localhost/landfall/<name>:<tag>` becomes the pinned reference of that image.
fn pin(value: &mut Value, images: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                let name = field.as_str().filter(|_| key == "image").and_then(|text| text.rsplit('/').next());
                let pinned = name.and_then(|name| name.split(':').next()).and_then(|name| images.get(name));
                match pinned {
                    Some(pinned) => *field = Value::from(pinned.clone()),
                    None => pin(field, images),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| pin(item, images)),
        _ => {}
    }
}

/// What others are in or need comes first.
fn rank_of(object: &Value) -> u8 {
    match object["kind"].as_str().unwrap_or_default() {
        "Namespace" => 0,
        "ServiceAccount" | "ClusterRole" | "Role" | "ConfigMap" | "StorageClass" | "IngressClass" => 1,
        "ClusterRoleBinding" | "RoleBinding" | "Service" => 2,
        _ => 3,
    }
}

/// Applies the addons and waits until they run.
pub(crate) async fn apply(name: &str, cluster: &dyn Cluster, images: &BTreeMap<String, String>) -> Result {
    let objects = objects(images)?;
    for same in objects.chunk_by(|one, other| rank_of(one) == rank_of(other)) {
        try_join_all(same.iter().map(|object| cluster.apply(object, "landfall", true))).await?;
    }
    let workloads =
        objects.iter().filter(|object| matches!(object["kind"].as_str(), Some("Deployment" | "DaemonSet")));
    let waits = workloads.map(|object| ready(cluster, object));
    match tokio::time::timeout(PATIENCE, try_join_all(waits)).await {
        Ok(done) => done.map(drop),
        Err(_) => Err(Failure::told(
            Exit::StepFailed,
            format!("DNS, ingress and volumes did not start within {} s", PATIENCE.as_secs()),
            format!("DNS, 인그레스, 볼륨이 {}초 안에 시작되지 않았습니다", PATIENCE.as_secs()),
        )
        .hint_command(&format!("landfall local shell k1 --name {name} -- kubectl get pods -A"))),
    }
}

async fn ready(cluster: &dyn Cluster, object: &Value) -> Result {
    let kind: Gvk = gvk("apps", "v1", object["kind"].as_str().unwrap_or_default());
    let namespace = object["metadata"]["namespace"].as_str();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let mut seen = cluster.watch(&kind, namespace, "");
    while let Some(change) = seen.next().await {
        let objects = match change? {
            Seen::Listed(objects) => objects,
            Seen::Applied(object) => vec![object],
            Seen::Deleted(_) => continue,
        };
        let ours = objects.iter().find(|found| found["metadata"]["name"].as_str() == Some(name));
        if ours.is_some_and(|found| matches!(landfall_health::readiness(found), Readiness::Ready)) {
            return Ok(());
        }
    }
    Err(Failure::told(
        Exit::Unreachable,
        "the cluster stopped answering while its addons started",
        "애드온이 시작되는 동안 클러스터의 응답이 끊겼습니다",
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_image_of_the_addons_is_pinned() {
        let images =
            ["coredns", "addons", "ingress-nginx"].map(|name| (name.to_owned(), format!("pinned/{name}")));
        let text = Value::from(objects(&images.into()).unwrap()).to_string();
        assert!(text.contains("pinned/coredns"));
        assert!(!text.contains("localhost/landfall"), "{text}");
    }

    #[test]
    fn namespaces_come_before_what_is_in_them() {
        let objects = objects(&BTreeMap::new()).unwrap();
        let kinds: Vec<_> = objects.iter().map(rank_of).collect();
        assert!(kinds.is_sorted() && kinds.contains(&0), "{kinds:?}");
    }
}

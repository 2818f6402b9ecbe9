//! Release records: which are there, how they change. The bytes are Helm's and come from `landfall-helm`.

use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_plan::model::{Object, RenderedRelease};
use serde_json::{Value, json};

use crate::again::again;
use crate::error::{EngineError, Result};

/// Annotation of a record's Secret that holds [`RenderedRelease::digest`].
pub const DIGEST_ANNOTATION: &str = landfall_plan::change::DIGEST_ANNOTATION;
/// As real Helm's default.
const HISTORY: usize = 10;

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSpec {
    pub release: String,
    pub namespace: String,
    pub revision: u32,
    /// Helm's word: `pending-install`, `pending-upgrade`, `deployed`, `superseded`, `failed`.
    pub status: String,
    pub description: String,
}

/// Makes and rewrites the Secrets in which Helm keeps its releases.
pub trait Records: Send + Sync + std::fmt::Debug {
    /// The Secret `sh.helm.release.v1.<release>.v<revision>`, without the digest annotation. The release is as old as
    /// `former`, the record before it, says.
    fn encode(&self, spec: &RecordSpec, former: Option<&Object>) -> Result<Object>;
    /// The same record with another status and description.
    fn restate(&self, secret: &Object, status: &str, description: &str) -> Result<Object>;
    /// The objects of a record's manifest.
    fn manifest(&self, secret: &Object) -> Result<Vec<Object>>;
}

pub(crate) fn secret_kind() -> Gvk {
    Gvk::new("v1", "Secret")
}

pub(crate) fn status(record: &Value) -> &str {
    record["metadata"]["labels"]["status"].as_str().unwrap_or_default()
}

pub(crate) fn revision(record: &Value) -> u32 {
    record["metadata"]["labels"]["version"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}

pub(crate) fn release_name(record: &Value) -> &str {
    record["metadata"]["labels"]["name"].as_str().unwrap_or_default()
}

pub(crate) fn digest(record: &Value) -> &str {
    record["metadata"]["annotations"][DIGEST_ANNOTATION].as_str().unwrap_or_default()
}

/// The records of a release, oldest first.
pub(crate) async fn list(cluster: &dyn Cluster, namespace: &str, release: &str) -> Result<Vec<Value>> {
    let selector =
        if release.is_empty() { "owner=helm".to_owned() } else { format!("owner=helm,name={release}") };
    let gvk = secret_kind();
    let mut found = again(|| cluster.list(&gvk, Some(namespace), &selector)).await?;
    found.sort_by_key(revision);
    Ok(found)
}

/// What [`begin`] found and wrote.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// Objects of earlier manifests that may still be there.
    pub former: Vec<Object>,
    pub wrote: bool,
}

/// Writes the pending record of a release, or takes up the one that a dead run left.
pub(crate) async fn begin(
    cluster: &dyn Cluster,
    records: &dyn Records,
    release: &RenderedRelease,
) -> Result<Begun> {
    let known = list(cluster, &release.namespace, &release.name).await?;
    let mut begun = Begun::default();
    // Back to the last that was whole: what a broken try left behind must be seen, too.
    for record in known.iter().rev() {
        begun.former.extend(records.manifest(record)?);
        if matches!(status(record), "deployed" | "superseded") {
            break;
        }
    }
    let last = known.last();
    if let Some(last) = last
        && digest(last) == release.digest
        && (status(last).starts_with("pending-") || status(last) == "deployed")
    {
        return Ok(begun);
    }
    if let Some(last) = last
        && status(last).starts_with("pending-")
    {
        restate(cluster, records, last, "failed", "left unfinished, and followed by another").await?;
    }
    let was_deployed = known.iter().any(|r| matches!(status(r), "deployed" | "superseded"));
    let spec = RecordSpec {
        release: release.name.clone(),
        namespace: release.namespace.clone(),
        revision: last.map_or(0, revision) + 1,
        status: if was_deployed { "pending-upgrade" } else { "pending-install" }.to_owned(),
        description: "Landfall is at work".to_owned(),
    };
    let mut secret = records.encode(&spec, last)?;
    secret["metadata"]["annotations"][DIGEST_ANNOTATION] = json!(release.digest);
    match again(|| cluster.create(&secret)).await {
        // The first try was heard, its answer was not.
        Ok(_) | Err(ClusterError::Exists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    begun.wrote = true;
    Ok(begun)
}

/// Marks the latest record deployed, former ones superseded, and forgets the oldest.
pub(crate) async fn finish(
    cluster: &dyn Cluster,
    records: &dyn Records,
    release: &RenderedRelease,
) -> Result<bool> {
    let known = list(cluster, &release.namespace, &release.name).await?;
    let Some((last, former)) = known.split_last() else {
        return Err(EngineError::Record {
            release: release.name.clone(),
            what: "found",
            message: "its pending record was deleted meanwhile; run `landfall up` again".into(),
        });
    };
    let mut wrote = false;
    if status(last) != "deployed" {
        let description = if former.is_empty() { "Install complete" } else { "Upgrade complete" };
        restate(cluster, records, last, "deployed", description).await?;
        wrote = true;
    }
    for record in former.iter().filter(|r| status(r) == "deployed") {
        restate(cluster, records, record, "superseded", "").await?;
        wrote = true;
    }
    let surplus = known.len().saturating_sub(HISTORY);
    let gvk = secret_kind();
    for record in known.iter().take(surplus) {
        let name = record["metadata"]["name"].as_str().unwrap_or_default();
        again(|| cluster.delete(&gvk, Some(&release.namespace), name, false)).await?;
        wrote = true;
    }
    Ok(wrote)
}

/// Marks the pending record failed; nothing to do where there is none.
pub(crate) async fn fail(
    cluster: &dyn Cluster,
    records: &dyn Records,
    release: &RenderedRelease,
    why: &str,
) -> Result<()> {
    let known = list(cluster, &release.namespace, &release.name).await?;
    match known.last() {
        Some(last) if status(last).starts_with("pending-") => {
            restate(cluster, records, last, "failed", why).await
        }
        _ => Ok(()),
    }
}

async fn restate(
    cluster: &dyn Cluster,
    records: &dyn Records,
    secret: &Value,
    status: &str,
    why: &str,
) -> Result<()> {
    let (namespace, name) =
        (secret["metadata"]["namespace"].as_str(), secret["metadata"]["name"].as_str().unwrap_or_default());
    let gvk = secret_kind();
    let mut latest = secret.clone();
    loop {
        let mut next = records.restate(&latest, status, why)?;
        next["metadata"]["annotations"] = latest["metadata"]["annotations"].clone();
        next["metadata"]["resourceVersion"] = latest["metadata"]["resourceVersion"].clone();
        match again(|| cluster.replace(&next)).await {
            // Changed meanwhile, perhaps by a try of ours whose answer was lost.
            Err(ClusterError::Stale { .. }) => match again(|| cluster.get(&gvk, namespace, name)).await? {
                Some(found) => latest = found,
                None => return Ok(()),
            },
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

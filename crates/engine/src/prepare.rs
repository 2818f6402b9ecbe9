//! From a blueprint to a plan: charts rendered, the cluster looked at, the plan computed.

mod render;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use include_dir::Dir;
use landfall_catalog::blueprint::{Blueprint, Prerequisite, Secrets};
use landfall_cluster::api::Cluster;
use landfall_plan::model::{Plan, ReleaseState, RenderedRelease, Snapshot};

use crate::again::again;
use crate::error::Result;
use crate::records::Records;
use crate::{records, secrets as secret_store};

/// Everything between the blueprint and the run.
#[derive(Debug)]
pub struct Prepared {
    /// With the prerequisite for `landfall-secrets` added.
    pub blueprint: Blueprint,
    pub releases: Vec<RenderedRelease>,
    pub snapshot: Snapshot,
    pub plan: Plan,
    pub records: Arc<dyn Records>,
    /// NOTES.txt by release.
    pub notes: Vec<(String, String)>,
}

/// Renders, looks and plans. Reads the cluster, changes nothing.
///
/// `charts` is the embedded folder `charts/`. `only` narrows to these services (empty: all of the
/// blueprint; what they need is the catalog's to say).
///
/// # Errors
/// A chart that does not render, a cycle among what waits for what, a cluster that does not answer.
pub async fn prepare(
    cluster: &dyn Cluster,
    mut blueprint: Blueprint,
    secrets: &Secrets,
    charts: &'static Dir<'static>,
    options: &landfall_plan::Options,
    only: &BTreeSet<String>,
) -> Result<Prepared> {
    if !only.is_empty() {
        blueprint.releases.retain(|release| only.contains(&release.service));
        let kept: BTreeSet<&str> = blueprint.releases.iter().map(|r| r.service.as_str()).collect();
        blueprint.checks.retain(|check| kept.contains(check.service.as_str()) || check.service == "coredns");
    }
    let known = blueprint
        .prerequisites
        .iter()
        .any(|p| matches!(&p.what, Prerequisite::Secret { name, .. } if name == secret_store::NAME));
    if !known && !secrets.0.is_empty() {
        blueprint.prerequisites.push(secret_store::prerequisite(&blueprint.namespace, secrets).into());
    }
    let (version, served) = again(|| cluster.version()).await?;
    let states = states(cluster, blueprint.releases.iter().map(|r| r.namespace.as_str()).collect()).await?;
    let rendered = render::all(&blueprint, charts, &version, &served, &states).await?;
    let snapshot = snapshot::gather(cluster, &blueprint, &rendered.releases, states).await?;
    let plan = landfall_plan::plan(&blueprint, &rendered.releases, &snapshot, options)?;
    Ok(Prepared {
        blueprint,
        releases: rendered.releases,
        snapshot,
        plan,
        records: Arc::new(rendered.records),
        notes: rendered.notes,
    })
}

/// The snapshot alone, for releases rendered elsewhere.
///
/// # Errors
/// A cluster that does not answer.
pub async fn look(
    cluster: &dyn Cluster,
    blueprint: &Blueprint,
    releases: &[RenderedRelease],
) -> Result<Snapshot> {
    let namespaces = releases.iter().map(|r| r.namespace.as_str()).collect();
    let states = states(cluster, namespaces).await?;
    snapshot::gather(cluster, blueprint, releases, states).await
}

/// The latest record of each release, by `namespace/name`.
async fn states(cluster: &dyn Cluster, namespaces: BTreeSet<&str>) -> Result<BTreeMap<String, ReleaseState>> {
    let mut states = BTreeMap::new();
    for namespace in namespaces {
        // Oldest first: the latest stays.
        for record in records::list(cluster, namespace, "").await? {
            let state = ReleaseState {
                revision: records::revision(&record),
                status: records::status(&record).to_owned(),
                digest: records::digest(&record).to_owned(),
            };
            states.insert(format!("{namespace}/{}", records::release_name(&record)), state);
        }
    }
    Ok(states)
}

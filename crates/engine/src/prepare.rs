//! From a blueprint to a plan: charts rendered, the cluster looked at, the plan computed.

use std::collections::BTreeSet;
use std::sync::Arc;

use include_dir::Dir;
use landfall_catalog::blueprint::{Blueprint, Secrets};
use landfall_cluster::api::Cluster;
use landfall_plan::model::{Plan, RenderedRelease, Snapshot};

use crate::error::Result;
use crate::records::Records;

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
/// `charts` is the embedded folder `charts/`. `only` narrows to these services and what they need
/// (empty: all of the blueprint).
///
/// # Errors
/// A chart that does not render, a cycle among what waits for what, a cluster that does not answer.
pub async fn prepare(
    cluster: &dyn Cluster,
    blueprint: Blueprint,
    secrets: &Secrets,
    charts: &'static Dir<'static>,
    options: &landfall_plan::Options,
    only: &BTreeSet<String>,
) -> Result<Prepared> {
    let _ = (cluster, blueprint, secrets, charts, options, only);
    Err(crate::EngineError::Cancelled)
}

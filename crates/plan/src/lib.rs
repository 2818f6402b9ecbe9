//! Pure: rendered releases and a snapshot of the cluster -> an immutable graph of steps.
//!
//! What waits for what is read from the rendered pods ([`graph`]); what changes from the snapshot
//! ([`change`]); [`steps`] puts both together and [`order`] sorts, and finds rings.

pub mod change;
pub mod coredns;
pub mod error;
pub mod graph;
pub mod model;
pub mod object;
pub mod order;
pub mod roll;
mod steps;

pub use error::PlanError;

use landfall_catalog::blueprint::Blueprint;
use model::{Plan, RenderedRelease, Snapshot};
use serde::{Deserialize, Serialize};

/// Who decides what comes before what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ordering {
    /// The pods' declared dependencies; hook weights only where a hook declares none.
    #[default]
    Charts,
    /// Releases one after another, hooks strictly by weight.
    Helm,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    pub ordering: Ordering,
    /// Apply even where nothing changed.
    pub force: bool,
}

/// Computes the plan. The same input gives the same plan, to the byte.
///
/// # Errors
/// A ring among what waits for what, a pod that waits for what nobody brings, a node that is not there.
pub fn plan(
    blueprint: &Blueprint,
    releases: &[RenderedRelease],
    snapshot: &Snapshot,
    options: &Options,
) -> Result<Plan, PlanError> {
    let graph = graph::Graph::new(releases, snapshot)?;
    order::sorted(steps::steps(blueprint, releases, snapshot, options, &graph)?)
}

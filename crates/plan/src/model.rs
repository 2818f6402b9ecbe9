//! The words of a plan. Nothing here does I/O.

use std::collections::{BTreeMap, BTreeSet};

use landfall_catalog::blueprint::{CheckSpec, Prerequisite};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A Kubernetes object as plain JSON; `kind`, `apiVersion`, `metadata` as in the API.
pub type Object = Value;

/// A hook of a release, already rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedHook {
    pub object: Object,
    /// `pre-install`, `post-upgrade`, …
    pub events: Vec<String>,
    pub weight: i64,
    /// `before-hook-creation`, `hook-succeeded`, `hook-failed`.
    pub delete_policies: Vec<String>,
}

/// A release after rendering, with what Helm would record of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedRelease {
    pub service: String,
    pub name: String,
    pub namespace: String,
    /// Objects in Helm's install order.
    pub objects: Vec<Object>,
    pub hooks: Vec<RenderedHook>,
    /// SHA-256 over manifest, hooks and user values: equal digests mean nothing to do.
    pub digest: String,
}

/// What the cluster holds now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// By `Kind/namespace/name` (cluster-scoped: `Kind//name`).
    pub objects: BTreeMap<String, Object>,
    /// Latest record of each release by `namespace/name`.
    pub releases: BTreeMap<String, ReleaseState>,
    /// What Ceph itself shows; `None` where none answers yet.
    #[serde(default)]
    pub ceph: Option<CephState>,
}

/// Pools, users and monitors of a running Ceph. No key is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CephState {
    pub pools: BTreeSet<String>,
    /// Caps (`mon`, `osd`, `mgr`) of each user, by name without `client.`.
    pub clients: BTreeMap<String, BTreeMap<String, String>>,
    /// The `ceph.conf` that clients should have now.
    pub conf: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseState {
    pub revision: u32,
    /// Helm's word: `deployed`, `failed`, `pending-install`, …
    pub status: String,
    /// Digest that Landfall left as a label-safe annotation of the record; empty for other tools'.
    pub digest: String,
}

impl Plan {
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Steps that change something.
    pub fn changes(&self) -> usize {
        self.steps.iter().filter(|step| step.change != Change::None).count()
    }
}

/// One unit of a plan. Ids: `namespace/openstack`, `nodes/label-openvswitch`, `coredns/rbac`,
/// `keystone/release`, `keystone/job/keystone-db-sync`, `keystone/ready`, `keystone/check/service-list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    pub service: String,
    pub guide: String,
    /// Ids that must be done before this one starts.
    pub needs: Vec<String>,
    pub action: Action,
    pub change: Change,
    /// Rough seconds, for the longest-way-first order and the forecast.
    pub weight: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    Ensure {
        prerequisite: Prerequisite,
    },
    /// Write the pending record and apply the objects of the release.
    Apply {
        release: String,
        namespace: String,
    },
    /// Run one hook object and wait for its end; a hook that is not a Job or Pod is only applied.
    Hook {
        release: String,
        namespace: String,
        kind: String,
        name: String,
    },
    /// Wait until every workload of the release is ready, then mark the record deployed.
    Ready {
        release: String,
        namespace: String,
    },
    Check {
        check: CheckSpec,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Create,
    Update,
    /// Deleted and made anew (a Job whose template changed).
    Replace,
    None,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In an order that respects `needs`.
    pub steps: Vec<Step>,
}

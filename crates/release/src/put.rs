//! The objects of a revision brought to what its manifest says: by the server (server-side apply), or by a merge of ours.

use std::collections::BTreeSet;

use landfall_cluster::api::{Applied, Cascade, ClusterError, Gvk};
use landfall_helm::install_rank;
use landfall_helm::release::Record;
use serde_json::{Value, json};

use crate::objects::{Place, kind, parsed, shown};
use crate::{Actions, Error, MANAGER, Result, managed, merge};

/// How often a change is tried again that another's came before.
const TRIES: usize = 10;
const SERVER_SIDE: &str = "ssa";
const CLIENT_SIDE: &str = "csa";

/// What may be there of a release before one of its revisions is put there.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The objects, the newest revision's first.
    pub objects: Vec<Value>,
    /// Some of their fields may be held by updates, as client-side changes leave them.
    pub by_updates: bool,
}

/// Whether a revision is put there by server-side apply. Records of Helm 3 say nothing of it, and were not.
pub(crate) fn is_server_side(record: &Record) -> bool {
    record.apply_method == SERVER_SIDE
}

/// The word of the record.
pub(crate) fn method(server_side: bool) -> String {
    if server_side { SERVER_SIDE } else { CLIENT_SIDE }.to_owned()
}

impl Actions {
    /// Puts all there, in Helm's order of kinds, and deletes what only former revisions have. What was not there before is
    /// noted in `made`.
    pub(crate) async fn put(
        &self,
        record: &Record,
        earlier: &Earlier,
        made: &mut Vec<Value>,
    ) -> Result<Vec<Value>> {
        let mut objects = parsed(&record.name, &record.manifest)?;
        objects.sort_by(|a, b| install_rank(kind(a)).cmp(&install_rank(kind(b))));
        for object in &objects {
            let owned = self.owned(object, &record.name);
            let outcome = if is_server_side(record) {
                self.apply(&owned, earlier.by_updates).await
            } else {
                self.merge(&owned, &earlier.objects).await
            };
            let new = outcome.map_err(|source| Error::Refused { object: shown(&owned), source })?;
            if new {
                made.push(object.clone());
            }
        }
        let kept: BTreeSet<Place> = objects.iter().map(|object| self.place(object)).collect();
        let gone = earlier.objects.iter().filter(|object| !kept.contains(&self.place(object)));
        self.take_away(gone.cloned().collect(), Cascade::Background, false).await?;
        Ok(objects)
    }

    /// By the server. True where it was not there.
    async fn apply(&self, object: &Value, by_updates: bool) -> std::result::Result<bool, ClusterError> {
        if by_updates {
            self.hold_by_apply(object).await?;
        }
        let (applied, _) = self.cluster.apply(object, MANAGER, self.options.force_conflicts).await?;
        Ok(applied == Applied::Created)
    }

    /// By a three-way merge of what former manifests said of it, what it is to be, and what it is. True where it was not there.
    async fn merge(&self, wanted: &Value, earlier: &[Value]) -> std::result::Result<bool, ClusterError> {
        let place = self.place(wanted);
        let said: Vec<&Value> = earlier.iter().filter(|one| self.place(one) == place).collect();
        let former = merge::union(&said);
        let mut left = TRIES;
        loop {
            left -= 1;
            let live = self.live(wanted).await?;
            let outcome = match &live {
                None => self.cluster.create_as(wanted, MANAGER).await,
                Some(live) => match merge::patch(&former, wanted, live) {
                    None => return Ok(false),
                    Some(patch) => self.change(wanted, &patch).await,
                },
            };
            match outcome {
                // Another was quicker: once more, with what it left.
                Err(ClusterError::Stale { .. } | ClusterError::Exists { .. }) if left > 0 => {}
                outcome => return outcome.map(|_| live.is_none()),
            }
        }
    }

    /// What is held by updates of ours is held by apply, so that it goes when a manifest no longer names it.
    async fn hold_by_apply(&self, object: &Value) -> std::result::Result<(), ClusterError> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let Some(live) = self.live(object).await? else { return Ok(()) };
            let metadata = &live["metadata"];
            let fields = metadata["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
            let Some(fields) = managed::taken_over(fields) else { return Ok(()) };
            let patch = json!({"metadata":
                {"managedFields": fields, "resourceVersion": metadata["resourceVersion"]}});
            match self.change(object, &patch).await {
                Err(ClusterError::Stale { .. }) if left > 0 => {}
                outcome => return outcome.map(drop),
            }
        }
    }

    async fn change(&self, object: &Value, patch: &Value) -> std::result::Result<Value, ClusterError> {
        let place = self.place(object);
        let gvk = Gvk::of(object).unwrap_or_else(|| Gvk::new("", ""));
        self.cluster.patch_as(&gvk, Some(&place.namespace), &place.name, patch, MANAGER).await
    }
}

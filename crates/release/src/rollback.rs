//! Back to what a former revision was, as a new revision.

use jiff::Timestamp;
use landfall_helm::release::Status;

use crate::put::{is_server_side, method};
use crate::store::Stored;
use crate::upgrade::earlier;
use crate::{Actions, DryRun, Error, Result};

/// Where to go back to.
#[derive(Debug, Clone)]
pub struct Rollback {
    pub name: String,
    /// None: the revision before the newest.
    pub revision: Option<i64>,
}

impl Actions {
    /// Rolls a release back. One that another program left unfinished can be rolled back, too: that revision is marked failed.
    ///
    /// # Errors
    /// Any of [`Error`]. Once the record is written, it says `failed` with the reason.
    pub async fn rollback(&self, wanted: &Rollback) -> Result<Stored> {
        let mut history = self.history(&wanted.name).await?;
        let Some(last) = history.last().map(|stored| stored.record.version) else {
            return Err(self.missing(&wanted.name));
        };
        let revision = match wanted.revision {
            Some(revision) => revision,
            None => {
                before(&history).ok_or_else(|| Error::NothingToRollBackTo { name: wanted.name.clone() })?
            }
        };
        let target = self.get(&wanted.name, Some(revision)).await?;
        let mut earlier = earlier(&history, &wanted.name)?;
        if self.options.dry_run.is_none()
            && let Some(newest) = history.last_mut()
            && newest.record.info.status.is_pending()
        {
            newest.record.set_status(Status::Failed, "left unfinished, and rolled back");
            self.keep(newest).await?;
        }
        let mut record = target.record;
        record.version = last + 1;
        record.info.last_deployed = Some(Timestamp::now());
        record.info.rollback_revision = revision;
        record.apply_method = method(self.options.server_side.unwrap_or_else(|| is_server_side(&record)));
        for hook in &mut record.hooks {
            (hook.started_at, hook.completed_at) = (None, None);
            hook.phase.clear();
        }
        let description = format!("Rollback to {revision}");
        record.set_status(Status::PendingRollback, self.described(&description));
        if self.options.dry_run == Some(DryRun::Client) {
            return Ok(self.dry(record));
        }
        earlier.by_updates |= self.ours_or_new(&record, &earlier.objects).await?;
        if self.options.dry_run.is_some() {
            return Ok(self.dry(record));
        }
        let stored = self.begin(record).await?;
        self.replace_by(stored, &earlier, ["pre-rollback", "post-rollback"], "Rollback", &description).await
    }
}

/// The revision before the newest: where that did not come about, the newest that did.
fn before(history: &[Stored]) -> Option<i64> {
    let (_, former) = history.split_last()?;
    let whole = former
        .iter()
        .rev()
        .find(|stored| matches!(stored.record.info.status, Status::Deployed | Status::Superseded));
    whole.or(former.last()).map(|stored| stored.record.version)
}

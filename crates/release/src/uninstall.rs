//! A release removed, with its objects and, unless they are to be kept, its records.

use jiff::Timestamp;
use landfall_cluster::api::Cascade;
use landfall_helm::release::Status;

use crate::upgrade::earlier;
use crate::{Actions, Result};

/// What is to be removed.
#[derive(Debug, Clone)]
pub struct Uninstall {
    pub name: String,
    pub keep_history: bool,
    /// What becomes of what the objects own: pods of a Deployment, and so on.
    pub cascade: Cascade,
}

impl Actions {
    /// Removes a release. Gives the objects that stay since they ask for it.
    ///
    /// # Errors
    /// Any of [`crate::Error`]: what was not deleted is still there, and so is the record.
    pub async fn uninstall(&self, wanted: &Uninstall) -> Result<Vec<String>> {
        let history = self.history(&wanted.name).await?;
        let Some(newest) = history.last() else { return Err(self.missing(&wanted.name)) };
        let mut stored = newest.clone();
        let mut kept = Vec::new();
        if stored.record.info.status != Status::Uninstalled {
            stored.record.set_status(Status::Uninstalling, "Deletion in progress (or silently failed)");
            stored.record.info.deleted = Some(Timestamp::now());
            self.keep(&stored).await?;
            self.run_hooks(&mut stored, "pre-delete").await?;
            let objects = earlier(&history, &wanted.name)?.objects;
            kept = self.take_away(objects, wanted.cascade, self.options.wait).await?;
            self.run_hooks(&mut stored, "post-delete").await?;
        }
        if wanted.keep_history {
            stored.record.set_status(Status::Uninstalled, self.described("Uninstallation complete"));
            self.keep(&stored).await?;
        } else {
            for one in &history {
                self.forget(&one.record).await?;
            }
        }
        Ok(kept)
    }
}

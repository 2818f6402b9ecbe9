//! What failed is undone: an upgrade goes back, an installation is removed. The reason is told before, while what it speaks of
//! is still there to be looked at, and kept: in the error, and in the record of the revision that failed.

use async_trait::async_trait;
use landfall_cluster::api::Cascade;
use landfall_helm::release::Status;

use crate::{Actions, Error, Options, Rollback, Uninstall};

/// What is about to be undone.
#[derive(Debug)]
pub enum Undoing<'a> {
    /// The release goes back to a revision.
    Upgrade { name: &'a str, revision: i64, why: &'a Error },
    /// What was made of it is removed.
    Installation { name: &'a str, why: &'a Error },
}

/// Is told of a failure before it is undone.
#[async_trait]
pub trait Listener: std::fmt::Debug + Send + Sync {
    async fn undoing(&self, what: Undoing<'_>);
}

impl Actions {
    /// Whether objects are waited for: what has failed cannot be known else.
    pub(crate) fn waits(&self) -> bool {
        self.options.wait || self.options.rollback_on_failure
    }

    /// After an upgrade that failed: back to the last revision that was deployed, where that is asked for.
    pub(crate) async fn gone_back(&self, name: &str, why: Error) -> Error {
        if !self.options.rollback_on_failure {
            return why;
        }
        let undone = async {
            let history = self.history(name).await?;
            let whole = |status| matches!(status, Status::Deployed | Status::Superseded);
            let newest_first = history.iter().rev().map(|stored| &stored.record);
            let target =
                newest_first.filter(|record| whole(record.info.status)).map(|record| record.version).next();
            let revision = target.ok_or_else(|| Error::NothingToRollBackTo { name: name.to_owned() })?;
            self.tell(Undoing::Upgrade { name, revision, why: &why }).await;
            let wanted = Rollback { name: name.to_owned(), revision: Some(revision) };
            Ok((revision, self.undoing().rollback(&wanted).await?.record.version))
        };
        let name = name.to_owned();
        match undone.await {
            Ok((revision, now)) => Error::WentBack { name, revision, now, why: Box::new(why) },
            Err(undoing) => Error::NotUndone { name, why: Box::new(why), undoing: Box::new(undoing) },
        }
    }

    /// After an installation that failed: all of it away, where that is asked for.
    pub(crate) async fn removed(&self, name: &str, why: Error) -> Error {
        if !self.options.rollback_on_failure {
            return why;
        }
        self.tell(Undoing::Installation { name, why: &why }).await;
        let wanted = Uninstall { name: name.to_owned(), keep_history: false, cascade: Cascade::Background };
        let name = name.to_owned();
        match self.undoing().uninstall(&wanted).await {
            Ok(_) => Error::Removed { name, why: Box::new(why) },
            Err(undoing) => Error::NotUndone { name, why: Box::new(why), undoing: Box::new(undoing) },
        }
    }

    async fn tell(&self, what: Undoing<'_>) {
        if let Some(listener) = &self.options.listener {
            listener.undoing(what).await;
        }
    }

    /// The same actions as they undo: they wait, the words for the history were for what failed, and what fails now stays.
    fn undoing(&self) -> Self {
        let options =
            Options { wait: true, rollback_on_failure: false, description: None, ..self.options.clone() };
        Self { options, ..self.clone() }
    }
}

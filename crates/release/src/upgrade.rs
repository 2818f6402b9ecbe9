//! Another revision of a release: of the same chart or another, with other values.

use std::sync::Arc;

use jiff::Timestamp;
use landfall_helm::release::{Record, Status, encode};
use landfall_helm::{Chart, Values};
use serde_json::{Map, Value};

use crate::objects::parsed;
use crate::store::{Stored, pending};
use crate::values::lay_over;
use crate::{Actions, Error, Result};

/// What becomes of the values of the former revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Former {
    /// They stay where no value is given, else those given are all.
    #[default]
    WhereNoneIsGiven,
    /// Those given are laid over them.
    Reuse,
    /// They are forgotten.
    Reset,
}

/// What a release is to become.
#[derive(Debug, Clone)]
pub struct Upgrade {
    pub name: String,
    pub chart: Arc<Chart>,
    pub values: Values,
    pub former: Former,
    /// Also the chart's definitions (`crds/`), which Helm leaves as they are.
    pub crds: bool,
    /// Go on where another program ended before it was done: its revision is marked failed.
    pub resume: bool,
}

impl Actions {
    /// Upgrades a release.
    ///
    /// # Errors
    /// Any of [`Error`]. Once the record is written, it says `failed` with the reason.
    pub async fn upgrade(&self, wanted: Upgrade) -> Result<Stored> {
        let mut history = self.history(&wanted.name).await?;
        let Some(last) = history.last_mut() else { return Err(self.missing(&wanted.name)) };
        if last.record.info.status.is_pending() {
            if !wanted.resume {
                return Err(pending(&last.record));
            }
            last.record.set_status(Status::Failed, "left unfinished, and followed by another");
            self.keep(last).await?;
        }
        let revision = last.record.version + 1;
        let current = current(&history, &wanted.name)?;
        let values = laid_over(&wanted, &current.config)?;
        let rendered = self.rendered(&wanted.name, &wanted.chart, &values, revision, false).await?;
        let mut record = Record::new(
            &wanted.name,
            &self.namespace,
            revision,
            &wanted.chart,
            &values,
            &rendered,
            Timestamp::now(),
        );
        record.info.first_deployed = current.info.first_deployed;
        record.labels = current.labels.clone();
        record.set_status(Status::PendingUpgrade, self.described("Preparing upgrade"));
        encode(&record)?;
        let former = former_objects(&history, &wanted.name)?;
        self.ours_or_new(&record, &former).await?;
        if wanted.crds {
            let mut definitions = Vec::new();
            for crd in &rendered.crds {
                definitions.extend(parsed(&wanted.name, &String::from_utf8_lossy(&crd.data))?);
            }
            for definition in &definitions {
                self.apply_definition(definition).await?;
            }
            self.established(&definitions).await?;
        }
        let stored = self.begin(record).await?;
        self.replace_by(stored, &former, ["pre-upgrade", "post-upgrade"], "Upgrade", "Upgrade complete").await
    }

    /// The common end of upgrade and rollback: hooks, objects, hooks, and the record of how it went.
    pub(crate) async fn replace_by(
        &self,
        mut stored: Stored,
        former: &[Value],
        hooks: [&str; 2],
        what: &str,
        description: &str,
    ) -> Result<Stored> {
        let carried_out = async {
            self.run_hooks(&mut stored, hooks[0]).await?;
            let objects = self.put(&stored.record, former).await?;
            if self.options.wait {
                self.all_ready(&objects).await?;
            }
            self.run_hooks(&mut stored, hooks[1]).await
        };
        match carried_out.await {
            Ok(()) => self.deployed(stored, description).await,
            Err(error) => Err(self.failed(stored, what, error).await),
        }
    }
}

/// The revision that runs: the deployed one, else the newest that is whole.
fn current<'a>(history: &'a [Stored], name: &str) -> Result<&'a Record> {
    let newest_first = || history.iter().rev().map(|stored| &stored.record);
    newest_first()
        .find(|record| record.info.status == Status::Deployed)
        .or_else(|| newest_first().find(|record| record.info.status == Status::Superseded))
        .or_else(|| newest_first().find(|record| record.info.status == Status::Failed))
        .ok_or_else(|| Error::NeverDeployed { name: name.to_owned() })
}

/// Objects that may be there: of the revision that runs, and of whatever was tried after it.
pub(crate) fn former_objects(history: &[Stored], name: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for stored in history.iter().rev() {
        all.extend(parsed(name, &stored.record.manifest)?);
        if matches!(stored.record.info.status, Status::Deployed | Status::Superseded) {
            break;
        }
    }
    Ok(all)
}

fn laid_over(wanted: &Upgrade, former: &Map<String, Value>) -> Result<Values> {
    let given = wanted.values.as_map();
    let values = match wanted.former {
        Former::WhereNoneIsGiven if given.is_empty() => former.clone(),
        Former::WhereNoneIsGiven | Former::Reset => given.clone(),
        Former::Reuse => {
            let mut base = former.clone();
            lay_over(&mut base, given);
            base
        }
    };
    Ok(Values::from_json(&Value::Object(values))?)
}

//! Another revision of a release: of the same chart or another, with other values.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use landfall_cluster::api::Cascade;
use landfall_helm::release::{Record, Status, encode};
use landfall_helm::{Chart, Values};
use serde_json::{Map, Value};

use crate::objects::parsed;
use crate::put::{Earlier, is_server_side, method};
use crate::store::{Stored, labelled, pending};
use crate::values::{computed, lay_over};
use crate::{Actions, DryRun, Error, Result};

/// What becomes of the values of the former revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Former {
    /// They stay where no value is given, else those given are all.
    #[default]
    WhereNoneIsGiven,
    /// Those given are laid over them, and all over the values of the former chart: what the new one brings is not seen.
    Reuse,
    /// Those given are laid over them, and all over the values of the new chart.
    ReuseOverNewChart,
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
    /// Labels for the record, laid over those of the former revision.
    pub labels: BTreeMap<String, String>,
}

impl Actions {
    /// Upgrades a release.
    ///
    /// # Errors
    /// Any of [`Error`]. Once the record is written, it says `failed` with the reason; where the failure is undone, the error
    /// tells both.
    pub async fn upgrade(&self, wanted: Upgrade) -> Result<Stored> {
        let mut history = self.history(&wanted.name).await?;
        let Some(last) = history.last_mut() else { return Err(self.missing(&wanted.name)) };
        if last.record.info.status.is_pending() {
            if !wanted.resume {
                return Err(pending(&last.record));
            }
            last.record.set_status(Status::Failed, "left unfinished, and followed by another");
            if self.options.dry_run.is_none() {
                self.keep(last).await?;
            }
        }
        let revision = last.record.version + 1;
        let server_side = self.options.server_side.unwrap_or_else(|| is_server_side(&last.record));
        let current = current(&history, &wanted.name)?;
        let values = laid_over(&wanted, &current.config)?;
        let chart = if wanted.former == Former::Reuse {
            let values = Values::from_json(&Value::Object(computed(current)))?;
            Arc::new(Chart { values: Arc::new(values.as_map().clone()), ..(*wanted.chart).clone() })
        } else {
            Arc::clone(&wanted.chart)
        };
        let rendered = self.rendered(&wanted.name, &chart, &values, revision, false).await?;
        let mut record = Record::new(
            &wanted.name,
            &self.namespace,
            revision,
            &chart,
            &values,
            &rendered,
            Timestamp::now(),
        );
        record.info.first_deployed = current.info.first_deployed;
        record.apply_method = method(server_side);
        record.labels = labelled(current.labels.clone(), &wanted.labels)?;
        record.set_status(Status::PendingUpgrade, self.described("Preparing upgrade"));
        encode(&record)?;
        if self.options.dry_run == Some(DryRun::Client) {
            return Ok(self.dry(record));
        }
        let mut earlier = earlier(&history, &wanted.name)?;
        earlier.by_updates |= self.ours_or_new(&record, &earlier.objects).await?;
        if self.options.dry_run.is_some() {
            return Ok(self.dry(record));
        }
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
        let hooks = ["pre-upgrade", "post-upgrade"];
        match self.replace_by(stored, &earlier, hooks, "Upgrade", "Upgrade complete").await {
            Err(error) => Err(self.gone_back(&wanted.name, error).await),
            done => done,
        }
    }

    /// The common end of upgrade and rollback: hooks, objects, hooks, and the record of how it went.
    pub(crate) async fn replace_by(
        &self,
        mut stored: Stored,
        earlier: &Earlier,
        hooks: [&str; 2],
        what: &str,
        description: &str,
    ) -> Result<Stored> {
        let mut made = Vec::new();
        let carried_out = async {
            self.run_hooks(&mut stored, hooks[0]).await?;
            let objects = self.put(&stored.record, earlier, &mut made).await?;
            if self.waits() {
                self.all_ready(&objects).await?;
            }
            self.run_hooks(&mut stored, hooks[1]).await
        };
        match carried_out.await {
            Ok(()) => self.deployed(stored, description).await,
            Err(error) => {
                let error = self.failed(stored, what, error).await;
                if self.options.cleanup_on_failure {
                    // The reason of the failure is what matters; what could not be deleted is in the record's manifest.
                    let _ = self.take_away(made, Cascade::Background, false).await;
                }
                Err(error)
            }
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

/// What may be there: of the revision that runs, and of whatever was tried after it.
pub(crate) fn earlier(history: &[Stored], name: &str) -> Result<Earlier> {
    let mut all = Earlier::default();
    for stored in history.iter().rev() {
        all.objects.extend(parsed(name, &stored.record.manifest)?);
        all.by_updates |= !is_server_side(&stored.record);
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
        Former::Reuse | Former::ReuseOverNewChart => {
            let mut base = former.clone();
            lay_over(&mut base, given);
            base
        }
    };
    Ok(Values::from_json(&Value::Object(values))?)
}

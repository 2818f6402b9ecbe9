//! A release's first revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use landfall_cluster::api::Gvk;
use landfall_helm::release::{Record, Status, encode};
use landfall_helm::{Chart, Values};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::objects::{parsed, shown};
use crate::put::{Earlier, method};
use crate::store::{Stored, labelled, pending};
use crate::{Actions, DryRun, Error, MANAGER, Result};

/// What is to be installed.
#[derive(Debug, Clone)]
pub struct Install {
    pub name: String,
    pub chart: Arc<Chart>,
    pub values: Values,
    pub create_namespace: bool,
    /// Leave the chart's definitions out.
    pub skip_crds: bool,
    /// Take a name again whose last revision failed or was uninstalled with its history kept.
    pub replace: bool,
    /// Labels for the records.
    pub labels: BTreeMap<String, String>,
}

impl Actions {
    /// Installs a chart.
    ///
    /// # Errors
    /// Any of [`Error`]. Once the record is written, it says `failed` with the reason; unless the failure is to be undone:
    /// then nothing is left of it, and the error tells both.
    pub async fn install(&self, wanted: Install) -> Result<Stored> {
        let revision = self.free(&wanted).await?;
        let rendered = self.rendered(&wanted.name, &wanted.chart, &wanted.values, revision, true).await?;
        let now = Timestamp::now();
        let mut record = Record::new(
            &wanted.name,
            &self.namespace,
            revision,
            &wanted.chart,
            &wanted.values,
            &rendered,
            now,
        );
        record.apply_method = method(self.options.server_side.unwrap_or(true));
        record.labels = labelled(BTreeMap::new(), &wanted.labels)?;
        record.set_status(Status::PendingInstall, self.described("Initial install underway"));
        // One that is too large is refused before anything is changed.
        encode(&record)?;
        if let Some(run) = self.options.dry_run {
            if run == DryRun::Server {
                self.ours_or_new(&record, &[]).await?;
            }
            return Ok(self.dry(record));
        }
        if wanted.create_namespace {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": self.namespace, "labels": {"name": self.namespace}}});
            self.cluster.apply(&namespace, MANAGER, false).await?;
        }
        if !wanted.skip_crds {
            self.definitions(&rendered.crds.iter().map(|crd| &*crd.data).collect::<Vec<_>>()).await?;
        }
        let by_updates = self.ours_or_new(&record, &[]).await?;
        let earlier = Earlier { by_updates, ..Earlier::default() };
        let mut stored = self.begin(record).await?;
        match self.carry_out_install(&mut stored, &earlier).await {
            Ok(()) => self.deployed(stored, "Install complete").await,
            Err(error) => {
                let error = self.failed(stored, "Release", error).await;
                Err(self.removed(&wanted.name, error).await)
            }
        }
    }

    async fn carry_out_install(&self, stored: &mut Stored, earlier: &Earlier) -> Result<()> {
        self.run_hooks(stored, "pre-install").await?;
        let objects = self.put(&stored.record, earlier, &mut Vec::new()).await?;
        if self.waits() {
            self.all_ready(&objects).await?;
        }
        self.run_hooks(stored, "post-install").await
    }

    /// The revision that an installation of this name has, where the name is free.
    async fn free(&self, wanted: &Install) -> Result<i64> {
        let history = self.history(&wanted.name).await?;
        let Some(last) = history.last().map(|stored| &stored.record) else { return Ok(1) };
        if last.info.status.is_pending() {
            return Err(pending(last));
        }
        let may = matches!(last.info.status, Status::Uninstalled | Status::Failed) && wanted.replace;
        if may {
            return Ok(last.version + 1);
        }
        Err(Error::NameInUse {
            name: wanted.name.clone(),
            namespace: self.namespace.clone(),
            revision: last.version,
            status: last.info.status.to_string(),
        })
    }

    /// Makes the definitions of a chart's `crds/` that are not there yet, and waits until the API serves them. Those that are
    /// there stay as they are, as with Helm.
    pub(crate) async fn definitions(&self, files: &[&[u8]]) -> Result<()> {
        let mut made: Vec<Value> = Vec::new();
        for file in files {
            for object in parsed("crds", &String::from_utf8_lossy(file))? {
                let (Some(gvk), Some(name)) = (Gvk::of(&object), object["metadata"]["name"].as_str()) else {
                    continue;
                };
                if self.cluster.get(&gvk, None, name).await?.is_none() {
                    self.apply_definition(&object).await?;
                    made.push(object);
                }
            }
        }
        self.established(&made).await
    }

    pub(crate) async fn apply_definition(&self, object: &Value) -> Result<()> {
        let applied = self.cluster.apply(object, MANAGER, self.options.force_conflicts).await;
        applied.map(drop).map_err(|source| Error::Refused { object: shown(object), source })
    }

    pub(crate) async fn established(&self, made: &[Value]) -> Result<()> {
        let deadline = Instant::now() + self.options.timeout;
        for object in made {
            self.ready(object, deadline).await?;
        }
        Ok(())
    }
}

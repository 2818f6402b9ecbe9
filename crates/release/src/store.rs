//! Records in a cluster: read, written, forgotten.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_helm::release::{Entry, Record, Status, decode, prune, secret, secret_name};
use serde_json::Value;

use crate::{Actions, Error, Result};

/// What Helm says of a record by labels; all others are the user's.
const OWN_LABELS: [&str; 6] = ["createdAt", "modifiedAt", "name", "owner", "status", "version"];

/// A record, and when its Secret was made (seconds since 1970).
#[derive(Debug, Clone)]
pub struct Stored {
    pub record: Record,
    created: Option<i64>,
}

/// The newest revision of every release, in one namespace or in all, by namespace and name.
///
/// # Errors
/// Where the cluster does not answer, or a record cannot be read.
pub async fn list(cluster: &dyn Cluster, namespace: Option<&str>) -> Result<Vec<Stored>> {
    let mut newest: BTreeMap<(String, String), (i64, Value)> = BTreeMap::new();
    for found in cluster.list(&kind(), namespace, "owner=helm").await? {
        let word = |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let key = (word("/metadata/namespace").to_owned(), word("/metadata/labels/name").to_owned());
        let version = word("/metadata/labels/version").parse().unwrap_or(0);
        let known = newest.entry(key).or_insert((version, Value::Null));
        if known.1.is_null() || known.0 < version {
            *known = (version, found);
        }
    }
    newest.into_values().map(|(_, found)| read(&found)).collect()
}

impl Actions {
    /// All revisions, oldest first.
    ///
    /// # Errors
    /// Where the cluster does not answer, or a record cannot be read; none is no error.
    pub async fn history(&self, name: &str) -> Result<Vec<Stored>> {
        let selector = format!("owner=helm,name={name}");
        let found = self.cluster.list(&kind(), Some(&self.namespace), &selector).await?;
        let mut all = found.iter().map(read).collect::<Result<Vec<_>>>()?;
        all.sort_by_key(|stored| stored.record.version);
        Ok(all)
    }

    /// One revision, or the newest.
    ///
    /// # Errors
    /// [`Error::NoRelease`], [`Error::NoRevision`], or as [`Self::history`].
    pub async fn get(&self, name: &str, revision: Option<i64>) -> Result<Stored> {
        let mut all = self.history(name).await?;
        let Some(newest) = all.last().map(|stored| stored.record.version) else {
            return Err(self.missing(name));
        };
        let wanted = revision.unwrap_or(newest);
        let Some(at) = all.iter().position(|stored| stored.record.version == wanted) else {
            let known = all.iter().map(|stored| stored.record.version.to_string()).collect::<Vec<_>>();
            return Err(Error::NoRevision {
                name: name.to_owned(),
                revision: wanted,
                known: known.join(", "),
            });
        };
        Ok(all.swap_remove(at))
    }

    pub(crate) fn missing(&self, name: &str) -> Error {
        Error::NoRelease { name: name.to_owned(), namespace: self.namespace.clone() }
    }

    /// A revision that is only shown.
    pub(crate) fn dry(&self, mut record: Record) -> Stored {
        record.info.description = self.described("Dry run complete");
        Stored { record, created: None }
    }

    /// Writes a new revision.
    pub(crate) async fn begin(&self, record: Record) -> Result<Stored> {
        let created = Some(Timestamp::now().as_second());
        let object = secret(&record, created, None)?;
        self.cluster.create(&object).await.map_err(|source| refused(&object, source))?;
        Ok(Stored { record, created })
    }

    /// Writes a revision again, as it stands now.
    pub(crate) async fn keep(&self, stored: &Stored) -> Result<()> {
        let now = Some(Timestamp::now().as_second());
        let mut object = secret(&stored.record, stored.created, now)?;
        let name = secret_name(&stored.record.name, stored.record.version);
        let known = self.cluster.get(&kind(), Some(&self.namespace), &name).await?;
        if let Some(known) = known {
            object["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"].clone();
            // What others have noted on it stays.
            if known["metadata"]["annotations"].is_object() {
                object["metadata"]["annotations"] = known["metadata"]["annotations"].clone();
            }
        }
        self.cluster.replace(&object).await.map(drop).map_err(|source| refused(&object, source))
    }

    pub(crate) async fn forget(&self, record: &Record) -> Result<()> {
        let name = secret_name(&record.name, record.version);
        self.cluster.delete(&kind(), Some(&self.namespace), &name, false).await?;
        Ok(())
    }

    /// Marks a revision deployed and those before it superseded; the oldest are forgotten.
    pub(crate) async fn deployed(&self, mut stored: Stored, description: &str) -> Result<Stored> {
        let mut all = self.history(&stored.record.name).await?;
        all.retain(|one| one.record.version != stored.record.version);
        for former in all.iter_mut().filter(|one| one.record.info.status == Status::Deployed) {
            former.record.info.status = Status::Superseded;
            self.keep(former).await?;
        }
        stored.record.set_status(Status::Deployed, self.described(description));
        self.keep(&stored).await?;
        let entries: Vec<Entry> = all
            .iter()
            .chain([&stored])
            .map(|one| Entry { version: one.record.version, status: one.record.info.status })
            .collect();
        let surplus = prune(&entries, self.options.history);
        for one in all.iter().filter(|one| surplus.contains(&one.record.version)) {
            self.forget(&one.record).await?;
        }
        Ok(stored)
    }

    /// Marks a revision failed with the reason, and gives the reason back.
    pub(crate) async fn failed(&self, mut stored: Stored, what: &str, error: Error) -> Error {
        let why = format!("{what} {:?} failed: {error}", stored.record.name);
        stored.record.set_status(Status::Failed, why);
        // The reason itself is what matters; that it could not be noted shows in the record's status.
        let _ = self.keep(&stored).await;
        error
    }
}

/// A revision that is begun and not ended, as an error.
pub(crate) fn pending(record: &Record) -> Error {
    let since = record.info.last_deployed.map(|time| time.to_string()).unwrap_or_default();
    Error::Pending {
        name: record.name.clone(),
        revision: record.version,
        status: record.info.status.to_string(),
        since,
    }
}

/// Labels of the user's laid over those of the former revision; the word `null` takes one away, as with Helm.
///
/// # Errors
/// [`Error::OwnLabel`].
pub(crate) fn labelled(
    mut former: BTreeMap<String, String>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    if let Some(own) = given.keys().find(|key| OWN_LABELS.contains(&key.as_str())) {
        return Err(Error::OwnLabel(own.clone()));
    }
    former.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    former.retain(|_, value| value != "null");
    Ok(former)
}

fn kind() -> Gvk {
    Gvk::new("v1", "Secret")
}

fn refused(object: &Value, source: ClusterError) -> Error {
    Error::Refused { object: crate::objects::shown(object), source }
}

fn read(found: &Value) -> Result<Stored> {
    let name = found["metadata"]["labels"]["name"].as_str().unwrap_or_default();
    let failed = |why: String| Error::Record { name: name.to_owned(), why };
    let data = found["data"]["release"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(data).map_err(|error| failed(error.to_string()))?;
    let mut record = decode(&bytes).map_err(|error| failed(error.to_string()))?;
    let labels = found["metadata"]["labels"].as_object().into_iter().flatten();
    record.labels = labels
        .filter(|(key, _)| !OWN_LABELS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    let created = found["metadata"]["labels"]["createdAt"].as_str().and_then(|text| text.parse().ok());
    Ok(Stored { record, created })
}

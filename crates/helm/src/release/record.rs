//! A release record as data, and its JSON as Helm 4.3.1 writes and reads it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::chart::{Chart, File};
use crate::engine::{Hook, Rendered};
use crate::error::HelmError;
use crate::values::Values;

/// Where a release stands; the words are Helm's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Unknown,
    Deployed,
    Uninstalled,
    Superseded,
    Failed,
    Uninstalling,
    PendingInstall,
    PendingUpgrade,
    PendingRollback,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Unknown => "unknown",
            Status::Deployed => "deployed",
            Status::Uninstalled => "uninstalled",
            Status::Superseded => "superseded",
            Status::Failed => "failed",
            Status::Uninstalling => "uninstalling",
            Status::PendingInstall => "pending-install",
            Status::PendingUpgrade => "pending-upgrade",
            Status::PendingRollback => "pending-rollback",
        }
    }

    /// The word of a record or label; what is not known is [`Status::Unknown`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "deployed" => Status::Deployed,
            "uninstalled" => Status::Uninstalled,
            "superseded" => Status::Superseded,
            "failed" => Status::Failed,
            "uninstalling" => Status::Uninstalling,
            "pending-install" => Status::PendingInstall,
            "pending-upgrade" => Status::PendingUpgrade,
            "pending-rollback" => Status::PendingRollback,
            _ => Status::Unknown,
        }
    }

    /// Whether something was begun and not ended.
    pub fn is_pending(self) -> bool {
        matches!(self, Status::PendingInstall | Status::PendingUpgrade | Status::PendingRollback)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened to a release, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    pub first_deployed: Option<Timestamp>,
    pub last_deployed: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    pub description: String,
    pub status: Status,
    /// The revision that a rollback brought back; 0 for none.
    pub rollback_revision: i64,
    pub notes: String,
}

/// A hook as records hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordHook {
    pub name: String,
    pub kind: String,
    pub path: String,
    pub manifest: String,
    pub events: Vec<String>,
    pub weight: i64,
    pub delete_policies: Vec<String>,
    pub output_log_policies: Vec<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// `Unknown`, `Running`, `Succeeded`, `Failed` or empty.
    pub phase: String,
}

/// One revision of a release. `Debug` shows neither values nor manifests: they may hold passwords.
#[derive(Clone, PartialEq)]
pub struct Record {
    pub name: String,
    pub namespace: String,
    pub version: i64,
    pub info: Info,
    /// The chart as Helm's JSON has it: metadata, lock, templates, values, schema, files.
    pub chart: Value,
    /// The user's values.
    pub config: Map<String, Value>,
    pub manifest: String,
    pub hooks: Vec<RecordHook>,
    /// `ssa` or `csa`.
    pub apply_method: String,
    /// Labels of one's own on the Secret; not part of the JSON.
    pub labels: BTreeMap<String, String>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("version", &self.version)
            .field("status", &self.info.status)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// The record of a revision about to be applied.
    pub fn new(
        name: &str,
        namespace: &str,
        version: i64,
        chart: &Chart,
        values: &Values,
        rendered: &Rendered,
        now: Timestamp,
    ) -> Self {
        let (status, description) = if version <= 1 {
            (Status::PendingInstall, "Initial install underway")
        } else {
            (Status::PendingUpgrade, "Preparing upgrade")
        };
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            version,
            info: Info {
                first_deployed: Some(now),
                last_deployed: Some(now),
                deleted: None,
                description: description.to_owned(),
                status,
                rollback_revision: 0,
                notes: rendered.notes.clone(),
            },
            chart: chart_json(chart, &rendered.metadata),
            config: values.as_map().clone(),
            manifest: rendered.manifest_text(),
            hooks: rendered.hooks.iter().map(RecordHook::of).collect(),
            apply_method: "ssa".to_owned(),
            labels: BTreeMap::new(),
        }
    }

    /// Moves the release on.
    pub fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }

    /// The chart's `name-version`.
    pub fn chart_label(&self) -> String {
        let text = |key: &str| self.chart["metadata"][key].as_str().unwrap_or("").to_owned();
        format!("{}-{}", text("name"), text("version"))
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        put_text(&mut out, "name", &self.name);
        let mut info = Map::new();
        put_time(&mut info, "first_deployed", self.info.first_deployed);
        put_time(&mut info, "last_deployed", self.info.last_deployed);
        put_time(&mut info, "deleted", self.info.deleted);
        put_text(&mut info, "description", &self.info.description);
        put_text(&mut info, "status", self.info.status.as_str());
        if self.info.rollback_revision != 0 {
            info.insert("rollback_revision".to_owned(), json!(self.info.rollback_revision));
        }
        put_text(&mut info, "notes", &self.info.notes);
        out.insert("info".to_owned(), Value::Object(info));
        out.insert("chart".to_owned(), self.chart.clone());
        if !self.config.is_empty() {
            out.insert("config".to_owned(), Value::Object(self.config.clone()));
        }
        put_text(&mut out, "manifest", &self.manifest);
        if !self.hooks.is_empty() {
            out.insert(
                "hooks".to_owned(),
                Value::Array(self.hooks.iter().map(RecordHook::to_json).collect()),
            );
        }
        if self.version != 0 {
            out.insert("version".to_owned(), json!(self.version));
        }
        put_text(&mut out, "namespace", &self.namespace);
        put_text(&mut out, "apply_method", &self.apply_method);
        Value::Object(out)
    }

    pub(super) fn from_json(json: &Value) -> Result<Self, HelmError> {
        if !json.is_object() {
            return Err(HelmError::Record("it is no JSON object".to_owned()));
        }
        let info = &json["info"];
        Ok(Self {
            name: text(json, "name"),
            namespace: text(json, "namespace"),
            version: json["version"].as_i64().unwrap_or(0),
            info: Info {
                first_deployed: time(info, "first_deployed")?,
                last_deployed: time(info, "last_deployed")?,
                deleted: time(info, "deleted")?,
                description: text(info, "description"),
                status: Status::from_word(info["status"].as_str().unwrap_or("")),
                rollback_revision: info["rollback_revision"].as_i64().unwrap_or(0),
                notes: text(info, "notes"),
            },
            chart: json["chart"].clone(),
            config: json["config"].as_object().cloned().unwrap_or_default(),
            manifest: text(json, "manifest"),
            hooks: match &json["hooks"] {
                Value::Array(hooks) => hooks.iter().map(RecordHook::from_json).collect::<Result<_, _>>()?,
                _ => Vec::new(),
            },
            apply_method: text(json, "apply_method"),
            labels: BTreeMap::new(),
        })
    }
}

impl RecordHook {
    fn of(hook: &Hook) -> Self {
        let words = |values: Vec<Value>| -> Vec<String> {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            name: hook.name.clone(),
            kind: hook.kind.clone(),
            path: hook.source.clone(),
            manifest: hook.yaml.clone(),
            events: words(hook.events.iter().map(|event| json!(event)).collect()),
            weight: hook.weight,
            delete_policies: words(hook.delete_policies.iter().map(|policy| json!(policy)).collect()),
            output_log_policies: words(hook.output_log_policies.iter().map(|policy| json!(policy)).collect()),
            started_at: None,
            completed_at: None,
            phase: String::new(),
        }
    }

    fn to_json(&self) -> Value {
        let mut out = Map::new();
        put_text(&mut out, "name", &self.name);
        put_text(&mut out, "kind", &self.kind);
        put_text(&mut out, "path", &self.path);
        put_text(&mut out, "manifest", &self.manifest);
        put_list(&mut out, "events", &self.events);
        let mut run = Map::new();
        put_time(&mut run, "started_at", self.started_at);
        put_time(&mut run, "completed_at", self.completed_at);
        run.insert("phase".to_owned(), json!(self.phase));
        out.insert("last_run".to_owned(), Value::Object(run));
        if self.weight != 0 {
            out.insert("weight".to_owned(), json!(self.weight));
        }
        put_list(&mut out, "delete_policies", &self.delete_policies);
        put_list(&mut out, "output_log_policies", &self.output_log_policies);
        Value::Object(out)
    }

    fn from_json(json: &Value) -> Result<Self, HelmError> {
        let list = |key: &str| -> Vec<String> {
            let items = json[key].as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let run = &json["last_run"];
        Ok(Self {
            name: text(json, "name"),
            kind: text(json, "kind"),
            path: text(json, "path"),
            manifest: text(json, "manifest"),
            events: list("events"),
            weight: json["weight"].as_i64().unwrap_or(0),
            delete_policies: list("delete_policies"),
            output_log_policies: list("output_log_policies"),
            started_at: time(run, "started_at")?,
            completed_at: time(run, "completed_at")?,
            phase: text(run, "phase"),
        })
    }
}

/// A chart as records hold it; subcharts are not part of it, as in Helm.
fn chart_json(chart: &Chart, metadata: &Value) -> Value {
    let files = |files: &[File]| -> Value {
        files.iter().map(|file| json!({"name": file.name, "data": STANDARD.encode(&file.data)})).collect()
    };
    json!({
        "metadata": metadata,
        "lock": chart.lock.as_ref().unwrap_or(&Value::Null),
        "templates": files(&chart.templates),
        "values": Value::Object((*chart.values).clone()),
        "schema": chart.schema.as_ref().map(|schema| STANDARD.encode(schema)),
        "schemamodtime": "0001-01-01T00:00:00Z",
        "files": files(&chart.files),
    })
}

fn put_text(map: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() {
        map.insert(key.to_owned(), json!(text));
    }
}

fn put_list(map: &mut Map<String, Value>, key: &str, list: &[String]) {
    if !list.is_empty() {
        map.insert(key.to_owned(), json!(list));
    }
}

fn put_time(map: &mut Map<String, Value>, key: &str, time: Option<Timestamp>) {
    if let Some(time) = time {
        map.insert(key.to_owned(), json!(time.to_string()));
    }
}

fn text(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or("").to_owned()
}

fn time(json: &Value, key: &str) -> Result<Option<Timestamp>, HelmError> {
    match json[key].as_str() {
        None | Some("") => Ok(None),
        // The zero time of Go means that there is none.
        Some(text) if text.starts_with("0001-01-01T00:00:00") => Ok(None),
        Some(text) => {
            text.parse().map(Some).map_err(|_| HelmError::Record(format!("{key} is no time: {text:?}")))
        }
    }
}

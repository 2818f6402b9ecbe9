//! Records in Helm's own form, for charts that this run has rendered.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use landfall_helm::release::{Record, Status, decode, secret};
use landfall_helm::{Chart, HelmError, Rendered, Values};
use landfall_plan::model::Object;
use serde_json::Value;

use crate::error::{EngineError, Result};
use crate::records::{RecordSpec, Records};

/// A rendered chart with what its record holds.
pub(crate) struct Source {
    pub chart: Chart,
    pub values: Values,
    pub rendered: Rendered,
}

/// By `namespace/release`.
#[derive(Default)]
pub(crate) struct HelmRecords(pub HashMap<String, Source>);

// Values and manifests may hold passwords.
impl std::fmt::Debug for HelmRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HelmRecords").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

impl Records for HelmRecords {
    fn encode(&self, spec: &RecordSpec, former: Option<&Object>) -> Result<Object> {
        let source = self.0.get(&format!("{}/{}", spec.namespace, spec.release)).ok_or_else(|| {
            EngineError::Record {
                release: spec.release.clone(),
                what: "written",
                message: "its chart was not rendered in this run".to_owned(),
            }
        })?;
        let now = Timestamp::now();
        let version = i64::from(spec.revision);
        let mut record = Record::new(
            &spec.release,
            &spec.namespace,
            version,
            &source.chart,
            &source.values,
            &source.rendered,
            now,
        );
        if let Some(former) = former {
            record.info.first_deployed = read(former)?.info.first_deployed;
        }
        record.set_status(Status::from_word(&spec.status), spec.description.clone());
        secret(&record, Some(now.as_second()), None).map_err(|e| failed(&spec.release, "written", &e))
    }

    fn restate(&self, before: &Object, status: &str, description: &str) -> Result<Object> {
        let mut record = read(before)?;
        let description =
            if description.is_empty() { record.info.description.clone() } else { description.to_owned() };
        record.set_status(Status::from_word(status), description);
        let created = before["metadata"]["labels"]["createdAt"].as_str().and_then(|s| s.parse().ok());
        secret(&record, created, Some(Timestamp::now().as_second()))
            .map_err(|e| failed(&record.name, "rewritten", &e))
    }

    fn manifest(&self, before: &Object) -> Result<Vec<Object>> {
        let record = read(before)?;
        let documents = landfall_helm::yaml::parse_documents(&record.manifest).map_err(|e| {
            EngineError::Record { release: record.name.clone(), what: "read", message: e.to_string() }
        })?;
        Ok(documents.into_iter().filter(Value::is_object).collect())
    }
}

fn failed(release: &str, what: &'static str, error: &HelmError) -> EngineError {
    EngineError::Record { release: release.to_owned(), what, message: error.to_string() }
}

fn read(secret: &Object) -> Result<Record> {
    let name = crate::records::release_name(secret).to_owned();
    let data = secret["data"]["release"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(data).map_err(|e| EngineError::Record {
        release: name.clone(),
        what: "read",
        message: e.to_string(),
    })?;
    decode(&bytes).map_err(|e| failed(&name, "read", &e))
}

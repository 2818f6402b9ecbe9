//! Records in Secrets: `sh.helm.release.v1.<name>.v<revision>`.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use super::Record;
use crate::error::HelmError;
use crate::json::{self, Style};

/// The type of the Secret.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// What a Secret holds at most; the API server refuses more.
pub const LIMIT: usize = 1024 * 1024;
/// What a record may unpack to.
const MAX_UNPACKED: u64 = 256 << 20;

/// The Secret's name.
pub fn secret_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The bytes under the key `release`: base64 of gzip of JSON. (Kubernetes adds base64 of its own.)
///
/// # Errors
/// Where they are more than a Secret holds, with their size.
pub fn encode(record: &Record) -> Result<Vec<u8>, HelmError> {
    let text = json::write(&record.to_json(), Style::COMPACT);
    let failed = |error: std::io::Error| HelmError::Record(format!("cannot be packed: {error}"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).map_err(failed)?;
    let packed = STANDARD.encode(encoder.finish().map_err(failed)?);
    if packed.len() > LIMIT {
        return Err(HelmError::RecordTooLarge {
            name: record.name.clone(),
            size: packed.len(),
            limit: LIMIT,
        });
    }
    Ok(packed.into_bytes())
}

/// Reads what [`encode`] or Helm wrote.
pub fn decode(bytes: &[u8]) -> Result<Record, HelmError> {
    let unpacked = STANDARD
        .decode(bytes.trim_ascii())
        .map_err(|error| HelmError::Record(format!("its data is no base64: {error}")))?;
    // Very old records are not packed.
    let text = if unpacked.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut text = Vec::new();
        GzDecoder::new(&unpacked[..])
            .take(MAX_UNPACKED)
            .read_to_end(&mut text)
            .map_err(|error| HelmError::Record(format!("it cannot be unpacked: {error}")))?;
        text
    } else {
        unpacked
    };
    let json: Value = serde_json::from_slice(&text)
        .map_err(|error| HelmError::Record(format!("it is no JSON: {error}")))?;
    Record::from_json(&json)
}

/// The whole Secret as Helm makes it. `created` on the first write of a revision, else the record is
/// updated; both in seconds since 1970.
pub fn secret(record: &Record, created: Option<i64>, modified: Option<i64>) -> Result<Value, HelmError> {
    let mut labels = Map::new();
    for (key, value) in &record.labels {
        labels.insert(key.clone(), json!(value));
    }
    if let Some(seconds) = created {
        labels.insert("createdAt".to_owned(), json!(seconds.to_string()));
    }
    if let Some(seconds) = modified {
        labels.insert("modifiedAt".to_owned(), json!(seconds.to_string()));
    }
    labels.insert("name".to_owned(), json!(record.name));
    labels.insert("owner".to_owned(), json!("helm"));
    labels.insert("status".to_owned(), json!(record.info.status.as_str()));
    labels.insert("version".to_owned(), json!(record.version.to_string()));
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(&record.name, record.version),
            "namespace": record.namespace,
            "labels": labels,
        },
        "type": SECRET_TYPE,
        "data": {"release": STANDARD.encode(encode(record)?)},
    }))
}

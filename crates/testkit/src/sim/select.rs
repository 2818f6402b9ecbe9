//! Label selectors as text: `a=b,c!=d,e`.

use serde_json::Value;

pub fn matches(selector: &str, labels: &Value) -> bool {
    selector.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        if let Some((label, value)) = part.split_once("!=") {
            labels[label] != value
        } else if let Some((label, value)) = part.split_once('=') {
            labels[label] == value.trim_start_matches('=')
        } else if let Some(label) = part.strip_prefix('!') {
            labels.get(label).is_none()
        } else {
            labels.get(part).is_some()
        }
    })
}

//! Managed fields: what `helm` holds by updates becomes what it holds by apply. Pure.
//!
//! To the API server one program is two managers, one by each way. Without this, an apply meets conflicts with itself, and a
//! field that a manifest no longer names stays, since the update still holds it. The effect is that of client-go's
//! `csaupgrade`, which Helm calls when a release changes from client-side to server-side apply.

use serde_json::{Map, Value, json};

use crate::MANAGER;

/// The managed fields with all that is held by updates held by apply; none where nothing is.
pub(crate) fn taken_over(managed: &[Value]) -> Option<Vec<Value>> {
    let ours = |entry: &Value, operation: &str| {
        entry["manager"] == MANAGER
            && entry["operation"] == operation
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    };
    let updated = managed.iter().position(|entry| ours(entry, "Update"))?;
    let target = managed.iter().position(|entry| ours(entry, "Apply")).unwrap_or(updated);
    let mut applied = managed[target].clone();
    applied["operation"] = json!("Apply");
    // Fields of another version of the kind have other names: they cannot be laid together.
    let same = |entry: &&Value| ours(entry, "Update") && entry["apiVersion"] == applied["apiVersion"];
    if let Some(other) = managed.iter().find(same)
        && let (Some(fields), Some(more)) = (applied["fieldsV1"].as_object(), other["fieldsV1"].as_object())
    {
        applied["fieldsV1"] = Value::Object(union(fields, more));
    }
    let kept = managed.iter().enumerate().filter(|(at, entry)| *at == target || !ours(entry, "Update"));
    Some(kept.map(|(at, entry)| if at == target { applied.clone() } else { entry.clone() }).collect())
}

/// Two sets of fields as one. An empty map is a field itself; what has fields below says `.` where it is one, too.
fn union(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let mut all = one.clone();
    for (name, below) in other {
        let joined = match (all.get(name).and_then(Value::as_object), below.as_object()) {
            (Some(known), Some(more)) => {
                let mut joined = union(known, more);
                if known.is_empty() != more.is_empty() {
                    joined.insert(".".to_owned(), json!({}));
                }
                Value::Object(joined)
            }
            _ => below.clone(),
        };
        all.insert(name.clone(), joined);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn what_is_held_by_updates_is_held_by_apply() {
        let theirs = entry("kubectl", "Update", &json!({"f:data": {"f:b": {}}}));
        let before = [entry("helm", "Update", &json!({"f:data": {"f:a": {}}})), theirs.clone()];
        let after = [entry("helm", "Apply", &json!({"f:data": {"f:a": {}}})), theirs];
        assert_eq!(taken_over(&before).as_deref(), Some(&after[..]));
        assert_eq!(taken_over(&after), None, "nothing is left to do");
    }

    #[test]
    fn both_ways_of_holding_become_one() {
        let before = [
            entry("helm", "Apply", &json!({"f:data": {"f:a": {}}, "f:metadata": {}})),
            entry("helm", "Update", &json!({"f:data": {".": {}, "f:b": {}}, "f:metadata": {"f:labels": {}}})),
        ];
        let wanted =
            json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": {".": {}, "f:labels": {}}});
        assert_eq!(taken_over(&before), Some(vec![entry("helm", "Apply", &wanted)]));
    }

    #[test]
    fn status_is_not_ours_to_take() {
        let mut status = entry("helm", "Update", &json!({"f:status": {}}));
        status["subresource"] = json!("status");
        assert_eq!(taken_over(&[status]), None);
    }
}

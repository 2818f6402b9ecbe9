//! Server-side apply, as far as tests need it: fields that a manager no longer names go, fields of
//! another manager conflict, a Job's template is immutable. Lists are one value.

use landfall_cluster::api::{Applied, ClusterError, Gvk, Result};
use serde_json::{Map, Value};

use super::{Key, State, shown};

impl State {
    pub(super) fn apply(
        &mut self,
        gvk: &Gvk,
        key: &Key,
        object: &Value,
        manager: &str,
        force: bool,
    ) -> Result<(Applied, Value)> {
        if !key.1.is_empty()
            && !self.objects.contains_key(&("/Namespace".into(), String::new(), key.1.clone()))
        {
            return Err(ClusterError::NotFound { object: format!("Namespace//{}", key.1) });
        }
        let mut wanted = object.clone();
        if let Some(map) = wanted.as_object_mut() {
            map.remove("status");
        }
        let others: Vec<(String, Vec<String>)> = self
            .applied
            .iter()
            .filter(|((k, m), _)| k == key && m != manager)
            .map(|((_, m), theirs)| (m.clone(), conflicts(theirs, &wanted, "")))
            .filter(|(_, fields)| !fields.is_empty())
            .collect();
        if let Some((other, fields)) = others.first()
            && !force
        {
            return Err(ClusterError::Conflict {
                object: shown(key),
                manager: other.clone(),
                fields: fields.join(", "),
            });
        }
        let before = self.objects.get(key).cloned();
        let mut live = before.clone().unwrap_or_else(|| Value::Object(Map::new()));
        if let Some(old) = self.applied.get(&(key.clone(), manager.to_owned())) {
            retract(&mut live, old, &wanted);
        }
        merge(&mut live, &wanted);
        if let Some(before) = &before {
            let fixed = match gvk.kind.as_str() {
                "Job" => "/spec/template",
                "StatefulSet" => "/spec/volumeClaimTemplates",
                _ => "",
            };
            if !fixed.is_empty() && before.pointer(fixed) != live.pointer(fixed) {
                return Err(ClusterError::Invalid {
                    object: shown(key),
                    message: format!(
                        "{}: Invalid value: field is immutable",
                        fixed.trim_start_matches('/').replace('/', ".")
                    ),
                });
            }
        }
        self.applied.insert((key.clone(), manager.to_owned()), wanted);
        let after = self.put(live);
        let how = match before {
            None => Applied::Created,
            Some(b) if b["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"] => {
                Applied::Unchanged
            }
            Some(_) => Applied::Changed,
        };
        Ok((how, after))
    }
}

/// JSON merge patch, and apply's merging of maps.
pub(super) fn merge(live: &mut Value, wanted: &Value) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (field, value) in wanted {
                if value.is_null() {
                    live.remove(field);
                } else if let Some(found) = live.get_mut(field) {
                    merge(found, value);
                } else {
                    live.insert(field.clone(), value.clone());
                }
            }
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

/// Takes out what the old text had and the new has not.
fn retract(live: &mut Value, old: &Value, new: &Value) {
    let (Value::Object(live), Value::Object(old)) = (live, old) else { return };
    for (field, value) in old {
        match (new.get(field), live.get_mut(field)) {
            (None, Some(found)) if value.is_object() && found.is_object() => {
                retract(found, value, &Value::Object(Map::new()));
                if found.as_object().is_some_and(Map::is_empty) {
                    live.remove(field);
                }
            }
            (None, Some(_)) => {
                live.remove(field);
            }
            (Some(kept), Some(found)) => retract(found, value, kept),
            (_, None) => {}
        }
    }
}

fn conflicts(theirs: &Value, ours: &Value, path: &str) -> Vec<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => theirs
            .iter()
            .filter_map(|(field, value)| {
                ours.get(field).map(|own| conflicts(value, own, &format!("{path}.{field}")))
            })
            .flatten()
            .collect(),
        _ if theirs == ours => Vec::new(),
        _ => vec![path.trim_start_matches('.').to_owned()],
    }
}

//! Laying values over values, as Helm does with `-f` files, and reading them.

use serde_json::{Map, Value, json};

use crate::blueprint::Secrets;
use crate::inputs::Inputs;

/// Maps are merged, everything else is replaced. A null stays, since it takes a chart's default away.
pub(crate) fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(below) => overlay(below, value),
                    None => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// `images.tags` for those images that the inputs name: pairs of tag and image.
pub(crate) fn images(inputs: &Inputs, tags: &[(&str, &str)]) -> Value {
    let tags: Map<String, Value> = tags
        .iter()
        .filter_map(|(tag, image)| Some(((*tag).to_owned(), Value::from(inputs.image(image)?))))
        .collect();
    if tags.is_empty() { json!({}) } else { json!({ "images": { "tags": tags } }) }
}

/// A password, or null where there is none yet: the chart then says which it lacks.
pub(crate) fn password(secrets: &Secrets, name: &str) -> Value {
    secrets.0.get(name).map_or(Value::Null, |secret| Value::from(secret.as_str()))
}

/// `general`, or `default`: the cluster's own default class (a word of upstream's charts).
pub(crate) fn storage_class(inputs: &Inputs) -> &str {
    inputs.storage_class.as_deref().unwrap_or("default")
}

/// A number of the values; overrides may have it as text, as `--set-string` gives it.
pub(crate) fn count(values: &Value, pointer: &str, default: usize) -> usize {
    match values.pointer(pointer) {
        Some(Value::Number(number)) => number.as_f64().map_or(default, |number| number as usize),
        Some(Value::String(text)) => text.parse().unwrap_or(default),
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_merged_and_all_else_is_replaced() {
        let mut base = json!({"pod": {"replicas": {"api": 1, "x": 2}}, "list": [1, 2]});
        overlay(&mut base, &json!({"pod": {"replicas": {"api": 3}}, "list": [9], "new": null}));
        assert_eq!(base, json!({"pod": {"replicas": {"api": 3, "x": 2}}, "list": [9], "new": null}));
    }

    #[test]
    fn replicas_are_read_as_number_or_text() {
        assert_eq!(count(&json!({"a": {"b": 3.0}}), "/a/b", 1), 3);
        assert_eq!(count(&json!({"a": {"b": "3"}}), "/a/b", 1), 3);
        assert_eq!(count(&json!({"a": {}}), "/a/b", 2), 2);
    }
}

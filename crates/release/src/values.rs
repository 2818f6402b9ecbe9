//! The values that a revision was made with.

use landfall_helm::release::Record;
use serde_json::{Map, Value};

/// The chart's values with those given over them; null takes one of the chart's away.
pub fn computed(record: &Record) -> Map<String, Value> {
    let mut values = record.chart["values"].as_object().cloned().unwrap_or_default();
    lay_over(&mut values, &record.config);
    without_nulls(&mut values);
    values
}

/// Maps are merged, everything else is replaced.
pub(crate) fn lay_over(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn without_nulls(values: &mut Map<String, Value>) {
    values.retain(|_, value| !value.is_null());
    values.values_mut().filter_map(Value::as_object_mut).for_each(without_nulls);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_given_lie_over_the_others_key_by_key() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let mut base = map(json!({"a": {"b": 1, "c": [1, 2]}, "d": 1}));
        lay_over(&mut base, &map(json!({"a": {"c": [3]}, "e": {"f": null}})));
        assert_eq!(Value::Object(base.clone()), json!({"a": {"b": 1, "c": [3]}, "d": 1, "e": {"f": null}}));
        without_nulls(&mut base);
        assert_eq!(base["e"], json!({}));
    }
}

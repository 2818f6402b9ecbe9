//! Sprig's `merge` and `mergeOverwrite`: what the mergo library does to maps of Go, sharing included.

use gotmpl::{FuncError, Map, Value};

use super::MAX_PARTS;

/// Deeper than any real values; only maps that hold themselves get here.
const DEEPEST: usize = 1_000;

/// Merges `source` into `dest` in place. Without `overwrite`, what `dest` holds and is not empty stays.
///
/// # Errors
/// Where there are more maps to be merged than a function may copy: maps can be found in many places.
pub fn merge_into(dest: &Map, source: &Map, overwrite: bool) -> Result<(), FuncError> {
    merge(dest, source, overwrite, 0, &mut { MAX_PARTS })
}

fn merge(dest: &Map, source: &Map, overwrite: bool, depth: usize, left: &mut usize) -> Result<(), FuncError> {
    if depth > DEEPEST || dest.same(source) {
        return Ok(());
    }
    *left = left.checked_sub(1).ok_or("more than 4,000,000 maps are to be merged")?;
    for (key, value) in source.entries() {
        if value.is_nil() && !matches!(value, Value::Map(_) | Value::List(_)) {
            if overwrite {
                dest.insert(key, value);
            }
            continue;
        }
        let old = dest.get(&key);
        if let (Value::Map(from), Some(Value::Map(into))) = (&value, &old) {
            merge(into, from, overwrite, depth + 1, left)?;
        }
        // Lists are replaced by an overwriting merge even before emptiness is looked at.
        if overwrite && matches!(value, Value::List(_)) {
            dest.insert(key, value);
            continue;
        }
        match &old {
            Some(old) if !is_empty(old) => {
                let both_maps = matches!((&value, old), (Value::Map(_), Value::Map(_)));
                if both_maps || matches!(value, Value::List(_)) {
                    continue;
                }
                if overwrite {
                    dest.insert(key, value);
                }
            }
            _ => {
                dest.insert(key, value);
            }
        }
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    !matches!(value, Value::Object(_)) && !value.is_true()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::convert::{to_json, to_value};

    fn merged(dest: serde_json::Value, source: serde_json::Value, overwrite: bool) -> serde_json::Value {
        let dest = to_value(&dest);
        merge_into(dest.as_map().unwrap(), to_value(&source).as_map().unwrap(), overwrite).unwrap();
        to_json(&dest).unwrap()
    }

    #[test]
    fn what_is_there_stays_unless_empty() {
        let dest = json!({"a": 1, "b": "", "c": {"x": 1, "z": null}, "l": [1], "e": [], "n": null});
        let source =
            json!({"a": 2, "b": "s", "c": {"x": 2, "y": 3, "z": 4}, "l": [2], "e": [3], "n": 5, "new": {}});
        assert_eq!(
            merged(dest, source, false),
            json!({"a": 1, "b": "s", "c": {"x": 1, "y": 3, "z": 4}, "l": [1], "e": [3], "n": 5, "new": {}})
        );
    }

    #[test]
    fn overwriting_takes_the_source_even_where_empty() {
        let dest = json!({"a": 1, "t": true, "c": {"x": 1}, "l": [1], "m": {"k": 1}});
        let source = json!({"a": 0, "t": false, "c": {"y": 2}, "l": [], "m": "text", "n": null});
        assert_eq!(
            merged(dest, source, true),
            json!({"a": 0, "t": false, "c": {"x": 1, "y": 2}, "l": [], "m": "text", "n": null})
        );
    }
}

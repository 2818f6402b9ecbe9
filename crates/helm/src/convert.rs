//! Between JSON trees, which charts and callers hold, and the values that templates work on.

use base64::Engine as _;
use gotmpl::{Map, Value};
use serde_json::{Number, Value as Json};

use crate::capabilities::HelmVersionObject;
use crate::functions::{Duration, MAX_PARTS, rfc3339};

/// Nesting beyond which a value is taken for cyclic (`set` can put a map into itself).
const DEEPEST: usize = 400;

/// A template value; integers become `int64` (what `--set` gives), other numbers `float64`.
pub fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) if !number.is_f64() => Value::Int64(integer),
            _ => Value::Float64(number.as_f64().unwrap_or(0.0)),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::list(items.iter().map(to_value)),
        Json::Object(map) => Value::Map(to_map(map)),
    }
}

/// A template map.
pub fn to_map(json: &serde_json::Map<String, Json>) -> Map {
    json.iter().map(|(key, value)| (key, to_value(value))).collect()
}

/// What `json.Marshal` makes of a value.
///
/// # Errors
/// Infinities, NaN and cyclic values have no JSON form.
pub fn to_json(value: &Value) -> Result<Json, String> {
    convert(value, 0, Shape::Json, &mut { MAX_PARTS })
}

/// What a YAML encoder that knows Go's types sees: no nulls for nil maps and lists, bytes as numbers.
///
/// # Errors
/// As [`to_json`].
pub fn to_tree(value: &Value) -> Result<Json, String> {
    convert(value, 0, Shape::Go, &mut { MAX_PARTS })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Json,
    Go,
}

fn convert(value: &Value, depth: usize, shape: Shape, left: &mut usize) -> Result<Json, String> {
    *left = left
        .checked_sub(value.own_parts())
        .ok_or("json: unsupported value: it has more than 4,000,000 parts")?;
    if depth > DEEPEST {
        return Err("json: unsupported value: encountered a cycle".to_owned());
    }
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(integer) | Value::Int64(integer) => Json::from(*integer),
        Value::Uint8(integer) => Json::from(*integer),
        Value::Uint64(integer) => Json::from(*integer),
        Value::Float64(float) => match Number::from_f64(*float) {
            Some(number) => Json::Number(number),
            None => return Err(format!("json: unsupported value: {}", crate::number::format_g(*float))),
        },
        Value::String(text) => Json::String(text.to_str().into_owned()),
        Value::Bytes(bytes) if shape == Shape::Go => {
            Json::Array(bytes.iter().map(|b| Json::from(*b)).collect())
        }
        Value::Bytes(bytes) => Json::String(base64::engine::general_purpose::STANDARD.encode(bytes)),
        Value::List(list) if list.is_nil() && shape == Shape::Json => Json::Null,
        Value::List(list) => Json::Array(
            list.iter().map(|item| convert(item, depth + 1, shape, left)).collect::<Result<_, _>>()?,
        ),
        Value::Map(map) => map_to_json(map, depth, shape, left)?,
        Value::Object(object) => {
            if let Some(list) = object.as_list() {
                return convert(&Value::List(list), depth + 1, shape, left);
            }
            if let Some(duration) = value.downcast::<Duration>()
                && shape == Shape::Json
            {
                return Ok(Json::from(duration.0));
            }
            if let Some(time) = rfc3339(value) {
                return Ok(Json::String(time));
            }
            if value.downcast::<HelmVersionObject>().is_some() {
                return Ok(HelmVersionObject::to_json());
            }
            if let Some(map) = object.as_map() {
                map_to_json(&map, depth, shape, left)?
            } else {
                let fields = object.fields();
                if fields.is_empty()
                    && let Some(text) = object.display()
                {
                    return Ok(Json::String(text));
                }
                let mut out = serde_json::Map::new();
                for (name, field) in fields {
                    out.insert(name.into_owned(), convert(&field, depth + 1, shape, left)?);
                }
                Json::Object(out)
            }
        }
    })
}

fn map_to_json(map: &Map, depth: usize, shape: Shape, left: &mut usize) -> Result<Json, String> {
    if map.is_nil() && shape == Shape::Json {
        return Ok(Json::Null);
    }
    let mut out = serde_json::Map::new();
    for (key, value) in map.borrow().sorted() {
        *left = left.saturating_sub(key.len() / 16);
        out.insert(key.to_str().into_owned(), convert(value, depth + 1, shape, left)?);
    }
    Ok(Json::Object(out))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_their_go_kind() {
        let value = to_value(&json!({"int": 1, "float": 1.0}));
        let map = value.as_map().unwrap();
        assert_eq!(map.get("int").unwrap().type_name(), "int64");
        assert_eq!(map.get("float").unwrap().type_name(), "float64");
    }

    #[test]
    fn a_map_within_itself_is_an_error() {
        let map = Map::new();
        map.insert("self", Value::Map(map.clone()));
        assert!(to_json(&Value::Map(map.clone())).is_err());
        map.remove("self");
    }
}

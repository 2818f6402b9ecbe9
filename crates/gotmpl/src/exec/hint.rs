//! For people: what was nil, and which keys are there instead.

use super::Val;
use crate::error::by_nearness;
use crate::value::{Map, Value};

/// How many keys are told.
const SHOWN: usize = 5;

/// What may help where following `names[at]` failed: the first name on the way that is not there.
pub(super) fn for_chain(receiver: &Val, names: &[Box<str>], at: usize) -> Option<String> {
    let mut value = receiver.value().clone();
    let mut path = String::new();
    for name in &names[..=at] {
        let map = as_map(&value)?;
        match map.get(&**name) {
            Some(Value::Nil) => return Some(format!("{path}.{name} is null")),
            Some(next) => value = next,
            None => return Some(missing(&map, &path, name)),
        }
        path.push('.');
        path.push_str(name);
    }
    None
}

fn missing(map: &Map, path: &str, name: &str) -> String {
    let place = if path.is_empty() { "here" } else { path };
    let keys = map.keys();
    if keys.is_empty() {
        return format!("{path}.{name} is not set; {place} is empty");
    }
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let near = by_nearness(name, keys.iter().map(String::as_str));
    let more = if near.len() > SHOWN { ", …" } else { "" };
    let shown = near[..near.len().min(SHOWN)].join(", ");
    if path.is_empty() {
        format!(".{name} is not set; there are {shown}{more}")
    } else {
        format!("{path}.{name} is not set; {path} has {shown}{more}")
    }
}

fn as_map(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Object(object) => object.as_map(),
        _ => None,
    }
}

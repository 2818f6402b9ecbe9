//! `index`, `slice` and `len`, with Go's words for what cannot be done.

use crate::exec::Val;
use crate::value::{List, Map, Str, Value};

/// What reflection says where Go indexes just behind the end.
const BEHIND_SLICE: &str = "reflect: slice index out of range";
const BEHIND_STRING: &str = "reflect: string index out of range";

/// Objects that are maps count as maps.
fn map_of(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Object(object) => object.as_map(),
        _ => None,
    }
}

/// Objects that are lists count as lists.
fn list_of(value: &Value) -> Option<List> {
    match value {
        Value::List(list) => Some(list.clone()),
        Value::Object(object) => object.as_list(),
        _ => None,
    }
}

/// The type behind a pointer.
fn pointed_to(value: &Value) -> String {
    value.type_name().trim_start_matches('*').to_owned()
}

pub(super) fn index(args: &[Val]) -> Result<Value, String> {
    let mut item = args.first().map_or(Value::Nil, |arg| arg.value().clone());
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    for key in args.iter().skip(1).map(Val::value) {
        if let Value::Object(object) = &item
            && let Some(list) = object.as_list()
        {
            item = Value::List(list);
        }
        item = match &item {
            Value::Nil => return Err("index of nil pointer".to_owned()),
            Value::List(list) => {
                let at = position(key, list.len())?;
                list.get(at).ok_or(BEHIND_SLICE)?.clone()
            }
            Value::Bytes(bytes) => {
                let at = position(key, bytes.len())?;
                Value::Uint8(*bytes.get(at).ok_or(BEHIND_SLICE)?)
            }
            Value::String(text) => {
                let at = position(key, text.len())?;
                Value::Uint8(*text.as_bytes().get(at).ok_or(BEHIND_STRING)?)
            }
            other => {
                let map =
                    map_of(other).ok_or_else(|| format!("can't index item of type {}", pointed_to(other)))?;
                let key = match key {
                    Value::String(key) => key,
                    Value::Nil => return Err("value is nil; should be of type string".to_owned()),
                    other => return Err(format!("value has type {}; should be string", other.type_name())),
                };
                map.get(key).unwrap_or_else(|| map.map_type().zero())
            }
        };
    }
    Ok(item)
}

/// An index from 0 to `len`; Go finds out later that `len` itself is too far.
fn position(index: &Value, len: usize) -> Result<usize, String> {
    if let Value::Uint64(n) = index
        && i64::try_from(*n).is_err()
    {
        return Err(format!("index out of range: {}", *n as i64));
    }
    let Some(at) = index.as_int() else {
        return Err(match index {
            Value::Nil => "cannot index slice/array with nil".to_owned(),
            other => format!("cannot index slice/array with type {}", other.type_name()),
        });
    };
    usize::try_from(at).ok().filter(|&at| at <= len).ok_or_else(|| format!("index out of range: {at}"))
}

pub(super) fn slice(args: &[Val]) -> Result<Value, String> {
    let item = args.first().map_or(&Value::Nil, Val::value);
    let listed = list_of(item).map(Value::List);
    let item = listed.as_ref().unwrap_or(item);
    let indexes = args.get(1..).unwrap_or_default();
    if matches!(item, Value::Nil) {
        return Err("slice of untyped nil".to_owned());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let len = match item {
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".to_owned()),
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", pointed_to(other))),
    };
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        if index.is_interface() {
            // Unlike `index`, `slice` does not look into interfaces: a number of a map will not do.
            return Err("cannot index slice/array with type interface {}".to_owned());
        }
        *bound = position(index.value(), len)?;
    }
    let [from, to, max] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if indexes.len() == 3 && to > max {
        return Err(format!("invalid slice index: {to} > {max}"));
    }
    Ok(match item {
        Value::String(text) => Value::String(Str::from(&text.as_bytes()[from..to])),
        Value::Bytes(bytes) => Value::bytes(&bytes[from..to]),
        Value::List(list) => Value::List(List::of(list.list_type(), list[from..to].to_vec())),
        _ => Value::Nil,
    })
}

pub(super) fn length(args: &[Val]) -> Result<i64, String> {
    let Some(arg) = args.first().filter(|arg| arg.is_valid()) else {
        // What becomes of a panic in Go's reflection.
        return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
    };
    let length = match arg.value() {
        Value::Nil => return Err("len of nil pointer".to_owned()),
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        other => match (map_of(other), list_of(other)) {
            (Some(map), _) => map.len(),
            (None, Some(list)) => list.len(),
            (None, None) => return Err(format!("len of type {}", pointed_to(other))),
        },
    };
    Ok(length as i64)
}

//! Deep equality as `reflect.DeepEqual` has it, and deep copies.

use std::collections::HashSet;

use foldhash::quality::RandomState;

use super::{List, Map, Value};

/// Values that nest deeper are held for cyclic, which only `set` of a map into itself makes.
const DEEPEST: usize = 2_000;

impl Value {
    /// `reflect.DeepEqual`: types must agree (an `int` is never an `int64`), a nil map is not an empty one.
    pub fn deep_equal(&self, other: &Value) -> bool {
        equal(self, other, 0, &mut Met::default())
    }

    /// Whether it has more than this many parts, each counted as often as it can be reached: values, and each 16 bytes
    /// of their texts and keys.
    pub fn has_more_parts_than(&self, most: usize) -> bool {
        let mut left = most;
        !takes(self, 0, &mut left)
    }

    /// Parts of this value by itself, without those of the values within.
    pub fn own_parts(&self) -> usize {
        1 + self.as_bytes().map_or(0, <[u8]>::len) / 16
    }

    /// A copy that shares no map or list with this value. Objects are shared.
    pub fn deep_copy(&self) -> Value {
        copy(self, 0)
    }
}

impl Map {
    /// A copy that shares no map or list with this one.
    pub fn deep_copy(&self) -> Map {
        copy_map(self, 0)
    }
}

/// Pairs of containers that were met: they are held for equal while they are compared, and not compared again.
type Met = HashSet<(usize, usize), RandomState>;

fn equal(a: &Value, b: &Value, depth: usize, met: &mut Met) -> bool {
    if depth > DEEPEST {
        return true;
    }
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Uint8(a), Value::Uint8(b)) => a == b,
        (Value::Uint64(a), Value::Uint64(b)) => a == b,
        #[allow(clippy::float_cmp, reason = "Go compares floats exactly too")]
        (Value::Float64(a), Value::Float64(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            if a.list_type() != b.list_type() || a.is_nil() != b.is_nil() || a.len() != b.len() {
                return false;
            }
            let (first, second) = (a.address(), b.address());
            first == second
                || !met.insert((first, second))
                || a.iter().zip(b.iter()).all(|(a, b)| equal(a, b, depth + 1, met))
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.same(b) {
                return true;
            }
            if a.map_type() != b.map_type() || a.is_nil() != b.is_nil() || a.len() != b.len() {
                return false;
            }
            if !met.insert((a.address(), b.address())) {
                return true;
            }
            let (a, b) = (a.borrow(), b.borrow());
            a.unordered().all(|(key, value)| {
                b.get(key.as_bytes()).is_some_and(|other| equal(value, other, depth + 1, met))
            })
        }
        (Value::Object(a), Value::Object(b)) => a.equals(&**b),
        _ => false,
    }
}

/// Takes a part off for each value within this one; false once there are none left.
fn takes(value: &Value, depth: usize, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(value.own_parts()) else { return false };
    *left = rest;
    if depth > DEEPEST {
        return true;
    }
    match value {
        Value::List(list) => list.iter().all(|item| takes(item, depth + 1, left)),
        Value::Map(map) => map.borrow().unordered().all(|(key, item)| {
            *left = left.saturating_sub(key.len() / 16);
            takes(item, depth + 1, left)
        }),
        _ => true,
    }
}

fn copy(value: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return value.clone();
    }
    match value {
        Value::List(list) if !list.is_nil() => {
            Value::List(List::of(list.list_type(), list.iter().map(|item| copy(item, depth + 1)).collect()))
        }
        Value::Map(map) => Value::Map(copy_map(map, depth)),
        other => other.clone(),
    }
}

fn copy_map(map: &Map, depth: usize) -> Map {
    if map.is_nil() {
        return map.clone();
    }
    let entries = map.borrow();
    let copies = entries.unordered().map(|(key, value)| (key.clone(), copy(value, depth + 1)));
    Map::from_entries(map.map_type(), copies)
}

#[cfg(test)]
mod tests {
    use super::super::MapType;
    use super::*;

    #[test]
    fn a_change_is_seen_through_every_clone_but_not_through_a_copy() {
        let inner = Map::new();
        let tree = Value::map([("inner", inner.clone())]);
        let copy = tree.deep_copy();
        inner.insert("x", Value::Int(1));
        assert_eq!(tree.to_string(), "map[inner:map[x:1]]");
        assert_eq!(copy.to_string(), "map[inner:map[]]");
    }

    #[test]
    fn what_holds_its_parts_twice_is_compared_and_counted_in_time() {
        let doubled = || (0..200).fold(Value::list(["a"]), |inner, _| Value::list([inner.clone(), inner]));
        assert!(doubled().deep_equal(&doubled()));
        assert!(doubled().has_more_parts_than(1_000));
        assert!(!Value::list(["a", "b"]).has_more_parts_than(3));
    }

    #[test]
    fn equality_minds_types_and_nil() {
        assert!(!Value::Int(1).deep_equal(&Value::Int64(1)));
        assert!(!Value::Map(Map::nil(MapType::Any)).deep_equal(&Value::Map(Map::new())));
        assert!(Value::list(["a"]).deep_equal(&Value::list(["a"])));
        assert!(!Value::list(["a"]).deep_equal(&Value::strings(["a"])));
    }
}

//! Values of templates written as YAML without a tree made of them first.

use std::cell::Cell;

use gotmpl::Value;
use serde_json::Number;

use super::json::check_text;
use super::write::{Context, Emitter, Node, emit};
use crate::functions::MAX_PARTS;

/// Nesting beyond which a value may be cyclic.
const DEEPEST: usize = 100;

/// What [`marshal`](super::marshal) gives for what a value is in JSON. None for what is written in a way of its own, or not
/// at all: objects, bytes, what is no text for YAML, and what is very deep or large.
pub fn write_value(value: &Value) -> Option<String> {
    emit(Plain { value, depth: 0, left: &Cell::new(MAX_PARTS) })
}

#[derive(Clone, Copy)]
struct Plain<'v> {
    value: &'v Value,
    depth: usize,
    /// Parts that may still be written.
    left: &'v Cell<usize>,
}

impl<'v> Plain<'v> {
    fn within(self, value: &'v Value) -> Self {
        Self { value, depth: self.depth + 1, ..self }
    }

    /// Takes parts off; None where so many are not left.
    fn takes(self, parts: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(parts)?);
        Some(())
    }
}

impl Node for Plain<'_> {
    fn write(self, emitter: &mut Emitter, context: Context) -> Option<()> {
        self.takes(self.value.own_parts())?;
        if self.depth > DEEPEST {
            return None;
        }
        match self.value {
            Value::Nil => emitter.null(context),
            Value::Bool(flag) => emitter.bool(*flag, context),
            Value::Int(integer) | Value::Int64(integer) => emitter.number(&Number::from(*integer), context),
            Value::Uint8(integer) => emitter.number(&Number::from(*integer), context),
            Value::Uint64(integer) => emitter.number(&Number::from(*integer), context),
            Value::Float64(float) => emitter.number(&Number::from_f64(*float)?, context),
            Value::String(text) => emitter.text(as_text(text)?, context),
            Value::List(list) if list.is_nil() => emitter.null(context),
            Value::List(list) => emitter.list(list.iter().map(|item| self.within(item)), context)?,
            Value::Map(map) if map.is_nil() => emitter.null(context),
            Value::Map(map) => {
                let entries = map.borrow();
                let entries = entries.unordered().map(|(key, value)| {
                    self.takes(key.len() / 16)?;
                    Some((as_text(key)?, self.within(value)))
                });
                emitter.map(entries.collect::<Option<_>>()?)?;
            }
            Value::Bytes(_) | Value::Object(_) => return None,
        }
        Some(())
    }
}

/// A text that is the same once it has gone through JSON.
fn as_text(text: &gotmpl::Str) -> Option<&str> {
    text.as_str().filter(|text| check_text(text).is_ok() && !super::json::has_next_line(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gotmpl::{List, ListType, Map, MapType};

    use super::*;
    use crate::convert::to_json;
    use crate::yaml::marshal;

    #[test]
    fn values_are_written_as_their_json() {
        let values = Value::map([
            ("b10", Value::list([Value::Int(1), Value::Float64(1e6), Value::Float64(2.5), Value::Uint8(3)])),
            ("b2", Value::map([("yes", Value::Bool(true)), ("é", Value::Nil)])),
            ("text", Value::from("one\n  two\n")),
            (
                "empty",
                Value::list([Value::Map(Map::new()), Value::list(Vec::<Value>::new()), Value::from("")]),
            ),
            ("nil", Value::list([Value::List(List::nil(ListType::Any)), Value::Map(Map::nil(MapType::Any))])),
            ("a\nb", Value::from("a: b # c")),
        ]);
        assert_eq!(write_value(&values), Some(marshal(&to_json(&values).unwrap()).unwrap()));
    }

    #[test]
    fn what_json_changes_or_refuses_is_left_to_it() {
        let cyclic = Map::new();
        cyclic.insert("self", Value::Map(cyclic.clone()));
        for value in [
            Value::from("\u{7f}"),
            Value::from("a\u{85}b"),
            Value::string(&b"\xff"[..]),
            Value::bytes(&b"a"[..]),
            Value::Float64(f64::NAN),
            Value::Map(cyclic.clone()),
            Value::map([("a\u{85}b", 1.0)]),
        ] {
            assert_eq!(write_value(&Value::list([value])), None);
        }
        cyclic.remove("self");

        // Few parts, but the keys are written as often as the map is.
        let long = Value::map([("k".repeat(1 << 20), Value::Nil)]);
        assert!(write_value(&Value::list(vec![long; MAX_PARTS / (1 << 16) + 1])).is_none());
    }
}

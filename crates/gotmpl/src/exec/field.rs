//! Follows chains of fields: map entries, fields and methods of objects.

use super::{Result, State, Val, hint};
use crate::ast::{At, Expr};
use crate::template::MissingKey;
use crate::value::{Map, Value};

impl<'t> State<'t> {
    /// `.a.b` from a receiver. Only the last name gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Val,
        receiver: &Val,
        expr: &'t Expr,
        names: &'t [Box<str>],
        args: &'t [Expr],
        mut last: Option<Val>,
    ) -> Result<Val> {
        if args.len() <= 1
            && last.is_none()
            && let Some(value) = entry_at(receiver, names)
        {
            return Ok(value);
        }
        let mut value: Option<Val> = None;
        for (at, name) in names.iter().enumerate() {
            let from = value.as_ref().unwrap_or(receiver);
            let (args, last) = if at + 1 == names.len() { (args, last.take()) } else { (&[][..], None) };
            let next = self.field(dot, from, expr, name, args, last);
            value = Some(next.map_err(|error| match hint::for_chain(receiver, names, at) {
                Some(hint) if error.details().cause.is_none() => error.with_hint(hint),
                _ => error,
            })?);
        }
        Ok(value.unwrap_or_default())
    }

    fn field(
        &mut self,
        dot: &Val,
        receiver: &Val,
        expr: &'t Expr,
        name: &'t str,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        let missing_key = self.run.templates.options.missing_key;
        if !receiver.is_valid() {
            if missing_key == MissingKey::Error {
                return Err(self.error(format!("nil data; no entry for key {}", crate::format::quote(name))));
            }
            return Ok(Val::INVALID);
        }
        if receiver.is_nil_interface() {
            return Err(self.error(format!("nil pointer evaluating interface {{}}.{name}")));
        }
        let has_args = args.len() > 1 || last.is_some();
        match receiver.value() {
            Value::Map(map) => self.entry(map, name, has_args, missing_key),
            Value::Object(object) => {
                if let Some(signature) = object.method(name) {
                    let object = std::rc::Rc::clone(object);
                    return self.method(dot, &object, signature, At::Expr(expr), name, args, last);
                }
                if let Some(value) = object.field(name) {
                    if has_args {
                        return Err(
                            self.error(format!("{name} has arguments but cannot be invoked as function"))
                        );
                    }
                    return Ok(Val::concrete(value));
                }
                match object.as_map() {
                    Some(map) => self.entry(&map, name, has_args, missing_key),
                    None => Err(self.no_field(name, receiver)),
                }
            }
            _ => Err(self.no_field(name, receiver)),
        }
    }

    fn entry(&self, map: &Map, name: &str, has_args: bool, missing_key: MissingKey) -> Result<Val> {
        if has_args {
            return Err(self.error(format!("{name} is not a method but has arguments")));
        }
        let interfaces = map.map_type().holds_interfaces();
        match (map.get(name), missing_key) {
            (Some(value), _) => Ok(Val::element(value, interfaces)),
            (None, MissingKey::Default) => Ok(Val::INVALID),
            (None, MissingKey::Zero) => Ok(Val::element(map.map_type().zero(), interfaces)),
            (None, MissingKey::Error) => {
                Err(self.error(format!("map has no entry for key {}", crate::format::quote(name))))
            }
        }
    }

    fn no_field(&self, name: &str, receiver: &Val) -> crate::error::Error {
        self.error(format!("can't evaluate field {name} in type {}", receiver.static_type()))
    }
}

/// What a chain of names leads to, through maps only, and where all of them are there: nearly always.
fn entry_at(receiver: &Val, names: &[Box<str>]) -> Option<Val> {
    let (last, path) = names.split_last()?;
    let mut map = receiver.value().as_map()?;
    let mut within;
    for name in path {
        let Some(Value::Map(next)) = map.get(&**name) else { return None };
        within = next;
        map = &within;
    }
    Some(Val::element(map.get(&**last)?, map.map_type().holds_interfaces()))
}

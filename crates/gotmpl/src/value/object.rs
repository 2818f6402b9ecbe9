//! Values with fields and methods that the program behind the templates brings along.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use super::{Kind, List, Map, Value};
use crate::func::{Context, FuncError, Signature};

/// A Go struct, or a named map with methods, seen from a template: `.Capabilities`, `.Files`, a time.
///
/// Only [`Object::type_name`] and [`Object::as_any`] must be given. Methods win over fields, as in Go.
pub trait Object: fmt::Debug {
    /// Go's name of the type as `%T` prints it: `*common.Capabilities`, `time.Time`.
    fn type_name(&self) -> Cow<'static, str>;

    /// For functions that know the Rust type behind the object.
    fn as_any(&self) -> &dyn Any;

    /// The Go kind, as Sprig's `kindOf` names it.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// A struct field; `None` where there is no such field.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// The exported fields with their values, in declaration order: for `%v`, JSON and YAML.
    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        Vec::new()
    }

    /// The entries, for a named map with methods. Such an object is indexed, ranged over and measured as a map.
    fn as_map(&self) -> Option<Map> {
        None
    }

    /// The elements, for a named list with methods. Such an object is indexed, ranged over and measured as a list.
    fn as_list(&self) -> Option<List> {
        None
    }

    /// The number, for a named integer: a duration, a weekday. It compares and prints (`%d`) as one.
    fn as_int(&self) -> Option<i64> {
        None
    }

    /// The signature of a method; `None` where there is no such method.
    fn method(&self, _name: &str) -> Option<Signature> {
        None
    }

    /// Calls a method that [`Object::method`] knows, with arguments checked against its signature.
    fn call(&self, name: &str, _context: &mut Context<'_>, _args: &[Value]) -> Result<Value, FuncError> {
        Err(FuncError::new(format!("no method {name}")))
    }

    /// What Go's `String()` or `Error()` method prints, where the type has one.
    fn display(&self) -> Option<String> {
        None
    }

    /// Go's truth: a struct is always true, a map when it has entries.
    fn is_true(&self) -> bool {
        self.as_map().is_none_or(|map| !map.is_empty())
    }

    /// Whether two objects are equal, as `reflect.DeepEqual` and `==` see it.
    fn equals(&self, other: &dyn Object) -> bool {
        std::ptr::addr_eq(std::ptr::from_ref(self.as_any()), std::ptr::from_ref(other.as_any()))
    }
}

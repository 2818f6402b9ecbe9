//! The values that templates work on: Go's kinds, with Go's sharing, truth, equality and names.
//!
//! Not here: formats such as JSON and YAML. A rendering lives on one thread, so containers are `Rc`; strings
//! are `Arc`, since parsed templates hold some and are shared.

mod equal;
mod list;
mod map;
mod object;
mod text;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

pub use list::{List, ListType};
pub use map::{Entries, Map, MapType};
pub use object::Object;
pub use text::Str;
pub(crate) use text::{decode_rune, runes};

/// A Go value. Cloning is cheap; clones of a map share its entries.
#[derive(Clone, Default)]
pub enum Value {
    /// Untyped nil: a null, a missing value.
    #[default]
    Nil,
    Bool(bool),
    /// Go's `int`: literals, `len`, `until`.
    Int(i64),
    /// Go's `int64`: what Sprig's arithmetic gives.
    Int64(i64),
    /// Go's `uint8`: a byte of a string.
    Uint8(u8),
    Uint64(u64),
    /// All numbers of values files.
    Float64(f64),
    String(Str),
    /// Go's `[]uint8`: file contents.
    Bytes(Rc<[u8]>),
    List(List),
    Map(Map),
    Object(Rc<dyn Object>),
}

/// Go's kinds, named as `reflect.Kind` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Invalid,
    Bool,
    Int,
    Int64,
    Uint8,
    Uint64,
    Float64,
    String,
    Slice,
    Map,
    Struct,
    Ptr,
    Func,
}

impl Kind {
    /// The name, as Sprig's `kindOf` gives it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Int64 => "int64",
            Kind::Uint8 => "uint8",
            Kind::Uint64 => "uint64",
            Kind::Float64 => "float64",
            Kind::String => "string",
            Kind::Slice => "slice",
            Kind::Map => "map",
            Kind::Struct => "struct",
            Kind::Ptr => "ptr",
            Kind::Func => "func",
        }
    }
}

impl Value {
    /// A `map[string]interface {}`.
    pub fn map<K: Into<Str>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Value::Map(entries.into_iter().collect())
    }

    /// A `[]interface {}`.
    pub fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Value::List(List::strings(items))
    }

    /// A string; bytes need not be UTF-8.
    pub fn string(text: impl Into<Str>) -> Self {
        Value::String(text.into())
    }

    /// A `[]uint8`.
    pub fn bytes(bytes: impl Into<Rc<[u8]>>) -> Self {
        Value::Bytes(bytes.into())
    }

    /// An object.
    pub fn object(object: impl Object + 'static) -> Self {
        Value::Object(Rc::new(object))
    }

    /// The Go kind.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Invalid,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Int64(_) => Kind::Int64,
            Value::Uint8(_) => Kind::Uint8,
            Value::Uint64(_) => Kind::Uint64,
            Value::Float64(_) => Kind::Float64,
            Value::String(_) => Kind::String,
            Value::Bytes(_) | Value::List(_) => Kind::Slice,
            Value::Map(_) => Kind::Map,
            Value::Object(object) => object.kind(),
        }
    }

    /// Go's name of the type as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Value::Nil => "<nil>",
            Value::Bytes(_) => "[]uint8",
            Value::List(list) => list.list_type().name(),
            Value::Map(map) => map.map_type().name(),
            Value::Object(object) => return object.type_name(),
            scalar => scalar.kind().name(),
        })
    }

    /// Go's truth, as `if` sees it: zero, empty and nil are false.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(truth) => *truth,
            Value::Int(n) | Value::Int64(n) => *n != 0,
            Value::Uint8(n) => *n != 0,
            Value::Uint64(n) => *n != 0,
            Value::Float64(n) => *n != 0.0,
            Value::String(text) => !text.is_empty(),
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Object(object) => object.is_true(),
        }
    }

    /// Nil of any type: untyped, a nil map or a nil list.
    pub fn is_nil(&self) -> bool {
        match self {
            Value::Nil => true,
            Value::List(list) => list.is_nil(),
            Value::Map(map) => map.is_nil(),
            _ => false,
        }
    }

    /// The text of a string that is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => text.as_str(),
            _ => None,
        }
    }

    /// A string, UTF-8 or not.
    pub fn as_string(&self) -> Option<&Str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a string or a `[]uint8`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::String(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// An integer of any width; not a float.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) | Value::Int64(n) => Some(*n),
            Value::Uint8(n) => Some(i64::from(*n)),
            Value::Uint64(n) => i64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// A number of any kind.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Float64(n) => Some(*n),
            Value::Uint64(n) => Some(*n as f64),
            other => other.as_int().map(|n| n as f64),
        }
    }

    /// A list (not a `[]uint8`).
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// A map; not an object that is one ([`Object::as_map`]).
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// An object.
    pub fn as_object(&self) -> Option<&dyn Object> {
        match self {
            Value::Object(object) => Some(&**object),
            _ => None,
        }
    }

    /// An object of a Rust type.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        self.as_object().and_then(|object| object.as_any().downcast_ref())
    }
}

thread_local! {
    /// Values whose container is gone. `None` while nobody empties it.
    static GRAVE: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Drops what a container held without recursion: templates can nest lists as deep as they like.
fn bury(values: impl Iterator<Item = Value>) {
    let mut nested =
        values.filter(|value| matches!(value, Value::List(_) | Value::Map(_) | Value::Object(_))).peekable();
    if nested.peek().is_none() {
        return;
    }
    let outermost = GRAVE.try_with(|grave| {
        let mut grave = grave.borrow_mut();
        let outermost = grave.is_none();
        grave.get_or_insert_default().extend(nested);
        outermost
    });
    if outermost != Ok(true) {
        return;
    }
    // The borrow must have ended when a value is dropped, since that comes back here.
    while let Ok(Some(value)) = GRAVE.try_with(|grave| grave.borrow_mut().as_mut().and_then(Vec::pop)) {
        drop(value);
    }
    let _ = GRAVE.try_with(|grave| grave.borrow_mut().take());
}

/// Go's `%v`: what `{{ . }}` writes, but for nil, which here is `<nil>`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&crate::format::sprint(std::slice::from_ref(self))))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.type_name())
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Value::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool,
    f64 => Float64,
    i32 => Int,
    &str => String,
    String => String,
    &String => String,
    Cow<'_, str> => String,
    Str => String,
    List => List,
    Map => Map,
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::List(List::new(items))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Nil, Into::into)
    }
}

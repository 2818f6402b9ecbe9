//! Functions that templates call: their names, their Go signatures and what they may do while they run.

use std::fmt;
use std::sync::Arc;

use crate::HashMap;
use crate::error::Error;
pub use crate::exec::Context;
use crate::value::{Kind, MapType, Value};

/// A function's body. Arguments are already counted, checked and converted by the [`Signature`].
pub type Body = dyn Fn(&mut Context<'_>, &[Value]) -> Result<Value, FuncError> + Send + Sync;

/// The Go type of a parameter. Decides which arguments are refused, and with which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nil too.
    Any,
    /// `reflect.Value`: anything, nil too; what Go's built-in functions take.
    Reflect,
    String,
    Bool,
    Int,
    Int64,
    /// Only literals are of this type; they arrive as [`Value::Uint64`].
    Uint32,
    Uint64,
    Float64,
    /// `map[string]interface {}`; a nil argument becomes a nil map.
    Map,
    /// `map[string]string`
    StringMap,
    /// `[]interface {}`
    List,
    /// `[]string`
    StringList,
    /// `[]uint8`
    Bytes,
    /// An object of this type name.
    Named(&'static str),
}

impl Type {
    /// Go's name of the type, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "interface {}",
            Type::Reflect => "reflect.Value",
            Type::String => "string",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Int64 => "int64",
            Type::Uint32 => "uint32",
            Type::Uint64 => "uint64",
            Type::Float64 => "float64",
            Type::Map => "map[string]interface {}",
            Type::StringMap => "map[string]string",
            Type::List => "[]interface {}",
            Type::StringList => "[]string",
            Type::Bytes => "[]uint8",
            Type::Named(name) => name,
        }
    }

    /// Whether a value may be passed as it is.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        use crate::value::ListType;
        match (self, value) {
            (Type::Any | Type::Reflect, _)
            | (Type::String, Value::String(_))
            | (Type::Bool, Value::Bool(_))
            | (Type::Int, Value::Int(_))
            | (Type::Int64, Value::Int64(_))
            | (Type::Uint64, Value::Uint64(_))
            | (Type::Float64, Value::Float64(_))
            | (Type::Bytes, Value::Bytes(_)) => true,
            // A named map type is assignable to its underlying, unnamed one.
            (Type::Map, Value::Map(map)) => matches!(map.map_type(), MapType::Any | MapType::Named(_)),
            (Type::StringMap, Value::Map(map)) => map.map_type() == MapType::String,
            (Type::List, Value::List(list)) => matches!(list.list_type(), ListType::Any | ListType::Named(_)),
            (Type::StringList, Value::List(list)) => list.list_type() == ListType::String,
            (Type::Named(name), other) => other.type_name() == name,
            _ => false,
        }
    }

    /// Whether Go allows nil for it, and what then arrives.
    pub(crate) fn nil(self) -> Option<Value> {
        use crate::value::{List, ListType, Map};
        Some(match self {
            Type::Any | Type::Reflect => Value::Nil,
            Type::Map => Value::Map(Map::nil(MapType::Any)),
            Type::StringMap => Value::Map(Map::nil(MapType::String)),
            Type::List => Value::List(List::nil(ListType::Any)),
            Type::StringList => Value::List(List::nil(ListType::String)),
            Type::Bytes => Value::Bytes([].into()),
            Type::Named(name) if name.starts_with('*') => Value::Nil,
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Type::Any | Type::Reflect | Type::Named(_) => Kind::Invalid,
            Type::String => Kind::String,
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Int64 => Kind::Int64,
            Type::Uint32 | Type::Uint64 => Kind::Uint64,
            Type::Float64 => Kind::Float64,
            Type::Map | Type::StringMap => Kind::Map,
            Type::List | Type::StringList | Type::Bytes => Kind::Slice,
        }
    }
}

/// The parameters of a function, as its Go declaration has them.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    pub(crate) params: &'static [Type],
    pub(crate) variadic: Option<Type>,
}

impl Signature {
    /// `func(args ...interface{})`
    pub const ANY: Signature = Signature { params: &[], variadic: Some(Type::Any) };

    /// Exactly these parameters.
    pub const fn fixed(params: &'static [Type]) -> Self {
        Signature { params, variadic: None }
    }

    /// These parameters, then any number of one type.
    pub const fn variadic(params: &'static [Type], rest: Type) -> Self {
        Signature { params, variadic: Some(rest) }
    }
}

/// A function with its name and signature.
pub struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) signature: Signature,
    pub(crate) body: Box<Body>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// Functions by name, beside Go's built-in ones (which a function of the same name replaces).
///
/// ```
/// use gotmpl::{FuncMap, Signature, Type, Value};
/// let mut functions = FuncMap::new();
/// functions.add("shout", Signature::fixed(&[Type::String]), |_context, args| {
///     Ok(Value::from(args[0].to_string().to_uppercase()))
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct FuncMap {
    by_name: HashMap<Arc<str>, Arc<Function>>,
}

impl FuncMap {
    /// No functions yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a function.
    pub fn add<F>(&mut self, name: &str, signature: Signature, body: F) -> &mut Self
    where
        F: Fn(&mut Context<'_>, &[Value]) -> Result<Value, FuncError> + Send + Sync + 'static,
    {
        let name: Arc<str> = Arc::from(name);
        let function = Function { name: Arc::clone(&name), signature, body: Box::new(body) };
        self.by_name.insert(name, Arc::new(function));
        self
    }

    /// Removes a function; templates that name it no longer parse.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.by_name.remove(name);
        self
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is a function of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.by_name.get(name)
    }
}

/// What a function fails with: its own message, or the failure of a template that it ran.
#[derive(Debug)]
pub struct FuncError {
    pub(crate) message: String,
    pub(crate) cause: Option<Box<Error>>,
}

impl FuncError {
    /// A failure in the function's own words.
    pub fn new(message: impl Into<String>) -> Self {
        FuncError { message: message.into(), cause: None }
    }

    /// A failure of a template, told in other words than its own.
    pub fn wrap(message: impl Into<String>, cause: Error) -> Self {
        FuncError { message: message.into(), cause: Some(Box::new(cause)) }
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FuncError {}

impl From<Error> for FuncError {
    fn from(error: Error) -> Self {
        FuncError { message: error.to_string(), cause: Some(Box::new(error)) }
    }
}

impl From<String> for FuncError {
    fn from(message: String) -> Self {
        FuncError::new(message)
    }
}

impl From<&str> for FuncError {
    fn from(message: &str) -> Self {
        FuncError::new(message)
    }
}

//! Go's slice. Immutable here: no function of Go's templates or of Sprig can change a slice's elements
//! (`append` and its like copy), while maps *inside* a list stay shared and mutable.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use super::{Str, Value};

/// What Go's type of a slice says about its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ListType {
    /// `[]interface {}`
    #[default]
    Any,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[]map[string]interface {}`
    Map,
    /// `[][]interface {}`
    List,
    /// A named type, by its full name.
    Named(&'static str),
}

impl ListType {
    /// Go's name of the type, as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            ListType::Any => "[]interface {}",
            ListType::String => "[]string",
            ListType::Int => "[]int",
            ListType::Map => "[]map[string]interface {}",
            ListType::List => "[][]interface {}",
            ListType::Named(name) => name,
        }
    }

    /// Whether the elements are interfaces, so that an element may be nil.
    pub(crate) fn holds_interfaces(self) -> bool {
        matches!(self, ListType::Any | ListType::Named(_))
    }
}

/// A list, cheaply cloned; reads as a slice of values.
#[derive(Clone)]
pub struct List(Rc<Inner>);

struct Inner {
    kind: ListType,
    nil: bool,
    items: Vec<Value>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        super::bury(self.items.drain(..));
    }
}

impl List {
    /// A `[]interface {}`.
    pub fn new(items: Vec<Value>) -> Self {
        Self::of(ListType::Any, items)
    }

    /// A list of a type.
    pub fn of(kind: ListType, items: Vec<Value>) -> Self {
        List(Rc::new(Inner { kind, nil: false, items }))
    }

    /// Go's nil slice of a type: reads as empty.
    pub fn nil(kind: ListType) -> Self {
        List(Rc::new(Inner { kind, nil: true, items: Vec::new() }))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::of(ListType::String, items.into_iter().map(|item| Value::String(item.into())).collect())
    }

    /// The list's Go type.
    pub fn list_type(&self) -> ListType {
        self.0.kind
    }

    /// Whether this is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.items
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        List::new(items.into_iter().collect())
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(len {})", self.0.kind.name(), self.len())
    }
}

//! Go's map with string keys: shared by reference, ranged over in bytewise key order.

use std::borrow::Cow;
use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::{Str, Value};

/// What Go's type of a map says about its values; decides `%T`, zero values and how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MapType {
    /// `map[string]interface {}`
    #[default]
    Any,
    /// `map[string]string`
    String,
    /// `map[string][]string`
    StringList,
    /// `map[string][]uint8`
    Bytes,
    /// A named type over `map[string]interface {}`, such as `common.Values`, by its full name.
    Named(&'static str),
}

impl MapType {
    /// Go's name of the type, as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            MapType::Any => "map[string]interface {}",
            MapType::String => "map[string]string",
            MapType::StringList => "map[string][]string",
            MapType::Bytes => "map[string][]uint8",
            MapType::Named(name) => name,
        }
    }

    /// Whether the values are interfaces, so that a value may be nil and a missing one is nil.
    pub(crate) fn holds_interfaces(self) -> bool {
        matches!(self, MapType::Any | MapType::Named(_))
    }

    /// The zero value of the element type.
    pub(crate) fn zero(self) -> Value {
        match self {
            MapType::Any | MapType::Named(_) => Value::Nil,
            MapType::String => Value::String(Str::default()),
            MapType::StringList => Value::List(super::List::nil(super::ListType::String)),
            MapType::Bytes => Value::Bytes(Rc::from([])),
        }
    }
}

/// A map with Go's reference semantics: clones share the entries, and a change is seen through all of them.
///
/// Do not hold a [`Map::borrow`] across a call that may run templates or change the map.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    kind: MapType,
    nil: bool,
    entries: RefCell<BTreeMap<Str, Value>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        super::bury(std::mem::take(self.entries.get_mut()).into_values());
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(MapType::Any)
    }

    /// An empty map of a type.
    pub fn of(kind: MapType) -> Self {
        Map(Rc::new(Inner { kind, nil: false, entries: RefCell::default() }))
    }

    /// Go's nil map of a type: reads as empty, refuses entries.
    pub fn nil(kind: MapType) -> Self {
        Map(Rc::new(Inner { kind, nil: true, entries: RefCell::default() }))
    }

    /// A map of a type that owns the entries.
    pub fn from_entries(kind: MapType, entries: BTreeMap<Str, Value>) -> Self {
        Map(Rc::new(Inner { kind, nil: false, entries: RefCell::new(entries) }))
    }

    /// The map's Go type.
    pub fn map_type(&self) -> MapType {
        self.0.kind
    }

    /// Whether this is a nil map.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The entry of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.entries.borrow().contains_key(key.as_ref())
    }

    /// Sets an entry, in place for everyone who shares the map; gives what was there.
    /// A nil map stays as it is (Go would panic; ask [`Map::is_nil`] first where that must be an error).
    pub fn insert(&self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        if self.0.nil {
            return None;
        }
        self.0.entries.borrow_mut().insert(key.into(), value.into())
    }

    /// Removes an entry, in place for everyone who shares the map.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow_mut().remove(key.as_ref())
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries for reading, in bytewise key order.
    pub fn borrow(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.0.entries.borrow()
    }

    /// The entries for writing (of a nil map too: the caller asks [`Map::is_nil`]).
    pub fn borrow_mut(&self) -> RefMut<'_, BTreeMap<Str, Value>> {
        self.0.entries.borrow_mut()
    }

    /// The keys, sorted bytewise.
    pub fn keys(&self) -> Vec<Str> {
        self.borrow().keys().cloned().collect()
    }

    /// A snapshot of the entries, sorted bytewise by key: safe to walk while templates change the map.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether both are the same map, not merely equal ones.
    pub fn same(&self, other: &Map) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// A new map with the same values (Go's shallow copy).
    pub fn shallow_copy(&self) -> Map {
        Map::from_entries(self.0.kind, self.borrow().clone())
    }

    /// Same entries under another Go type; shares nothing with this map's top level.
    pub fn retyped(&self, kind: MapType) -> Map {
        Map::from_entries(kind, self.borrow().clone())
    }

    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<()>() as usize
    }

    /// Go's name of the type.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0.kind.name())
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Map::from_entries(MapType::Any, entries)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The type only: a map may contain itself.
        write!(f, "{}(len {})", self.0.kind.name(), self.len())
    }
}

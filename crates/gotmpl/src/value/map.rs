//! Go's map with string keys: shared by reference, ranged over in bytewise key order.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::collections::HashMap;
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

/// Entries in no order: most are asked for by their key, which a tree would compare with several of the others.
type Table = HashMap<Str, Value, foldhash::fast::RandomState>;

/// A map with Go's reference semantics: clones share the entries, and a change is seen through all of them.
///
/// Do not hold a [`Map::borrow`] across a call that may run templates or change the map.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    kind: MapType,
    nil: bool,
    entries: RefCell<Table>,
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

    /// A map of a type with these entries.
    pub fn from_entries(kind: MapType, entries: impl IntoIterator<Item = (Str, Value)>) -> Self {
        Self::of_table(kind, entries.into_iter().collect())
    }

    fn of_table(kind: MapType, entries: Table) -> Self {
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

    /// Removes, in place for everyone who shares the map, the entries whose value is not to stay.
    pub fn retain(&self, mut stays: impl FnMut(&Value) -> bool) {
        self.0.entries.borrow_mut().retain(|_, value| stays(value));
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries for reading.
    pub fn borrow(&self) -> Entries<'_> {
        Entries(self.0.entries.borrow())
    }

    /// The keys, sorted bytewise.
    pub fn keys(&self) -> Vec<Str> {
        let mut keys: Vec<_> = self.0.entries.borrow().keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// A snapshot of the entries, sorted bytewise by key: safe to walk while templates change the map.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.borrow().sorted().into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether both are the same map, not merely equal ones.
    pub fn same(&self, other: &Map) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// A new map with the same values (Go's shallow copy).
    pub fn shallow_copy(&self) -> Map {
        Map::of_table(self.0.kind, self.0.entries.borrow().clone())
    }

    /// Same entries under another Go type; shares nothing with this map's top level.
    pub fn retyped(&self, kind: MapType) -> Map {
        Map::of_table(kind, self.0.entries.borrow().clone())
    }

    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<()>() as usize
    }

    /// Go's name of the type.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0.kind.name())
    }
}

/// A map's entries while nobody changes them.
pub struct Entries<'m>(Ref<'m, Table>);

impl Entries<'_> {
    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.0.get(key)
    }

    /// All entries, in an order that differs from run to run.
    pub fn unordered(&self) -> impl Iterator<Item = (&Str, &Value)> {
        self.0.iter()
    }

    /// All entries, sorted bytewise by key.
    pub fn sorted(&self) -> Vec<(&Str, &Value)> {
        let mut entries: Vec<_> = self.unordered().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }
}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sorted()).finish()
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        Map::from_entries(MapType::Any, entries)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The type only: a map may contain itself.
        write!(f, "{}(len {})", self.0.kind.name(), self.len())
    }
}

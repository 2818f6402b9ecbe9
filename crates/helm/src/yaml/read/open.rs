//! Lists and mappings that are being read: what comes next in them, and what is kept of it.

use serde_json::{Map, Value};

use super::cursor::Mark;
use super::error::YamlError;
use super::events::Properties;
use super::meaning::NAMESPACE;
use super::scanner::Result;
use super::token::Style;
use crate::yaml::resolve::number_key;

/// Keys whose values are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Parts(pub &'static [(&'static str, Part)]);

/// What of a value is wanted.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Whole,
    Parts(&'static Parts),
}

impl Parts {
    pub fn find(&self, key: &str) -> Option<Part> {
        self.0.iter().find(|(wanted, _)| *wanted == key).map(|(_, part)| *part)
    }
}

/// A name, which of the nodes with an anchor has it, and where.
pub type Anchor<'a> = (&'a str, usize, Mark);

/// A list or map whose end has not come yet.
pub struct Open<'a> {
    pub anchor: Option<Anchor<'a>>,
    pub kind: Kind,
    /// It is what a merge key has.
    pub in_merge: bool,
    /// Nobody asks for it.
    pub left_out: bool,
    /// What is asked for of it.
    pub parts: Option<&'static Parts>,
    /// Of the document, it included.
    pub nodes: u64,
}

pub enum Kind {
    List(Vec<Value>),
    Map { map: Map<String, Value>, key: Option<Key> },
}

pub enum Key {
    Text(String),
    /// `<<`
    Merge,
}

impl Open<'_> {
    pub fn wants_key(&self) -> bool {
        matches!(self.kind, Kind::Map { key: None, .. })
    }

    /// What comes next is to be merged.
    pub fn merges(&self) -> bool {
        match &self.kind {
            Kind::List(_) => self.in_merge,
            Kind::Map { key, .. } => matches!(key, Some(Key::Merge)),
        }
    }

    /// Nobody asks for what comes next.
    pub fn leaves_out(&self) -> bool {
        match &self.kind {
            Kind::Map { key: Some(Key::Merge), .. } => false,
            Kind::Map { key: Some(Key::Text(text)), .. } => {
                self.left_out || self.parts.is_some_and(|parts| parts.find(text).is_none())
            }
            Kind::Map { key: None, .. } | Kind::List(_) => self.left_out,
        }
    }

    pub fn parts_of_next(&self) -> Option<&'static Parts> {
        match (&self.kind, self.parts) {
            (Kind::Map { key: Some(Key::Text(text)), .. }, Some(parts)) => match parts.find(text) {
                Some(Part::Parts(parts)) => Some(parts),
                Some(Part::Whole) | None => None,
            },
            _ => None,
        }
    }

    /// Takes the next element, key or value.
    pub fn take(&mut self, value: Value, mark: Mark) -> Result<()> {
        let left_out = self.leaves_out();
        match &mut self.kind {
            Kind::List(items) => {
                if !left_out {
                    items.push(value);
                }
            }
            Kind::Map { map, key } => match key.take() {
                None => {
                    // A key without a meaning still has its value behind it.
                    let (text, outcome) = match key_text(value, mark) {
                        Ok(text) => (text, Ok(())),
                        Err(error) => (String::new(), Err(error)),
                    };
                    *key = Some(Key::Text(text));
                    return outcome;
                }
                Some(Key::Text(text)) => {
                    if !left_out {
                        map.insert(text, value);
                    }
                }
                Some(Key::Merge) => merge(map, value, mark)?,
            },
        }
        Ok(())
    }
}

pub fn is_merge(text: &str, style: Style, properties: &Properties<'_>) -> bool {
    text == "<<"
        && match properties.tag.as_deref() {
            None => style == Style::Plain,
            Some(tag) => tag == "!" || tag.strip_prefix(NAMESPACE) == Some("merge"),
        }
}

/// Later maps of a merge list give way to earlier ones.
fn merge(map: &mut Map<String, Value>, value: Value, mark: Mark) -> Result<()> {
    let no_map = || YamlError::meaning(mark, "map merge requires map or sequence of maps as the value");
    match value {
        Value::Object(other) => map.extend(other),
        Value::Array(items) => {
            for item in items.into_iter().rev() {
                let Value::Object(other) = item else { return Err(no_map()) };
                map.extend(other);
            }
        }
        _ => return Err(no_map()),
    }
    Ok(())
}

/// What a key that is no text is in JSON.
pub fn key_text(key: Value, mark: Mark) -> Result<String> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(true) => Ok("true".to_owned()),
        Value::Bool(false) => Ok("false".to_owned()),
        Value::Number(number) => Ok(number_key(&number)),
        Value::Null => Err(YamlError::json(mark, "a key must not be null")),
        Value::Array(_) | Value::Object(_) => Err(YamlError::meaning(mark, "a key must be a scalar")),
    }
}

//! From events to a tree: anchors and aliases, merge keys, and what tags make of scalars.

use std::collections::HashMap;

use base64::Engine as _;
use serde_json::{Map, Number, Value};

use super::cursor::Mark;
use super::error::YamlError;
use super::events::{Event, Events, Properties};
use super::scanner::{MAX_DEPTH, Result};
use super::token::Style;
use crate::yaml::resolve::{Scalar, number_key, resolve};

const NAMESPACE: &str = "tag:yaml.org,2002:";

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
    fn find(&self, key: &str) -> Option<Part> {
        self.0.iter().find(|(wanted, _)| *wanted == key).map(|(_, part)| *part)
    }
}

pub struct Reader<'a> {
    events: Events<'a>,
    /// What is left out is read all the same, so that errors are found.
    parts: Option<&'static Parts>,
    anchors: HashMap<&'a str, Anchored>,
    anchored: usize,
    size: Size,
    /// The first thing that has no meaning; told once it is known that the text is YAML at all.
    meaningless: Option<YamlError>,
}

/// What an anchor names, from its beginning on; it has no value while it is being read.
#[derive(Debug, Clone)]
struct Anchored {
    number: usize,
    value: Option<Value>,
    nodes: u64,
}

/// A name, and which of the nodes with an anchor has it.
type Anchor<'a> = (&'a str, usize);

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Result<Self> {
        let events = Events::new(text)?;
        Ok(Self {
            events,
            parts: None,
            anchors: HashMap::new(),
            anchored: 0,
            size: Size::default(),
            meaningless: None,
        })
    }

    /// Of a mapping only these parts are kept.
    pub fn only(mut self, parts: &'static Parts) -> Self {
        self.parts = Some(parts);
        self
    }

    /// The next document; None behind the last one.
    pub fn document(&mut self) -> Result<Option<Value>> {
        if let (Event::StreamEnd, _) = self.events.next()? {
            return Ok(None);
        }
        self.anchors.clear();
        self.size = Size::default();
        let value = self.node()?;
        self.events.next()?;
        match self.meaningless.take() {
            None => Ok(Some(value)),
            Some(error) => Err(error),
        }
    }

    /// Builds the next node. No recursion: documents may nest deeply, stacks may be small.
    fn node(&mut self) -> Result<Value> {
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            let (event, mark) = self.events.next()?;
            let (value, nodes) = match event {
                Event::Scalar { text, style, properties } => {
                    if let Some(Open { kind: Kind::Map { key: key @ None, .. }, .. }) = open.last_mut()
                        && is_merge(&text, style, &properties)
                    {
                        *key = Some(Key::Merge);
                        continue;
                    }
                    self.size.nodes += 1;
                    let left_out = properties.anchor.is_none() && open.last().is_some_and(Open::leaves_out);
                    let value = if open.last().is_some_and(Open::merges) {
                        // No scalar can be merged, whatever it means.
                        Ok(Value::Null)
                    } else {
                        let is_key = open.last().is_some_and(Open::wants_key);
                        meaning(&text, style, properties.tag.as_deref(), mark, is_key).map(
                            |found| match found {
                                // As a key it only has to be one.
                                Meaning::Text if left_out => Value::Bool(true),
                                Meaning::Text => Value::String(text.into_owned()),
                                Meaning::Other(value) => value,
                            },
                        )
                    };
                    let value = value.unwrap_or_else(|error| self.no_meaning(error));
                    let anchor = self.name(properties.anchor);
                    self.keep(anchor, &value, 1);
                    (value, 1)
                }
                Event::SequenceStart(anchor) | Event::MappingStart(anchor) => {
                    if open.len() == MAX_DEPTH {
                        return Err(YamlError::meaning(mark, "the document is nested too deeply"));
                    }
                    self.size.nodes += 1;
                    let anchor = self.name(anchor);
                    let kind = match event {
                        Event::SequenceStart(_) => Kind::List(Vec::new()),
                        _ => Kind::Map { map: Map::new(), key: None },
                    };
                    let parent = open.last();
                    open.push(Open {
                        in_merge: parent.is_some_and(Open::merges),
                        left_out: anchor.is_none() && parent.is_some_and(Open::leaves_out),
                        parts: parent.map_or(self.parts, Open::parts_of_next),
                        anchor,
                        kind,
                        nodes: 1,
                    });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(Open { anchor, kind, nodes, .. }) = open.pop() else { return Ok(Value::Null) };
                    let value = match kind {
                        Kind::List(items) => Value::Array(items),
                        Kind::Map { map, .. } => Value::Object(map),
                    };
                    self.keep(anchor, &value, nodes);
                    (value, nodes)
                }
                Event::Alias(name) => {
                    let Some(Anchored { value, nodes, .. }) = self.anchors.get(name).cloned() else {
                        return Err(YamlError::meaning(mark, format!("unknown anchor '{name}' referenced")));
                    };
                    self.size.nodes += 1 + nodes;
                    self.size.by_aliases += nodes;
                    if self.size.is_excessive() {
                        return Err(YamlError::meaning(mark, "document contains excessive aliasing"));
                    }
                    let value = value.unwrap_or_else(|| {
                        let message = format!("anchor '{name}' value contains itself");
                        self.no_meaning(YamlError::meaning(mark, message))
                    });
                    // A list can be merged, but not by an alias.
                    let merged = value.is_object() || !open.last().is_some_and(Open::merges);
                    (if merged { value } else { Value::Null }, 1 + nodes)
                }
                Event::DocumentStart | Event::DocumentEnd | Event::StreamEnd => return Ok(Value::Null),
            };
            match open.last_mut() {
                None => return Ok(value),
                Some(parent) => {
                    parent.nodes += nodes;
                    if let Err(error) = parent.take(value, mark) {
                        self.no_meaning(error);
                    }
                }
            }
        }
    }

    fn no_meaning(&mut self, error: YamlError) -> Value {
        self.meaningless.get_or_insert(error);
        Value::Null
    }

    fn name(&mut self, anchor: Option<&'a str>) -> Option<Anchor<'a>> {
        let name = anchor?;
        self.anchored += 1;
        self.anchors.insert(name, Anchored { number: self.anchored, value: None, nodes: 0 });
        Some((name, self.anchored))
    }

    /// The value of an anchor is known, unless another node within it took its name.
    fn keep(&mut self, anchor: Option<Anchor<'a>>, value: &Value, nodes: u64) {
        if let Some((name, number)) = anchor
            && let Some(anchored) = self.anchors.get_mut(name).filter(|anchored| anchored.number == number)
        {
            (anchored.value, anchored.nodes) = (Some(value.clone()), nodes);
        }
    }
}

/// How many nodes a document has, and how many of them stem from aliases.
#[derive(Debug, Default)]
struct Size {
    nodes: u64,
    by_aliases: u64,
}

impl Size {
    /// goyaml's measure: the larger a document, the less of it may stem from aliases, from 99 % down to 10 %.
    fn is_excessive(&self) -> bool {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        let nodes = self.nodes as f64;
        let allowed = 0.99 - 0.89 * ((nodes - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        self.by_aliases > 100 && self.nodes > 1000 && self.by_aliases as f64 / nodes > allowed
    }
}

/// A list or map whose end has not come yet.
struct Open<'a> {
    anchor: Option<Anchor<'a>>,
    kind: Kind,
    /// It is what a merge key has.
    in_merge: bool,
    /// Nobody asks for it.
    left_out: bool,
    /// What is asked for of it.
    parts: Option<&'static Parts>,
    /// Of the document, it included.
    nodes: u64,
}

enum Kind {
    List(Vec<Value>),
    Map { map: Map<String, Value>, key: Option<Key> },
}

enum Key {
    Text(String),
    /// `<<`
    Merge,
}

impl Open<'_> {
    fn wants_key(&self) -> bool {
        matches!(self.kind, Kind::Map { key: None, .. })
    }

    /// What comes next is to be merged.
    fn merges(&self) -> bool {
        match &self.kind {
            Kind::List(_) => self.in_merge,
            Kind::Map { key, .. } => matches!(key, Some(Key::Merge)),
        }
    }

    /// Nobody asks for what comes next.
    fn leaves_out(&self) -> bool {
        match &self.kind {
            Kind::Map { key: Some(Key::Merge), .. } => false,
            Kind::Map { key: Some(Key::Text(text)), .. } => {
                self.left_out || self.parts.is_some_and(|parts| parts.find(text).is_none())
            }
            Kind::Map { key: None, .. } | Kind::List(_) => self.left_out,
        }
    }

    fn parts_of_next(&self) -> Option<&'static Parts> {
        match (&self.kind, self.parts) {
            (Kind::Map { key: Some(Key::Text(text)), .. }, Some(parts)) => match parts.find(text) {
                Some(Part::Parts(parts)) => Some(parts),
                Some(Part::Whole) | None => None,
            },
            _ => None,
        }
    }

    /// Takes the next element, key or value.
    fn take(&mut self, value: Value, mark: Mark) -> Result<()> {
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

fn is_merge(text: &str, style: Style, properties: &Properties<'_>) -> bool {
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

fn key_text(key: Value, mark: Mark) -> Result<String> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(true) => Ok("true".to_owned()),
        Value::Bool(false) => Ok("false".to_owned()),
        Value::Number(number) => Ok(number_key(&number)),
        Value::Null => Err(YamlError::json(mark, "a key must not be null")),
        Value::Array(_) | Value::Object(_) => Err(YamlError::meaning(mark, "a key must be a scalar")),
    }
}

/// What a scalar is.
enum Meaning {
    /// Itself
    Text,
    Other(Value),
}

fn meaning(text: &str, style: Style, tag: Option<&str>, mark: Mark, is_key: bool) -> Result<Meaning> {
    let resolved = match tag {
        None if style == Style::Plain => resolve(text),
        None => Scalar::Text,
        Some(tag) => match tag.strip_prefix(NAMESPACE) {
            Some("binary") => return binary(text, mark).map(Meaning::Other),
            Some(name) => tagged(name, text, mark)?,
            // Tags of one's own mean nothing: the text stays as it is.
            None => Scalar::Text,
        },
    };
    Ok(Meaning::Other(match resolved {
        Scalar::Timestamp | Scalar::Text => return Ok(Meaning::Text),
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => Value::Bool(flag),
        Scalar::Int(integer) => Value::from(integer),
        Scalar::Uint(integer) => Value::from(integer),
        Scalar::Float(float) => match (Number::from_f64(float), float) {
            (Some(number), _) => Value::Number(number),
            // A key becomes text anyway.
            (None, f64::INFINITY) if is_key => Value::from(".inf"),
            (None, f64::NEG_INFINITY) if is_key => Value::from("-.inf"),
            (None, _) if is_key => Value::from(".nan"),
            (None, float) => {
                let shown = match float {
                    f64::INFINITY => "+Inf",
                    f64::NEG_INFINITY => "-Inf",
                    _ => "NaN",
                };
                return Err(YamlError::json(mark, format!("json: unsupported value: {shown}")));
            }
        },
    }))
}

/// What a tag of YAML's own makes of a text.
fn tagged(name: &str, text: &str, mark: Mark) -> Result<Scalar> {
    if !matches!(name, "bool" | "int" | "float" | "null" | "timestamp") {
        return Ok(Scalar::Text);
    }
    let found = match resolve(text) {
        Scalar::Timestamp if name != "timestamp" => Scalar::Text,
        found => found,
    };
    let is = match found {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Uint(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Timestamp => "timestamp",
        Scalar::Text => "str",
    };
    match found {
        found if is == name => Ok(found),
        Scalar::Int(integer) if name == "float" => Ok(Scalar::Float(integer as f64)),
        _ => Err(YamlError::meaning(mark, format!("cannot decode !!{is} `{text}` as a !!{name}"))),
    }
}

fn binary(text: &str, mark: Mark) -> Result<Value> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let data = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|_| YamlError::meaning(mark, "!!binary value contains invalid base64 data"))?;
    Ok(Value::String(String::from_utf8_lossy(&data).into_owned()))
}

//! From events to a tree, with anchors and aliases.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::cursor::Mark;
use super::error::YamlError;
use super::events::{Event, Events};
use super::meaning::{Meaning, meaning};
use super::open::{Anchor, Key, Kind, Open, Parts, is_merge};
use super::scanner::{MAX_DEPTH, Result};

/// Nodes that are kept for aliases: of anchors within anchors each holds its own.
const MAX_KEPT: u64 = 4_000_000;

pub struct Reader<'a> {
    events: Events<'a>,
    /// What is left out is read all the same, so that errors are found.
    parts: Option<&'static Parts>,
    anchors: HashMap<&'a str, Anchored>,
    anchored: usize,
    /// Without aliases no anchor is of use.
    has_aliases: bool,
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

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Result<Self> {
        let events = Events::new(text)?;
        Ok(Self {
            events,
            parts: None,
            anchors: HashMap::new(),
            anchored: 0,
            has_aliases: text.contains('*'),
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
                    let anchor = self.name(properties.anchor, mark);
                    self.keep(anchor, &value, 1)?;
                    (value, 1)
                }
                Event::SequenceStart(anchor) | Event::MappingStart(anchor) => {
                    if open.len() == MAX_DEPTH {
                        return Err(YamlError::meaning(mark, "the document is nested too deeply"));
                    }
                    self.size.nodes += 1;
                    let anchor = self.name(anchor, mark);
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
                    self.keep(anchor, &value, nodes)?;
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

    /// What JSON lacks is only found when all has its meaning.
    fn no_meaning(&mut self, error: YamlError) -> Value {
        if self.meaningless.as_ref().is_none_or(|first| first.is_of_json() && !error.is_of_json()) {
            self.meaningless = Some(error);
        }
        Value::Null
    }

    fn name(&mut self, anchor: Option<&'a str>, mark: Mark) -> Option<Anchor<'a>> {
        let name = anchor?;
        self.anchored += 1;
        self.anchors.insert(name, Anchored { number: self.anchored, value: None, nodes: 0 });
        Some((name, self.anchored, mark))
    }

    /// The value of an anchor is known, unless another node within it took its name.
    fn keep(&mut self, anchor: Option<Anchor<'a>>, value: &Value, nodes: u64) -> Result<()> {
        let Some((name, number, mark)) = anchor.filter(|_| self.has_aliases) else { return Ok(()) };
        if let Some(anchored) = self.anchors.get_mut(name).filter(|anchored| anchored.number == number) {
            self.size.kept += nodes;
            if self.size.kept > MAX_KEPT {
                return Err(YamlError::meaning(mark, "document contains excessive anchors"));
            }
            (anchored.value, anchored.nodes) = (Some(value.clone()), nodes);
        }
        Ok(())
    }
}

/// How many nodes a document has, and how many of them stem from aliases.
#[derive(Debug, Default)]
struct Size {
    nodes: u64,
    by_aliases: u64,
    /// Of the values of anchors.
    kept: u64,
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

//! Reading YAML into a JSON-like tree: events come from `granit-parser`, the meaning of scalars, tags,
//! merge keys and aliases is goyaml v2's. Keys keep their order; of equal keys the last one wins.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::resolve::{Scalar, number_key, resolve};

/// Trees that aliases may unfold to; a document beyond it is an attack, not data.
const MAX_NODES: usize = 4_000_000;
/// Nesting that is read; deeper is refused rather than risked.
const MAX_DEPTH: usize = 250;

/// Why YAML text could not be read. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {message}")]
pub struct YamlError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl YamlError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1, message: message.into() }
    }
}

/// The first document of the text; integers stay integers. No document gives null.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    tabs_at_the_start(text)?;
    let mut reader = Reader::new(text);
    Ok(reader.document()?.unwrap_or(Value::Null))
}

/// A tab cannot be where the first token begins.
fn tabs_at_the_start(text: &str) -> Result<(), YamlError> {
    for (at, line) in text.lines().enumerate() {
        match line.trim_start_matches(' ').chars().next() {
            None | Some('#') => {}
            Some('\t') => {
                let message = "found character that cannot start any token".to_owned();
                return Err(YamlError { line: at + 1, column: line.find('\t').unwrap_or(0) + 1, message });
            }
            Some(_) => break,
        }
    }
    Ok(())
}

/// Every document of the text.
pub fn parse_documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut reader = Reader::new(text);
    let mut documents = Vec::new();
    while let Some(document) = reader.document()? {
        documents.push(document);
    }
    Ok(documents)
}

/// The first document as templates see it: all numbers are floats, as after a trip through JSON.
pub fn read_value(text: &str) -> Result<Value, YamlError> {
    let mut value = parse(text)?;
    to_floats(&mut value).map_err(|message| YamlError { line: 1, column: 1, message })?;
    Ok(value)
}

/// A document that has to be a mapping (or nothing), numbers as floats.
pub fn read_map(text: &str) -> Result<Map<String, Value>, YamlError> {
    match read_value(text)? {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        other => Err(YamlError {
            line: 1,
            column: 1,
            message: format!("expected a mapping, found {}", kind_name(&other)),
        }),
    }
}

/// What JSON calls a value; for messages.
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Makes every number a float, in place.
///
/// # Errors
/// Never for trees of this crate's reader; kept for trees with numbers that no float can hold.
pub fn to_floats(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Number(number) => {
            if !number.is_f64() {
                let float = number.as_f64().unwrap_or(0.0);
                *number = Number::from_f64(float).ok_or_else(|| format!("{number} is no number"))?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(to_floats),
        Value::Object(map) => map.values_mut().try_for_each(to_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let options = granit_parser::options! {
            strict_indentation: false,
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        Self { parser: Parser::new_from_str_with_options(text, options), anchors: HashMap::new(), nodes: 0 }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(YamlError { line: marker.line(), column: marker.col() + 1, message: error.info() })
            }
        }
    }

    fn document(&mut self) -> Result<Option<Value>, YamlError> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::DocumentStart(..), _)) => break,
                Some(_) => {}
            }
        }
        self.anchors.clear();
        self.nodes = 0;
        let Some((event, span)) = self.next()? else { return Ok(Some(Value::Null)) };
        if matches!(event, Event::DocumentEnd) {
            return Ok(Some(Value::Null));
        }
        let value = self.node(event, span)?;
        // What follows has to be the end of the document: goyaml has looked there already.
        match self.next()? {
            None | Some((Event::DocumentEnd | Event::StreamEnd, _)) => Ok(Some(value)),
            Some((_, span)) => Err(YamlError::new(span, "did not find expected <document start>")),
        }
    }

    /// Builds the node that begins with this event. No recursion: documents may nest deeply, stacks may be small.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Value, YamlError> {
        let mut open: Vec<Open> = Vec::new();
        let (mut event, mut span) = (event, span);
        loop {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(YamlError::new(span, "document contains excessive aliasing"));
            }
            let mut done = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let at_key = matches!(open.last(), Some(Open { kind: Kind::Map { key: None, .. }, .. }));
                    let merges = at_key && style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                    if merges && let Some(Open { kind: Kind::Map { key, .. }, .. }) = open.last_mut() {
                        *key = Some(Key::Merge);
                        None
                    } else {
                        let value = scalar(text.into_owned(), style, tag.as_deref(), span, at_key)?;
                        self.keep(anchor, &value);
                        Some(value)
                    }
                }
                Event::SequenceStart(_, anchor, _) => {
                    open.push(Open { anchor, kind: Kind::List(Vec::new()) });
                    None
                }
                Event::MappingStart(_, anchor, _) => {
                    open.push(Open { anchor, kind: Kind::Map { map: Map::new(), key: None } });
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(Open { anchor, kind }) = open.pop() else {
                        return Err(YamlError::new(span, "did not find expected node content"));
                    };
                    let value = match kind {
                        Kind::List(items) => Value::Array(items),
                        Kind::Map { map, .. } => Value::Object(map),
                    };
                    self.keep(anchor, &value);
                    Some(value)
                }
                Event::Alias(id) => {
                    let Some(value) = self.anchors.get(&id) else {
                        return Err(YamlError::new(span, "an anchor's value contains itself"));
                    };
                    self.nodes += count(value);
                    if self.nodes > MAX_NODES {
                        return Err(YamlError::new(span, "document contains excessive aliasing"));
                    }
                    Some(value.clone())
                }
                _ => return Err(YamlError::new(span, "did not find expected node content")),
            };
            if open.len() > MAX_DEPTH {
                return Err(YamlError::new(span, "the document is nested too deeply"));
            }
            if let Some(value) = done.take() {
                match open.last_mut() {
                    None => return Ok(value),
                    Some(parent) => parent.take(value, span)?,
                }
            }
            (event, span) =
                self.next()?.ok_or_else(|| YamlError::new(span, "the document ends too early"))?;
        }
    }

    fn keep(&mut self, anchor: usize, value: &Value) {
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }
}

/// A list or map whose end has not come yet.
struct Open {
    anchor: usize,
    kind: Kind,
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

impl Open {
    /// Takes the next element, key or value.
    fn take(&mut self, value: Value, span: Span) -> Result<(), YamlError> {
        match &mut self.kind {
            Kind::List(items) => items.push(value),
            Kind::Map { map, key } => match key.take() {
                None => *key = Some(Key::Text(key_text(value, span)?)),
                Some(Key::Text(text)) => {
                    map.insert(text, value);
                }
                Some(Key::Merge) => merge(map, value, span)?,
            },
        }
        Ok(())
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Later maps of a merge list give way to earlier ones.
fn merge(map: &mut Map<String, Value>, value: Value, span: Span) -> Result<(), YamlError> {
    match value {
        Value::Object(other) => {
            map.extend(other);
            Ok(())
        }
        Value::Array(items) => {
            for item in items.into_iter().rev() {
                let Value::Object(other) = item else { return Err(no_merge(span)) };
                map.extend(other);
            }
            Ok(())
        }
        _ => Err(no_merge(span)),
    }
}

fn no_merge(span: Span) -> YamlError {
    YamlError::new(span, "map merge requires map or sequence of maps as the value")
}

fn key_text(key: Value, span: Span) -> Result<String, YamlError> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(true) => Ok("true".to_owned()),
        Value::Bool(false) => Ok("false".to_owned()),
        Value::Number(number) => Ok(number_key(&number)),
        Value::Null => Err(YamlError::new(span, "a key must not be null")),
        Value::Array(_) | Value::Object(_) => Err(YamlError::new(span, "a key must be a scalar")),
    }
}

fn scalar(
    text: String,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: Span,
    is_key: bool,
) -> Result<Value, YamlError> {
    let name = match tag {
        None if style == ScalarStyle::Plain => None,
        None => return Ok(Value::String(text)),
        Some(tag) => match tag.suffix_in_namespace("tag:yaml.org,2002:") {
            Some(name) => Some(name.into_owned()),
            // Tags of one's own mean nothing to goyaml: the text stays as it is.
            None => return Ok(Value::String(text)),
        },
    };
    let wrong = |as_what: &str| YamlError::new(span, format!("cannot decode `{text}` as a !!{as_what}"));
    let resolved = match name.as_deref() {
        None => resolve(&text),
        Some("binary") => {
            use base64::Engine as _;
            let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            let data = base64::engine::general_purpose::STANDARD
                .decode(compact)
                .map_err(|_| YamlError::new(span, "!!binary value contains invalid base64 data"))?;
            return Ok(Value::String(String::from_utf8_lossy(&data).into_owned()));
        }
        Some("int") => match resolve(&text) {
            found @ (Scalar::Int(_) | Scalar::Uint(_)) => found,
            _ => return Err(wrong("int")),
        },
        Some("float") => match resolve(&text) {
            Scalar::Int(integer) => Scalar::Float(integer as f64),
            found @ Scalar::Float(_) => found,
            _ => return Err(wrong("float")),
        },
        Some("bool") => match resolve(&text) {
            found @ Scalar::Bool(_) => found,
            _ => return Err(wrong("bool")),
        },
        Some("null") => match resolve(&text) {
            Scalar::Null => Scalar::Null,
            _ => return Err(wrong("null")),
        },
        // `!!str`, `!!timestamp` and what has no meaning of its own.
        Some(_) => Scalar::Text,
    };
    Ok(match resolved {
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => Value::Bool(flag),
        Scalar::Int(integer) => Value::from(integer),
        Scalar::Uint(integer) => Value::from(integer),
        Scalar::Float(float) => match Number::from_f64(float) {
            Some(number) => Value::Number(number),
            // A key becomes text anyway.
            None if is_key && float.is_nan() => Value::from(".nan"),
            None if is_key => Value::from(if float > 0.0 { ".inf" } else { "-.inf" }),
            None => return Err(YamlError::new(span, format!("json: unsupported value: {text}"))),
        },
        Scalar::Timestamp | Scalar::Text => Value::String(text),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_anchors_and_merges_become_a_tree() {
        let text = "base: &b {a: 1, b: yes}\nuse:\n  <<: *b\n  b: 'yes'\nmode: 0644\n1: one\non: x\nempty:\nlit: |\n  a\n  b\n";
        let expected = json!({
            "base": {"a": 1, "b": true}, "use": {"a": 1, "b": "yes"}, "mode": 420, "1": "one", "true": "x",
            "empty": null, "lit": "a\nb\n"
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(parse("a: 1\na: 2\n").unwrap(), json!({"a": 2}));
    }

    #[test]
    fn a_block_scalar_at_the_end_gets_no_line_break_of_its_own() {
        assert_eq!(parse("a: |\n  text").unwrap(), json!({"a": "text"}));
    }

    #[test]
    fn numbers_are_floats_for_templates() {
        assert_eq!(read_value("[1, 2.5]").unwrap(), json!([1.0, 2.5]));
    }

    #[test]
    fn errors_carry_the_line() {
        let error = parse("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(error.line >= 2, "{error}");
        assert!(read_map("- 1\n").unwrap_err().message.contains("array"));
    }

    #[test]
    fn aliases_that_explode_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let previous = level - 1;
            let list = vec![format!("*a{previous}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert!(parse(&text).unwrap_err().message.contains("aliasing"));
    }

    #[test]
    fn documents_are_told_apart() {
        assert_eq!(parse_documents("a: 1\n---\n# nothing\n---\nb: 2\n").unwrap().len(), 3);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        let lines: Vec<String> = (0..2_000).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
        assert!(parse(&lines.join("\n")).is_err());
    }
}

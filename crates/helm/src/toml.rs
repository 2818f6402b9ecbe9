//! TOML as Helm's library (BurntSushi's) writes and reads it: sorted keys, tables behind plain values and
//! indented by their depth. The parser is another one, so its error texts are not the same.

use gotmpl::{List, ListType, Map, Str, Value};
use jiff::tz::TimeZone;

use crate::functions::{from_zoned, rfc3339};

/// Nesting beyond which a value is taken for cyclic.
const DEEPEST: usize = 400;
const NIL_ELEMENT: &str = "toml: cannot encode array with nil element";

/// The TOML of a value: a document for a map, else the plain value.
///
/// # Errors
/// In the words of the original.
pub fn write(value: &Value) -> Result<String, String> {
    let mut writer = Writer::default();
    match value {
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        Value::Map(map) if map.is_nil() => {}
        Value::Map(map) => writer.table(&mut Vec::new(), map)?,
        list if is_table_array(list)? => {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        plain => writer.plain(plain, 0)?,
    }
    Ok(writer.out)
}

#[derive(Default)]
struct Writer {
    out: String,
}

impl Writer {
    fn new_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, path: &[Str]) {
        for _ in 1..path.len() {
            self.out.push_str("  ");
        }
    }

    /// The entries of a table: plain ones first, then tables.
    fn table(&mut self, path: &mut Vec<Str>, map: &Map) -> Result<(), String> {
        if path.len() > DEEPEST {
            return Err("toml: encountered a cycle".to_owned());
        }
        let (direct, tables) = split(map)?;
        for (key, value) in direct.into_iter().chain(tables).filter(|(_, value)| !value.is_nil()) {
            path.push(key);
            self.entry(path, &value)?;
            path.pop();
        }
        Ok(())
    }

    fn entry(&mut self, path: &mut Vec<Str>, value: &Value) -> Result<(), String> {
        let map = as_table(value);
        if let Some(map) = map {
            if path.len() == 1 {
                self.new_line();
            }
            self.indent(path);
            self.out.push_str(&format!("[{}]", dotted(path)));
            self.new_line();
            return self.table(path, &map);
        }
        if is_table_array(value)? {
            for table in items(value).unwrap_or_default().iter().filter_map(as_table).filter(|t| !t.is_nil())
            {
                self.new_line();
                self.indent(path);
                self.out.push_str(&format!("[[{}]]", dotted(path)));
                self.new_line();
                self.table(path, &table)?;
            }
            return Ok(());
        }
        self.indent(path);
        self.out.push_str(&path.last().map(quoted_key).unwrap_or_default());
        self.out.push_str(" = ");
        self.plain(value, 0)?;
        self.new_line();
        Ok(())
    }

    /// A value in one line.
    fn plain(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("toml: encountered a cycle".to_owned());
        }
        if let Some(items) = items(value) {
            self.out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    self.out.push_str(", ");
                }
                self.plain(item, depth + 1)?;
            }
            self.out.push(']');
            return Ok(());
        }
        if let Some(map) = as_table(value) {
            return self.inline(&map, depth);
        }
        let text = match value {
            Value::Bool(flag) => flag.to_string(),
            Value::Int(n) | Value::Int64(n) => n.to_string(),
            Value::Uint8(n) => n.to_string(),
            Value::Uint64(n) => n.to_string(),
            Value::Float64(n) => float(*n),
            Value::String(text) => quoted(&text.to_str()),
            Value::Nil => return Err(NIL_ELEMENT.to_owned()),
            other => match rfc3339(other) {
                Some(time) => time,
                None => match other.as_object().and_then(gotmpl::Object::display) {
                    Some(text) => quoted(&text),
                    None => return Err(format!("unexpected type: {}", other.type_name())),
                },
            },
        };
        self.out.push_str(&text);
        Ok(())
    }

    fn inline(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        self.out.push('{');
        let (direct, tables) = split(map)?;
        let trailing = !tables.is_empty();
        for (entries, trailing) in [(direct, trailing), (tables, false)] {
            let last = entries.len().saturating_sub(1);
            for (at, (key, value)) in entries.iter().enumerate().filter(|(_, (_, value))| !value.is_nil()) {
                self.out.push_str(&quoted_key(key));
                self.out.push_str(" = ");
                self.plain(value, depth + 1)?;
                if trailing || at != last {
                    self.out.push_str(", ");
                }
            }
        }
        self.out.push('}');
        Ok(())
    }
}

type Entries = Vec<(Str, Value)>;

/// Entries that are plain, and those that are tables or arrays of such; both by key.
fn split(map: &Map) -> Result<(Entries, Entries), String> {
    let (mut direct, mut tables) = (Vec::new(), Vec::new());
    for (key, value) in map.entries() {
        if !value.is_nil() && (as_table(&value).is_some() || is_table_array(&value)?) {
            tables.push((key, value));
        } else {
            direct.push((key, value));
        }
    }
    direct.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    tables.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    Ok((direct, tables))
}

fn as_table(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Object(object) => object.as_map().or_else(|| {
            let fields = object.fields();
            (!fields.is_empty())
                .then(|| fields.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
        }),
        _ => None,
    }
}

fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.to_vec()),
        Value::Bytes(bytes) => Some(bytes.iter().map(|byte| Value::Uint8(*byte)).collect()),
        _ => None,
    }
}

/// Whether this is a list of nothing but tables. Nil elements are an error wherever a list is looked at.
fn is_table_array(value: &Value) -> Result<bool, String> {
    let Some(items) = items(value).filter(|items| !items.is_empty()) else { return Ok(false) };
    let mut all = true;
    for item in &items {
        if item.is_nil() {
            return Err(NIL_ELEMENT.to_owned());
        }
        // Looks into lists within, for their nils.
        all &= !is_table_array(item)? && as_table(item).is_some();
    }
    Ok(all)
}

fn float(number: f64) -> String {
    match crate::number::format_g(number).as_str() {
        "NaN" => "nan".to_owned(),
        "+Inf" => "inf".to_owned(),
        "-Inf" => "-inf".to_owned(),
        text if text.contains(['.', 'e']) => text.to_owned(),
        text => format!("{text}.0"),
    }
}

fn dotted(path: &[Str]) -> String {
    path.iter().map(quoted_key).collect::<Vec<_>>().join(".")
}

fn quoted_key(key: &Str) -> String {
    let text = key.to_str();
    let bare =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare { text.into_owned() } else { quoted(&text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A document as templates see it: integers are `int64`, arrays of tables lists of maps.
///
/// # Errors
/// With the line, in the parser's own words.
pub fn read(text: &str) -> Result<Map, String> {
    let table: ::toml::Table = ::toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        format!("toml: line {line}: {}", error.message().lines().next().unwrap_or("invalid"))
    })?;
    Ok(map(table))
}

fn map(table: ::toml::Table) -> Map {
    table.into_iter().map(|(key, value)| (key, convert(value))).collect()
}

fn convert(value: ::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::from(text),
        ::toml::Value::Integer(integer) => Value::Int64(integer),
        ::toml::Value::Float(float) => Value::Float64(float),
        ::toml::Value::Boolean(flag) => Value::Bool(flag),
        ::toml::Value::Datetime(time) => moment(&time).unwrap_or_else(|| Value::from(time.to_string())),
        ::toml::Value::Array(items) => {
            let tables = !items.is_empty() && items.iter().all(::toml::Value::is_table);
            let kind = if tables { ListType::Map } else { ListType::Any };
            Value::List(List::of(kind, items.into_iter().map(convert).collect()))
        }
        ::toml::Value::Table(table) => Value::Map(map(table)),
    }
}

/// A point in time. Dates and times without a zone are local ones.
fn moment(time: &::toml::value::Datetime) -> Option<Value> {
    let text = time.to_string();
    let zoned = match time.offset {
        Some(_) => {
            let offset = match time.offset {
                Some(::toml::value::Offset::Custom { minutes }) => i32::from(minutes) * 60,
                _ => 0,
            };
            let zone = if offset == 0 {
                TimeZone::UTC
            } else {
                TimeZone::fixed(jiff::tz::Offset::from_seconds(offset).ok()?)
            };
            text.parse::<jiff::Timestamp>().ok()?.to_zoned(zone)
        }
        None if time.date.is_some() => {
            text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::system()).ok()?
        }
        None => return None,
    };
    Some(from_zoned(zoned))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::convert::to_value;

    #[test]
    fn tables_stand_behind_plain_values_and_are_indented() {
        let value = to_value(&json!({
            "z": 1, "a b": "t\"x", "list": [1, "a", {"k": 2.0}], "nil": null,
            "sub": {"x": 1.5, "deep": {"y": true}}, "rows": [{"n": 1}, {"n": 2}], "e": {}
        }));
        let expected = "\"a b\" = \"t\\\"x\"\nlist = [1, \"a\", {k = 2.0}]\nz = 1\n\n[e]\n\n[[rows]]\n  n = 1\n\n\
            [[rows]]\n  n = 2\n\n[sub]\n  x = 1.5\n  [sub.deep]\n    y = true\n";
        assert_eq!(write(&value).unwrap(), expected);
        assert_eq!(write(&to_value(&json!({"a": [1, null]}))).unwrap_err(), NIL_ELEMENT);
    }

    #[test]
    fn documents_are_read_with_their_types() {
        let map = read("a = 1\nb = 1.5\nc = [{x = 1}]\n[d]\ne = 2024-01-02T03:04:05Z\n").unwrap();
        assert_eq!(map.get("a").unwrap().type_name(), "int64");
        assert_eq!(map.get("c").unwrap().type_name(), "[]map[string]interface {}");
        assert!(rfc3339(&map.get("d").unwrap().as_map().unwrap().get("e").unwrap()).is_some());
        assert!(read("a = \nb = 1\n").unwrap_err().starts_with("toml: line 1: "));
    }
}

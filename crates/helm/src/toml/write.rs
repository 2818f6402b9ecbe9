//! Writing TOML: sorted keys, tables behind plain values and indented by their depth.

use gotmpl::{Map, Str, Value};

use crate::functions::rfc3339;

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
        list if is_table_array(list)? => {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        other => match as_table(other) {
            Some(table) => writer.table(&mut Vec::new(), &table)?,
            None => writer.plain(other, 0)?,
        },
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
        Value::Object(object) => object.as_list().map(|list| list.to_vec()),
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
}

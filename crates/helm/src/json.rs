//! JSON as Go's `encoding/json` writes it: sorted keys, `<`, `>` and `&` escaped, floats in Go's form.
//! Reading is left to `serde_json`.

use serde_json::Value;

use crate::number::format_json;

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// `<`, `>` and `&` become `\u003c` and so on, as `json.Marshal` does unless told otherwise.
    pub escape_html: bool,
    /// Two-space indentation, as `toPrettyJson`.
    pub pretty: bool,
}

impl Style {
    pub const COMPACT: Style = Style { escape_html: true, pretty: false };
    pub const RAW: Style = Style { escape_html: false, pretty: false };
    pub const PRETTY: Style = Style { escape_html: true, pretty: true };
}

/// The JSON text of a tree.
pub fn write(value: &Value, style: Style) -> String {
    let mut out = String::new();
    write_value(&mut out, value, style, 0);
    out
}

fn write_value(out: &mut String, value: &Value, style: Style, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_string(out, text, style.escape_html),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                new_line(out, style, depth + 1);
                write_value(out, item, style, depth + 1);
            }
            if !items.is_empty() {
                new_line(out, style, depth);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                new_line(out, style, depth + 1);
                write_string(out, key, style.escape_html);
                out.push(':');
                if style.pretty {
                    out.push(' ');
                }
                write_value(out, &map[key.as_str()], style, depth + 1);
            }
            if !map.is_empty() {
                new_line(out, style, depth);
            }
            out.push('}');
        }
    }
}

/// The JSON text of a number: integers plainly, floats as Go writes them.
pub fn number_text(number: &serde_json::Number) -> String {
    if let Some(integer) = number.as_i64() {
        integer.to_string()
    } else if let Some(integer) = number.as_u64() {
        integer.to_string()
    } else {
        format_json(number.as_f64().unwrap_or(0.0))
    }
}

fn new_line(out: &mut String, style: Style, depth: usize) {
    if style.pretty {
        out.push('\n');
        for _ in 0..depth {
            out.push_str("  ");
        }
    }
}

fn write_string(out: &mut String, text: &str, escape_html: bool) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' if escape_html => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c if (c as u32) < 0x20 || c == '\u{2028}' || c == '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_html_is_escaped() {
        let value = json!({"b": "<&>", "a": [1, 2.5, null, true], "c": {}});
        assert_eq!(
            write(&value, Style::COMPACT),
            "{\"a\":[1,2.5,null,true],\"b\":\"\\u003c\\u0026\\u003e\",\"c\":{}}"
        );
        assert_eq!(write(&json!("<a>\n"), Style::RAW), "\"<a>\\n\"");
        assert_eq!(
            write(&json!({"a": [1], "e": []}), Style::PRETTY),
            "{\n  \"a\": [\n    1\n  ],\n  \"e\": []\n}"
        );
    }

    #[test]
    fn whole_floats_lose_their_point() {
        assert_eq!(write(&json!(3.0), Style::COMPACT), "3");
        assert_eq!(write(&json!(1e21), Style::COMPACT), "1e+21");
    }
}

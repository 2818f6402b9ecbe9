//! What a tree goes through on its way to YAML: `sigs.k8s.io/yaml` writes it as JSON and reads that as YAML.

use std::borrow::Cow;

use serde_json::Value;

use super::facts::is_forbidden;
use super::write::write;

/// YAML text of a tree.
///
/// # Errors
/// Where that JSON is no YAML: control characters, keys with line breaks.
pub fn marshal(value: &Value) -> Result<String, String> {
    check(value)?;
    Ok(write(value))
}

fn check(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            check_text(key)?;
            if has_next_line(key) {
                return Err("yaml: line 1: did not find expected ',' or '}'".to_owned());
            }
            check(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

pub(super) fn check_text(text: &str) -> Result<(), String> {
    // Most texts are quickly seen to have none of them.
    if text.bytes().all(|byte| byte < 0x7f) {
        return Ok(());
    }
    if text.contains(is_forbidden) {
        Err("yaml: control characters are not allowed".to_owned())
    } else {
        Ok(())
    }
}

/// The one line break of YAML that JSON does not escape.
const NEXT_LINE: char = '\u{85}';

pub(super) fn has_next_line(text: &str) -> bool {
    !text.is_ascii() && text.contains(NEXT_LINE)
}

/// Text as it comes out of the JSON in between: a line break is folded like one in a quoted scalar.
pub fn folded(text: &str) -> Cow<'_, str> {
    if !has_next_line(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut breaks = 0;
    let mut parts = text.split(NEXT_LINE).peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let part = if first { part } else { part.trim_start_matches(' ') };
        let part = if parts.peek().is_some() { part.trim_end_matches(' ') } else { part };
        let empty = part.is_empty();
        if !first {
            breaks += 1;
        }
        if !empty || parts.peek().is_none() {
            match breaks {
                0 => {}
                1 => out.push(' '),
                more => out.extend(std::iter::repeat_n('\n', more - 1)),
            }
            breaks = 0;
        }
        out.push_str(part);
        first = false;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn next_line_is_folded_and_control_characters_are_refused() {
        assert_eq!(folded("a \u{85} b\u{85}\u{85}c"), "a b\nc");
        assert_eq!(folded("plain"), "plain");
        assert!(marshal(&json!(["\u{7f}"])).is_err());
        assert!(marshal(&json!({"a\u{85}b": 1})).is_err());
    }
}

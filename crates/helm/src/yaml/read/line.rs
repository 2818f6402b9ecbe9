//! What stands in a line of a document as nearly all are written.

use std::borrow::Cow;

use serde_json::Value;

use super::cursor::Mark;
use super::meaning::{Meaning, meaning};
use super::token::Style;

/// Whether a `-` or `:` before it is a sign.
pub fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\n'))
}

/// A text in quotes that ends in its line, and its length with them.
pub fn quoted(rest: &str) -> Option<(Cow<'_, str>, usize)> {
    let inner = &rest.as_bytes()[1..];
    if rest.starts_with('\'') {
        let length = memchr::memchr2(b'\'', b'\n', inner)?;
        let ends = inner[length] == b'\'' && inner.get(length + 1) != Some(&b'\'');
        return ends.then(|| (rest[1..=length].into(), length + 2));
    }
    let mut text = Cow::Borrowed("");
    let mut from = 0;
    loop {
        let end = from + memchr::memchr3(b'"', b'\\', b'\n', &inner[from..])?;
        let piece = &rest[1 + from..=end];
        if text.is_empty() {
            text = piece.into();
        } else {
            text.to_mut().push_str(piece);
        }
        if inner[end] == b'"' {
            return Some((text, end + 2));
        }
        text.to_mut().push(match (inner[end], inner.get(end + 1)?) {
            (b'\\', b'n') => '\n',
            (b'\\', b't') => '\t',
            (b'\\', byte @ (b'"' | b'\\')) => char::from(*byte),
            _ => return None,
        });
        from = end + 2;
    }
}

/// A list of texts in brackets that ends in its line, and its length with them.
pub fn flow_list(rest: &str) -> Option<(Value, usize)> {
    let mut items = Vec::new();
    let mut at = 1;
    loop {
        let left = &rest[at..];
        let (item, length) = match left.as_bytes().first()? {
            b']' if items.is_empty() => return Some((Value::Array(items), at + 1)),
            b'"' | b'\'' => quoted(left).map(|(text, length)| (Value::from(text), length))?,
            byte if byte.is_ascii_alphanumeric() || *byte == b'/' => {
                let text = &left[..left.bytes().position(|byte| !is_name(byte))?];
                let value = match meaning(text, Style::Plain, None, Mark::default(), false).ok()? {
                    Meaning::Text => Value::from(text),
                    Meaning::Other(value) => value,
                };
                (value, text.len())
            }
            _ => return None,
        };
        items.push(item);
        at += length;
        match rest.as_bytes().get(at)? {
            b',' => at += 1 + rest[at + 1..].bytes().take_while(|byte| *byte == b' ').count(),
            b']' => return Some((Value::Array(items), at + 1)),
            _ => return None,
        }
    }
}

/// What words within brackets mostly consist of.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// A text without quotes, up to the end of its line, a comment, or a `:` that makes it a key.
pub fn plain(rest: &str) -> Option<&str> {
    let bytes = rest.as_bytes();
    let begins = match bytes.first()? {
        // `---` may begin a document.
        b'-' => !is_blank(bytes.get(1)) && !rest.starts_with("---"),
        b'$' | b'(' | b')' | b'+' | b'.' | b'/' | b';' | b'<' | b'=' | b'\\' | b'^' | b'_' | b'~' => true,
        byte => byte.is_ascii_alphanumeric() || *byte >= 0x80,
    };
    if !begins {
        return None;
    }
    let mut length = 1;
    loop {
        match bytes.get(length) {
            None | Some(b'\n') => break,
            Some(b':') if is_blank(bytes.get(length + 1)) => break,
            Some(b'#') if bytes[length - 1] == b' ' => break,
            Some(b'\t') => return None,
            Some(_) => length += 1,
        }
    }
    Some(rest[..length].trim_end_matches(' '))
}

//! `html`, `js` and `urlquery`.

use crate::unicode::is_print;
use crate::value::decode_rune;

pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(other),
        }
    }
    out
}

pub(super) fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((rune, width)) = decode_rune(rest) {
        match rune {
            Some('\\') => out.extend_from_slice(br"\\"),
            Some('\'') => out.extend_from_slice(br"\'"),
            Some('"') => out.extend_from_slice(br#"\""#),
            Some(special @ ('<' | '>' | '&' | '=' | '\0'..='\x1f')) => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(special)).as_bytes());
            }
            Some(ascii) if ascii.is_ascii() => out.push(rest[0]),
            // An invalid byte is U+FFFD, which is printable: it stays as it is.
            None => out.push(rest[0]),
            Some(other) if is_print(other) => out.extend_from_slice(&rest[..width]),
            Some(other) => out.extend_from_slice(format!("\\u{:04X}", u32::from(other)).as_bytes()),
        }
        rest = &rest[width..];
    }
    out
}

pub(super) fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    out
}

//! Go's quoted strings and characters.

use crate::unicode::is_print;
use crate::value::decode_rune;

/// Go's `strconv.Quote`.
pub fn quote(text: &str) -> String {
    String::from_utf8_lossy(&quote_bytes(text.as_bytes(), false)).into_owned()
}

/// Go's `strconv.Quote` or, with `ascii`, `strconv.QuoteToASCII`.
pub(crate) fn quote_bytes(text: &[u8], ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    loop {
        // Most of a text stands for itself.
        let itself = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let (plain, special) =
            rest.split_at(rest.iter().position(|byte| !itself(byte)).unwrap_or(rest.len()));
        out.extend_from_slice(plain);
        rest = special;
        let Some((rune, width)) = decode_rune(rest) else { break };
        match rune {
            Some(rune) => escape(&mut out, rune, '"', ascii),
            None => out.extend_from_slice(format!("\\x{:02x}", rest[0]).as_bytes()),
        }
        rest = &rest[width..];
    }
    out.push(b'"');
    out
}

/// Go's `strconv.QuoteRune` or, with `ascii`, `strconv.QuoteRuneToASCII`.
pub(super) fn quote_rune(rune: char, ascii: bool) -> Vec<u8> {
    let mut out = vec![b'\''];
    escape(&mut out, rune, '\'', ascii);
    out.push(b'\'');
    out
}

/// Whether a string can stand in back quotes.
pub(super) fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|rune| match rune {
            '\t' => true,
            '`' | '\u{7f}' | '\u{feff}' => false,
            rune => rune >= ' ',
        })
    })
}

fn escape(out: &mut Vec<u8>, rune: char, quote: char, ascii: bool) {
    let code = u32::from(rune);
    let text = match rune {
        _ if rune == quote || rune == '\\' => format!("\\{rune}"),
        _ if is_print(rune) && (rune.is_ascii() || !ascii) => {
            out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        '\x07' => r"\a".to_owned(),
        '\x08' => r"\b".to_owned(),
        '\x0c' => r"\f".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        '\x0b' => r"\v".to_owned(),
        ..' ' | '\x7f' => format!("\\x{code:02x}"),
        ..'\u{10000}' => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    out.extend_from_slice(text.as_bytes());
}

//! What Go's literals mean: quoted strings, characters and numbers.

use crate::value::Str;

/// A number as every type that can hold it, since the place where it stands decides which is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Number {
    pub int: Option<i64>,
    pub uint: Option<u64>,
    pub float: Option<f64>,
    /// Written as a complex number: refused where it would have to stay one.
    pub complex: bool,
}

/// Go's `strconv.Unquote` for strings in double or back quotes; `None` for wrong syntax.
pub(crate) fn unquote(quoted: &str) -> Option<Str> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    match quoted.as_bytes()[0] {
        b'`' if inner.contains('\r') => Some(Str::from(inner.replace('\r', ""))),
        b'`' => Some(Str::from(inner)),
        b'"' if !inner.contains(['\\', '\n']) => Some(Str::from(inner)),
        b'"' => {
            let mut bytes = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                if rest.starts_with('\n') {
                    return None;
                }
                let (unit, tail) = unquote_char(rest, b'"')?;
                match unit {
                    Unit::Byte(byte) => bytes.push(byte),
                    Unit::Rune(rune) => bytes.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                rest = tail;
            }
            Some(Str::from(bytes))
        }
        _ => None,
    }
}

enum Unit {
    /// From `\x` and octal escapes: a byte, not a character.
    Byte(u8),
    Rune(char),
}

fn unquote_char(text: &str, quote: u8) -> Option<(Unit, &str)> {
    let first = text.chars().next()?;
    if first != '\\' {
        if first == char::from(quote) {
            return None;
        }
        return Some((Unit::Rune(first), &text[first.len_utf8()..]));
    }
    let escape = *text.as_bytes().get(1)?;
    let rest = text.get(2..)?;
    let simple = |rune| Some((Unit::Rune(rune), rest));
    match escape {
        b'a' => simple('\x07'),
        b'b' => simple('\x08'),
        b'f' => simple('\x0c'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\x0b'),
        b'\\' => simple('\\'),
        b'\'' | b'"' if escape == quote => simple(char::from(escape)),
        b'x' => {
            let byte = u8::from_str_radix(hex_digits(rest, 2)?, 16).ok()?;
            Some((Unit::Byte(byte), &rest[2..]))
        }
        b'u' | b'U' => {
            let digits = if escape == b'u' { 4 } else { 8 };
            let code = u32::from_str_radix(hex_digits(rest, digits)?, 16).ok()?;
            Some((Unit::Rune(char::from_u32(code)?), &rest[digits..]))
        }
        b'0'..=b'7' => {
            let octal = text.get(1..4).filter(|octal| octal.bytes().all(|c| matches!(c, b'0'..=b'7')))?;
            Some((Unit::Byte(u8::from_str_radix(octal, 8).ok()?), &text[4..]))
        }
        _ => None,
    }
}

fn hex_digits(text: &str, count: usize) -> Option<&str> {
    text.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A character constant with its quotes.
pub(crate) fn char_constant(text: &str) -> Result<Number, String> {
    let Some((unit, tail)) = unquote_char(&text[1..], b'\'') else {
        return Err("invalid syntax".to_owned());
    };
    if tail != "'" {
        return Err(format!("malformed character constant: {text}"));
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Rune(rune) => u32::from(rune),
    };
    Ok(Number {
        int: Some(i64::from(code)),
        uint: Some(u64::from(code)),
        float: Some(f64::from(code)),
        complex: false,
    })
}

/// A number literal. `complex` for the form `1+2i`.
pub(crate) fn number(text: &str, complex: bool) -> Result<Number, String> {
    let illegal = || format!("illegal number syntax: {}", crate::format::quote(text));
    if complex || text.ends_with('i') {
        return imaginary(text, complex).ok_or_else(illegal);
    }
    let mut number = Number { uint: parse_uint(text), int: parse_int(text), ..Number::default() };
    if number.int == Some(0) {
        number.uint = Some(0); // -0
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", crate::format::quote(text)));
        }
        number.float = Some(float);
        number.int = exact(float, float as i64, |int| int as f64);
        number.uint = exact(float, float as u64, |uint| uint as f64);
    }
    if number.int.is_none() && number.uint.is_none() && number.float.is_none() {
        return Err(illegal());
    }
    Ok(number)
}

#[allow(clippy::float_cmp, reason = "the question is whether the conversion was exact")]
fn exact<T: Copy>(float: f64, converted: T, back: impl Fn(T) -> f64) -> Option<T> {
    (back(converted) == float).then_some(converted)
}

fn imaginary(text: &str, complex: bool) -> Option<Number> {
    let (real, imaginary) = if complex {
        // The sign between the parts is the last one that is no exponent's.
        let bytes = text.as_bytes();
        let split = (1..bytes.len()).rev().find(|&at| {
            matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E' | b'p' | b'P')
        })?;
        (parse_float(&text[..split])?, &text[split..text.len() - 1])
    } else {
        (0.0, &text[..text.len() - 1])
    };
    let imaginary = parse_float(imaginary)?;
    if imaginary != 0.0 {
        return Some(Number { complex: true, ..Number::default() });
    }
    Some(Number {
        int: exact(real, real as i64, |int| int as f64),
        uint: exact(real, real as u64, |uint| uint as f64),
        float: Some(real),
        complex: true,
    })
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Go's `strconv.ParseUint(text, 0, 64)`: base by prefix, a leading zero means octal, underscores between digits.
fn parse_uint(text: &str) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    // After a prefix one underscore may lead; otherwise they stand between digits.
    let stripped =
        if digits.len() < text.len() { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let wrong = stripped.is_empty()
        || !stripped.starts_with(|c: char| c.is_ascii_hexdigit())
        || stripped.ends_with('_')
        || stripped.contains("__");
    if wrong {
        return None;
    }
    if stripped.contains('_') {
        u64::from_str_radix(&stripped.replace('_', ""), base)
    } else {
        u64::from_str_radix(stripped, base)
    }
    .ok()
}

/// Go's `strconv.ParseFloat`, hexadecimal floats included.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') {
        return underscores_part_digits(text).then(|| parse_float(&text.replace('_', "")))?;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let magnitude = hex_float(hex)?;
        return Some(if text.starts_with('-') { -magnitude } else { magnitude });
    }
    // Rust takes words ("inf") that Go does not.
    if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// Whether each underscore stands between digits; a base prefix counts as one.
fn underscores_part_digits(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.get(..2).map(str::to_ascii_lowercase);
    let prefixed = matches!(lower.as_deref(), Some("0x" | "0o" | "0b"));
    let is_digit =
        |c: char| if lower.as_deref() == Some("0x") { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
    let mut before = prefixed;
    let mut chars = unsigned[if prefixed { 2 } else { 0 }..].chars().peekable();
    while let Some(c) = chars.next() {
        if c == '_' && !(before && chars.peek().copied().is_some_and(is_digit)) {
            return false;
        }
        before = is_digit(c);
    }
    true
}

fn hex_float(hex: &str) -> Option<f64> {
    let (mantissa, exponent) = hex.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = exponent - 4 * i32::try_from(fraction.len()).ok()?;
    let value = value * 2.0_f64.powi(shift);
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn integers_of_all_bases() {
        for (text, value) in [
            ("0", 0),
            ("017", 15),
            ("0o17", 15),
            ("0x1F", 31),
            ("0b101", 5),
            ("1_000", 1000),
            ("-5", -5),
            ("+5", 5),
        ] {
            assert_eq!(number(text, false).unwrap().int, Some(value), "{text}");
        }
        assert_eq!(number("18446744073709551615", false).unwrap().uint, Some(u64::MAX));
        assert_eq!(
            number("18446744073709551616", false).unwrap_err(),
            "integer overflow: \"18446744073709551616\""
        );
        for text in ["089", "1__0", "0x", "_1", "."] {
            assert!(number(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn floats_that_are_integers_are_both() {
        let number = number("1e3", false).unwrap();
        assert_eq!((number.int, number.float), (Some(1000), Some(1000.0)));
        assert_eq!(parse_float("0x1p-2"), Some(0.25));
    }

    #[test]
    fn escapes_make_bytes_or_characters() {
        assert_eq!(unquote(r#""\u00e9\n""#).unwrap(), "é\n");
        assert_eq!(unquote(r#""\xe9\101""#).unwrap().as_bytes(), b"\xe9A");
        assert_eq!(unquote("`a\\n\r`").unwrap(), "a\\n");
        assert!(unquote(r#""\q""#).is_none());
        assert!(unquote(r#""\'""#).is_none());
        assert_eq!(char_constant(r"'\''").unwrap().int, Some(39));
        assert_eq!(char_constant("'ab'").unwrap_err(), "malformed character constant: 'ab'");
    }
}

//! What a plain scalar means in YAML 1.1, with goyaml v2's own rules: `yes` is true, `0777` is octal,
//! `1_000` is a number, `2024-01-01` a timestamp (which stays text when read into a tree).

use serde_json::{Number, Value};

use crate::number::format_g32;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp,
    Text,
}

/// Resolves an untagged plain scalar.
pub fn resolve(text: &str) -> Scalar {
    let Some(&first) = text.as_bytes().first() else { return Scalar::Null };
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match first {
        b'.' => match go_float(text) {
            Some(float) => Scalar::Float(float),
            None => Scalar::Text,
        },
        b'+' | b'-' | b'0'..=b'9' => resolve_number(text),
        _ => Scalar::Text,
    }
}

fn resolve_number(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain: std::borrow::Cow<'_, str> =
        if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    if let Some((negative, magnitude)) = parse_base_zero(&plain) {
        if negative {
            if magnitude <= i64::MIN.unsigned_abs() {
                return Scalar::Int(0i64.wrapping_sub_unsigned(magnitude));
            }
        } else if let Ok(integer) = i64::try_from(magnitude) {
            return Scalar::Int(integer);
        } else if !plain.starts_with('+') {
            return Scalar::Uint(magnitude);
        }
    }
    if is_yaml_float(&plain)
        && let Some(float) = go_float(&plain)
    {
        return Scalar::Float(float);
    }
    Scalar::Text
}

/// Go's `ParseInt(s, 0, 64)` without its range check: sign, prefix 0x, 0o, 0b or a leading 0 for octal.
fn parse_base_zero(text: &str) -> Option<(bool, u64)> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    u64::from_str_radix(digits, base).ok().map(|magnitude| (negative, magnitude))
}

/// Digits with an optional point and exponent, and nothing else.
fn is_yaml_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
    }
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    match fraction {
        Some(fraction) => {
            all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !whole.is_empty() && all_digits(whole),
    }
}

/// Go refuses what overflows; Rust gives infinity for it.
fn go_float(text: &str) -> Option<f64> {
    let digits_only =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !digits_only {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

/// Dates and times in the forms goyaml knows; such text is quoted on the way out.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let mut rest = &text[5..];
    let Some(month) = take_number(&mut rest) else { return false };
    if !take(&mut rest, '-') {
        return false;
    }
    let Some(day) = take_number(&mut rest) else { return false };
    let year: u32 = text[..4].parse().unwrap_or(0);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    let zoned = if take(&mut rest, 'T') || take(&mut rest, 't') {
        true
    } else if take(&mut rest, ' ') {
        rest = rest.trim_start_matches(' ');
        false
    } else {
        return false;
    };
    let Some(hour) = take_number(&mut rest) else { return false };
    if !take(&mut rest, ':') {
        return false;
    }
    let Some(minute) = take_number(&mut rest) else { return false };
    if !take(&mut rest, ':') {
        return false;
    }
    let Some(second) = take_number(&mut rest) else { return false };
    if hour > 23 || minute > 59 || second > 59 {
        return false;
    }
    if rest.starts_with(['.', ',']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        rest = rest[1..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    if !zoned {
        return rest.is_empty();
    }
    if rest == "Z" {
        return true;
    }
    let zone = rest.as_bytes();
    zone.len() == 6
        && matches!(zone[0], b'+' | b'-')
        && zone[3] == b':'
        && [1, 2, 4, 5].iter().all(|&at| zone[at].is_ascii_digit())
}

/// One or two digits.
fn take_number(rest: &mut &str) -> Option<u32> {
    let length = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let number = rest.get(..length)?.parse().ok()?;
    *rest = &rest[length..];
    Some(number)
}

fn take(rest: &mut &str, wanted: char) -> bool {
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whether text has to be quoted to stay text.
pub fn needs_quotes(text: &str) -> bool {
    resolve(text) != Scalar::Text || is_base60(text)
}

/// `1:30` would be a number in base 60 for other readers of YAML 1.1.
fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !rest.starts_with(|c: char| c.is_ascii_digit()) || !rest.contains(':') {
        return false;
    }
    let (main, fraction) = rest.split_once('.').map_or((rest, ""), |(main, fraction)| (main, fraction));
    if !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return false;
    }
    let mut parts = main.split(':');
    let Some(first) = parts.next() else { return false };
    first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && parts.all(|part| match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
            _ => false,
        })
}

/// A scalar where text is wanted (a field of Chart.yaml, an annotation): numbers and booleans become
/// text as `sigs.k8s.io/yaml` does it. None for null, lists and maps.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("true".to_owned()),
        Value::Bool(false) => Some("false".to_owned()),
        Value::Number(number) => Some(number_key(number)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number as text: integers plainly, floats in single precision.
pub fn number_key(number: &Number) -> String {
    if let Some(integer) = number.as_i64() {
        integer.to_string()
    } else if let Some(integer) = number.as_u64() {
        integer.to_string()
    } else {
        format_g32(number.as_f64().unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_follow_yaml_1_1() {
        let rows = [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("yes", Scalar::Bool(true)),
            ("Off", Scalar::Bool(false)),
            ("n", Scalar::Bool(false)),
            ("0777", Scalar::Int(511)),
            ("0o17", Scalar::Int(15)),
            ("0x1F", Scalar::Int(31)),
            ("0b101", Scalar::Int(5)),
            ("-0b101", Scalar::Int(-5)),
            ("1_000", Scalar::Int(1000)),
            ("08", Scalar::Float(8.0)),
            ("18446744073709551615", Scalar::Uint(u64::MAX)),
            ("-9223372036854775808", Scalar::Int(i64::MIN)),
            ("1e3", Scalar::Float(1000.0)),
            ("1.", Scalar::Float(1.0)),
            (".5", Scalar::Float(0.5)),
            ("-.5e1", Scalar::Float(-5.0)),
            ("1e400", Scalar::Text),
            ("2024-01-31", Scalar::Timestamp),
            ("2024-02-30", Scalar::Text),
            ("2001-12-14t21:59:43.10-05:00", Scalar::Timestamp),
            ("2001-12-14 21:59:43", Scalar::Timestamp),
            ("<<", Scalar::Text),
            ("1.2.3", Scalar::Text),
            ("12e", Scalar::Text),
            ("0x", Scalar::Text),
            ("-", Scalar::Text),
        ];
        for (text, expected) in rows {
            assert_eq!(resolve(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_that_reads_as_something_else_is_quoted() {
        for text in ["yes", "n", "1", "1:30", "2024-01-31", "", "null", "1_0", ".5", "-1:20.5"] {
            assert!(needs_quotes(text), "{text:?}");
        }
        for text in ["yess", "1:99", "a", "1.2.3", "10.0.0.1:80x", "-", "..."] {
            assert!(!needs_quotes(text), "{text:?}");
        }
    }
}

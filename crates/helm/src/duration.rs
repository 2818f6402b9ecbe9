//! Durations as Go reads and writes them: `1h30m`, `-2.5s`, `100ms`.

/// Nanoseconds of a duration's text.
///
/// # Errors
/// In Go's words, but for the `time: ` before them and the text behind.
pub fn parse(text: &str) -> Result<i64, String> {
    // One more than the most: the lowest duration has this size.
    const END: u64 = 1 << 63;
    let quoted = || gotmpl::quote(text);
    let invalid = || format!("time: invalid duration {}", quoted());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let value = if whole.is_empty() { Ok(0) } else { whole.parse::<u64>() };
        let value = value.ok().filter(|value| *value <= END).ok_or_else(invalid)?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let size: u64 = match unit {
            "" => return Err(format!("time: missing unit in duration {}", quoted())),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                return Err(format!("time: unknown unit {} in duration {}", gotmpl::quote(unit), quoted()));
            }
        };
        let whole = value.checked_mul(size).filter(|nanos| *nanos <= END).ok_or_else(invalid)?;
        let (part, scale) = leading_fraction(fraction);
        let part = (part as f64 * (size as f64 / scale)) as u64;
        total = total.checked_add(whole + part).filter(|nanos| *nanos <= END).ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok(0i64.wrapping_sub_unsigned(total));
    }
    i64::try_from(total).map_err(|_| invalid())
}

/// As many digits as fit, and what to divide them by.
fn leading_fraction(digits: &str) -> (u64, f64) {
    let (mut value, mut scale) = (0u64, 1.0);
    for digit in digits.bytes() {
        if value > (i64::MAX as u64) / 10 {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    (value, scale)
}

/// Go's `Duration.String()`.
pub fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let fraction = |value: u64, unit: u64, name: &str| {
        let (whole, part) = (value / unit, value % unit);
        let width = unit.ilog10() as usize;
        let digits = format!("{part:0width$}");
        let digits = digits.trim_end_matches('0');
        if part == 0 { format!("{whole}{name}") } else { format!("{whole}.{digits}{name}") }
    };
    let text = match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => fraction(nanos, 1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(nanos, 1_000_000, "ms"),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000, "s");
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (text, nanos) in [
            ("1h30m", 5_400_000_000_000),
            ("-1.5s", -1_500_000_000),
            ("+0", 0),
            (".5us", 500),
            ("2562047h47m16.854775807s", i64::MAX),
            ("-2562047h47m16.854775808s", i64::MIN),
            ("0.9223372036854775807123h", 3_320_413_933_267),
        ] {
            assert_eq!(parse(text), Ok(nanos), "{text}");
        }
        for text in ["5", "", "-", ".s", "1d", "1h 2m", "9223372036854775808ns", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("1x").unwrap_err(), "time: unknown unit \"x\" in duration \"1x\"");
        assert_eq!(format(5_400_000_000_000), "1h30m0s");
        assert_eq!(format(95_000_000_000), "1m35s");
        assert_eq!(format(1_500_000), "1.5ms");
        assert_eq!(format(-1_500_000_000), "-1.5s");
    }
}

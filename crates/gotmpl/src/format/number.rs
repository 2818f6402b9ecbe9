//! Go's `strconv.FormatFloat`.

/// No finite number has more significant digits, or more digits behind the point: all that follow are zeros. Rust formats
/// no more than 65,535, where Go takes a million.
const MOST_DIGITS: usize = 1_074;

/// A finite number in decimal: 0.d1d2d3… × 10^point. No trailing zeros, none at all for zero.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// The fewest digits that give the same number again, or a number of significant digits.
    fn of(magnitude: f64, significant: Option<usize>) -> Self {
        let text = match significant {
            None => format!("{magnitude:e}"),
            Some(count) => format!("{magnitude:.*e}", count.saturating_sub(1).min(MOST_DIGITS)),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Digits { digits, point }
    }
}

/// A float in one of Go's formats `b e E f g G x X`; precision `None` is Go's -1, the shortest.
/// Negative numbers and negative zero have a sign; infinities always have one.
pub(super) fn format_float(value: f64, verb: u8, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    let body = match verb {
        b'b' => binary(magnitude),
        b'x' | b'X' => hexadecimal(magnitude, precision, verb),
        b'e' | b'E' => {
            let digits = Digits::of(magnitude, precision.map(|precision| precision + 1));
            let precision = precision.unwrap_or(digits.digits.len().saturating_sub(1));
            exponent(&digits, precision, verb)
        }
        b'f' => match precision {
            Some(precision) => {
                let known = precision.min(MOST_DIGITS);
                format!("{magnitude:.known$}") + &"0".repeat(precision - known)
            }
            None => format!("{magnitude}"),
        },
        _ => general(magnitude, precision, verb),
    };
    format!("{sign}{body}")
}

/// `%g`: exponents only for the very small and the large.
fn general(magnitude: f64, precision: Option<usize>, verb: u8) -> String {
    if precision.is_none() && magnitude < 1e6 && magnitude.fract() == 0.0 {
        // Most numbers of values files.
        return (magnitude as u32).to_string();
    }
    let precision = precision.map(|precision| precision.max(1));
    let digits = Digits::of(magnitude, precision);
    let count = digits.digits.len() as i32;
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = precision as i32;
            if precision > count && count >= digits.point { count } else { precision }
        }
    };
    let power = digits.point - 1;
    if power < -4 || power >= limit {
        let precision = precision.unwrap_or(digits.digits.len()).min(digits.digits.len());
        return exponent(&digits, precision.saturating_sub(1), if verb == b'G' { b'E' } else { b'e' });
    }
    plain(&digits)
}

/// The digits with a point, none more than there are.
fn plain(digits: &Digits) -> String {
    let mut out = String::new();
    if digits.point <= 0 {
        out.push('0');
    }
    for at in 0..digits.point.max(0) {
        out.push(digits.digits.get(at as usize).copied().map_or('0', char::from));
    }
    if digits.digits.len() as i32 > digits.point {
        out.push('.');
        for at in digits.point..digits.digits.len() as i32 {
            out.push(if at < 0 { '0' } else { char::from(digits.digits[at as usize]) });
        }
    }
    out
}

fn exponent(digits: &Digits, precision: usize, verb: u8) -> String {
    let mut out = String::new();
    out.push(digits.digits.first().copied().map_or('0', char::from));
    if precision > 0 {
        out.push('.');
        for at in 1..=precision {
            out.push(digits.digits.get(at).copied().map_or('0', char::from));
        }
    }
    let power = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    let sign = if power < 0 { '-' } else { '+' };
    out.push(char::from(verb));
    out.push(sign);
    out.push_str(&format!("{:02}", power.unsigned_abs()));
    out
}

/// Mantissa as an integer and binary exponent.
fn parts(magnitude: f64) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), ((bits >> 52) & 0x7ff) as i32);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

fn binary(magnitude: f64) -> String {
    let (mantissa, exponent) = parts(magnitude);
    format!("{mantissa}p{exponent:+}")
}

fn hexadecimal(magnitude: f64, precision: Option<usize>, verb: u8) -> String {
    let (mut mantissa, mut exponent) = parts(magnitude);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // One bit before the point, 60 behind it: 15 hexadecimal digits.
        let shift = mantissa.leading_zeros() as i32 - 3;
        mantissa <<= shift;
        exponent += 60 - shift;
    }
    if let Some(precision) = precision.filter(|&precision| precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut out = String::from("0x");
    out.push(if mantissa >> 60 & 1 == 1 { '1' } else { '0' });
    let fraction = mantissa << 4;
    let digits = format!("{fraction:016x}");
    let shown = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => {
            let mut shown: String = digits.chars().take(precision).collect();
            shown.extend(std::iter::repeat_n('0', precision.saturating_sub(shown.len())));
            shown
        }
    };
    if !shown.is_empty() {
        out.push('.');
        out.push_str(&shown);
    }
    out.push_str(&format!("p{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs()));
    if verb == b'X' { out.to_uppercase() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_general_form() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (123.456, "123.456"),
        ] {
            assert_eq!(format_float(value, b'g', None), text);
        }
    }

    #[test]
    fn other_forms() {
        assert_eq!(format_float(1.0, b'b', None), "4503599627370496p-52");
        assert_eq!(format_float(1.0, b'x', None), "0x1p+00");
        assert_eq!(format_float(3.7, b'x', Some(2)), "0x1.dap+01");
        assert_eq!(format_float(1234.5678, b'e', Some(2)), "1.23e+03");
        assert_eq!(format_float(1234.5678, b'g', Some(3)), "1.23e+03");
        assert_eq!(format_float(2.5, b'f', Some(0)), "2");
    }

    #[test]
    fn more_digits_than_a_number_has_are_zeros() {
        let long = format_float(0.1, b'f', Some(100_000));
        assert_eq!((long.len(), &long[..20]), (100_002, "0.100000000000000005"));
        assert!(long[2_000..].bytes().all(|digit| digit == b'0'));
        assert_eq!(format_float(0.1, b'e', Some(100_000)).len(), 100_006);
        assert_eq!(format_float(0.1, b'g', Some(100_000)), format_float(0.1, b'g', Some(1_000)));
        assert_eq!(format_float(5e-324, b'f', Some(1_074)).trim_end_matches('0').len(), 1_076);
    }
}

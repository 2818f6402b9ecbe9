//! Numbers as Go prints them: `strconv.FormatFloat` with `g` and the form that `encoding/json` uses.
//! Not a general number formatter: template verbs (`%05.2f`) belong to `gotmpl`.

/// `FormatFloat(v, 'g', -1, 64)`: shortest digits, in exponent form below 1e-4 and from 1e6 on.
pub fn format_g(v: f64) -> String {
    if let Some(special) = special(v) {
        return special.to_owned();
    }
    shape_g(&format!("{v:e}"))
}

/// `FormatFloat(v, 'g', -1, 32)`: as [`format_g`], with the digits of single precision.
pub fn format_g32(v: f64) -> String {
    if let Some(special) = special(v) {
        return special.to_owned();
    }
    shape_g(&format!("{:e}", v as f32))
}

/// A float as `encoding/json` writes it. The caller refuses NaN and infinities.
pub fn format_json(v: f64) -> String {
    let magnitude = v.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let (mantissa, exponent) = split_exponent(&format!("{v:e}"));
        let sign = if exponent < 0 { '-' } else { '+' };
        let digits = exponent.unsigned_abs();
        // Go pads exponents to two digits, and its JSON encoder removes that again for e-0X only.
        return if exponent < 0 {
            format!("{mantissa}e{sign}{digits}")
        } else {
            format!("{mantissa}e{sign}{digits:02}")
        };
    }
    format!("{v}")
}

fn special(v: f64) -> Option<&'static str> {
    if v.is_nan() {
        Some("NaN")
    } else if v == f64::INFINITY {
        Some("+Inf")
    } else if v == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

fn split_exponent(scientific: &str) -> (String, i32) {
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => (mantissa.to_owned(), exponent.parse().unwrap_or(0)),
        None => (scientific.to_owned(), 0),
    }
}

/// Turns Rust's `1.25e7` into what Go's `%g` with shortest precision gives.
fn shape_g(scientific: &str) -> String {
    let (mantissa, exponent) = split_exponent(scientific);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest.to_owned()),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if !(-4..6).contains(&exponent) {
        let sign_e = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{sign_e}{:02}", exponent.unsigned_abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        format!("{sign}{digits}{}", "0".repeat(whole - digits.len()))
    } else {
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        // Value, %g, JSON: as Go 1.26 prints them.
        let rows = [
            (1_000_000.0, "1e+06", "1000000"),
            (999_999.0, "999999", "999999"),
            (1_234_567.5, "1.2345675e+06", "1234567.5"),
            (123_456.7, "123456.7", "123456.7"),
            (0.0001, "0.0001", "0.0001"),
            (0.000_012_34, "1.234e-05", "0.00001234"),
            (1e20, "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21"),
            (1e-7, "1e-07", "1e-7"),
            (1.5e-9, "1.5e-09", "1.5e-9"),
            (-2.5, "-2.5", "-2.5"),
            (65536.0, "65536", "65536"),
        ];
        for (value, general, json) in rows {
            assert_eq!(format_g(value), general);
            assert_eq!(format_json(value), json);
        }
        assert_eq!(format_g32(1.1), "1.1");
        assert_eq!(format_g32(123_456_789.123), "1.2345679e+08");
    }
}

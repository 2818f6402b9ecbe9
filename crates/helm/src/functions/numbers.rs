//! Arithmetic as Sprig does it: integers through `int64`, floats through `float64`, with its casts.

use gotmpl::{FuncError, FuncMap, Signature, Type, Value};
use rand::RngExt as _;

use super::{Outcome, arg, decimal, int_arg};

const ONE: Signature = Signature::fixed(&[Type::Any]);
const TWO: Signature = Signature::fixed(&[Type::Any, Type::Any]);
const REST: Signature = Signature::variadic(&[Type::Any], Type::Any);

pub fn add(f: &mut FuncMap) {
    f.add("int", ONE, |_, a| Ok(Value::Int(to_int64(&arg(a, 0)))));
    f.add("int64", ONE, |_, a| Ok(Value::Int64(to_int64(&arg(a, 0)))));
    f.add("float64", ONE, |_, a| Ok(Value::Float64(to_float64(&arg(a, 0)))));
    f.add("atoi", Signature::fixed(&[Type::String]), |_, a| {
        let text = super::text_arg(a, 0);
        Ok(Value::Int(text.parse().unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
            std::num::IntErrorKind::PosOverflow => i64::MAX,
            std::num::IntErrorKind::NegOverflow => i64::MIN,
            _ => 0,
        })))
    });
    f.add("toDecimal", ONE, |_, a| {
        let text = arg(a, 0).to_string();
        Ok(Value::Int64(i64::from_str_radix(&text, 8).unwrap_or(0)))
    });
    f.add("add1", ONE, |_, a| Ok(Value::Int64(to_int64(&arg(a, 0)).wrapping_add(1))));
    f.add("add", Signature::ANY, |_, a| {
        Ok(Value::Int64(a.iter().fold(0i64, |sum, value| sum.wrapping_add(to_int64(value)))))
    });
    f.add("sub", TWO, |_, a| Ok(Value::Int64(to_int64(&arg(a, 0)).wrapping_sub(to_int64(&arg(a, 1))))));
    f.add("div", TWO, |_, a| divide(a, i64::wrapping_div));
    f.add("mod", TWO, |_, a| divide(a, i64::wrapping_rem));
    f.add("mul", REST, |_, a| {
        Ok(Value::Int64(a.iter().fold(1i64, |product, value| product.wrapping_mul(to_int64(value)))))
    });
    for name in ["max", "biggest"] {
        f.add(name, REST, |_, a| Ok(Value::Int64(a.iter().map(to_int64).max().unwrap_or(0))));
    }
    f.add("min", REST, |_, a| Ok(Value::Int64(a.iter().map(to_int64).min().unwrap_or(0))));
    f.add("maxf", REST, |_, a| {
        Ok(Value::Float64(a.iter().map(to_float64).fold(f64::NEG_INFINITY, f64::max)))
    });
    f.add("minf", REST, |_, a| Ok(Value::Float64(a.iter().map(to_float64).fold(f64::INFINITY, f64::min))));
    f.add("floor", ONE, |_, a| Ok(Value::Float64(to_float64(&arg(a, 0)).floor())));
    f.add("ceil", ONE, |_, a| Ok(Value::Float64(to_float64(&arg(a, 0)).ceil())));
    f.add("round", Signature::variadic(&[Type::Any, Type::Int], Type::Float64), |_, a| {
        let turn = a.get(2).and_then(Value::as_f64).unwrap_or(0.5);
        let power = 10f64.powi(i32::try_from(int_arg(a, 1)).unwrap_or(0));
        let digit = power * to_float64(&arg(a, 0));
        let rounded = if digit.fract() >= turn { digit.ceil() } else { digit.floor() };
        Ok(Value::Float64(rounded / power))
    });
    f.add("addf", Signature::ANY, |_, a| Ok(decimal::fold(0.0, a, decimal::Op::Add)));
    f.add("add1f", ONE, |_, a| Ok(decimal::fold(to_float64(&arg(a, 0)), &[Value::Int(1)], decimal::Op::Add)));
    for (name, op) in [("subf", decimal::Op::Sub), ("mulf", decimal::Op::Mul), ("divf", decimal::Op::Div)] {
        f.add(name, REST, move |_, a| {
            if op == decimal::Op::Div && a[1..].iter().any(|value| to_float64(value) == 0.0) {
                return Err(FuncError::new("decimal division by 0"));
            }
            Ok(decimal::fold(to_float64(&arg(a, 0)), &a[1..], op))
        });
    }
    f.add("randInt", Signature::fixed(&[Type::Int, Type::Int]), |_, a| {
        let (low, high) = (int_arg(a, 0), int_arg(a, 1));
        if high <= low {
            return Err(FuncError::new("invalid argument to Intn"));
        }
        Ok(Value::Int(rand::rng().random_range(low..high)))
    });
}

fn divide(args: &[Value], operation: impl Fn(i64, i64) -> i64) -> Outcome {
    let divisor = to_int64(&arg(args, 1));
    if divisor == 0 {
        return Err(FuncError::new("runtime error: integer divide by zero"));
    }
    Ok(Value::Int64(operation(to_int64(&arg(args, 0)), divisor)))
}

/// `cast.ToInt64`: what is no number is 0.
pub fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Float64(float) => {
            // What does not fit is the lowest integer, as on amd64.
            const BOUND: f64 = 9_223_372_036_854_775_808.0;
            if (-BOUND..BOUND).contains(float) { *float as i64 } else { i64::MIN }
        }
        Value::Bool(flag) => i64::from(*flag),
        Value::String(text) => text.as_str().and_then(parse_int).unwrap_or(0),
        Value::Uint64(integer) => *integer as i64,
        other => other.as_int().unwrap_or(0),
    }
}

/// `cast.ToFloat64`.
pub fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => text.as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        other => other.as_f64().unwrap_or(0.0),
    }
}

/// An integer with Go's prefixes; `1.00` counts as 1.
fn parse_int(text: &str) -> Option<i64> {
    let text = match text.rsplit_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

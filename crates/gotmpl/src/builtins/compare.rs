//! `eq` and `lt` by Go's rules: kinds must agree, signed and unsigned integers compare, nil equals nil.

use crate::exec::Val;
use crate::format::sprintf;
use crate::value::{Kind, Value};

const BAD_TYPE: &str = "invalid type for comparison";

enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(&'a [u8]),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(truth) => Basic::Bool(*truth),
        Value::Int(n) | Value::Int64(n) => Basic::Int(*n),
        Value::Uint8(n) => Basic::Uint(u64::from(*n)),
        Value::Uint64(n) => Basic::Uint(*n),
        Value::Float64(n) => Basic::Float(*n),
        Value::String(text) => Basic::String(text.as_bytes()),
        Value::Object(object) => Basic::Int(object.as_int()?),
        _ => return None,
    })
}

/// Whether the first argument equals any other.
pub(super) fn equal(args: &[Val]) -> Result<bool, String> {
    let [first, others @ ..] = args else {
        return Err("missing argument for comparison".to_owned());
    };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal_two(first.value(), other.value())? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[allow(clippy::float_cmp, reason = "Go compares floats exactly too")]
fn equal_two(a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => a == b,
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => a == b,
        (Some(Basic::Uint(a)), Some(Basic::Uint(b))) => a == b,
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => a == b,
        (Some(Basic::String(a)), Some(Basic::String(b))) => a == b,
        (Some(Basic::Int(int)), Some(Basic::Uint(uint)))
        | (Some(Basic::Uint(uint)), Some(Basic::Int(int))) => u64::try_from(int) == Ok(uint),
        (None, None) => return equal_other(a, b),
        _ if matches!(a, Value::Nil) || matches!(b, Value::Nil) => false,
        _ => return Err(incompatible(a, b)),
    })
}

/// Maps, lists, objects and nil: only nil and objects can be compared.
fn equal_other(a: &Value, b: &Value) -> Result<bool, String> {
    if a.kind() != b.kind() && !matches!(a, Value::Nil) && !matches!(b, Value::Nil) {
        // Go mixes up the order here.
        return Err(go(
            "non-comparable types %s: %v, %s: %v",
            &[a.clone(), type_of(a), type_of(b), b.clone()],
        ));
    }
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() == b.is_nil());
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if !matches!(b.kind(), Kind::Map | Kind::Slice) => {
            Ok(a.equals(&**b))
        }
        _ => Err(go("non-comparable type %s: %v", &[b.clone(), type_of(b)])),
    }
}

fn type_of(value: &Value) -> Value {
    Value::from(value.type_name())
}

fn go(format: &str, args: &[Value]) -> String {
    String::from_utf8_lossy(&sprintf(format.as_bytes(), args)).into_owned()
}

/// Whether `a < b`.
pub(super) fn less(a: &Value, b: &Value) -> Result<bool, String> {
    let (Some(first), Some(second)) = (basic(a), basic(b)) else {
        return Err(BAD_TYPE.to_owned());
    };
    Ok(match (first, second) {
        (Basic::Bool(_), Basic::Bool(_)) => return Err(BAD_TYPE.to_owned()),
        (Basic::Int(a), Basic::Int(b)) => a < b,
        (Basic::Uint(a), Basic::Uint(b)) => a < b,
        (Basic::Float(a), Basic::Float(b)) => a < b,
        (Basic::String(a), Basic::String(b)) => a < b,
        (Basic::Int(a), Basic::Uint(b)) => u64::try_from(a).map_or(true, |a| a < b),
        (Basic::Uint(a), Basic::Int(b)) => u64::try_from(b).is_ok_and(|b| a < b),
        _ => return Err(incompatible(a, b)),
    })
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())
}

//! Helm's functions on durations, and Go's `time.Duration` as templates see it.

use std::any::Any;
use std::borrow::Cow;

use gotmpl::{Context, FuncError, FuncMap, Kind, Object, Signature, Type, Value};

use super::arg;
use crate::duration;

const ONE: Signature = Signature::fixed(&[Type::Any]);
const TWO: Signature = Signature::fixed(&[Type::Any, Type::Any]);
pub(super) const TYPE: &str = "time.Duration";
const SECOND: f64 = 1e9;

pub fn add(f: &mut FuncMap) {
    f.add("mustToDuration", ONE, |_, a| Ok(Value::object(Duration(nanos(&arg(a, 0))?))));
    for (name, unit) in
        [("durationSeconds", SECOND), ("durationMinutes", 60.0 * SECOND), ("durationHours", 3_600.0 * SECOND)]
    {
        f.add(name, ONE, move |_, a| Ok(Value::Float64(in_units(nanos(&arg(a, 0)).unwrap_or(0), unit))));
    }
    for (name, hours) in [("durationDays", &[24.0][..]), ("durationWeeks", &[24.0, 7.0])] {
        f.add(name, ONE, move |_, a| {
            let all = in_units(nanos(&arg(a, 0)).unwrap_or(0), 3_600.0 * SECOND);
            Ok(Value::Float64(hours.iter().fold(all, |value, divisor| value / divisor)))
        });
    }
    for (name, unit) in
        [("durationMilliseconds", 1_000_000), ("durationMicroseconds", 1_000), ("durationNanoseconds", 1)]
    {
        f.add(name, ONE, move |_, a| Ok(Value::Int64(nanos(&arg(a, 0)).unwrap_or(0) / unit)));
    }
    for (name, shorten) in
        [("durationRoundTo", round as fn(i64, i64) -> i64), ("durationTruncateTo", truncate)]
    {
        f.add(name, TWO, move |_, a| {
            let Ok(duration) = nanos(&arg(a, 0)) else { return Ok(Value::object(Duration(0))) };
            let multiple = nanos(&arg(a, 1));
            Ok(Value::object(Duration(multiple.map_or(duration, |multiple| shorten(duration, multiple)))))
        });
    }
}

/// Nanoseconds in a larger unit: whole ones and the rest apart, as Go counts.
fn in_units(nanos: i64, unit: f64) -> f64 {
    let unit = unit as i64;
    (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64
}

fn truncate(nanos: i64, multiple: i64) -> i64 {
    if multiple <= 0 { nanos } else { nanos - nanos % multiple }
}

/// The nearest multiple; halves go away from zero, and what would overflow stays at the end.
fn round(nanos: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return nanos;
    }
    let rest = nanos % multiple;
    let up = i128::from(rest.unsigned_abs()) * 2 >= i128::from(multiple);
    let away = if nanos < 0 { -multiple } else { multiple };
    if up {
        (nanos - rest).checked_add(away).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    } else {
        nanos - rest
    }
}

/// What counts as a duration: itself, text such as `1h30m`, and seconds.
fn nanos(value: &Value) -> Result<i64, FuncError> {
    if let Some(duration) = value.downcast::<Duration>() {
        return Ok(duration.0);
    }
    let whole = |seconds: i64| {
        seconds
            .checked_mul(1_000_000_000)
            .ok_or_else(|| FuncError::new(format!("duration seconds overflow: {seconds}")))
    };
    match value {
        Value::Nil => Err(FuncError::new("invalid duration")),
        Value::String(text) => {
            let text = text.to_str();
            let trimmed = text.trim();
            if trimmed.is_empty() {
                return Err(FuncError::new("empty duration"));
            }
            if let Ok(nanos) = duration::parse(trimmed) {
                return Ok(nanos);
            }
            match trimmed.parse::<f64>() {
                Ok(seconds) => of_seconds(seconds),
                Err(_) => Err(FuncError::new(format!("could not parse duration {}", gotmpl::quote(&text)))),
            }
        }
        Value::Int(seconds) | Value::Int64(seconds) => whole(*seconds),
        Value::Uint8(seconds) => whole(i64::from(*seconds)),
        Value::Uint64(seconds) => i64::try_from(*seconds)
            .map_err(|_| FuncError::new(format!("duration seconds overflow: {seconds}")))
            .and_then(whole),
        Value::Float64(seconds) => of_seconds(*seconds),
        other => Err(FuncError::new(format!("unsupported duration type {}", other.type_name()))),
    }
}

fn of_seconds(seconds: f64) -> Result<i64, FuncError> {
    const MOST: f64 = i64::MAX as f64 / SECOND;
    let shown = Value::Float64(seconds).to_string();
    if !seconds.is_finite() {
        return Err(FuncError::new(format!("invalid duration seconds: {shown}")));
    }
    if seconds.abs() > MOST {
        return Err(FuncError::new(format!("duration seconds overflow: {shown}")));
    }
    Ok((seconds * SECOND) as i64)
}

/// Nanoseconds with Go's methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duration(pub i64);

impl Object for Duration {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TYPE)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Int64
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds" | "Abs"
            | "String" => Some(Signature::fixed(&[])),
            "Round" | "Truncate" => Some(Signature::fixed(&[Type::Named(TYPE)])),
            _ => None,
        }
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        let nanos = self.0;
        let other = arg(args, 0).downcast::<Duration>().map_or(0, |other| other.0);
        Ok(match name {
            "Hours" => Value::Float64(in_units(nanos, 3_600.0 * SECOND)),
            "Minutes" => Value::Float64(in_units(nanos, 60.0 * SECOND)),
            "Seconds" => Value::Float64(in_units(nanos, SECOND)),
            "Milliseconds" => Value::Int64(nanos / 1_000_000),
            "Microseconds" => Value::Int64(nanos / 1_000),
            "Nanoseconds" => Value::Int64(nanos),
            "Abs" => Value::object(Duration(nanos.checked_abs().unwrap_or(i64::MAX))),
            "Round" => Value::object(Duration(round(nanos, other))),
            "Truncate" => Value::object(Duration(truncate(nanos, other))),
            "String" => Value::from(duration::format(nanos)),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn display(&self) -> Option<String> {
        Some(duration::format(self.0))
    }

    fn as_int(&self) -> Option<i64> {
        Some(self.0)
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Duration>() == Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_found_at_the_ends_too() {
        for (nanos, multiple, rounded, truncated) in [
            (7, 5, 5, 5),
            (8, 5, 10, 5),
            (-8, 5, -10, -5),
            (i64::MAX, 10, i64::MAX, i64::MAX - 7),
            (i64::MIN, 10, i64::MIN, i64::MIN + 8),
            (7, 0, 7, 7),
            (7, -3, 7, 7),
        ] {
            assert_eq!((round(nanos, multiple), truncate(nanos, multiple)), (rounded, truncated), "{nanos}");
        }
    }
}

//! Go's `time.Time` as templates see it: its methods, and what encoders write of it.

use std::any::Any;
use std::borrow::Cow;

use gotmpl::{Context, FuncError, Kind, Object, Signature, Type, Value};
use jiff::{SignedDuration, Zoned, tz::TimeZone};

use super::durations::{Duration, TYPE as DURATION};
use super::text_arg;
use crate::layout;

pub const TIME: &str = "time.Time";
/// The first second of the year 1: Go's zero time.
const ZERO: i64 = -62_135_596_800;

/// What Go's encoders write of a time. None for what is no time.
pub(crate) fn rfc3339(value: &Value) -> Option<String> {
    let time = value.downcast::<Time>()?;
    Some(layout::format("2006-01-02T15:04:05.999999999Z07:00", &time.0))
}

/// A time that a document holds.
pub(crate) fn from_zoned(time: Zoned) -> Value {
    Value::object(Time(time))
}

/// Go's `time.Time`, with the methods that templates use.
#[derive(Debug)]
pub struct Time(pub Zoned);

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TIME)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Format" => Some(Signature::fixed(&[Type::String])),
            "AddDate" => Some(Signature::fixed(&[Type::Int, Type::Int, Type::Int])),
            "Unix" | "UnixNano" | "UnixMilli" | "UnixMicro" | "UTC" | "Local" | "Year" | "Month" | "Day"
            | "YearDay" | "Weekday" | "Hour" | "Minute" | "Second" | "Nanosecond" | "IsZero" | "String" => {
                Some(Signature::fixed(&[]))
            }
            "Before" | "After" | "Equal" | "Compare" | "Sub" => Some(Signature::fixed(&[Type::Named(TIME)])),
            "Add" | "Round" | "Truncate" => Some(Signature::fixed(&[Type::Named(DURATION)])),
            _ => None,
        }
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        let time = &self.0;
        let other = || -> Result<jiff::Timestamp, FuncError> {
            let other = super::arg(args, 0);
            other.downcast::<Time>().map(|time| time.0.timestamp()).ok_or_else(|| "expected a time".into())
        };
        let span = || -> Result<i64, FuncError> {
            let span = super::arg(args, 0);
            span.downcast::<Duration>().map(|span| span.0).ok_or_else(|| "expected a duration".into())
        };
        Ok(match name {
            "Format" => Value::from(layout::format(&text_arg(args, 0), time)),
            "AddDate" => {
                let number = |at| super::int_arg(args, at);
                add_date(time, number(0), number(1), number(2)).map(|time| Value::object(Time(time)))?
            }
            "Unix" => Value::Int64(time.timestamp().as_second()),
            "UnixMilli" => Value::Int64(time.timestamp().as_millisecond()),
            "UnixNano" => Value::Int64(i64::try_from(time.timestamp().as_nanosecond()).unwrap_or(i64::MAX)),
            "UTC" => Value::object(Time(time.with_time_zone(TimeZone::UTC))),
            "Year" => Value::Int(i64::from(time.year())),
            "Day" => Value::Int(i64::from(time.day())),
            "Hour" => Value::Int(i64::from(time.hour())),
            "Minute" => Value::Int(i64::from(time.minute())),
            "Second" => Value::Int(i64::from(time.second())),
            "UnixMicro" => Value::Int64(time.timestamp().as_microsecond()),
            "Local" => Value::object(Time(time.with_time_zone(TimeZone::system()))),
            "Month" => named("time.Month", i64::from(time.month()), time, "%B"),
            "Weekday" => named("time.Weekday", i64::from(time.weekday().to_sunday_zero_offset()), time, "%A"),
            "YearDay" => Value::Int(i64::from(time.day_of_year())),
            "Nanosecond" => Value::Int(i64::from(time.subsec_nanosecond())),
            "IsZero" => Value::Bool(time.timestamp().as_second() == ZERO && time.subsec_nanosecond() == 0),
            "Before" => Value::Bool(time.timestamp() < other()?),
            "After" => Value::Bool(time.timestamp() > other()?),
            "Equal" => Value::Bool(time.timestamp() == other()?),
            "Compare" => Value::Int(time.timestamp().cmp(&other()?) as i64),
            "Sub" => {
                let nanos = time.timestamp().as_nanosecond() - other()?.as_nanosecond();
                let most = if nanos < 0 { i64::MIN } else { i64::MAX };
                Value::object(Duration(i64::try_from(nanos).unwrap_or(most)))
            }
            "Add" => Value::object(Time(
                time.checked_add(SignedDuration::from_nanos(span()?)).map_err(|error| error.to_string())?,
            )),
            "Round" | "Truncate" => {
                // Counted from the zero time, as Go counts.
                let step = i128::from(span()?);
                let nanos = time.timestamp().as_nanosecond() - i128::from(ZERO) * 1_000_000_000;
                let rest = if step > 0 { nanos.rem_euclid(step) } else { 0 };
                let up = name == "Round" && rest * 2 >= step && rest > 0;
                let moved = if up { step - rest } else { -rest };
                let moved = SignedDuration::from_nanos(i64::try_from(moved).unwrap_or(0));
                Value::object(Time(time.checked_add(moved).map_err(|error| error.to_string())?))
            }
            "String" => Value::from(self.display().unwrap_or_default()),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn display(&self) -> Option<String> {
        Some(layout::format("2006-01-02 15:04:05.999999999 -0700 MST", &self.0))
    }
}

/// Days beyond a month's end go on in the next one: Go's rule, not that of calendars.
fn add_date(time: &Zoned, years: i64, months: i64, days: i64) -> Result<Zoned, FuncError> {
    let beyond = || FuncError::new("the time is out of range");
    let month = (i64::from(time.month()) - 1).checked_add(months).ok_or_else(beyond)?;
    let year =
        i64::from(time.year()).checked_add(years).and_then(|year| year.checked_add(month.div_euclid(12)));
    let year = i16::try_from(year.ok_or_else(beyond)?).map_err(|_| beyond())?;
    let first = jiff::civil::Date::new(year, month.rem_euclid(12) as i8 + 1, 1).map_err(|_| beyond())?;
    let days = (i64::from(time.day()) - 1).checked_add(days).ok_or_else(beyond)?;
    let span = jiff::Span::new().try_days(days).map_err(|_| beyond())?;
    let date = first.checked_add(span).map_err(|_| beyond())?;
    date.to_datetime(time.time()).to_zoned(time.time_zone().clone()).map_err(|_| beyond())
}

fn named(kind: &'static str, number: i64, time: &Zoned, format: &str) -> Value {
    Value::object(Constant { kind, number, name: time.strftime(format).to_string() })
}

/// A month or a weekday: a number with a name.
#[derive(Debug, PartialEq, Eq)]
struct Constant {
    kind: &'static str,
    number: i64,
    name: String,
}

impl Object for Constant {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.kind)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn as_int(&self) -> Option<i64> {
        Some(self.number)
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then_some(Signature::fixed(&[]))
    }

    fn call(&self, _name: &str, _context: &mut Context<'_>, _args: &[Value]) -> Result<Value, FuncError> {
        Ok(Value::from(&self.name))
    }

    fn display(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Constant>() == Some(self)
    }
}

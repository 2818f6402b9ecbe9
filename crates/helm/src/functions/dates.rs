//! Dates: `now`, `date` with Go's layouts, and arithmetic with Go's durations.

use std::any::Any;
use std::borrow::Cow;

use gotmpl::{Context, FuncError, FuncMap, Object, Signature, Type, Value};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use super::{arg, text_arg};
use crate::{duration, layout};

const ANY: Signature = Signature::fixed(&[Type::Any]);
const TEXT_ANY: Signature = Signature::fixed(&[Type::String, Type::Any]);
const TIME: &str = "time.Time";

pub fn add(f: &mut FuncMap) {
    f.add("now", Signature::fixed(&[]), |_, _| Ok(Value::object(Time(Zoned::now()))));
    f.add("date", TEXT_ANY, |_, a| Ok(Value::from(layout::format(&text_arg(a, 0), &local(&arg(a, 1))))));
    for name in ["dateInZone", "date_in_zone"] {
        f.add(name, Signature::fixed(&[Type::String, Type::Any, Type::String]), |_, a| {
            let time = local(&arg(a, 1)).with_time_zone(zone(&text_arg(a, 2)));
            Ok(Value::from(layout::format(&text_arg(a, 0), &time)))
        });
    }
    f.add("htmlDate", ANY, |_, a| Ok(Value::from(layout::format("2006-01-02", &local(&arg(a, 0))))));
    f.add("htmlDateInZone", Signature::fixed(&[Type::Any, Type::String]), |_, a| {
        let time = local(&arg(a, 0)).with_time_zone(zone(&text_arg(a, 1)));
        Ok(Value::from(layout::format("2006-01-02", &time)))
    });
    for name in ["dateModify", "date_modify", "mustDateModify", "must_date_modify"] {
        f.add(name, Signature::fixed(&[Type::String, Type::Named(TIME)]), move |_, a| {
            let time = local(&arg(a, 1));
            match duration::parse(&text_arg(a, 0)) {
                Ok(nanos) => Ok(Value::object(Time(
                    time.checked_add(SignedDuration::from_nanos(nanos)).unwrap_or(time),
                ))),
                Err(error) if name.starts_with("must") => Err(FuncError::new(error)),
                Err(_) => Ok(Value::object(Time(time))),
            }
        });
    }
    for name in ["toDate", "mustToDate"] {
        f.add(name, Signature::fixed(&[Type::String, Type::String]), move |_, a| {
            match layout::parse(&text_arg(a, 0), &text_arg(a, 1)) {
                Some(time) => Ok(Value::object(Time(time))),
                None if name == "mustToDate" => {
                    Err(FuncError::new(format!("parsing time {:?} failed", text_arg(a, 1))))
                }
                None => Ok(Value::object(Time(zero()))),
            }
        });
    }
    f.add("unixEpoch", Signature::fixed(&[Type::Named(TIME)]), |_, a| {
        Ok(Value::from(local(&arg(a, 0)).timestamp().as_second().to_string()))
    });
    f.add("ago", ANY, |_, a| {
        let seconds = Timestamp::now().duration_since(local(&arg(a, 0)).timestamp()).as_secs();
        Ok(Value::from(duration::format(seconds.saturating_mul(1_000_000_000))))
    });
    f.add("duration", ANY, |_, a| {
        let seconds = match arg(a, 0) {
            Value::Int64(seconds) => seconds,
            Value::String(text) => text.as_str().and_then(|text| text.parse().ok()).unwrap_or(0),
            _ => 0,
        };
        Ok(Value::from(duration::format(seconds.wrapping_mul(1_000_000_000))))
    });
    f.add("durationRound", ANY, |_, a| {
        let nanos = match arg(a, 0) {
            Value::Int64(nanos) => nanos,
            Value::String(text) => text.as_str().and_then(|text| duration::parse(text).ok()).unwrap_or(0),
            other => match other.downcast::<Time>() {
                Some(time) => Timestamp::now().duration_since(time.0.timestamp()).as_secs() * 1_000_000_000,
                None => 0,
            },
        };
        Ok(Value::from(round_duration(nanos.unsigned_abs())))
    });
}

fn round_duration(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    const DAY: u64 = 86_400 * SECOND;
    let units = [
        (DAY * 365, "y"),
        (DAY * 30, "mo"),
        (DAY, "d"),
        (3_600 * SECOND, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    units
        .iter()
        .find(|(length, _)| nanos > *length)
        .map_or_else(|| "0s".to_owned(), |(length, name)| format!("{}{name}", nanos / length))
}

fn zero() -> Zoned {
    Timestamp::from_second(-62_135_596_800).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC)
}

fn zone(name: &str) -> TimeZone {
    match name {
        "Local" => TimeZone::system(),
        "" | "UTC" => TimeZone::UTC,
        name => TimeZone::get(name).unwrap_or(TimeZone::UTC),
    }
}

/// A time in the local zone; seconds since 1970 count, anything else is now.
fn local(value: &Value) -> Zoned {
    let time = match value {
        Value::Int(seconds) | Value::Int64(seconds) => Timestamp::from_second(*seconds).ok(),
        other => other.downcast::<Time>().map(|time| time.0.timestamp()),
    };
    time.unwrap_or_else(Timestamp::now).to_zoned(TimeZone::system())
}

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
struct Time(Zoned);

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
            "Unix" | "UnixNano" | "UnixMilli" | "UTC" | "Year" | "Day" | "Hour" | "Minute" | "Second"
            | "String" => Some(Signature::fixed(&[])),
            _ => None,
        }
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        let time = &self.0;
        Ok(match name {
            "Format" => Value::from(layout::format(&text_arg(args, 0), time)),
            "AddDate" => {
                let number = |at| super::int_arg(args, at);
                let span = jiff::Span::new()
                    .try_years(number(0))
                    .and_then(|span| span.try_months(number(1)))
                    .and_then(|span| span.try_days(number(2)))
                    .map_err(|error| error.to_string())?;
                Value::object(Time(time.checked_add(span).map_err(|error| error.to_string())?))
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
            "String" => Value::from(self.display().unwrap_or_default()),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn display(&self) -> Option<String> {
        Some(layout::format("2006-01-02 15:04:05.999999999 -0700 MST", &self.0))
    }
}

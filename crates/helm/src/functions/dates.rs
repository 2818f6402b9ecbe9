//! Dates: `now`, `date` with Go's layouts, and arithmetic with Go's durations.

use gotmpl::{FuncError, FuncMap, Signature, Type, Value};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use super::moment::{TIME, Time};
use super::{arg, text_arg};
use crate::{duration, layout};

const ANY: Signature = Signature::fixed(&[Type::Any]);
const TEXT_ANY: Signature = Signature::fixed(&[Type::String, Type::Any]);

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
                Ok(time) => Ok(Value::object(Time(time))),
                Err(error) if name == "mustToDate" => Err(FuncError::new(error)),
                Err(_) => Ok(Value::object(Time(zero()))),
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

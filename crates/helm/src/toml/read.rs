//! Reading TOML. The parser is not Helm's, so its error texts are others.

use gotmpl::{List, ListType, Map, Value};
use jiff::tz::TimeZone;

use crate::functions::from_zoned;

/// A document as templates see it: integers are `int64`, arrays of tables lists of maps.
///
/// # Errors
/// With the line, in the parser's own words.
pub fn read(text: &str) -> Result<Map, String> {
    let table: ::toml::Table = ::toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        format!("toml: line {line}: {}", error.message().lines().next().unwrap_or("invalid"))
    })?;
    Ok(map(table))
}

fn map(table: ::toml::Table) -> Map {
    table.into_iter().map(|(key, value)| (key, convert(value))).collect()
}

fn convert(value: ::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::from(text),
        ::toml::Value::Integer(integer) => Value::Int64(integer),
        ::toml::Value::Float(float) => Value::Float64(float),
        ::toml::Value::Boolean(flag) => Value::Bool(flag),
        ::toml::Value::Datetime(time) => moment(&time).unwrap_or_else(|| Value::from(time.to_string())),
        ::toml::Value::Array(items) => {
            let tables = !items.is_empty() && items.iter().all(::toml::Value::is_table);
            let kind = if tables { ListType::Map } else { ListType::Any };
            Value::List(List::of(kind, items.into_iter().map(convert).collect()))
        }
        ::toml::Value::Table(table) => Value::Map(map(table)),
    }
}

/// A point in time. Dates and times without a zone are local ones.
fn moment(time: &::toml::value::Datetime) -> Option<Value> {
    let text = time.to_string();
    let zoned = match time.offset {
        Some(_) => {
            let offset = match time.offset {
                Some(::toml::value::Offset::Custom { minutes }) => i32::from(minutes) * 60,
                _ => 0,
            };
            let zone = if offset == 0 {
                TimeZone::UTC
            } else {
                TimeZone::fixed(jiff::tz::Offset::from_seconds(offset).ok()?)
            };
            text.parse::<jiff::Timestamp>().ok()?.to_zoned(zone)
        }
        None if time.date.is_some() => {
            text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::system()).ok()?
        }
        None => return None,
    };
    Some(from_zoned(zoned))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::functions::rfc3339;

    #[test]
    fn documents_are_read_with_their_types() {
        let map = read("a = 1\nb = 1.5\nc = [{x = 1}]\n[d]\ne = 2024-01-02T03:04:05Z\n").unwrap();
        assert_eq!(map.get("a").unwrap().type_name(), "int64");
        assert_eq!(map.get("c").unwrap().type_name(), "[]map[string]interface {}");
        assert!(rfc3339(&map.get("d").unwrap().as_map().unwrap().get("e").unwrap()).is_some());
        assert!(read("a = \nb = 1\n").unwrap_err().starts_with("toml: line 1: "));
    }
}

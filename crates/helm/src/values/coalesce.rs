//! How a user's values, a chart's values and those of its subcharts become one tree.
//!
//! Works on template values, whose maps are shared by reference as Go's are: what Helm changes in one
//! place and sees in another is seen here too (globals reach down, and nested ones up again).

use gotmpl::{Map, Str, Value};

use super::Node;

/// The key of values that every subchart sees.
const GLOBAL: &str = "global";

/// How null values are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// Nulls delete what they meet, and vanish.
    Delete,
    /// Nulls are kept for a later round.
    Keep,
}

/// Lays `values` (which are copied) over those of the chart and its subcharts.
///
/// # Errors
/// Where the values of a subchart are no table.
pub fn coalesce_values(chart: &Node, values: &Map, nulls: Nulls) -> Result<Map, String> {
    let values = values.deep_copy();
    coalesce(chart, &values, nulls, &|chart| chart.values.deep_copy())?;
    Ok(values)
}

/// The same, of charts whose values nobody needs any more: they are not copied, but change.
///
/// # Errors
/// As [`coalesce_values`].
pub fn coalesce_values_at_last(chart: &Node, values: &Map) -> Result<Map, String> {
    let values = values.deep_copy();
    // Tables within globals are shared with those of subcharts; apart from them each chart's values are its own.
    let shares =
        |chart: &Node| matches!(chart.values.get(GLOBAL), Some(Value::Map(globals)) if !globals.is_empty());
    let defaults = |chart: &Node| if shares(chart) { chart.values.deep_copy() } else { chart.values.clone() };
    coalesce(chart, &values, Nulls::Delete, &defaults)?;
    Ok(values)
}

/// The values of a chart that are its own, nulls kept, with those of its subcharts; its own ones change with it.
///
/// # Errors
/// As [`coalesce_values`].
pub fn with_subcharts(chart: &Node) -> Result<Map, String> {
    let values = chart.values.clone();
    coalesce_subcharts(chart, &values, Nulls::Keep, &|chart| chart.values.deep_copy())?;
    Ok(values)
}

fn coalesce(chart: &Node, dest: &Map, nulls: Nulls, defaults: &dyn Fn(&Node) -> Map) -> Result<(), String> {
    coalesce_own(chart, dest, nulls, &defaults(chart));
    coalesce_subcharts(chart, dest, nulls, defaults)
}

fn coalesce_subcharts(
    chart: &Node,
    dest: &Map,
    nulls: Nulls,
    defaults: &dyn Fn(&Node) -> Map,
) -> Result<(), String> {
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let below = match dest.get(name) {
            None => {
                let below = Map::new();
                dest.insert(name, below.clone());
                below
            }
            Some(Value::Map(below)) => below,
            Some(other) => {
                return Err(format!(
                    "values of the subchart {name} have to be a mapping, not {}",
                    other.type_name()
                ));
            }
        };
        coalesce_globals(&below, dest);
        coalesce(subchart, &below, nulls, defaults)?;
    }
    Ok(())
}

fn coalesce_own(chart: &Node, dest: &Map, nulls: Nulls, defaults: &Map) {
    for (key, default) in defaults.entries() {
        match dest.get(&key) {
            Some(Value::Nil) if nulls == Nulls::Delete => {
                dest.remove(&key);
            }
            Some(Value::Map(above)) => {
                if let Value::Map(below) = &default {
                    // A subchart's values go through here again later, so nulls stay until then.
                    let is_subchart =
                        chart.dependencies.iter().any(|d| key.as_bytes() == d.name().as_bytes());
                    let nulls = if is_subchart { Nulls::Keep } else { nulls };
                    if nulls == Nulls::Delete {
                        clean_nulls(below);
                    }
                    coalesce_tables(&above, below, nulls);
                }
            }
            Some(_) => {}
            None => {
                if nulls == Nulls::Delete {
                    match &default {
                        Value::Nil => continue,
                        Value::Map(below) => clean_nulls(below),
                        _ => {}
                    }
                }
                dest.insert(key, default);
            }
        }
    }
}

/// Gives the globals of a chart to its subchart; those of the parent win.
fn coalesce_globals(dest: &Map, source: &Map) {
    let dest_globals = match dest.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => return,
    };
    let source_globals = match source.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => return,
    };
    for (key, value) in source_globals.entries() {
        if let Value::Map(table) = &value {
            // Only the top level is copied: deeper tables stay shared with the parent, as in Helm.
            let copy = table.shallow_copy();
            match dest_globals.get(&key) {
                None => {
                    dest_globals.insert(key, copy);
                }
                Some(Value::Map(own)) => {
                    coalesce_tables(&copy, &own, Nulls::Keep);
                    dest_globals.insert(key, copy);
                }
                Some(_) => {}
            }
        } else if !matches!(dest_globals.get(&key), Some(Value::Map(_))) {
            dest_globals.insert(key, value);
        }
    }
    dest.insert(GLOBAL, dest_globals);
}

/// Merges `source` into `dest`, whose values win.
pub fn coalesce_tables(dest: &Map, source: &Map, nulls: Nulls) {
    if dest.same(source) {
        return;
    }
    // What is null above, and whether that hides something.
    let nulls_above: Vec<(Str, bool)> = dest
        .borrow()
        .unordered()
        .filter(|(_, value)| matches!(value, Value::Nil))
        .map(|(key, _)| (key.clone(), source.get(key).is_some_and(|below| !matches!(below, Value::Nil))))
        .collect();
    for (key, _) in &nulls_above {
        source.insert(key.clone(), Value::Nil);
    }
    for (key, value) in source.entries() {
        match dest.get(&key) {
            None => {
                dest.insert(key, value);
            }
            Some(Value::Map(own)) => {
                if let Value::Map(table) = &value {
                    coalesce_tables(&own, table, nulls);
                }
            }
            Some(_) => {}
        }
    }
    if nulls == Nulls::Delete {
        for (key, _) in nulls_above.iter().filter(|(_, hides)| *hides) {
            dest.remove(key);
        }
    }
}

fn clean_nulls(map: &Map) {
    let mut tables = Vec::new();
    map.retain(|value| {
        if let Value::Map(table) = value {
            tables.push(table.clone());
        }
        !matches!(value, Value::Nil)
    });
    tables.iter().for_each(clean_nulls);
}

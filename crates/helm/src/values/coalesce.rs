//! How a user's values, a chart's values and those of its subcharts become one tree.
//!
//! Works on template values, whose maps are shared by reference as Go's are: what Helm changes in one
//! place and sees in another is seen here too (globals reach down, and nested ones up again).

use std::collections::BTreeSet;

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
    coalesce(chart, &values, nulls)?;
    Ok(values)
}

fn coalesce(chart: &Node, dest: &Map, nulls: Nulls) -> Result<(), String> {
    coalesce_own(chart, dest, nulls);
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
        coalesce(subchart, &below, nulls)?;
    }
    Ok(())
}

fn coalesce_own(chart: &Node, dest: &Map, nulls: Nulls) {
    for (key, default) in chart.values.deep_copy().entries() {
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
    let not_null: BTreeSet<Str> = source
        .entries()
        .into_iter()
        .filter(|(_, value)| !matches!(value, Value::Nil))
        .map(|(key, _)| key)
        .collect();
    for (key, value) in dest.entries() {
        if matches!(value, Value::Nil) {
            source.insert(key, Value::Nil);
        }
    }
    for (key, value) in source.entries() {
        match dest.get(&key) {
            Some(Value::Nil) if nulls == Nulls::Delete && not_null.contains(&key) => {
                dest.remove(&key);
            }
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
}

fn clean_nulls(map: &Map) {
    for (key, value) in map.entries() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(inner) => clean_nulls(&inner),
            _ => {}
        }
    }
}

//! Which subcharts take part, under which names, and what values they lend their parent: conditions,
//! tags, aliases and `import-values`.

use gotmpl::{Map, Value};

use super::coalesce::{Nulls, coalesce_tables, coalesce_values, with_subcharts};
use crate::chart::{Chart, Metadata};
use crate::convert::{to_map, to_value};
use crate::semver::is_compatible;

/// A chart while it is worked on: names may be aliases, values may have been imported.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    pub chart: &'a Chart,
    pub metadata: Metadata,
    pub values: Map,
    pub dependencies: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// A chart before anything was decided.
    pub fn new(chart: &'a Chart) -> Self {
        Self {
            chart,
            metadata: chart.metadata.clone(),
            values: to_map(&chart.values),
            dependencies: chart.dependencies.iter().map(Node::new).collect(),
        }
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }
}

/// Drops disabled subcharts, names aliased ones, imports values.
pub fn process_dependencies(chart: &mut Node<'_>, values: &Map) -> Result<(), String> {
    enable(chart, values, "")?;
    import_values(chart)
}

fn enable(chart: &mut Node<'_>, values: &Map, path: &str) -> Result<(), String> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let there = std::mem::take(&mut chart.dependencies);
    let mut chosen: Vec<Node<'_>> = Vec::new();
    for node in &there {
        let asked_for = chart.metadata.dependencies.iter().any(|wanted| {
            node.name() == wanted.name && is_compatible(&wanted.version, &node.metadata.version)
        });
        if !asked_for {
            chosen.push(node.clone());
        }
    }
    for wanted in &mut chart.metadata.dependencies {
        let found = there.iter().find(|node| {
            node.name() == wanted.name && is_compatible(&wanted.version, &node.metadata.version)
        });
        if let Some(node) = found {
            let mut node = node.clone();
            node.values = node.values.deep_copy();
            if !wanted.alias.is_empty() {
                node.metadata.name.clone_from(&wanted.alias);
            }
            chosen.push(node);
        }
        if !wanted.alias.is_empty() {
            wanted.name.clone_from(&wanted.alias);
        }
        wanted.enabled = true;
    }
    chart.dependencies = chosen;

    // Most charts ask for no value here.
    let coalesced =
        if is_conditional(chart) { coalesce_values(chart, values, Nulls::Delete)? } else { Map::new() };
    decide_by_tags(&mut chart.metadata, &coalesced);
    decide_by_conditions(&mut chart.metadata, &coalesced, path);
    let disabled: Vec<String> =
        chart.metadata.dependencies.iter().filter(|d| !d.enabled).map(|d| d.name.clone()).collect();
    chart.dependencies.retain(|node| !disabled.iter().any(|name| name == node.name()));
    chart.metadata.dependencies.retain(|wanted| !disabled.contains(&wanted.name));
    for node in &mut chart.dependencies {
        let below = format!("{path}{}.", node.metadata.name);
        enable(node, &coalesced, &below)?;
    }
    Ok(())
}

/// Whether values decide which subcharts take part, here or below.
fn is_conditional(chart: &Node<'_>) -> bool {
    let asks = chart.metadata.dependencies.iter().any(|d| !d.condition.is_empty() || !d.tags.is_empty());
    asks || chart.dependencies.iter().any(is_conditional)
}

fn decide_by_tags(metadata: &mut Metadata, values: &Map) {
    let Some(Value::Map(tags)) = values.get("tags") else { return };
    for wanted in &mut metadata.dependencies {
        let set: Vec<bool> =
            wanted.tags.iter().filter_map(|tag| tags.get(tag).and_then(|value| value.as_bool())).collect();
        wanted.enabled = set.is_empty() || set.contains(&true);
    }
}

/// The first path of a condition that holds a boolean decides.
fn decide_by_conditions(metadata: &mut Metadata, values: &Map, path: &str) {
    for wanted in &mut metadata.dependencies {
        for condition in wanted.condition.trim().split(',').filter(|c| !c.is_empty()) {
            if let Some(Value::Bool(flag)) = value_at(values, &format!("{path}{condition}")) {
                wanted.enabled = flag;
                break;
            }
        }
    }
}

fn table_at(values: &Map, path: &str) -> Option<Map> {
    path.split('.').try_fold(values.clone(), |table, key| match table.get(key) {
        Some(Value::Map(inner)) => Some(inner),
        _ => None,
    })
}

fn value_at(values: &Map, path: &str) -> Option<Value> {
    match path.rsplit_once('.') {
        Some((table, key)) => table_at(values, table)?.get(key),
        None => values.get(path),
    }
}

fn import_values(chart: &mut Node<'_>) -> Result<(), String> {
    for node in &mut chart.dependencies {
        import_values(node)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let own = with_subcharts(chart)?;
    let imported = Map::new();
    for wanted in &mut chart.metadata.dependencies {
        let mut normalized = Vec::new();
        for import in &wanted.import_values {
            let (child, parent) = match to_value(import) {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Map(map) => {
                    let text = |key: &str| map.get(key).map_or_else(|| "<nil>".to_owned(), |v| v.to_string());
                    (text("child"), text("parent"))
                }
                _ => continue,
            };
            normalized.push(serde_json::json!({"child": child, "parent": parent}));
            let Some(table) = table_at(&own, &format!("{}.{child}", wanted.name)) else { continue };
            let placed = if parent == "." {
                table
            } else {
                parent.split('.').rev().fold(table, |inner, key| [(key, inner)].into_iter().collect())
            };
            coalesce_tables(&imported, &placed, Nulls::Keep);
        }
        wanted.import_values = normalized;
    }
    if !imported.is_empty() {
        // What was imported is a part of what it is laid under.
        chart.values = own.deep_copy();
        coalesce_tables(&chart.values, &imported, Nulls::Keep);
    }
    Ok(())
}

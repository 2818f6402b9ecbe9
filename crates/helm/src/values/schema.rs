//! `values.schema.json`: checking values against it, told in Helm's words. References to other hosts
//! are never followed.

use gotmpl::{Map, Value as Template};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Number, Value};

use super::{Node, Values};
use crate::convert::{to_json, to_map};

/// Checks the values of a chart and its subcharts; the error holds one line for each finding.
pub fn validate(chart: &Node<'_>, values: &Map) -> Result<(), String> {
    let mut findings = String::new();
    check(chart, values, &mut findings);
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Checks values against one schema, subcharts left out.
pub fn validate_one(schema: &[u8], values: &Values) -> Result<(), String> {
    check_one(schema, &to_map(values.as_map()))
}

fn check(chart: &Node<'_>, values: &Map, findings: &mut String) {
    if let Some(schema) = &chart.chart.schema
        && let Err(text) = check_one(schema, values)
    {
        findings.push_str(&format!("{}:\n{text}", chart.name()));
    }
    for subchart in &chart.dependencies {
        match values.get(subchart.name()) {
            None | Some(Template::Nil) => {}
            Some(Template::Map(below)) => check(subchart, &below, findings),
            Some(other) => findings.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                subchart.name(),
                other.type_name()
            )),
        }
    }
}

fn check_one(schema: &[u8], values: &Map) -> Result<(), String> {
    let schema: Value =
        serde_json::from_slice(schema).map_err(|error| format!("values.schema.json: {error}\n"))?;
    let mut instance = to_json(&Template::Map(values.clone()))?;
    whole_numbers(&mut instance);
    let validator =
        jsonschema::options().build(&schema).map_err(|error| format!("values.schema.json: {error}\n"))?;
    let mut lines: Vec<String> = validator
        .iter_errors(&instance)
        .map(|error| {
            format!("- at '{}': {}\n", error.instance_path(), message(error.kind(), error.instance(), &error))
        })
        .collect();
    lines.sort();
    lines.dedup();
    if lines.is_empty() { Ok(()) } else { Err(lines.concat()) }
}

/// 3.0 is an integer to every draft of JSON Schema when it is written as 3.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64()
                && number.is_f64()
                && float.fract() == 0.0
                && float.abs() < 9e15
            {
                *number = Number::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn message(kind: &ValidationErrorKind, instance: &Value, error: &dyn std::fmt::Display) -> String {
    match kind {
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(single) => single.to_string(),
                TypeKind::Multiple(several) => {
                    several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
                }
            };
            let got = crate::yaml::kind_name(instance);
            let got = if got == "bool" { "boolean" } else { got };
            format!("got {got}, want {}", wanted.trim_matches('"'))
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            format!("missing property '{name}'")
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let mut names = unexpected.clone();
            names.sort();
            format!("additional properties {} not allowed", quoted(&names))
        }
        ValidationErrorKind::Enum { options } => match options.as_ref() {
            Value::Array(options) => {
                let options: Vec<String> = options
                    .iter()
                    .map(|option| match option {
                        Value::String(text) => format!("'{text}'"),
                        other => other.to_string(),
                    })
                    .collect();
                format!("value must be one of {}", options.join(", "))
            }
            other => format!("value must be one of {other}"),
        },
        ValidationErrorKind::Minimum { limit } => format!("minimum: got {instance}, want {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("maximum: got {instance}, want {limit}"),
        ValidationErrorKind::MinLength { limit } => {
            format!("minLength: got {}, want {limit}", instance.as_str().map_or(0, |s| s.chars().count()))
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("maxLength: got {}, want {limit}", instance.as_str().map_or(0, |s| s.chars().count()))
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("minItems: got {}, want {limit}", instance.as_array().map_or(0, Vec::len))
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("'{}' does not match pattern '{pattern}'", instance.as_str().unwrap_or(""))
        }
        _ => error.to_string(),
    }
}

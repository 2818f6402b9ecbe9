//! Whole charts.

use std::path::{Path, PathBuf};

use landfall_helm::{Chart, Options, Values, render};
use serde_json::{Value, json};

use crate::support::{self, Differences, ask};

/// Helm's own charts for tests, and those of the environment: LANDFALL_ORACLE_CHARTS names folders of charts.
#[test]
fn charts_as_in_helm() {
    let mut folders: Vec<PathBuf> = std::env::var_os("LANDFALL_ORACLE_CHARTS")
        .map(|text| std::env::split_paths(&text).collect())
        .unwrap_or_default();
    folders.extend(support::helm_sources());
    let charts: Vec<PathBuf> = folders.iter().flat_map(|folder| support::charts_under(folder)).collect();
    if charts.is_empty() {
        return;
    }
    let questions: Vec<Value> = charts.iter().flat_map(variants).collect();
    let (Some(answers), Some(again)) = (ask(&questions), ask(&questions)) else { return };
    let mut differences = Differences::default();
    for ((question, helm), again) in questions.iter().zip(answers).zip(again) {
        let chart = Path::new(question["chart"].as_str().unwrap());
        let ours = Chart::load(chart).and_then(|chart| {
            let values = Values::from_json(&question["values"])?;
            let rendered = render(&chart, &values, &Options::new("rel", "ns"))?;
            Ok(format!("{}NOTES:\n{}", rendered.to_template_output(), rendered.notes).into_bytes())
        });
        let helm = helm.map_err(|error| format!("refused {error}"));
        let ours = ours.map_err(|error| format!("refused {error}"));
        match (&helm, &ours) {
            // The words of errors outside of templates are our own.
            (Err(_), Err(_)) => differences.agree(),
            // Dependencies by path need not be copied into the chart here.
            (Err(error), Ok(_)) if error.contains("missing in charts/ directory") => differences.agree(),
            (Ok(first), Ok(third)) => {
                let (mut first, mut third) =
                    support::without_chance(first, &again.unwrap_or_default(), third);
                if first != third {
                    // Where chance has only a few choices, two runs of Helm may have been of one mind.
                    let more = vec![question.clone(); 8];
                    for other in ask(&more).unwrap_or_default().into_iter().flatten() {
                        (first, third) = support::without_chance(&first, &other, &third);
                    }
                }
                differences.compare(
                    &chart.display().to_string(),
                    &question["values"].to_string(),
                    &Ok(first),
                    &Ok(third),
                );
            }
            _ => differences.compare(
                &chart.display().to_string(),
                &question["values"].to_string(),
                &helm,
                &ours,
            ),
        }
    }
    differences.finish();
}

/// A chart with its own values, with its subcharts switched off and on by tags and conditions, and with each of its
/// values deleted.
fn variants(path: &PathBuf) -> Vec<Value> {
    let ask = |values: Value| json!({"do": "chart", "chart": path, "values": values});
    let mut all = vec![ask(json!({}))];
    let Ok(chart) = Chart::load(path) else { return all };
    let dependencies = &chart.metadata.dependencies;
    for switch in [false, true] {
        let mut values = json!({});
        let mut tags = json!({});
        for dependency in dependencies {
            for tag in &dependency.tags {
                tags[tag] = json!(switch);
            }
        }
        values["tags"] = tags;
        if !dependencies.is_empty() {
            all.push(ask(values.clone()));
        }
        for condition in dependencies.iter().flat_map(|dependency| dependency.condition.split(',')) {
            let pointer =
                condition.trim().split('.').rev().fold(json!(switch), |inner, key| json!({key: inner}));
            if !condition.is_empty() {
                all.push(ask(pointer));
            }
        }
    }
    all.extend(chart.values.keys().take(20).map(|key| ask(json!({key: null}))));
    all
}

//! Whole charts.

use std::path::PathBuf;

use landfall_helm::{Chart, Options, Values, render};
use serde_json::json;

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
    let questions: Vec<_> = charts.iter().map(|chart| json!({"do": "chart", "chart": chart})).collect();
    let (Some(answers), Some(again)) = (ask(&questions), ask(&questions)) else { return };
    let mut differences = Differences::default();
    for ((chart, helm), again) in charts.iter().zip(answers).zip(again) {
        let ours = Chart::load(chart).and_then(|chart| {
            let rendered = render(&chart, &Values::new(), &Options::new("rel", "ns"))?;
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
                let (first, third) = support::without_chance(first, &again.unwrap_or_default(), third);
                differences.compare(&chart.display().to_string(), "chart", &Ok(first), &Ok(third));
            }
            _ => differences.compare(&chart.display().to_string(), "chart", &helm, &ours),
        }
    }
    differences.finish();
}

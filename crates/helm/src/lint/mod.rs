//! `helm lint`: what is wrong with a chart, and what is unusual. The rules and their words are Helm's
//! (pkg/chart/v2/lint of 4.3.1); what a parser says within them is ours.

mod chartfile;
mod deprecations;
mod names;
mod templates;
mod web;

use std::fmt;
use std::path::Path;

use crate::chart::Chart;
use crate::{HelmError, KubeVersion, Values, yaml};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    /// A file of the chart, or the chart's folder.
    pub path: String,
    pub text: String,
}

/// As `helm lint` prints it.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        write!(f, "[{severity}] {}: {}", self.path, self.text)
    }
}

/// What the chart is looked at with.
#[derive(Debug, Clone, Default)]
pub struct LintOptions {
    pub namespace: String,
    pub kube_version: Option<KubeVersion>,
    pub skip_schema_validation: bool,
}

/// Collects findings.
struct Linter<'a> {
    folder: &'a Path,
    messages: Vec<Message>,
}

impl Linter<'_> {
    fn find(&mut self, severity: Severity, path: &str, text: impl Into<String>) {
        self.messages.push(Message { severity, path: path.to_owned(), text: text.into() });
    }

    /// Notes what failed; whether it did not.
    fn check(&mut self, severity: Severity, path: &str, done: Result<(), String>) -> bool {
        match done {
            Ok(()) => true,
            Err(text) => {
                self.find(severity, path, text);
                false
            }
        }
    }
}

/// Looks at the chart in a folder.
///
/// # Errors
/// Where the folder is no chart at all.
pub fn lint(folder: &Path, values: &Values, options: &LintOptions) -> Result<Vec<Message>, HelmError> {
    let chart_yaml = folder.join("Chart.yaml");
    if let Err(source) = std::fs::metadata(&chart_yaml) {
        return Err(HelmError::Io { path: chart_yaml, source });
    }
    let folder =
        std::path::absolute(folder).map_err(|source| HelmError::Io { path: folder.to_owned(), source })?;
    let mut linter = Linter { folder: &folder, messages: Vec::new() };
    chartfile::check(&mut linter);
    check_values(&mut linter, values, options);
    let chart = Chart::load_alone(&folder);
    templates::check(&mut linter, &chart, values, options);
    check_dependencies(&mut linter, &chart);
    check_crds(&mut linter, &chart);
    Ok(linter.messages)
}

fn check_values(linter: &mut Linter<'_>, overrides: &Values, options: &LintOptions) {
    let file = "values.yaml";
    let text = match std::fs::read_to_string(linter.folder.join(file)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return linter.find(Severity::Info, file, "file does not exist");
        }
        Err(error) => return linter.find(Severity::Error, file, format!("unable to parse YAML: {error}")),
    };
    let mut values = match Values::from_yaml(&text, file) {
        Ok(values) => values,
        Err(error) => return linter.find(Severity::Error, file, format!("unable to parse YAML: {error}")),
    };
    values.overlay(overrides.clone());
    let Ok(schema) = std::fs::read(linter.folder.join("values.schema.json")) else { return };
    if !schema.is_empty() && !options.skip_schema_validation {
        let done = crate::values::validate_one(&schema, &values);
        linter.check(Severity::Error, file, done);
    }
}

/// The chart as it is, without what it asks for.
type Loaded = Result<Chart, HelmError>;

fn check_dependencies(linter: &mut Linter<'_>, chart: &Loaded) {
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => {
            return linter.find(Severity::Error, "", format!("unable to load chart\n\t{error}"));
        }
    };
    let place = linter.folder.display().to_string();
    let wanted = &chart.metadata.dependencies;
    let unasked: Vec<&str> = chart
        .dependencies
        .iter()
        .map(Chart::name)
        .filter(|have| !wanted.iter().any(|dependency| dependency.name == *have))
        .collect();
    let missing = chart.missing_dependencies();
    if !unasked.is_empty() {
        let text = format!("chart metadata is missing these dependencies: {}", unasked.join(","));
        linter.find(Severity::Error, &place, text);
    }
    if !missing.is_empty() {
        let text = format!("chart directory is missing these dependencies: {}", missing.join(","));
        linter.find(Severity::Warning, &place, text);
    }
}

fn check_crds(linter: &mut Linter<'_>, chart: &Loaded) {
    let folder = linter.folder.join("crds");
    match std::fs::metadata(&folder) {
        Err(_) => return,
        Ok(kind) if !kind.is_dir() => return linter.find(Severity::Error, "crds/", "not a directory"),
        Ok(_) => {}
    }
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => return linter.find(Severity::Error, "crds/", error.to_string()),
    };
    for file in chart.own_crds() {
        let documents = match yaml::parse_documents(&file.text()) {
            Ok(documents) => documents,
            Err(error) => {
                return linter.find(Severity::Error, &file.name, format!("unable to parse YAML: {error}"));
            }
        };
        for object in documents.iter().filter(|object| !object.is_null()) {
            let text = |key: &str| object[key].as_str().unwrap_or_default();
            if !text("apiVersion").starts_with("apiextensions.k8s.io") {
                linter.find(Severity::Error, &file.name, "apiVersion is not in 'apiextensions.k8s.io'");
            }
            if text("kind") != "CustomResourceDefinition" {
                linter.find(Severity::Error, &file.name, "object kind is not 'CustomResourceDefinition'");
            }
        }
    }
}

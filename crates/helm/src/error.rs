//! What can go wrong, with the place and what the user can do.

use std::path::PathBuf;

use crate::yaml::YamlError;

/// Errors of charts, values, rendering and release records.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// A chart that cannot be loaded.
    #[error("chart {chart}: {message}{}", hint_line(hint.as_deref()))]
    Chart { chart: String, message: String, hint: Option<String> },

    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },

    /// A YAML file of the chart or of the user.
    #[error("{file}:{line}: {message}{}", source_line(*line, text.as_deref()))]
    Yaml { file: String, line: usize, message: String, text: Option<String> },

    /// `--set` and its like.
    #[error("failed parsing --{flag} data {text:?}: {message}")]
    Set { flag: &'static str, text: String, message: String },

    /// The values do not fit the chart's schema; one line an error, in Helm's form.
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{0}")]
    Schema(String),

    /// Values of the wrong shape for the charts.
    #[error("{0}")]
    Values(String),

    #[error("chart requires kubeVersion: {constraint} which is incompatible with Kubernetes {version}")]
    KubeVersion { constraint: String, version: String },

    /// A template failed to parse or to run.
    #[error(transparent)]
    Template(Box<TemplateError>),

    /// A rendered manifest that is not YAML.
    #[error("YAML parse error on {template}: yaml: line {}: {}{}", error.line, error.message, source_line(error.line, text.as_deref()))]
    Manifest { template: String, error: YamlError, text: Option<String> },

    #[error("release record: {0}")]
    Record(String),

    /// A release record beyond what a Secret may hold.
    #[error(
        "the release record of {name} is {size} bytes, {limit} is the most that a Secret holds\n  \
         hint: shorten the chart (large files it does not need belong into .helmignore) or its values"
    )]
    RecordTooLarge { name: String, size: usize, limit: usize },
}

/// A template that failed, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    pub chart: String,
    /// Path as Helm names it: `keystone/templates/job.yaml`.
    pub template: String,
    /// Counted from 1; 0 where unknown.
    pub line: usize,
    pub column: usize,
    /// What Helm prints, its chain of includes included.
    pub message: String,
    /// The line of the template.
    pub source_line: Option<String>,
    pub hint: Option<String>,
}

impl std::error::Error for TemplateError {}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(text) = &self.source_line {
            write!(f, "\n  --> {}:{}\n{:>5} | {text}", self.template, self.line, self.line)?;
            if self.column > 0 && text.is_char_boundary(self.column - 1) {
                write!(f, "\n      | {}^", " ".repeat(self.column - 1))?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl HelmError {
    pub(crate) fn chart(chart: impl Into<String>, message: impl Into<String>) -> Self {
        HelmError::Chart { chart: chart.into(), message: message.into(), hint: None }
    }

    pub(crate) fn chart_hint(
        chart: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        HelmError::Chart { chart: chart.into(), message: message.into(), hint: Some(hint.into()) }
    }

    /// A YAML error in a file whose text is at hand.
    pub(crate) fn yaml(file: impl Into<String>, text: &str, error: YamlError) -> Self {
        HelmError::Yaml {
            file: file.into(),
            line: error.line,
            text: line_of(text, error.line),
            message: error.message,
        }
    }
}

pub(crate) fn line_of(text: &str, line: usize) -> Option<String> {
    line.checked_sub(1).and_then(|at| text.lines().nth(at)).map(str::to_owned)
}

fn hint_line(hint: Option<&str>) -> String {
    hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default()
}

fn source_line(line: usize, text: Option<&str>) -> String {
    text.map(|text| format!("\n{line:>5} | {text}")).unwrap_or_default()
}

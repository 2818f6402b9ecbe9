//! Sorts the files of a chart into their places, and finds the subcharts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Chart, File, Metadata};
use crate::HelmError;
use crate::semver::is_compatible;
use crate::values::read_values;
use crate::yaml;

/// Subcharts within subcharts; beyond it there is a cycle of `file://` dependencies.
const DEEPEST: usize = 16;

/// Where a chart's files come from.
pub trait Tree: std::fmt::Debug {
    /// For messages.
    fn label(&self) -> String;
    /// All files that `.helmignore` leaves, by path, sorted.
    fn files(&self) -> Result<Vec<File>, HelmError>;
    /// The chart at a path relative to this one.
    fn beside(&self, relative: &str) -> Option<Box<dyn Tree + '_>>;
}

/// Loads a chart; dependencies with `file://` that `charts/` lacks come from beside it.
pub fn load_tree(tree: &dyn Tree) -> Result<Chart, HelmError> {
    let mut missing = Vec::new();
    let chart = load_with_neighbours(tree, 0, &mut missing)?;
    if missing.is_empty() {
        return Ok(chart);
    }
    Err(HelmError::chart_hint(
        chart.name(),
        format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", ")),
        "`helm dependency build` fetches them",
    ))
}

fn load_with_neighbours(
    tree: &dyn Tree,
    depth: usize,
    missing: &mut Vec<String>,
) -> Result<Chart, HelmError> {
    if depth > DEEPEST {
        return Err(HelmError::chart(tree.label(), "its file:// dependencies lead back to itself"));
    }
    let mut chart = load_files(tree.files()?, &tree.label())?;
    for wanted in chart.metadata.dependencies.clone() {
        let there = chart.dependencies.iter().any(|have| have.name() == wanted.name);
        if there {
            continue;
        }
        let Some(relative) = wanted.repository.strip_prefix("file://") else {
            missing.push(wanted.name);
            continue;
        };
        let Some(neighbour) = tree.beside(relative) else {
            return Err(HelmError::chart_hint(
                chart.name(),
                format!("its dependency {} is not at {}", wanted.name, wanted.repository),
                "the path counts from the chart's own folder",
            ));
        };
        let found = load_with_neighbours(neighbour.as_ref(), depth + 1, missing)?;
        if found.name() != wanted.name || !is_compatible(&wanted.version, &found.metadata.version) {
            return Err(HelmError::chart_hint(
                chart.name(),
                format!(
                    "it wants {} {} at {}, where {} {} is",
                    wanted.name,
                    wanted.version,
                    wanted.repository,
                    found.name(),
                    found.metadata.version
                ),
                "change the version in its Chart.yaml",
            ));
        }
        chart.dependencies.push(found);
    }
    Ok(chart)
}

/// Builds a chart from its files.
pub fn load_files(files: Vec<File>, label: &str) -> Result<Chart, HelmError> {
    let mut metadata = read_metadata(&files, label)?;
    let mut chart = Chart {
        metadata: Metadata::default(),
        lock: None,
        values: Map::new().into(),
        values_text: None,
        schema: None,
        templates: Vec::new(),
        files: Vec::new(),
        dependencies: Vec::new(),
    };
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    let in_chart = |name: &str| format!("{label}/{name}");
    for file in files {
        let is_v1 = metadata.api_version == "v1";
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => chart.lock = Some(read_yaml(&file, &in_chart("Chart.lock"))?),
            "values.yaml" => {
                chart.values = read_values(&file.text(), &in_chart("values.yaml"))?.into();
                chart.values_text = Some(file.data);
            }
            "values.schema.json" => chart.schema = Some(file.data),
            "requirements.yaml" => {
                let place = in_chart("requirements.yaml");
                let content = read_yaml(&file, &place)?;
                metadata.read(&content).map_err(|message| HelmError::chart(place, message))?;
                if is_v1 {
                    chart.files.push(file);
                }
            }
            "requirements.lock" => {
                chart.lock = Some(read_yaml(&file, &in_chart("requirements.lock"))?);
                if is_v1 {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name if name.starts_with("charts/") => {
                let is_provenance = name
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| last.rsplit_once('.').is_some_and(|(_, e)| e == "prov"));
                if is_provenance {
                    chart.files.push(file);
                    continue;
                }
                let inner = name.trim_start_matches("charts/").to_owned();
                let folder = inner.split('/').next().unwrap_or("").to_owned();
                subcharts.entry(folder).or_default().push(File { name: inner, data: file.data });
            }
            _ => chart.files.push(file),
        }
    }
    metadata.validate()?;
    chart.metadata = metadata;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let place = in_chart(&format!("charts/{name}"));
        let is_package = name.rsplit_once('.').is_some_and(|(_, extension)| extension == "tgz");
        let subchart = if is_package {
            let Some(file) = files.first().filter(|file| file.name == name) else {
                return Err(HelmError::chart(place, "a folder must not be named like a packed chart"));
            };
            Chart::load_package(&file.data, &place)?
        } else {
            let inner: Vec<File> = files
                .into_iter()
                .filter_map(|file| {
                    let (_, inner) = file.name.split_once('/')?;
                    Some(File { name: inner.to_owned(), data: file.data })
                })
                .collect();
            load_files(inner, &place)?
        };
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

fn read_metadata(files: &[File], label: &str) -> Result<Metadata, HelmError> {
    let mut metadata = Metadata::default();
    let Some(file) = files.iter().find(|file| file.name == "Chart.yaml") else {
        return Err(HelmError::chart_hint(
            label,
            "Chart.yaml file is missing",
            "a chart is a folder with a Chart.yaml, or such a folder packed as .tgz",
        ));
    };
    let place = format!("{label}/Chart.yaml");
    let content = read_yaml(file, &place)?;
    metadata.read(&content).map_err(|message| HelmError::chart(place, message))?;
    if metadata.api_version.is_empty() {
        "v1".clone_into(&mut metadata.api_version);
    }
    Ok(metadata)
}

fn read_yaml(file: &File, place: &str) -> Result<Value, HelmError> {
    let text = file.text();
    yaml::parse(&text).map_err(|error| HelmError::yaml(place, &text, error))
}

//! Rules about templates and what they render.

use serde_json::Value;

use super::deprecations;
use super::names;
use super::{LintOptions, Linter, Loaded, Severity};
use crate::engine::{read_document, render_leniently};
use crate::{Options, Values, yaml};

const FOLDER: &str = "templates/";

pub fn check(linter: &mut Linter<'_>, chart: &Loaded, values: &Values, options: &LintOptions) {
    match std::fs::metadata(linter.folder.join("templates")) {
        Err(_) => return linter.find(Severity::Warning, FOLDER, "directory does not exist"),
        Ok(kind) if !kind.is_dir() => return linter.find(Severity::Error, FOLDER, "not a directory"),
        Ok(_) => {}
    }
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => return linter.find(Severity::Error, FOLDER, error.to_string()),
    };
    let mut render = Options::new("test-release", &options.namespace);
    render.kube_version.clone_from(&options.kube_version);
    render.skip_schema_validation = options.skip_schema_validation;
    let rendered = match render_leniently(chart, values, &render) {
        Ok(Some(rendered)) => rendered,
        Ok(None) => return,
        Err(error) => return linter.find(Severity::Error, FOLDER, error.to_string()),
    };
    let minor = options.kube_version.as_ref().map_or_else(
        || crate::KubeVersion::parse(crate::DEFAULT_KUBE_VERSION).map_or(0, |version| version.minor()),
        crate::KubeVersion::minor,
    );
    for template in &chart.templates {
        let file = &template.name;
        let end =
            file.rsplit('/').next().and_then(|name| name.rfind('.').map(|at| &name[at..])).unwrap_or("");
        if ![".yaml", ".yml", ".tpl", ".txt"].contains(&end) {
            let text =
                format!("file extension '{end}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt");
            linter.find(Severity::Error, file, text);
        }
        if !end.eq_ignore_ascii_case(".yaml") && !end.eq_ignore_ascii_case(".yml") {
            continue;
        }
        let full = format!("{}/{file}", chart.name());
        let Some((_, text)) = rendered.iter().find(|(name, _)| *name == full) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        linter.check(Severity::Warning, file, top_indent(text));
        // Not trimmed, as rendering does it: indentation counts here.
        let documents = text.strip_prefix("---").unwrap_or(text).split("\n---");
        for document in documents.filter(|document| !document.trim().is_empty()) {
            let object = match read_document(&full, document) {
                Ok(manifest) => manifest.object(),
                Err(error) => {
                    return linter.find(Severity::Error, file, format!("unable to parse YAML: {error}"));
                }
            };
            if object.is_null() {
                continue;
            }
            linter.check(Severity::Warning, file, name(&object));
            linter.check(Severity::Warning, file, deprecations::check(&object, minor));
            linter.check(Severity::Error, file, selector(&object, text));
            linter.check(Severity::Error, file, list_annotations(&object, text));
        }
    }
}

fn top_indent(text: &str) -> Result<(), String> {
    match text.lines().find(|line| !line.trim().is_empty()) {
        Some(line) if line.starts_with([' ', '\t']) => Err(format!(
            "document starts with an illegal indent: {}, which may cause parsing problems",
            gotmpl::quote(line)
        )),
        _ => Ok(()),
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn name(object: &Value) -> Result<(), String> {
    let quoted = gotmpl::quote(text(&object["metadata"], "name"));
    let wrong: Vec<String> = names::complaints(text(object, "kind"), text(&object["metadata"], "name"))
        .into_iter()
        .map(|why| format!("metadata.name: Invalid value: {quoted}: {why}"))
        .collect();
    let words = match &wrong[..] {
        [] => return Ok(()),
        [one] => one.clone(),
        more => format!("[{}]", more.join(", ")),
    };
    Err(format!("object name does not conform to Kubernetes naming requirements: {quoted}: {words}"))
}

fn selector(object: &Value, manifest: &str) -> Result<(), String> {
    let kind = text(object, "kind");
    let selects = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"].contains(&kind);
    if !selects || manifest.contains("matchLabels") || manifest.contains("matchExpressions") {
        return Ok(());
    }
    let name = gotmpl::quote(text(&object["metadata"], "name"));
    Err(format!("a {kind} must contain matchLabels or matchExpressions, and {name} does not"))
}

/// Of a list, Helm reads the first document of its file, whichever that is.
fn list_annotations(object: &Value, manifest: &str) -> Result<(), String> {
    if text(object, "kind") != "List" {
        return Ok(());
    }
    let first = yaml::parse(manifest).unwrap_or_default();
    let kept = |item: &Value| item["metadata"]["annotations"].get("helm.sh/resource-policy").is_some();
    if first["items"].as_array().is_some_and(|items| items.iter().any(kept)) {
        return Err("annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned());
    }
    Ok(())
}

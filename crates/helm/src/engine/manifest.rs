//! Rendered documents: told apart, read, and divided into manifests and hooks.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::order::install_rank;
use crate::error::{HelmError, line_of};
use crate::yaml::{self, Part, Parts, YamlError, scalar_text};

/// One rendered document.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The template it came from: `chart/templates/x.yaml`.
    pub source: String,
    /// As it was rendered.
    pub yaml: String,
    /// What Helm reads of it.
    head: Value,
}

/// The whole is only put together for those who ask for it.
const HEAD: Parts = Parts(&[
    ("apiVersion", Part::Whole),
    ("kind", Part::Whole),
    ("metadata", Part::Parts(&Parts(&[("name", Part::Whole), ("annotations", Part::Whole)]))),
]);

impl Manifest {
    pub fn kind(&self) -> &str {
        self.head["kind"].as_str().unwrap_or("")
    }

    pub fn name(&self) -> &str {
        self.head["metadata"]["name"].as_str().unwrap_or("")
    }

    /// As data, integers as integers; null for a document with comments only.
    pub fn object(&self) -> Value {
        yaml::parse(&self.yaml).unwrap_or_default()
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        !self.head.is_object()
    }
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookEvent {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

/// When a hook's object is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletePolicy {
    HookSucceeded,
    HookFailed,
    BeforeHookCreation,
}

/// When a hook's log is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputLogPolicy {
    HookSucceeded,
    HookFailed,
}

/// A document that is applied at an event, not with the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    pub name: String,
    pub kind: String,
    pub source: String,
    pub yaml: String,
    pub events: Vec<HookEvent>,
    pub weight: i64,
    /// As the annotation has them; Helm takes `before-hook-creation` where there is none.
    pub delete_policies: Vec<DeletePolicy>,
    pub output_log_policies: Vec<OutputLogPolicy>,
}

impl Hook {
    /// As data, integers as integers.
    pub fn object(&self) -> Value {
        yaml::parse(&self.yaml).unwrap_or_default()
    }

    pub fn is_test(&self) -> bool {
        self.events.contains(&HookEvent::Test)
    }

    /// The policies that hold: the annotation's, or Helm's default.
    pub fn effective_delete_policies(&self) -> Vec<DeletePolicy> {
        if self.delete_policies.is_empty() {
            vec![DeletePolicy::BeforeHookCreation]
        } else {
            self.delete_policies.clone()
        }
    }
}

const HOOK: &str = "helm.sh/hook";
const WEIGHT: &str = "helm.sh/hook-weight";
const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const OUTPUT_LOG: &str = "helm.sh/hook-output-log-policy";

static SEPARATOR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^---[ \t]*").ok());

/// The documents of a rendered file, without those that are blank.
pub fn split(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let documents: Vec<&str> = match SEPARATOR.as_ref() {
        Some(separator) => separator.split(text).collect(),
        None => vec![text],
    };
    documents.into_iter().filter(|document| !document.trim().is_empty()).map(str::trim_start).collect()
}

/// Divides rendered files (by path) into manifests and hooks, both in Helm's order of kinds.
pub fn sort(mut files: Vec<(String, String)>) -> Result<(Vec<Manifest>, Vec<Hook>), HelmError> {
    files.sort();
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, text) in files {
        if text.trim().is_empty() {
            continue;
        }
        for document in split(&text) {
            let manifest = read(&path, document)?;
            let annotations = &manifest.head["metadata"]["annotations"];
            match annotations.get(HOOK).and_then(scalar_text) {
                None => manifests.push(manifest),
                Some(events) => hooks.extend(hook(manifest, &events)),
            }
        }
    }
    manifests.sort_by(|a, b| install_rank(a.kind()).cmp(&install_rank(b.kind())));
    hooks.sort_by(|a, b| install_rank(&a.kind).cmp(&install_rank(&b.kind)));
    Ok((manifests, hooks))
}

/// Reads a document, and checks what Helm reads of it.
pub fn read(source: &str, document: &str) -> Result<Manifest, HelmError> {
    let fail = |error: YamlError| HelmError::Manifest {
        template: source.to_owned(),
        text: line_of(document, error.line),
        error,
    };
    let head = yaml::parse_parts(document, &HEAD).map_err(fail)?;
    check_head(&head).map_err(|message| fail(YamlError::new(1, 1, message)))?;
    Ok(Manifest { source: source.to_owned(), yaml: document.to_owned(), head })
}

fn check_head(head: &Value) -> Result<(), String> {
    match head {
        Value::Null => return Ok(()),
        Value::Object(_) => {}
        other => return Err(format!("expected a mapping, found {}", yaml::kind_name(other))),
    }
    let text_or_null = |value: Option<&Value>, what: &str| match value {
        None | Some(Value::Null) => Ok(()),
        Some(value) if scalar_text(value).is_some() => Ok(()),
        Some(other) => Err(format!("{what}: expected text, found {}", yaml::kind_name(other))),
    };
    text_or_null(head.get("apiVersion"), "apiVersion")?;
    text_or_null(head.get("kind"), "kind")?;
    match head.get("metadata") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(metadata)) => {
            text_or_null(metadata.get("name"), "metadata.name")?;
            match metadata.get("annotations") {
                None | Some(Value::Null) => Ok(()),
                Some(Value::Object(annotations)) => annotations.iter().try_for_each(|(key, value)| {
                    text_or_null(Some(value), &format!("metadata.annotations.{key}"))
                }),
                Some(other) => {
                    Err(format!("metadata.annotations: expected a mapping, found {}", yaml::kind_name(other)))
                }
            }
        }
        Some(other) => Err(format!("metadata: expected a mapping, found {}", yaml::kind_name(other))),
    }
}

/// None where an event is unknown: Helm leaves such documents out.
fn hook(manifest: Manifest, events: &str) -> Option<Hook> {
    let events = words(events).map(|word| event(&word)).collect::<Option<Vec<_>>>()?;
    let annotations = &manifest.head["metadata"]["annotations"];
    let text = |key: &str| annotations.get(key).and_then(scalar_text);
    let weight = text(WEIGHT).and_then(|text| text.parse().ok()).unwrap_or(0);
    let delete_policies = text(DELETE_POLICY)
        .map(|text| {
            words(&text)
                .filter_map(|word| match word.as_str() {
                    "hook-succeeded" => Some(DeletePolicy::HookSucceeded),
                    "hook-failed" => Some(DeletePolicy::HookFailed),
                    "before-hook-creation" => Some(DeletePolicy::BeforeHookCreation),
                    _ => None,
                })
                .collect()
        })
        .unwrap_or_default();
    let output_log_policies = text(OUTPUT_LOG)
        .map(|text| {
            words(&text)
                .filter_map(|word| match word.as_str() {
                    "hook-succeeded" => Some(OutputLogPolicy::HookSucceeded),
                    "hook-failed" => Some(OutputLogPolicy::HookFailed),
                    _ => None,
                })
                .collect()
        })
        .unwrap_or_default();
    Some(Hook {
        name: manifest.name().to_owned(),
        kind: manifest.kind().to_owned(),
        events,
        weight,
        delete_policies,
        output_log_policies,
        source: manifest.source,
        yaml: manifest.yaml,
    })
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(',').map(|word| word.trim().to_lowercase())
}

fn event(word: &str) -> Option<HookEvent> {
    Some(match word {
        "pre-install" => HookEvent::PreInstall,
        "post-install" => HookEvent::PostInstall,
        "pre-delete" => HookEvent::PreDelete,
        "post-delete" => HookEvent::PostDelete,
        "pre-upgrade" => HookEvent::PreUpgrade,
        "post-upgrade" => HookEvent::PostUpgrade,
        "pre-rollback" => HookEvent::PreRollback,
        "post-rollback" => HookEvent::PostRollback,
        "test" | "test-success" => HookEvent::Test,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn documents_are_told_apart_by_lines_of_dashes() {
        assert_eq!(split("---\na: 1\n--- \nb: 2\n---\n\n"), ["a: 1\n", "b: 2\n"]);
        assert_eq!(split("# c\n"), ["# c\n"]);
        assert!(split(" \n---\n").is_empty());
    }

    #[test]
    fn hooks_and_kinds_are_sorted() {
        let doc = |kind: &str, extra: &str| format!("kind: {kind}\nmetadata:\n  name: {kind}\n{extra}");
        let hook =
            "  annotations:\n    helm.sh/hook: pre-install, Post-Upgrade\n    helm.sh/hook-weight: \"-5\"\n";
        let files = vec![
            ("c/b.yaml".to_owned(), doc("Widget", "")),
            (
                "c/a.yaml".to_owned(),
                [doc("Deployment", ""), doc("Service", ""), doc("Job", hook)].join("\n---\n"),
            ),
        ];
        let (manifests, hooks) = sort(files).unwrap();
        let kinds: Vec<&str> = manifests.iter().map(Manifest::kind).collect();
        assert_eq!(kinds, ["Service", "Deployment", "Widget"]);
        assert_eq!(
            (hooks[0].weight, &hooks[0].events[..]),
            (-5, &[HookEvent::PreInstall, HookEvent::PostUpgrade][..])
        );
        assert_eq!(hooks[0].effective_delete_policies(), [DeletePolicy::BeforeHookCreation]);
    }

    #[test]
    fn broken_documents_name_template_and_line() {
        let error = read("c/templates/x.yaml", "a: 1\nb: [\n").unwrap_err().to_string();
        assert!(error.contains("c/templates/x.yaml"), "{error}");
        assert!(read("x", "just text").is_err());
    }
}

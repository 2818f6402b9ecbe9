//! The result of a rendering, and its text as `helm template` prints it.

use serde_json::Value;

use super::manifest::{Hook, Manifest, sort};
use super::{Options, manifest};
use crate::HelmError;
use crate::chart::Crd;
use crate::glob::Glob;
use crate::values::Node;

pub(super) const NOTES: &str = "NOTES.txt";

/// A rendered chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// In Helm's order of kinds.
    pub manifests: Vec<Manifest>,
    /// In the order in which `helm template` prints them; run them by event and weight.
    pub hooks: Vec<Hook>,
    pub notes: String,
    pub crds: Vec<Crd>,
    /// `Chart.yaml` as release records hold it, with disabled subcharts left out.
    pub metadata: Value,
}

/// What of it is printed.
#[derive(Debug, Clone, Default)]
pub struct OutputOptions {
    pub include_crds: bool,
    pub no_hooks: bool,
    pub skip_tests: bool,
    /// Only these templates (paths within the chart, with `*`).
    pub show_only: Vec<String>,
}

/// Puts the files together.
pub fn assemble(
    node: &Node<'_>,
    files: Vec<(String, String)>,
    options: &Options,
) -> Result<Rendered, HelmError> {
    let own_notes = format!("{}/templates/{NOTES}", node.name());
    let mut notes = String::new();
    let mut rest = Vec::with_capacity(files.len());
    for (path, text) in files {
        if !path.ends_with(NOTES) {
            rest.push((path, text));
        } else if options.sub_notes || path == own_notes {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(&text);
        }
    }
    let (manifests, hooks) = sort(rest)?;
    Ok(Rendered { manifests, hooks, notes, crds: crds(node, node.name()), metadata: node.metadata.to_json() })
}

fn crds(node: &Node<'_>, path: &str) -> Vec<Crd> {
    let mut all: Vec<Crd> = node
        .chart
        .own_crds()
        .map(|file| Crd { source: format!("{path}/{}", file.name), data: file.data.clone() })
        .collect();
    for subchart in &node.dependencies {
        all.extend(crds(subchart, &format!("{path}/charts/{}", subchart.name())));
    }
    all
}

impl Rendered {
    /// All manifests as one text: what a release record holds.
    pub fn manifest_text(&self) -> String {
        let mut text = String::with_capacity(self.length());
        self.write_manifests(&mut text);
        text
    }

    fn write_manifests(&self, text: &mut String) {
        for manifest in &self.manifests {
            write_document(text, &manifest.source, &manifest.yaml);
        }
    }

    /// About as much as is written of manifests and hooks.
    fn length(&self) -> usize {
        let manifests = self.manifests.iter().map(|manifest| manifest.source.len() + manifest.yaml.len());
        let hooks = self.hooks.iter().map(|hook| hook.source.len() + hook.yaml.len());
        manifests.chain(hooks).map(|length| length + 20).sum()
    }

    /// What `helm template` prints.
    pub fn to_template_output(&self) -> String {
        self.text(&OutputOptions::default())
    }

    /// What `helm template` prints with these flags.
    ///
    /// # Errors
    /// Where `show_only` names a template that is not there.
    pub fn template_output(&self, options: &OutputOptions) -> Result<String, HelmError> {
        let text = self.text(options);
        if options.show_only.is_empty() {
            return Ok(text);
        }
        let documents = manifest::split(&text);
        let mut shown = String::new();
        for wanted in &options.show_only {
            let wanted_path = Glob::compile_path(wanted);
            let mut found = false;
            for document in &documents {
                let Some(source) = document.split("# Source: ").nth(1).and_then(|rest| rest.lines().next())
                else {
                    continue;
                };
                let inner = source.split_once('/').map_or(source, |(_, inner)| inner);
                if wanted_path.as_ref().is_some_and(|path| path.matches(inner)) {
                    shown.push_str(&format!("---\n{document}\n"));
                    found = true;
                }
            }
            if !found {
                return Err(HelmError::Values(format!("could not find template {wanted} in chart")));
            }
        }
        Ok(shown)
    }

    fn text(&self, options: &OutputOptions) -> String {
        let mut text = String::with_capacity(self.length());
        if options.include_crds {
            for crd in &self.crds {
                write_document(&mut text, &crd.source, &String::from_utf8_lossy(&crd.data));
            }
        }
        self.write_manifests(&mut text);
        // It begins with dashes, if with anything.
        text.truncate(text.trim_end().len());
        text.push('\n');
        if !options.no_hooks {
            for hook in self.hooks.iter().filter(|hook| !(options.skip_tests && hook.is_test())) {
                write_document(&mut text, &hook.source, &hook.yaml);
            }
        }
        text
    }
}

fn write_document(text: &mut String, source: &str, yaml: &str) {
    text.push_str("---\n# Source: ");
    text.push_str(source);
    text.push('\n');
    text.push_str(yaml);
    text.push('\n');
}

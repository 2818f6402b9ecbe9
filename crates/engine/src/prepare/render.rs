//! Charts to rendered releases, side by side, off the threads that wait for the network.

use std::collections::BTreeMap;

use include_dir::Dir;
use landfall_catalog::blueprint::{Blueprint, ReleaseSpec};
use landfall_helm::{Chart, Hook, KubeVersion, Options, Rendered, Values, flatten, render};
use landfall_plan::model::{ReleaseState, RenderedHook, RenderedRelease};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::error::{EngineError, Result};
use crate::helm_records::{HelmRecords, Source};

pub(super) struct All {
    /// In the blueprint's order.
    pub releases: Vec<RenderedRelease>,
    pub records: HelmRecords,
    pub notes: Vec<(String, String)>,
}

pub(super) async fn all(
    blueprint: &Blueprint,
    charts: &'static Dir<'static>,
    version: &str,
    served: &[String],
    states: &BTreeMap<String, ReleaseState>,
) -> Result<All> {
    let mut running = JoinSet::new();
    for (at, spec) in blueprint.releases.iter().enumerate() {
        let mut options = Options::new(&spec.name, &spec.namespace);
        options.kube_version = KubeVersion::parse(version);
        options.api_versions = Some(served.to_vec());
        if let Some(state) = states.get(&format!("{}/{}", spec.namespace, spec.name)) {
            let again = state.status.starts_with("pending-");
            options.revision = i64::from(state.revision) + i64::from(!again);
            options.is_install = state.status == "pending-install" || state.status == "uninstalled";
        }
        let spec = spec.clone();
        running.spawn_blocking(move || (at, one(&spec, charts, &options)));
    }
    let mut done: BTreeMap<usize, (RenderedRelease, Source)> = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        let (at, rendered) = joined.map_err(|e| EngineError::Render {
            release: String::new(),
            chart: String::new(),
            message: e.to_string(),
        })?;
        done.insert(at, rendered?);
    }
    let mut all = All { releases: Vec::new(), records: HelmRecords::default(), notes: Vec::new() };
    for (release, source) in done.into_values() {
        if !source.rendered.notes.trim().is_empty() {
            all.notes.push((release.name.clone(), source.rendered.notes.clone()));
        }
        all.records.0.insert(format!("{}/{}", release.namespace, release.name), source);
        all.releases.push(release);
    }
    Ok(all)
}

fn one(spec: &ReleaseSpec, charts: &Dir<'_>, options: &Options) -> Result<(RenderedRelease, Source)> {
    let failed = |message: String| EngineError::Render {
        release: spec.name.clone(),
        chart: spec.chart.clone(),
        message,
    };
    let chart = Chart::load_embedded(charts, &spec.chart).map_err(|e| failed(e.to_string()))?;
    let values = Values::from_json(&spec.values).map_err(|e| failed(e.to_string()))?;
    let rendered = render(&chart, &values, options).map_err(|e| failed(e.to_string()))?;
    let mut objects = Vec::new();
    for crd in &rendered.crds {
        let text = String::from_utf8_lossy(&crd.data);
        let documents = landfall_helm::yaml::parse_documents(&text)
            .map_err(|e| failed(format!("{}: {e}", crd.source)))?;
        for document in documents {
            flatten(document, &mut objects);
        }
    }
    for manifest in rendered.manifests.iter().filter(|m| !m.is_empty()) {
        flatten(manifest.object(), &mut objects);
    }
    let release = RenderedRelease {
        service: spec.service.clone(),
        name: spec.name.clone(),
        namespace: spec.namespace.clone(),
        objects,
        hooks: rendered.hooks.iter().filter(|h| !h.is_test()).map(hook).collect(),
        digest: digest(&rendered, &spec.values),
    };
    Ok((release, Source { chart, values, rendered }))
}

fn hook(hook: &Hook) -> RenderedHook {
    let word = |value: Value| value.as_str().map(str::to_owned);
    RenderedHook {
        object: hook.object(),
        events: hook.events.iter().filter_map(|e| word(serde_json::json!(e))).collect(),
        weight: hook.weight,
        delete_policies: hook
            .effective_delete_policies()
            .iter()
            .filter_map(|p| word(serde_json::json!(p)))
            .collect(),
    }
}

/// SHA-256 over manifest, hooks and user values, each with its length so that none runs into the next.
fn digest(rendered: &Rendered, values: &Value) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(&rendered.manifest_text());
    for hook in &rendered.hooks {
        add(&hook.yaml);
    }
    add(&values.to_string());
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

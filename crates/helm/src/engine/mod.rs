//! Rendering: from a chart and values to manifests, hooks and notes.

mod failure;
mod manifest;
mod order;
mod output;
mod parsed;
mod scope;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use gotmpl::{Limits, Map, MapType, MissingKey, Renderer, Templates, Value};
use serde_json::Value as Json;

pub(crate) use manifest::read as read_document;
pub use manifest::{DeletePolicy, Hook, HookEvent, Manifest, OutputLogPolicy};
pub use order::{install_rank, uninstall_rank};
pub use output::{OutputOptions, Rendered};

use crate::HelmError;
use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::Chart;
use crate::convert::to_map;
use crate::functions::{self, RenderState, without_no_value};
use crate::semver::is_compatible;
use crate::values::{self, Node, Values};

/// Rendering happens on a stack with room for templates that include each other a thousand deep.
const STACK: usize = 512 << 20;
/// Releases have names of at most this length.
const LONGEST_NAME: usize = 53;

/// Looks at the cluster for templates. Not there: empty, as for `helm template`.
pub trait Lookup: Send + Sync + fmt::Debug {
    /// An object, or a list (`{"items": [...]}`) where `name` is empty; None where there is none.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Json>, String>;
}

/// What a rendering depends on beside chart and values.
#[derive(Debug, Clone)]
pub struct Options {
    pub release_name: String,
    pub namespace: String,
    pub revision: i64,
    /// An upgrade otherwise.
    pub is_install: bool,
    /// None for what Helm 4.3.1 assumes.
    pub kube_version: Option<KubeVersion>,
    /// What the cluster serves (`apps/v1`, `apps/v1/Deployment`); None for what Helm assumes.
    pub api_versions: Option<Vec<String>>,
    /// Further versions, as `--api-versions` gives them.
    pub extra_api_versions: Vec<String>,
    pub lookup: Option<Arc<dyn Lookup>>,
    pub skip_schema_validation: bool,
    /// Notes of subcharts too.
    pub sub_notes: bool,
    /// Bounds on each template; passing one is an error.
    pub limits: Limits,
}

impl Options {
    /// A first installation as `helm template NAME` renders it.
    pub fn new(release_name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            release_name: release_name.into(),
            namespace: namespace.into(),
            revision: 1,
            is_install: true,
            kube_version: None,
            api_versions: None,
            extra_api_versions: Vec::new(),
            lookup: None,
            skip_schema_validation: false,
            sub_notes: false,
            limits: Limits::default(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        if let Some(version) = &self.kube_version {
            capabilities.kube_version = version.clone();
        }
        if let Some(versions) = &self.api_versions {
            capabilities.api_versions.clone_from(versions);
        }
        capabilities.api_versions.extend(self.extra_api_versions.iter().cloned());
        capabilities
    }
}

/// Renders a chart.
pub fn render(chart: &Chart, values: &Values, options: &Options) -> Result<Rendered, HelmError> {
    check_name(&options.release_name)?;
    with_room(|| render_here(chart, values, options))
}

/// The texts of all templates, partials left out, as `helm lint` renders them: `required` and `fail` pass, and a
/// library chart is rendered too. None where the values are no values for the chart, which Helm passes over.
pub(crate) fn render_leniently(
    chart: &Chart,
    values: &Values,
    options: &Options,
) -> Result<Option<Vec<(String, String)>>, HelmError> {
    with_room(|| {
        let user = to_map(values.as_map());
        let mut node = Node::new(chart);
        if values::process_dependencies(&mut node, &user).is_err() {
            return Ok(None);
        }
        let Ok(coalesced) = values::coalesce_values_at_last(&node, &user) else {
            return Ok(None);
        };
        if !options.skip_schema_validation {
            values::validate(&node, &coalesced).map_err(HelmError::Schema)?;
        }
        // Such a release is neither installed nor upgraded.
        let release = release_of(options, false, false, 0);
        let top = top(release, &options.capabilities(), &coalesced);
        let mut state = RenderState::new(None);
        state.lenient = true;
        run(&scope::collect(&node, &top), state, options.limits).map(Some)
    })
}

/// On the caller's thread, whose allocator has at hand what the rendering before gave back.
fn with_room<T>(render: impl FnOnce() -> Result<T, HelmError>) -> Result<T, HelmError> {
    let render = AssertUnwindSafe(|| stacker::grow(STACK, render));
    std::panic::catch_unwind(render).unwrap_or_else(|_| {
        Err(HelmError::Values("rendering stopped by a defect in Landfall's template engine".to_owned()))
    })
}

fn check_name(name: &str) -> Result<(), HelmError> {
    let shape_is_fine = !name.is_empty()
        && name.split('.').all(|part| {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            ends(part.chars().next())
                && ends(part.chars().last())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        });
    if shape_is_fine && name.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(HelmError::Values(format!(
        "release name {name:?} is invalid: lower case letters, digits and '-', beginning and ending with \
         one of the former, at most {LONGEST_NAME} characters"
    )))
}

fn render_here(chart: &Chart, values: &Values, options: &Options) -> Result<Rendered, HelmError> {
    let capabilities = options.capabilities();
    let user = to_map(values.as_map());
    let mut node = Node::new(chart);
    values::process_dependencies(&mut node, &user).map_err(HelmError::Values)?;
    if chart.is_library() {
        return Err(HelmError::chart_hint(
            chart.name(),
            "library charts are not installable",
            "name it as a dependency of an application chart",
        ));
    }
    let coalesced = values::coalesce_values_at_last(&node, &user).map_err(HelmError::Values)?;
    if !options.skip_schema_validation {
        values::validate(&node, &coalesced).map_err(HelmError::Schema)?;
    }
    let constraint = &node.metadata.kube_version;
    if !constraint.is_empty() && !is_compatible(constraint, &capabilities.kube_version.normalized) {
        return Err(HelmError::KubeVersion {
            constraint: constraint.clone(),
            version: capabilities.kube_version.version.clone(),
        });
    }

    let release = release_of(options, options.is_install, !options.is_install, options.revision);
    let top = top(release, &capabilities, &coalesced);
    let templates = scope::collect(&node, &top);
    let rendered = run(&templates, RenderState::new(options.lookup.clone()), options.limits)?;
    output::assemble(&node, rendered, options)
}

fn release_of(options: &Options, is_install: bool, is_upgrade: bool, revision: i64) -> Map {
    [
        ("Name", Value::from(&options.release_name)),
        ("Namespace", Value::from(&options.namespace)),
        ("IsUpgrade", Value::Bool(is_upgrade)),
        ("IsInstall", Value::Bool(is_install)),
        ("Revision", Value::Int(revision)),
        ("Service", Value::from("Helm")),
    ]
    .into_iter()
    .collect()
}

fn top(release: Map, capabilities: &Capabilities, values: &Map) -> scope::Top {
    scope::Top {
        release,
        capabilities: capabilities.to_value(),
        values: values.retyped(MapType::Named("common.Values")),
    }
}

/// Parses all templates, then executes all that are no partials, in Helm's order.
fn run(
    sources: &[scope::Source<'_>],
    state: RenderState,
    limits: Limits,
) -> Result<Vec<(String, String)>, HelmError> {
    let mut templates = Templates::new(functions::all()).with_options(gotmpl::Options {
        missing_key: MissingKey::Zero,
        limits,
        // Helm's root, which it names in errors.
        set_name: "gotpl".to_owned(),
        ..gotmpl::Options::default()
    });
    for source in sources {
        let parsed = parsed::parse(&templates, &source.name, source.file)
            .map_err(|error| failure::parse_error(&source.name, &source.chart, &error))?;
        templates.add(&parsed);
    }
    let mut renderer = Renderer::with_state(&templates, &state);
    let mut rendered = Vec::new();
    for source in sources {
        if source.is_partial() {
            continue;
        }
        let info = Map::of(MapType::Named("common.Values"));
        info.insert("Name", source.name.as_str());
        info.insert("BasePath", Value::String(source.base_path.clone()));
        source.scope.insert("Template", info);
        let text = renderer
            .render(&source.name, &Value::Map(source.scope.clone()))
            .map_err(|error| failure::exec_error(&source.name, &source.chart, &error))?;
        let text = without_no_value(text);
        let text = match text.as_str() {
            Some(text) => text.to_owned(),
            None => failure::not_utf8(&source.name, text.as_bytes())?,
        };
        rendered.push((source.name.clone(), text));
    }
    Ok(rendered)
}

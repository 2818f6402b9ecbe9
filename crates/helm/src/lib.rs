//! Landfall's Helm engine: charts, values, rendering, hooks, release records, repositories and registries, as Helm
//! 4.3.1 has them. Applying objects and waiting for them is another crate's work; nothing here talks to a cluster.
//!
//! ```no_run
//! use landfall_helm::{Chart, Options, Values, render};
//!
//! let chart = Chart::load("charts/keystone")?;
//! let values = Values::from_yaml("pod: {replicas: {api: 2}}", "values.yaml")?;
//! let rendered = render(&chart, &values, &Options::new("keystone", "openstack"))?;
//! assert!(!rendered.manifests.is_empty());
//! # Ok::<(), landfall_helm::HelmError>(())
//! ```

mod adopt;
mod capabilities;
pub mod chart;
mod convert;
pub mod duration;
mod engine;
mod error;
mod files;
mod functions;
mod generations;
mod glob;
pub mod json;
mod layout;
pub mod lint;
mod number;
pub mod provenance;
pub mod release;
pub mod repository;
pub mod semver;
mod toml;
mod values;
pub mod yaml;

pub use adopt::{adopt, flatten};
pub use capabilities::{Capabilities, DEFAULT_KUBE_VERSION, HELM_VERSION, KubeVersion};
pub use chart::{Chart, Metadata};
pub use engine::{
    DeletePolicy, Hook, HookEvent, Lookup, Manifest, Options, OutputLogPolicy, OutputOptions, Rendered,
    install_rank, render, uninstall_rank,
};
pub use error::{HelmError, TemplateError};
pub use gotmpl::Limits;
pub use values::{ValueSources, Values};

/// The names of all functions that templates may call, sorted.
pub fn function_names() -> Vec<String> {
    functions::all().names().into_iter().map(str::to_owned).collect()
}

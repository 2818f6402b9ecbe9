//! `landfall template`: any chart rendered as `helm template` does it.

use std::path::{Path, PathBuf};

use landfall_helm::{Chart, HelmError, KubeVersion, Options, OutputOptions, ValueSources, Values, render};

use crate::exit::{Exit, Failure, Result};
use crate::terminal::give;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Release name, and the chart's folder or archive; the name may be left out
    #[arg(num_args = 1..=2, required = true, value_name = "[NAME] CHART")]
    name_and_chart: Vec<String>,
    /// Values files, later ones over earlier ones
    #[arg(long, short = 'f', value_name = "FILE", value_delimiter = ',')]
    values: Vec<PathBuf>,
    /// Single values: a.b=c
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Single values that stay text
    #[arg(long, value_name = "KEY=VALUE")]
    set_string: Vec<String>,
    /// Single values as JSON
    #[arg(long, value_name = "KEY=JSON")]
    set_json: Vec<String>,
    /// Single values from files
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// Single values taken letter by letter
    #[arg(long, value_name = "KEY=TEXT")]
    set_literal: Vec<String>,
    #[arg(long, short = 'n', default_value = "default")]
    namespace: String,
    /// Kubernetes version that the chart sees
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Further API versions that the chart sees
    #[arg(long, short = 'a', value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// As for an upgrade
    #[arg(long)]
    is_upgrade: bool,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Leave the hooks of tests out
    #[arg(long)]
    skip_tests: bool,
    /// The chart's CustomResourceDefinitions, too
    #[arg(long)]
    include_crds: bool,
    /// Only these templates
    #[arg(long, short = 's', value_name = "TEMPLATE")]
    show_only: Vec<String>,
}

impl From<HelmError> for Failure {
    fn from(error: HelmError) -> Self {
        let exit = match &error {
            HelmError::Io { .. } => Exit::Unreadable,
            HelmError::Set { .. } => Exit::BadValue,
            _ => Exit::Chart,
        };
        Self::new(exit, error.to_string())
    }
}

pub(crate) fn run(args: Args) -> Result {
    let (name, chart) = match args.name_and_chart.as_slice() {
        [name, chart] => (name.as_str(), chart),
        [chart] => ("release-name", chart),
        _ => return Err(Failure::told(Exit::BadValue, "no chart is named", "차트가 지정되지 않았습니다")),
    };
    let values = Values::merge(&ValueSources {
        files: args.values,
        set_json: args.set_json,
        set: args.set,
        set_string: args.set_string,
        set_file: args.set_file,
        set_literal: args.set_literal,
    })?;
    let mut options = Options::new(name, args.namespace);
    options.is_install = !args.is_upgrade;
    options.extra_api_versions = args.api_versions;
    if let Some(version) = &args.kube_version {
        let read = KubeVersion::parse(version).ok_or_else(|| {
            Failure::told(
                Exit::BadValue,
                format!("--kube-version {version:?} is no version"),
                format!("--kube-version {version:?}은(는) 버전이 아닙니다"),
            )
            .hint("as in v1.36.3", "예: v1.36.3")
        })?;
        options.kube_version = Some(read);
    }
    let rendered = render(&Chart::load(Path::new(chart))?, &values, &options)?;
    give(&rendered.template_output(&OutputOptions {
        include_crds: args.include_crds,
        no_hooks: args.no_hooks,
        skip_tests: args.skip_tests,
        show_only: args.show_only,
    })?);
    Ok(())
}

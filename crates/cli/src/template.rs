//! `landfall template`: any chart rendered as `helm template` does it.

use std::path::Path;

use landfall_helm::{Chart, Options, OutputOptions, render};

use crate::Session;
use crate::charts::{ValueFlags, kube_version};
use crate::exit::{Exit, Failure, Result};
use crate::provenance::Signed;
use crate::terminal::give;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Release name, and the chart's folder or archive; the name may be left out
    #[arg(num_args = 1..=2, required = true, value_name = "[NAME] CHART")]
    name_and_chart: Vec<String>,
    #[command(flatten)]
    values: ValueFlags,
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
    #[command(flatten)]
    signed: Signed,
}

pub(crate) fn run(session: &Session, args: Args) -> Result {
    let (name, chart) = match args.name_and_chart.as_slice() {
        [name, chart] => (name.as_str(), chart),
        [chart] => ("release-name", chart),
        _ => return Err(Failure::told(Exit::BadValue, "no chart is named", "차트가 지정되지 않았습니다")),
    };
    let values = args.values.merge()?;
    let mut options = Options::new(name, args.namespace);
    options.is_install = !args.is_upgrade;
    options.extra_api_versions = args.api_versions;
    options.kube_version = kube_version(args.kube_version.as_ref())?;
    let chart = match args.signed.archive(session, Path::new(chart))? {
        Some(chart) => chart,
        None => Chart::load(chart)?,
    };
    let rendered = render(&chart, &values, &options)?;
    give(&rendered.template_output(&OutputOptions {
        include_crds: args.include_crds,
        no_hooks: args.no_hooks,
        skip_tests: args.skip_tests,
        show_only: args.show_only,
    })?);
    Ok(())
}

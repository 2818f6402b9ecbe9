//! `landfall template`: any chart rendered as `helm template` does it.

use std::path::PathBuf;

use landfall_helm::{Chart, Options, Values, render};

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::give;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Release name, and the chart's folder or archive; the name may be left out
    #[arg(num_args = 1..=2, required = true, value_name = "[NAME] CHART")]
    name_and_chart: Vec<String>,
    /// Values files, later ones over earlier ones
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Single values: a.b=c
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Single values that stay text
    #[arg(long, value_name = "KEY=VALUE")]
    set_string: Vec<String>,
    #[arg(long, short = 'n', default_value = "default")]
    namespace: String,
    /// Kubernetes version that the chart sees
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Further API versions that the chart sees
    #[arg(long, short = 'a', value_name = "VERSION")]
    api_versions: Vec<String>,
    /// As for an upgrade
    #[arg(long)]
    is_upgrade: bool,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
}

pub(crate) fn run(_session: &Session, args: Args) -> Result {
    let _ = (&args, Values::default());
    let (name, chart) = match args.name_and_chart.as_slice() {
        [chart] => ("release-name", chart),
        [name, chart, ..] => (name.as_str(), chart),
        [] => return Err(Failure::new(Exit::BadValue, "no chart is named")),
    };
    let bad = |error: landfall_helm::HelmError| Failure::new(Exit::Chart, error.to_string());
    let chart = Chart::load(std::path::Path::new(chart)).map_err(bad)?;
    let mut values = Values::default();
    for file in &args.values {
        values = values.file(file).map_err(bad)?;
    }
    for set in &args.set {
        values = values.set(set).map_err(bad)?;
    }
    for set in &args.set_string {
        values = values.set_string(set).map_err(bad)?;
    }
    let options = Options { release_name: name.to_owned(), namespace: args.namespace, ..Options::default() };
    let rendered = render(&chart, &values.into(), &options).map_err(bad)?;
    give(&rendered.to_template_output());
    Ok(())
}

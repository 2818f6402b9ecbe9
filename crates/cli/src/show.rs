//! `landfall show`: what a chart is, as `helm show` prints it.

use landfall_helm::Chart;

use crate::Session;
use crate::charts::Wanted;
use crate::exit::Result;
use crate::terminal::give_as_is;

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  landfall show values charts/keystone\n  landfall show all oci://registry.example.com/web --version '^1'"
)]
pub(crate) enum Verb {
    /// Chart.yaml, values, README and CustomResourceDefinitions
    All(Args),
    /// Chart.yaml
    Chart(Args),
    /// values.yaml
    Values(Args),
    /// README.md
    Readme(Args),
    /// The CustomResourceDefinitions
    Crds(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, an archive, an address, or REPOSITORY/NAME
    chart: String,
    #[command(flatten)]
    wanted: Wanted,
}

const READMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    let (all, args) = match &verb {
        Verb::All(args) => (true, args),
        Verb::Chart(args) | Verb::Values(args) | Verb::Readme(args) | Verb::Crds(args) => (false, args),
    };
    let chart = args.wanted.clone().chart(session, &args.chart).await?;
    let mut text = String::new();
    if all || matches!(verb, Verb::Chart(_)) {
        text.push_str(&format!("{}\n", chart.metadata_yaml()));
    }
    if all || matches!(verb, Verb::Values(_)) {
        if all {
            text.push_str("---\n");
        }
        if let Some(values) = &chart.values_text {
            text.push_str(&format!("{}\n", String::from_utf8_lossy(values)));
        }
    }
    if (all || matches!(verb, Verb::Readme(_)))
        && let Some(readme) = readme(&chart)
    {
        text.push_str(if all { "---\n" } else { "" });
        text.push_str(&format!("{readme}\n"));
    }
    if all || matches!(verb, Verb::Crds(_)) {
        for crd in chart.crds() {
            let crd = String::from_utf8_lossy(&crd.data).into_owned();
            text.push_str(if crd.starts_with("---") { "" } else { "---\n" });
            text.push_str(&format!("{crd}\n"));
        }
    }
    give_as_is(&text);
    Ok(())
}

fn readme(chart: &Chart) -> Option<String> {
    let file =
        chart.files.iter().find(|file| READMES.iter().any(|name| file.name.eq_ignore_ascii_case(name)))?;
    Some(String::from_utf8_lossy(&file.data).into_owned())
}

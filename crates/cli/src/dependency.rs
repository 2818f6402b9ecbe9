//! `landfall dependency`: fills a chart's `charts/`, as `helm dependency` does.

use std::path::{Path, PathBuf};

use landfall_helm::repository::{Downloader, Manager, Vouching, list};

use crate::Session;
use crate::charts::{Reach, now};
use crate::exit::Result;
use crate::provenance::Signed;
use crate::terminal::{give_as_is, lines};

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  landfall dependency build charts/keystone\n  landfall dependency list charts/keystone"
)]
pub(crate) enum Verb {
    /// Bring what Chart.lock names; without one, as `update`
    Build(Args),
    /// Bring the newest versions that Chart.yaml allows, and write Chart.lock
    #[command(visible_alias = "up")]
    Update(Args),
    /// What the chart asks for, and whether it is there
    #[command(visible_alias = "ls")]
    List {
        #[arg(default_value = ".")]
        chart: PathBuf,
        /// The widest that a column may be
        #[arg(long, default_value_t = 80)]
        max_col_width: usize,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chart's folder
    #[arg(default_value = ".")]
    chart: PathBuf,
    /// Take the indices of repositories as they are
    #[arg(long)]
    skip_refresh: bool,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    // Helm's own lines are what these verbs give.
    let mut say = |line: &str| lines([line]);
    match verb {
        Verb::Build(args) => {
            let mut downloader = args.reach.downloader(session);
            // As Helm has it: `update` insists, `build` takes what is not signed.
            if let Some(keyring) = args.signed.keyring(session)? {
                downloader.vouching = Vouching::WhereThere(keyring);
            }
            manager(&downloader, &args.chart, args.skip_refresh).build(&mut say).await?;
        }
        Verb::Update(args) => {
            let mut downloader = args.reach.downloader(session);
            if let Some(keyring) = args.signed.keyring(session)? {
                downloader.vouching = Vouching::Demanded(keyring);
            }
            update(&downloader, &args.chart, args.skip_refresh, &mut say).await?;
        }
        Verb::List { chart, max_col_width } => give_as_is(&list(&chart, max_col_width)?),
    }
    Ok(())
}

/// As `dependency update`.
pub(crate) async fn update(
    downloader: &Downloader,
    chart: &Path,
    skip_refresh: bool,
    say: &mut landfall_helm::repository::Say<'_>,
) -> Result {
    Ok(manager(downloader, chart, skip_refresh).update(say).await?)
}

fn manager<'a>(downloader: &'a Downloader, chart: &Path, skip_refresh: bool) -> Manager<'a> {
    let time = now();
    let noted = jiff::Timestamp::now().to_string();
    Manager { chart: chart.to_owned(), downloader, skip_refresh, now: (noted, time) }
}

//! `landfall pull`: brings charts from repositories and registries, as `helm pull` does.

use std::path::{Path, PathBuf};

use landfall_helm::{Chart, HelmError};

use crate::Session;
use crate::charts::Wanted;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{give, tell};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall pull web --repo https://charts.example.com --version '^1.2' --verify\n  landfall pull oci://registry.example.com/charts/web --untar"
)]
pub(crate) struct Args {
    /// Addresses, REPOSITORY/NAME, or names where --repo is given
    #[arg(required = true, value_name = "CHART")]
    charts: Vec<String>,
    #[command(flatten)]
    wanted: Wanted,
    /// Where the charts go
    #[arg(long, short = 'd', value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Unpack
    #[arg(long)]
    untar: bool,
    /// Where to unpack, below the destination
    #[arg(long, value_name = "DIR", default_value = ".")]
    untardir: PathBuf,
    /// The provenance file, too, unread
    #[arg(long)]
    prov: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    for reference in &args.charts {
        let brought = args.wanted.clone().bring(session, reference, args.prov).await?;
        if let Some(why) = &brought.unsigned {
            tell(&format!(
                "{}: {}: {why}",
                brought.file,
                session.say("there is no provenance file", "출처 파일이 없습니다")
            ));
        }
        if let Some(verified) = &brought.verified {
            give(&verified.to_string());
        }
        if args.untar {
            let into = args.destination.join(&args.untardir);
            let name = reference.rsplit('/').next().unwrap_or_default();
            let name = name.split(':').next().unwrap_or_default();
            if into.join(name).exists() {
                let place = into.join(name).display().to_string();
                return Err(Failure::told(
                    Exit::Unexpected,
                    format!("failed to untar: a file or directory with the name {place} already exists"),
                    format!("압축을 풀 수 없습니다: {place}이(가) 이미 있습니다"),
                ));
            }
            Chart::unpack(&brought.chart, &brought.file, &into)?;
            continue;
        }
        write(&args.destination, &brought.file, &brought.chart)?;
        if let Some(provenance) = &brought.provenance {
            write(&args.destination, &format!("{}.prov", brought.file), provenance)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result {
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|source| HelmError::Io { path, source }.into())
}

//! `landfall package`: packs charts as `helm package` does.

use std::path::{Path, PathBuf};

use landfall_helm::{Chart, HelmError};

use crate::Session;
use crate::charts::{Reach, now};
use crate::dependency;
use crate::exit::{Exit, Failure, Result};
use crate::provenance::Signing;
use crate::terminal::give;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall package charts/keystone -d dist\n  landfall package charts/* --version 1.2.3\n  landfall package charts/keystone --sign --key keystone@example.com --keyring secring.gpg"
)]
pub(crate) struct Args {
    /// Folders of charts
    #[arg(required = true, value_name = "CHART")]
    charts: Vec<PathBuf>,
    /// Where the archives go
    #[arg(long, short = 'd', value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// The version that the archive gets
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The version of the application that the archive gets
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    /// Bring the newest dependencies first
    #[arg(long, short = 'u')]
    dependency_update: bool,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    // Reproducible where the usual variable says so.
    let time = session.environment.source_date_epoch.unwrap_or_else(now);
    let downloader = args.reach.downloader(session);
    let pen = args.signing.pen(session).await?;
    let destination = std::path::absolute(&args.destination)
        .map_err(|source| HelmError::Io { path: args.destination.clone(), source })?;
    for path in &args.charts {
        if args.dependency_update {
            dependency::update(&downloader, path, false, &mut |_| ()).await?;
        }
        let mut chart = Chart::load_alone(path)?;
        if let Some(version) = &args.version {
            chart.metadata.version.clone_from(version);
        }
        if landfall_helm::semver::Version::parse(&chart.metadata.version).is_err() {
            return Err(Failure::told(
                Exit::BadValue,
                format!("{:?} is no semantic version", chart.metadata.version),
                format!("{:?}은(는) 시맨틱 버전이 아닙니다", chart.metadata.version),
            )
            .hint("as in 1.2.3", "예: 1.2.3"));
        }
        if let Some(version) = &args.app_version {
            chart.metadata.app_version.clone_from(version);
        }
        let missing = chart.missing_dependencies();
        if !missing.is_empty() {
            return Err(Failure::told(
                Exit::Chart,
                format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", ")),
                format!("Chart.yaml에는 있으나 charts/에 없습니다: {}", missing.join(", ")),
            )
            .hint_command(&format!("landfall dependency build {}", path.display())));
        }
        let name = chart.package_name();
        let packed = chart.pack(time)?;
        // Signed before anything is written: an archive that should be signed and is not does not appear.
        let provenance = pen.as_ref().map(|pen| pen.sign(&packed, &name)).transpose()?;
        let file = destination.join(&name);
        write(&file, &packed)?;
        if let Some(provenance) = provenance {
            write(&destination.join(format!("{name}.prov")), provenance.as_bytes())?;
        }
        give(&format!("Successfully packaged chart and saved it to: {}", file.display()));
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result {
    let failed = |source| HelmError::Io { path: path.to_owned(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    Ok(std::fs::write(path, bytes).map_err(failed)?)
}

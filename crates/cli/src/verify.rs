//! `landfall verify`: the guide's check points, carried out; with `--full` the proof that the cloud is one.

mod junit;
mod proof;
mod report;
mod setting;
mod tempest;

use std::time::Duration;

use landfall_engine::checks::verify;
use landfall_engine::{CheckContext, CheckOutcome};
use landfall_proof::State;

use self::report::Row;
use crate::args::CloudFile;
use crate::cloud::Asked;
use crate::exit::Result;
use crate::{Session, cloud, run, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    cloud: CloudFile,
    /// How long a check that does not hold is tried again: right after a change some things take a moment
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    /// Prove the cloud as its users use it: servers, networks and volumes are made, seen to work, and removed
    #[arg(long, conflicts_with_all = ["services", "through"])]
    full: bool,
    /// Only remove what an interrupted proof left
    #[arg(long, requires = "full")]
    clean: bool,
    /// The external network that the proof uses; where it is not given: one that is there, else one of its own
    #[arg(long, value_name = "NAME")]
    external: Option<String>,
    /// Run OpenStack's own test suite: the smoke set, or the tests that a regular expression names
    #[arg(long, value_name = "REGEX", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["services", "through", "full"])]
    tempest: Option<String>,
    /// Image of the suite, for clusters of your own
    #[arg(long, requires = "tempest", value_name = "REFERENCE")]
    tempest_image: Option<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    if let Some(regex) = args.tempest.clone() {
        let regex = Some(regex.as_str()).filter(|regex| !regex.is_empty());
        return tempest::run(session, &args, regex).await;
    }
    if args.full {
        return proof::run(session, args).await;
    }
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    let target = target::connect(session).await?;
    let ready = run::prepare(session, &target, cloud, &args.asked, None, None).await?;
    // Of services that are named only their own, not of what they need.
    let named = &args.asked.services;
    let asked = |service: &str| named.is_empty() || named.iter().any(|name| name == service);
    let specs: Vec<_> =
        ready.prepared.blueprint.checks.iter().filter(|check| asked(&check.service)).cloned().collect();
    let cancel = run::stop_on_ctrl_c(session);
    let patience = Duration::from_secs(args.patience);
    let context = CheckContext { patience, ..CheckContext::default() };
    let outcomes = verify(&target.cluster, &specs, &ready.secrets, &context, &cancel, &|_| {}).await;
    report::give(session, &outcomes.iter().map(row).collect::<Vec<_>>())
}

fn row(outcome: &CheckOutcome) -> Row {
    Row {
        id: outcome.spec.id.clone(),
        service: outcome.spec.service.clone(),
        guide: outcome.spec.guide.clone(),
        title: outcome.spec.title.clone(),
        remedy: outcome.spec.remedy.clone(),
        state: if outcome.passed { State::Passed } else { State::Failed },
        evidence: outcome.evidence.clone(),
        took: outcome.took,
    }
}

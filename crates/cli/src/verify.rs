//! `landfall verify`: the guide's check points, carried out.

use std::time::Duration;

use landfall_display::{Table, say};
use landfall_engine::checks::verify;
use landfall_engine::{CheckContext, CheckOutcome};

use crate::args::{CloudFile, Output};
use crate::cloud::Asked;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{data, give, lines, tell};
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
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
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
    match session.global.output {
        Output::Json | Output::Yaml => {
            let rows: Vec<_> = outcomes.iter().map(as_json).collect();
            data(session.global.output, &rows)?;
        }
        Output::Name => {
            lines(outcomes.iter().map(|outcome| &outcome.spec.id));
        }
        Output::Table => table(session, &outcomes),
    }
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    for outcome in &failed {
        tell(&format!(
            "{} {}: {}",
            session.say("remedy for", "조치"),
            outcome.spec.id,
            say(&outcome.spec.remedy, session.language())
        ));
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::silent(Exit::CheckFailed)) }
}

fn as_json(outcome: &CheckOutcome) -> serde_json::Value {
    serde_json::json!({
        "id": outcome.spec.id, "service": outcome.spec.service, "guide": outcome.spec.guide,
        "title": outcome.spec.title, "passed": outcome.passed, "evidence": outcome.evidence,
        "remedy": outcome.spec.remedy, "took_ms": outcome.took.as_millis() as u64,
    })
}

fn table(session: &Session, outcomes: &[CheckOutcome]) {
    let mut table = Table::new(["CHECK", "GUIDE", "RESULT", "TIME", "EVIDENCE"]);
    for outcome in outcomes {
        let result =
            if outcome.passed { session.say("passed", "통과") } else { session.say("FAILED", "실패") };
        let mut evidence = outcome.evidence.lines();
        table.row([
            outcome.spec.id.clone(),
            outcome.spec.guide.clone(),
            result.to_owned(),
            format!("{}ms", outcome.took.as_millis()),
            evidence.next().unwrap_or_default().to_owned(),
        ]);
        for line in evidence {
            table.row([String::new(), String::new(), String::new(), String::new(), line.to_owned()]);
        }
    }
    give(&table.columns());
}

//! `landfall plan`: what `up` would do, and nothing done.

use landfall_config::Language;
use landfall_display::Table;
use landfall_plan::model::{Action, Change, Step};
use landfall_plan::roll::{Effect, Roll, rolls};

use crate::args::{CloudFile, Output};
use crate::cloud::Asked;
use crate::exit::Result;
use crate::terminal::{data, give, lines, tell};
use crate::{Session, cloud, run, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    cloud: CloudFile,
    /// Domain of the public names
    #[arg(long)]
    domain: Option<String>,
    /// Show steps that change nothing, too
    #[arg(long)]
    all: bool,
    /// Registry that the images were pushed to
    #[arg(long, value_name = "HOST/PATH")]
    registry: Option<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    if let Some(domain) = &args.domain {
        cloud::check_domain(domain)?;
    }
    let target = target::connect(session).await?;
    let ready =
        run::prepare(session, &target, cloud, &args.asked, args.domain.as_deref(), args.registry.as_deref())
            .await?;
    let plan = &ready.prepared.plan;
    let rolls = rolls(&ready.prepared.releases, &ready.prepared.snapshot);
    let steps: Vec<_> = plan.steps.iter().filter(|step| args.all || step.change != Change::None).collect();
    match session.global.output {
        Output::Json | Output::Yaml => {
            let rows: Vec<_> = steps.iter().map(|step| with_rolls(step, &rolls)).collect();
            data(session.global.output, &rows)?;
        }
        Output::Name => lines(steps.iter().map(|step| &step.id)),
        Output::Table | Output::Junit => {
            let mut table = Table::new(["STEP", "CHANGE", "GUIDE", "WAITS FOR"]);
            for step in &steps {
                let change = match step.change {
                    Change::Create => "create",
                    Change::Update => "update",
                    Change::Replace => "replace",
                    Change::None => "-",
                };
                table.row([step.id.clone(), change.to_owned(), step.guide.clone(), step.needs.join(", ")]);
            }
            if !table.is_empty() {
                give(&table.columns());
            }
        }
    }
    rolling(session, &rolls);
    tell(&match session.language() {
        Language::En => format!("{} changes in {} steps", plan.changes(), plan.steps.len()),
        Language::Ko => format!("단계 {}개 중 변경 {}개", plan.steps.len(), plan.changes()),
    });
    Ok(())
}

/// A step as programs read it; one that applies a release says which pods roll.
fn with_rolls(step: &Step, rolls: &[Roll]) -> serde_json::Value {
    let mut row = serde_json::json!(step);
    if matches!(step.action, Action::Apply { .. }) {
        let own: Vec<&Roll> = rolls.iter().filter(|roll| roll.service == step.service).collect();
        row["rolls"] = serde_json::json!(own);
    }
    row
}

/// Says which pods are replaced, added or taken away, and why.
pub(crate) fn rolling(session: &Session, rolls: &[Roll]) {
    for roll in rolls {
        let object = &roll.object;
        let effect = match (roll.what, session.language()) {
            (Effect::Roll { pods }, Language::En) => {
                format!("rolls {object} ({pods} pods): {}", roll.reasons())
            }
            (Effect::Roll { pods }, Language::Ko) => {
                format!("파드 교체: {object} ({pods}개): {}", roll.reasons())
            }
            (Effect::Scale { from, to }, Language::En) => {
                format!("scales {object} from {from} to {to} pods; those that run stay")
            }
            (Effect::Scale { from, to }, Language::Ko) => {
                format!("파드 수 변경: {object} {from}개에서 {to}개로. 실행 중인 파드는 유지")
            }
            (Effect::OnDelete { pods }, Language::En) => {
                format!(
                    "changes {object}; its {pods} pods take it up when they are deleted: {}",
                    roll.reasons()
                )
            }
            (Effect::OnDelete { pods }, Language::Ko) => {
                format!("변경: {object}. 파드 {pods}개는 삭제될 때 반영됨: {}", roll.reasons())
            }
        };
        tell(&effect);
    }
}

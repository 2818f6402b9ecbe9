//! `landfall plan`: what `up` would do, and nothing done.

use landfall_display::Table;
use landfall_plan::model::Change;

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
    let ready = run::prepare(
        session,
        &target,
        cloud,
        &args.asked,
        args.domain.as_deref(),
        args.registry.as_deref(),
    )
    .await?;
    let plan = &ready.prepared.plan;
    let steps: Vec<_> = plan.steps.iter().filter(|step| args.all || step.change != Change::None).collect();
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &steps)?,
        Output::Name => lines(steps.iter().map(|step| &step.id)),
        Output::Table => {
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
    tell(&match session.language() {
        landfall_config::Language::En => format!("{} changes in {} steps", plan.changes(), plan.steps.len()),
        landfall_config::Language::Ko => format!("단계 {}개 중 변경 {}개", plan.steps.len(), plan.changes()),
    });
    Ok(())
}

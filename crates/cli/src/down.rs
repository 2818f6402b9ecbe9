//! `landfall down`: removes services, in reverse order; says first what data goes.

use std::collections::BTreeMap;

use landfall_engine::down::{DownOptions, down, inspect, losses};

use crate::args::CloudFile;
use crate::cloud::Asked;
use crate::exit::{Failure, Result, of_run};
use crate::terminal::{confirm, tell};
use crate::{Session, cloud, run, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Services to remove; all where none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    cloud: CloudFile,
    /// Delete the volumes, too: all their data is lost
    #[arg(long)]
    volumes: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::wanted(session, &args.cloud, &Asked::named(&args.services))?;
    let choice = target::choose(session);
    target::announce(session, &choice);
    let target = target::open(session, choice).await?;
    // Neither the domain nor images have a say in where services are.
    let inputs = cloud::inputs(&target, &cloud, String::new(), BTreeMap::new()).await?;
    let elsewhere = landfall_catalog::elsewhere(&inputs);
    let mut inventory = inspect(target.cluster.as_ref(), &cloud.namespace, &elsewhere).await?;
    if !args.services.is_empty() {
        inventory.releases.retain(|release| args.services.contains(&release.name));
    }
    let data = !inventory.volumes.is_empty() || !inventory.runtime.is_empty();
    if inventory.releases.is_empty() && !(args.volumes && data) {
        tell(session.say("nothing is installed; nothing to remove", "설치된 것이 없어 제거할 것도 없습니다"));
        return Ok(());
    }
    let options = DownOptions { volumes: args.volumes, only: args.services.clone() };
    let names: Vec<&str> = inventory.releases.iter().map(|release| release.name.as_str()).collect();
    tell(&format!("{} {}", session.say("to be removed:", "제거할 서비스:"), names.join(", ")));
    for loss in losses(&inventory, &options) {
        let fate = if loss.kept { session.say("kept", "유지") } else { session.say("LOST", "삭제됨") };
        tell(&format!("  {fate}: {} ({})", loss.what, loss.object));
    }
    confirm(session, session.say("Remove them?", "제거할까요?"))?;
    let (events, view) = run::show(session);
    let cancel = run::stop_on_ctrl_c(session);
    let outcome =
        down(target.cluster.clone(), &cloud.name, &inventory, &options, &run::holder(), cancel, events).await;
    // The view ends when the run has dropped its sender.
    let _ = view.await;
    match of_run(outcome?.exit) {
        Some(exit) => Err(Failure::silent(exit)),
        None => Ok(()),
    }
}

//! `landfall up`: the cloud, or what is lacking of it.

use landfall_engine::{CheckContext, Limits, RunContext};

use crate::args::CloudFile;
use crate::cloud::Asked;
use crate::exit::{Failure, Result, of_run};
use crate::target::{self, Choice};
use crate::terminal::{confirm, tell};
use crate::{Session, cloud, local, openrc, plan, run};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    cloud: CloudFile,
    /// Domain of the public names: keystone.<DOMAIN>, …
    #[arg(long)]
    domain: Option<String>,
    /// Nodes of the embedded cluster, where it is made by this
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    nodes: u32,
    /// Registry that the images were pushed to (`landfall images push`), for clusters of your own
    #[arg(long, value_name = "HOST/PATH")]
    registry: Option<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    // Bad input is told before a cluster is made.
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    if let Some(domain) = &args.domain {
        cloud::check_domain(domain)?;
    }
    let choice = target::choose(session);
    target::announce(session, &choice);
    if let Choice::Embedded { name } = &choice {
        local::ensure(session, name, args.nodes).await?;
    }
    let target = target::open(session, choice).await?;
    let ready =
        run::prepare(session, &target, cloud, &args.asked, args.domain.as_deref(), args.registry.as_deref())
            .await?;
    let changes = ready.prepared.plan.changes();
    plan::rolling(session, &landfall_plan::roll::rolls(&ready.prepared.releases, &ready.prepared.snapshot));
    if target.embedded().is_none() && changes > 0 {
        let name = target.cluster.name();
        confirm(
            session,
            &match session.language() {
                landfall_config::Language::En => {
                    format!("Carry out {changes} changes on the cluster {name}?")
                }
                landfall_config::Language::Ko => format!("클러스터 {name}에 변경 {changes}개를 수행할까요?"),
            },
        )?;
    }
    let (events, view) = run::show(session);
    let domain = ready.domain.clone();
    let outcome = landfall_engine::run(
        ready.prepared.plan,
        RunContext {
            cluster: target.cluster.clone(),
            cloud: ready.cloud.name.clone(),
            namespace: ready.cloud.namespace.clone(),
            releases: ready.prepared.releases,
            secrets: ready.secrets.clone(),
            records: ready.prepared.records,
            checks: CheckContext::default(),
            cancel: run::stop_on_ctrl_c(session),
            events,
            limits: Limits::default(),
            holder: run::holder(),
        },
    )
    .await;
    // The view ends when the run has dropped its sender.
    let _ = view.await;
    let outcome = outcome?;
    if let Some(exit) = of_run(outcome.exit) {
        return Err(Failure::silent(exit));
    }
    if outcome.changed && cloud::domain_of(target.cluster.as_ref(), &ready.cloud.namespace).await?.is_some() {
        openrc::write_home(session, &ready.cloud, &domain, &ready.secrets)?;
        tell(session.say(
            "next: landfall openstack service list; names for this machine: landfall hosts --write",
            "다음: landfall openstack service list; 이 머신의 이름 등록: landfall hosts --write",
        ));
    }
    Ok(())
}

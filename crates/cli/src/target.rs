//! Which cluster a verb works on: the one that is given, else the embedded one.

use std::path::PathBuf;
use std::sync::Arc;

use landfall_cluster::api::Cluster;

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::tell;

/// Name of the embedded cluster where none is given.
pub(crate) const EMBEDDED: &str = "landfall";

/// The cluster that the flags and the environment mean, before anything is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Embedded { name: String },
    Given { kubeconfig: Option<PathBuf>, context: Option<String> },
}

/// A cluster that is connected to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) choice: Choice,
    pub(crate) cluster: Arc<dyn Cluster>,
    /// The kubeconfig in use.
    pub(crate) kubeconfig: Option<PathBuf>,
}

impl Target {
    pub(crate) fn embedded(&self) -> Option<&str> {
        match &self.choice {
            Choice::Embedded { name } => Some(name),
            Choice::Given { .. } => None,
        }
    }
}

/// `--local` wins, then `--kubeconfig` and `--context`, then the environment's kubeconfig, then the
/// embedded cluster.
pub(crate) fn choose(session: &Session) -> Choice {
    let global = &session.global;
    if let Some(name) = &global.local {
        return Choice::Embedded { name: name.clone() };
    }
    let kubeconfig = global.kubeconfig.clone().or_else(|| session.environment.kubeconfig.clone());
    if kubeconfig.is_none() && global.context.is_none() {
        return Choice::Embedded { name: EMBEDDED.to_owned() };
    }
    Choice::Given { kubeconfig, context: global.context.clone() }
}

/// Connects to a cluster that is there already.
pub(crate) async fn connect(session: &Session) -> Result<Target> {
    open(session, choose(session)).await
}

/// Connects to `choice`; an embedded cluster must run.
pub(crate) async fn open(session: &Session, choice: Choice) -> Result<Target> {
    let (kubeconfig, context) = match &choice {
        Choice::Embedded { name } => (Some(embedded_kubeconfig(session, name)?), None),
        Choice::Given { kubeconfig, context } => (kubeconfig.clone(), context.clone()),
    };
    let cluster = landfall_cluster::connect(kubeconfig.as_deref(), context.as_deref()).await?;
    Ok(Target { choice, cluster, kubeconfig })
}

fn embedded_kubeconfig(session: &Session, name: &str) -> Result<PathBuf> {
    let path = session.environment.state.join(name).join("kubeconfig");
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::new(
        Exit::NotThere,
        session.say(
            "no cluster is given, and there is no embedded one yet",
            "지정된 클러스터가 없고 내장 클러스터도 아직 없습니다",
        ),
    )
    .hint(session.say(
        "`landfall up` makes one on this machine; or give --kubeconfig",
        "`landfall up`이 이 머신에 클러스터를 만듭니다. 또는 --kubeconfig를 지정하세요",
    )))
}

/// The first line of a verb that changes things: which cluster it is.
pub(crate) fn announce(session: &Session, choice: &Choice) {
    match choice {
        Choice::Embedded { name } => tell(&match session.language() {
            landfall_config::Language::En => {
                format!("No cluster is given: working on the embedded cluster `{name}` on this machine.")
            }
            landfall_config::Language::Ko => {
                format!("지정된 클러스터가 없어 이 머신의 내장 클러스터 `{name}`에서 작업합니다.")
            }
        }),
        Choice::Given { kubeconfig, context } => tell(&format!(
            "{} {}{}",
            session.say("Working on the cluster of", "대상 클러스터:"),
            kubeconfig
                .as_ref()
                .map_or_else(|| "the default kubeconfig".to_owned(), |path| path.display().to_string()),
            context.as_ref().map(|name| format!(", context {name}")).unwrap_or_default()
        )),
    }
}

//! Which cluster a verb works on: the one that is given, else the embedded one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use landfall_cluster::api::{Cluster, ClusterError};

use crate::Session;
use crate::cloud::gvk;
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
    if matches!(choice, Choice::Given { .. }) {
        let path = kubeconfig.clone().unwrap_or_else(|| session.environment.home.join(".kube/config"));
        check_context(&path, context.as_deref())?;
    }
    // Nothing is sent yet: whatever fails here is the kubeconfig's own.
    let cluster = landfall_cluster::connect(kubeconfig.as_deref(), context.as_deref())
        .await
        .map_err(|error| kubeconfig_failure(error.to_string(), error.to_string()))?;
    answers(cluster.as_ref()).await?;
    Ok(Target { choice, cluster })
}

/// Longest wait for the first answer; a connection that is not taken ends sooner by itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// One question first: calls within a run are patient with a control plane that is away for a moment,
/// but one that never was there is told at once.
async fn answers(cluster: &dyn Cluster) -> Result {
    let asked = gvk("", "v1", "Namespace");
    match tokio::time::timeout(PATIENCE, cluster.get(&asked, None, "default")).await {
        Ok(Err(error @ (ClusterError::Unreachable { .. } | ClusterError::Unauthorized { .. }))) => {
            Err(error.into())
        }
        // What may be seen is for the verb to find out.
        Ok(_) => Ok(()),
        Err(_) => Err(ClusterError::Unreachable {
            cluster: cluster.name().to_owned(),
            source_text: format!("no answer in {} s", PATIENCE.as_secs()),
        }
        .into()),
    }
}

fn kubeconfig_failure(en: String, ko: String) -> Failure {
    Failure::told(Exit::Unreadable, en, ko).hint(
        "name your cluster's file with --kubeconfig, or work on the embedded cluster with --local",
        "--kubeconfig로 클러스터의 파일을 지정하거나 --local로 내장 클러스터를 쓰세요",
    )
}

/// What is read of a kubeconfig here: the names that a message needs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Contexts {
    contexts: Vec<Named>,
    current_context: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Named {
    name: String,
}

/// Tells of a context that is not there, or not chosen, with those that are.
fn check_context(path: &Path, context: Option<&str>) -> Result {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        kubeconfig_failure(
            format!("the kubeconfig {path} can not be read: {error}"),
            format!("kubeconfig {path}: 읽을 수 없습니다: {error}"),
        )
    })?;
    // A file that is no kubeconfig is told of where it is read whole.
    let Ok(file) = serde_saphyr::from_str::<Contexts>(&text) else { return Ok(()) };
    let known: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
    let wanted = context.or(file.current_context.as_deref()).filter(|name| !name.is_empty());
    let path = path.display();
    let failure = match wanted {
        Some(name) if known.contains(&name) => return Ok(()),
        Some(name) => Failure::told(
            Exit::BadValue,
            format!("the kubeconfig {path} has no context {name}"),
            format!("kubeconfig {path}에 컨텍스트 {name}이(가) 없습니다"),
        ),
        None => Failure::told(
            Exit::BadValue,
            format!("the kubeconfig {path} has no current context"),
            format!("kubeconfig {path}에 현재 컨텍스트가 없습니다"),
        ),
    };
    Err(if known.is_empty() {
        failure
            .hint("it has none at all: is it the right file?", "컨텍스트가 하나도 없습니다. 맞는 파일인가요?")
    } else {
        let known = known.join(", ");
        failure.hint(
            format!("--context with one of: {known}"),
            format!("--context로 다음 중 하나를 지정하세요: {known}"),
        )
    })
}

/// Whether there is an embedded cluster of this name, running or not.
pub(crate) fn is_there(session: &Session, name: &str) -> bool {
    session.environment.state.join(name).join("kubeconfig").exists()
}

fn embedded_kubeconfig(session: &Session, name: &str) -> Result<PathBuf> {
    let path = session.environment.state.join(name).join("kubeconfig");
    if path.exists() {
        return Ok(path);
    }
    let failure = match &session.global.local {
        Some(name) => Failure::told(
            Exit::NotThere,
            format!("there is no embedded cluster {name} yet"),
            format!("내장 클러스터 {name}이(가) 아직 없습니다"),
        ),
        None => Failure::told(
            Exit::NotThere,
            "no cluster is given, and there is no embedded one yet",
            "지정된 클러스터가 없고 내장 클러스터도 아직 없습니다",
        ),
    };
    Err(failure.hint(
        "`landfall up` makes one on this machine; or give --kubeconfig",
        "`landfall up`이 이 머신에 클러스터를 만듭니다. 또는 --kubeconfig를 지정하세요",
    ))
}

/// The first line of a verb that changes things: which cluster it is.
pub(crate) fn announce(session: &Session, choice: &Choice) {
    match choice {
        Choice::Embedded { name } if session.global.local.is_some() => tell(&format!(
            "{} {name}",
            session.say("Working on the embedded cluster", "이 머신의 내장 클러스터에서 작업합니다:")
        )),
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
                .map_or_else(|| "~/.kube/config".to_owned(), |path| path.display().to_string()),
            context.as_ref().map(|name| format!(", context {name}")).unwrap_or_default()
        )),
    }
}

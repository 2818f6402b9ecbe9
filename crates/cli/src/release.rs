//! `landfall release`: releases of any chart, as Helm's verbs of the same names have them.

mod change;
mod look;

use std::time::Duration;

use landfall_release::{Actions, Error, Options};

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::target;

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  landfall release install web oci://registry.example.com/web -n shop --create-namespace\n  landfall release history web -n shop\n  landfall release rollback web 3 -n shop --wait"
)]
pub(crate) enum Verb {
    /// Install a chart
    Install(change::Install),
    /// Bring a release to another chart, or to other values
    Upgrade(change::Upgrade),
    /// Go back to what an earlier revision was
    Rollback(change::Rollback),
    /// Remove a release and its objects
    #[command(alias = "delete")]
    Uninstall(change::Uninstall),
    /// Run the tests that the chart brings
    Test(change::Test),
    /// Show the releases
    #[command(alias = "ls")]
    List(look::List),
    /// Show a release's revisions
    History(look::One),
    /// Show how a release stands
    Status(look::Revision),
    /// Show what a release was made from and of
    #[command(subcommand)]
    Get(look::Get),
}

/// The namespace of a release.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Home {
    #[arg(long, short, default_value = "default")]
    namespace: String,
}

/// How a change goes about it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct How {
    #[command(flatten)]
    home: Home,
    /// Wait until all objects are ready; hooks are waited for in any case
    #[arg(long)]
    wait: bool,
    /// How long each wait may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Take fields that another manager has
    #[arg(long)]
    force_conflicts: bool,
    /// Make objects that are there, and of no release, part of this one
    #[arg(long)]
    take_ownership: bool,
    /// Words of one's own for the history
    #[arg(long)]
    description: Option<String>,
}

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    match verb {
        Verb::Install(args) => change::install(session, args).await,
        Verb::Upgrade(args) => change::upgrade(session, args).await,
        Verb::Rollback(args) => change::rollback(session, args).await,
        Verb::Uninstall(args) => change::uninstall(session, args).await,
        Verb::Test(args) => change::test(session, args).await,
        Verb::List(args) => look::list(session, args).await,
        Verb::History(args) => look::history(session, args).await,
        Verb::Status(args) => look::status(session, args).await,
        Verb::Get(args) => look::get(session, args).await,
    }
}

async fn actions(session: &Session, home: &Home, options: Options) -> Result<Actions> {
    let target = target::connect(session).await?;
    Ok(Actions::new(target.cluster, home.namespace.clone(), options))
}

impl How {
    fn options(&self) -> Options {
        Options {
            timeout: Duration::from_secs(self.timeout),
            wait: self.wait,
            hooks: !self.no_hooks,
            force_conflicts: self.force_conflicts,
            take_ownership: self.take_ownership,
            description: self.description.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NoRelease { .. } => {
                Self::new(Exit::NotThere, message).hint_command("landfall release list --all-namespaces")
            }
            Error::NoRevision { name, .. } | Error::NothingToRollBackTo { name } => Self::new(Exit::NotThere, message)
                .hint_command(&format!("landfall release history {name}")),
            Error::NeverDeployed { .. } => Self::new(Exit::NotThere, message).hint(
                "remove it (`landfall release uninstall`) and install it anew",
                "`landfall release uninstall`로 지우고 다시 설치하세요",
            ),
            Error::NameInUse { name, .. } => Self::new(Exit::BadValue, message).hint(
                format!("upgrade it (`landfall release upgrade {name}`), or take another name"),
                format!("`landfall release upgrade {name}`로 올리거나 다른 이름을 쓰세요"),
            ),
            Error::Pending { name, .. } => Self::new(Exit::AnotherRun, message).hint(
                format!(
                    "if nobody is at work on it: `landfall release upgrade {name} … --resume` goes on, `landfall release rollback {name}` goes back"
                ),
                format!(
                    "작업 중인 사람이 없으면 `landfall release upgrade {name} … --resume`으로 계속하거나 `landfall release rollback {name}`으로 되돌리세요"
                ),
            ),
            Error::NotOurs { .. } => Self::new(Exit::BadValue, message).hint(
                "`--take-ownership` makes it part of the release; else rename one of the two",
                "`--take-ownership`으로 릴리스에 포함하거나 둘 중 하나의 이름을 바꾸세요",
            ),
            Error::Refused { object, source } => {
                let conflict = matches!(source, landfall_cluster::api::ClusterError::Conflict { .. });
                let mut failure = Self::from(source);
                failure.message.en = format!("{object}: {}", failure.message.en);
                failure.message.ko = format!("{object}: {}", failure.message.ko);
                if conflict {
                    failure = failure.hint(
                        "`--force-conflicts` takes the field over",
                        "`--force-conflicts`로 그 필드를 가져올 수 있습니다",
                    );
                }
                failure
            }
            Error::Hook { .. } | Error::TimedOut { .. } | Error::Unwell { .. } => {
                Self::new(Exit::StepFailed, message).hint_command("landfall why")
            }
            Error::Record { .. } => Self::new(Exit::Unexpected, message),
            Error::Chart(error) => Self::from(error),
            Error::Cluster(error) => Self::from(error),
        }
    }
}

//! `landfall release`: releases of any chart, as Helm's verbs of the same names have them.

mod change;
mod flags;
mod look;
mod remove;
mod show;
mod undo;

use std::sync::Arc;

use flags::Home;
use landfall_release::{Actions, Error, Options};

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::target;

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  landfall release install web oci://registry.example.com/web -n shop --create-namespace\n  landfall release history web -n shop\n  landfall release upgrade web ./web -n shop --rollback-on-failure --timeout 10m\n  landfall release rollback web 3 -n shop --wait"
)]
pub(crate) enum Verb {
    /// Install a chart
    Install(Box<change::Install>),
    /// Bring a release to another chart, or to other values
    Upgrade(Box<change::Upgrade>),
    /// Go back to what an earlier revision was
    Rollback(change::Rollback),
    /// Remove a release and its objects
    #[command(alias = "delete")]
    Uninstall(remove::Uninstall),
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

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    match verb {
        Verb::Install(args) => change::install(session, *args).await,
        Verb::Upgrade(args) => change::upgrade(session, *args).await,
        Verb::Rollback(args) => change::rollback(session, args).await,
        Verb::Uninstall(args) => remove::uninstall(session, args).await,
        Verb::Test(args) => change::test(session, args).await,
        Verb::List(args) => look::list(session, args).await,
        Verb::History(args) => look::history(session, args).await,
        Verb::Status(args) => look::status(session, args).await,
        Verb::Get(args) => look::get(session, args).await,
    }
}

async fn actions(session: &Session, home: &Home, mut options: Options) -> Result<Actions> {
    let cluster = target::connect(session).await?.cluster;
    options.listener = Some(Arc::new(undo::Told::new(session, Arc::clone(&cluster), &home.namespace)));
    Ok(Actions::new(cluster, home.namespace.clone(), options))
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
            Error::NotGone { .. } => Self::new(Exit::StepFailed, message).hint(
                "look at `metadata.finalizers` of the object: who has put them there takes them away; then do this again",
                "객체의 `metadata.finalizers`를 확인하세요. 등록한 쪽이 지우면 다시 실행하세요",
            ),
            Error::OwnLabel(label) => Self::told(
                Exit::BadValue,
                message,
                format!("레이블 {label}은(는) Helm이 쓰는 것이라 릴리스에 따로 줄 수 없습니다"),
            )
            .hint("take another name for the label", "레이블에 다른 이름을 쓰세요"),
            Error::WentBack { .. } | Error::Removed { .. } | Error::NotUndone { .. } => undo::failure(error),
            Error::Record { .. } => Self::new(Exit::Unexpected, message),
            Error::Chart(error) => Self::from(error),
            Error::Cluster(error) => Self::from(error),
        }
    }
}

//! The verbs that change a release.

use std::sync::Arc;

use landfall_helm::release::Record;
use landfall_helm::{Chart, Values};
use landfall_release::{Actions, Former};

use super::{How, actions};
use crate::Session;
use crate::charts::{ValueFlags, Wanted};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{confirm, give, tell};

/// A release, and what it is made from.
#[derive(Debug, clap::Args)]
pub(crate) struct What {
    name: String,
    /// A folder, an archive, an address, or REPOSITORY/NAME
    chart: String,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    values: ValueFlags,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    #[command(flatten)]
    what: What,
    #[arg(long)]
    create_namespace: bool,
    /// Leave the chart's CustomResourceDefinitions out
    #[arg(long)]
    skip_crds: bool,
    /// Take the name again of a release that failed, or was uninstalled with its history kept
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Upgrade {
    #[command(flatten)]
    what: What,
    /// Install it where it is not there
    #[arg(long, short)]
    install: bool,
    #[arg(long)]
    create_namespace: bool,
    /// Lay the values given over those of the former revision
    #[arg(long, conflicts_with = "reset_values")]
    reuse_values: bool,
    /// Forget the values of the former revision
    #[arg(long)]
    reset_values: bool,
    /// Also the chart's CustomResourceDefinitions, which otherwise stay as they are
    #[arg(long = "upgrade-crds")]
    crds: bool,
    /// Go on where another program ended before it was done
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    name: String,
    /// The one before the newest, where it is not given
    revision: Option<i64>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    name: String,
    #[command(flatten)]
    how: How,
    /// Keep the records, so that it can be rolled back to
    #[arg(long)]
    keep_history: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    name: String,
    #[command(flatten)]
    how: How,
}

pub(super) async fn install(session: &Session, args: Install) -> Result {
    let (actions, name, chart, values) = made_from(session, args.what).await?;
    let wanted = landfall_release::Install {
        name,
        chart,
        values,
        create_namespace: args.create_namespace,
        skip_crds: args.skip_crds,
        replace: args.replace,
    };
    done(session, &actions.install(wanted).await?.record);
    Ok(())
}

pub(super) async fn upgrade(session: &Session, args: Upgrade) -> Result {
    let (actions, name, chart, values) = made_from(session, args.what).await?;
    let stored = if args.install && actions.history(&name).await?.is_empty() {
        let create_namespace = args.create_namespace;
        let wanted = landfall_release::Install {
            name,
            chart,
            values,
            create_namespace,
            skip_crds: false,
            replace: false,
        };
        actions.install(wanted).await?
    } else {
        let former = match (args.reuse_values, args.reset_values) {
            (true, _) => Former::Reuse,
            (_, true) => Former::Reset,
            _ => Former::WhereNoneIsGiven,
        };
        let wanted =
            landfall_release::Upgrade { name, chart, values, former, crds: args.crds, resume: args.resume };
        actions.upgrade(wanted).await?
    };
    done(session, &stored.record);
    Ok(())
}

async fn made_from(session: &Session, what: What) -> Result<(Actions, String, Arc<Chart>, Values)> {
    let chart = Arc::new(what.wanted.chart(session, &what.chart).await?);
    let values = what.values.merge()?;
    let actions = actions(session, &what.how.home, what.how.options()).await?;
    Ok((actions, what.name, chart, values))
}

pub(super) async fn rollback(session: &Session, args: Rollback) -> Result {
    let actions = actions(session, &args.how.home, args.how.options()).await?;
    let wanted = landfall_release::Rollback { name: args.name, revision: args.revision };
    done(session, &actions.rollback(&wanted).await?.record);
    Ok(())
}

pub(super) async fn uninstall(session: &Session, args: Uninstall) -> Result {
    let actions = actions(session, &args.how.home, args.how.options()).await?;
    let record = actions.get(&args.name, None).await?.record;
    let objects = record.manifest.matches("\nkind: ").count();
    confirm(
        session,
        session.say(
            &format!(
                "Remove release {} ({}) from namespace {} with its {objects} objects?",
                record.name,
                record.chart_label(),
                record.namespace
            ),
            &format!(
                "네임스페이스 {}에서 릴리스 {} ({})와 객체 {objects}개를 지울까요?",
                record.namespace,
                record.name,
                record.chart_label()
            ),
        ),
    )?;
    let wanted = landfall_release::Uninstall { name: args.name, keep_history: args.keep_history };
    let kept = actions.uninstall(&wanted).await?;
    for object in &kept {
        tell(&format!("{object}: {}", session.say("stays, as it asks for", "요청에 따라 남습니다")));
    }
    tell(&format!("{} {}", record.name, session.say("is removed", "제거됨")));
    Ok(())
}

pub(super) async fn test(session: &Session, args: Test) -> Result {
    let actions = actions(session, &args.how.home, args.how.options()).await?;
    let (tests, outcome) = actions.test(&args.name).await?;
    for test in &tests {
        give(&format!("{}\t{}\n", test.name, test.phase));
    }
    match outcome {
        Ok(_) if tests.is_empty() => {
            tell(session.say("the chart brings no tests", "이 차트에는 테스트가 없습니다"));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Failure { exit: Exit::CheckFailed, ..Failure::from(error) }),
    }
}

/// What came of it, and the chart's notes.
fn done(session: &Session, record: &Record) {
    tell(&format!(
        "{} {} {}, {}: {}",
        record.name,
        session.say("is at revision", "리비전"),
        record.version,
        record.chart_label(),
        record.info.status
    ));
    if !record.info.notes.trim().is_empty() {
        give(&format!("{}\n", record.info.notes.trim_end()));
    }
}

//! `landfall release uninstall`.

use landfall_cluster::api::Cascade;
use landfall_helm::release::Record;
use landfall_release::{Actions, Error};

use super::actions;
use super::flags::How;
use crate::Session;
use crate::exit::Result;
use crate::terminal::{confirm, lines, tell};

#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Keep the records, so that it can be rolled back to
    #[arg(long)]
    keep_history: bool,
    /// One that is not there is no failure
    #[arg(long)]
    ignore_not_found: bool,
    /// Show what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// What becomes of what the objects own, pods and the like: it goes after them, before them, or stays
    #[arg(long, value_name = "HOW", default_value = "background")]
    cascade: Owned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Owned {
    Background,
    Foreground,
    Orphan,
}

pub(super) async fn uninstall(session: &Session, args: Uninstall) -> Result {
    let actions = actions(session, &args.how.home, args.how.options()).await?;
    for name in &args.names {
        match actions.get(name, None).await {
            Err(error @ Error::NoRelease { .. }) if args.ignore_not_found => tell(&error.to_string()),
            found => remove(session, &actions, &args, &found?.record).await?,
        }
    }
    Ok(())
}

async fn remove(session: &Session, actions: &Actions, args: &Uninstall, record: &Record) -> Result {
    let objects = landfall_release::objects(record)?;
    if args.dry_run {
        lines(&objects);
        return Ok(());
    }
    confirm(
        session,
        session.say(
            &format!(
                "Remove release {} ({}) from namespace {} with its {} objects?",
                record.name,
                record.chart_label(),
                record.namespace,
                objects.len()
            ),
            &format!(
                "네임스페이스 {}에서 릴리스 {} ({})와 객체 {}개를 지울까요?",
                record.namespace,
                record.name,
                record.chart_label(),
                objects.len()
            ),
        ),
    )?;
    let wanted = landfall_release::Uninstall {
        name: record.name.clone(),
        keep_history: args.keep_history,
        cascade: match args.cascade {
            Owned::Background => Cascade::Background,
            Owned::Foreground => Cascade::Foreground,
            Owned::Orphan => Cascade::Orphan,
        },
    };
    let kept = actions.uninstall(&wanted).await?;
    for object in &kept {
        tell(&format!("{object}: {}", session.say("stays, as it asks for", "요청에 따라 남습니다")));
    }
    tell(&format!("{} {}", record.name, session.say("is removed", "제거됨")));
    Ok(())
}

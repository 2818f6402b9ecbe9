//! The verbs that bring a release about and change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use landfall_helm::{Chart, Values};
use landfall_release::{Actions, Former, Options, Stored};

use super::actions;
use super::flags::{How, Keeping, Labels, Putting, Undo};
use super::show::{done, dry};
use crate::Session;
use crate::charts::{ValueFlags, Wanted};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{give, tell};

/// What a release is made from, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct What {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    values: ValueFlags,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    putting: Putting,
    #[command(flatten)]
    undo: Undo,
    #[command(flatten)]
    labels: Labels,
    #[arg(long)]
    create_namespace: bool,
    /// Leave the chart's CustomResourceDefinitions out of an installation
    #[arg(long)]
    skip_crds: bool,
    /// Do not show the chart's notes
    #[arg(long)]
    hide_notes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// The release's name, and a folder, an archive, an address, or REPOSITORY/NAME
    #[arg(num_args = 1..=2, required = true, value_name = "[NAME] CHART")]
    name_and_chart: Vec<String>,
    #[command(flatten)]
    what: What,
    /// Make a name of the chart's and the time
    #[arg(long, short)]
    generate_name: bool,
    /// Take the name again of a release that failed, or was uninstalled with its history kept
    #[arg(long)]
    replace: bool,
    /// Whether the server puts objects there; with `--server-side=false` a merge of Landfall's does
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set)]
    server_side: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Upgrade {
    name: String,
    /// A folder, an archive, an address, or REPOSITORY/NAME
    chart: String,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    keeping: Keeping,
    /// Install it where it is not there
    #[arg(long, short)]
    install: bool,
    /// Lay the values given over those of the former revision and of its chart
    #[arg(long, conflicts_with = "reset_values")]
    reuse_values: bool,
    /// Forget the values of the former revision
    #[arg(long)]
    reset_values: bool,
    /// Lay the values given over those of the former revision, and all over the new chart's own
    #[arg(long)]
    reset_then_reuse_values: bool,
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
    #[command(flatten)]
    putting: Putting,
    #[command(flatten)]
    keeping: Keeping,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    name: String,
    #[command(flatten)]
    how: How,
}

/// What install and upgrade go on with, once flags are read and the chart is there.
struct Made {
    actions: Actions,
    chart: Arc<Chart>,
    values: Values,
    labels: BTreeMap<String, String>,
    create_namespace: bool,
    skip_crds: bool,
    hide_notes: bool,
    hide_secret: bool,
}

impl What {
    async fn made(self, session: &Session, chart: &str, set: impl FnOnce(&mut Options)) -> Result<Made> {
        let mut options = self.how.options();
        self.putting.set(&mut options);
        self.undo.set(&mut options);
        set(&mut options);
        if self.undo.atomic {
            tell(session.say(
                "--atomic is called --rollback-on-failure now",
                "--atomic의 새 이름은 --rollback-on-failure입니다",
            ));
        }
        let chart = Arc::new(self.wanted.chart(session, chart).await?);
        let values = self.values.merge()?;
        Ok(Made {
            actions: actions(session, &self.how.home, options).await?,
            chart,
            values,
            labels: self.labels.map(),
            create_namespace: self.create_namespace,
            skip_crds: self.skip_crds,
            hide_notes: self.hide_notes,
            hide_secret: self.putting.hide_secret,
        })
    }
}

impl Made {
    async fn install(self, session: &Session, name: String, replace: bool) -> Result {
        let wanted = landfall_release::Install {
            name,
            chart: self.chart,
            values: self.values,
            create_namespace: self.create_namespace,
            skip_crds: self.skip_crds,
            replace,
            labels: self.labels,
        };
        let stored = self.actions.install(wanted).await?;
        ended(session, &self.actions, stored, self.hide_secret, self.hide_notes)
    }
}

pub(super) async fn install(session: &Session, args: Install) -> Result {
    let (name, chart) = match args.name_and_chart.as_slice() {
        [name, chart] if !args.generate_name => (name.clone(), chart),
        [chart] if args.generate_name => (generated(chart), chart),
        [_] => {
            return Err(Failure::told(Exit::BadValue, "the release has no name", "릴리스 이름이 없습니다")
                .hint(
                    "give it before the chart, or let --generate-name make one",
                    "차트 앞에 쓰거나 --generate-name으로 만드세요",
                ));
        }
        _ => {
            return Err(Failure::told(
                Exit::BadValue,
                "the release has a name already: --generate-name would make another",
                "릴리스 이름이 이미 있는데 --generate-name도 주어졌습니다",
            )
            .hint("leave one of the two out", "둘 중 하나를 빼세요"));
        }
    };
    let server_side = args.server_side;
    let made = args.what.made(session, chart, |options| options.server_side = Some(server_side)).await?;
    made.install(session, name, args.replace).await
}

/// As Helm: what the chart is called up to a dot, and seconds since 1970.
fn generated(chart: &str) -> String {
    let last = chart.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let base = last.split('.').next().filter(|base| !base.is_empty()).unwrap_or("chart");
    format!("{base}-{}", jiff::Timestamp::now().as_second())
}

pub(super) async fn upgrade(session: &Session, args: Upgrade) -> Result {
    let made = args.what.made(session, &args.chart, |options| args.keeping.set(options)).await?;
    if args.install && made.actions.history(&args.name).await?.is_empty() {
        return made.install(session, args.name, false).await;
    }
    let former = match (args.reuse_values, args.reset_values, args.reset_then_reuse_values) {
        (true, ..) => Former::Reuse,
        (_, true, _) => Former::Reset,
        (.., true) => Former::ReuseOverNewChart,
        _ => Former::WhereNoneIsGiven,
    };
    let wanted = landfall_release::Upgrade {
        name: args.name,
        chart: made.chart,
        values: made.values,
        former,
        crds: args.crds,
        resume: args.resume,
        labels: made.labels,
    };
    let stored = made.actions.upgrade(wanted).await?;
    ended(session, &made.actions, stored, made.hide_secret, made.hide_notes)
}

pub(super) async fn rollback(session: &Session, args: Rollback) -> Result {
    let mut options = args.how.options();
    args.putting.set(&mut options);
    args.keeping.set(&mut options);
    let actions = actions(session, &args.how.home, options).await?;
    let wanted = landfall_release::Rollback { name: args.name, revision: args.revision };
    let stored = actions.rollback(&wanted).await?;
    ended(session, &actions, stored, args.putting.hide_secret, false)
}

/// What came of it, or would.
fn ended(
    session: &Session,
    actions: &Actions,
    stored: Stored,
    hide_secret: bool,
    hide_notes: bool,
) -> Result {
    if actions.options.dry_run.is_some() {
        return dry(session, stored.record, hide_secret, hide_notes);
    }
    done(session, &stored.record, hide_notes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_is_the_charts_and_the_time() {
        for chart in [
            "oci://registry.example.com/web",
            "./charts/web/",
            "web-1.2.3.tgz",
            "https://example.com/web.tgz",
        ] {
            assert!(generated(chart).starts_with("web"), "{chart}: {}", generated(chart));
        }
        assert!(generated(".").starts_with("chart-"));
    }
}

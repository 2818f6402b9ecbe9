//! Flags of the verbs that change a release, as Helm 4.3.1 has them.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_release::{DryRun, Options};

/// The namespace of a release.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Home {
    #[arg(long, short, default_value = "default")]
    pub(super) namespace: String,
}

/// How a change goes about it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(super) home: Home,
    /// Wait until all objects are ready; hooks are waited for in any case
    #[arg(long, value_name = "STRATEGY", num_args = 0..=1, require_equals = true,
          default_missing_value = "watcher", default_value = "hookOnly")]
    wait: Wait,
    /// How long each wait may take: 90s, 5m0s, or seconds as a plain number
    #[arg(long, value_name = "DURATION", default_value = "5m0s", value_parser = timeout)]
    timeout: Duration,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Words of one's own for the history
    #[arg(long)]
    description: Option<String>,
}

/// Helm's words for what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wait {
    /// Until all are ready
    #[value(alias = "legacy", alias = "true")]
    Watcher,
    /// Hooks only
    #[value(name = "hookOnly", alias = "false")]
    HookOnly,
}

/// How objects are put there.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Putting {
    /// Take fields that another manager has
    #[arg(long)]
    force_conflicts: bool,
    /// Make objects that are there, and of no release, part of this one
    #[arg(long)]
    take_ownership: bool,
    /// Show what would be, and change nothing: `client` looks nothing up in the cluster, `server` does
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true,
          default_missing_value = "client", default_value = "none")]
    dry_run: Dry,
    /// With --dry-run: Secrets are not shown
    #[arg(long)]
    pub(super) hide_secret: bool,
    /// Jobs are waited for by --wait in any case
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Dry {
    None,
    Client,
    Server,
}

/// What becomes of a change that fails.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Undo {
    /// Where it fails: say why, and go back to the last revision that was deployed (after an installation: remove it). Waits
    #[arg(long)]
    rollback_on_failure: bool,
    /// Helm 3's name of --rollback-on-failure
    #[arg(long, hide = true)]
    pub(super) atomic: bool,
}

/// What later revisions leave of earlier ones.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Keeping {
    /// Revisions that are kept; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    history_max: usize,
    /// Where it fails: delete what it has made
    #[arg(long)]
    cleanup_on_fail: bool,
    /// Who puts objects there: the server (`true`), a three-way merge of Landfall's (`false`), or whichever did it before
    #[arg(long, value_name = "HOW", default_value = "auto")]
    server_side: ServerSide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ServerSide {
    True,
    False,
    Auto,
}

impl How {
    pub(super) fn options(&self) -> Options {
        Options {
            timeout: self.timeout,
            wait: self.wait == Wait::Watcher,
            hooks: !self.no_hooks,
            description: self.description.clone(),
            ..Options::default()
        }
    }
}

impl Putting {
    pub(super) fn set(&self, options: &mut Options) {
        options.force_conflicts = self.force_conflicts;
        options.take_ownership = self.take_ownership;
        options.dry_run = match self.dry_run {
            Dry::None => None,
            Dry::Client => Some(DryRun::Client),
            Dry::Server => Some(DryRun::Server),
        };
    }
}

impl Undo {
    pub(super) fn set(&self, options: &mut Options) {
        options.rollback_on_failure = self.rollback_on_failure || self.atomic;
    }
}

impl Keeping {
    pub(super) fn set(&self, options: &mut Options) {
        options.history = self.history_max;
        options.cleanup_on_failure = self.cleanup_on_fail;
        options.server_side = match self.server_side {
            ServerSide::True => Some(true),
            ServerSide::False => Some(false),
            ServerSide::Auto => None,
        };
    }
}

/// A duration as Helm takes it, or plain seconds.
fn timeout(text: &str) -> Result<Duration, String> {
    let duration = if let Ok(seconds) = text.parse::<u32>() {
        Some(Duration::from_secs(seconds.into()))
    } else {
        let nanoseconds = landfall_helm::duration::parse(text).ok();
        nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok()).map(Duration::from_nanos)
    };
    match duration {
        Some(duration) if !duration.is_zero() => Ok(duration),
        Some(_) => {
            Err("nothing is ready in no time: give 90s, 5m0s, or seconds as a plain number".to_owned())
        }
        None => Err("this is no duration: give 90s, 5m0s, or seconds as a plain number".to_owned()),
    }
}

/// `KEY=VALUE`, several divided by commas.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Labels {
    /// Labels of the record; in an upgrade `KEY=null` takes one away
    #[arg(long, short, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    labels: Vec<(String, String)>,
}

impl Labels {
    pub(super) fn map(self) -> BTreeMap<String, String> {
        self.labels.into_iter().collect()
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a label is KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        name: String,
        #[command(flatten)]
        how: How,
        #[command(flatten)]
        putting: Putting,
        #[command(flatten)]
        undo: Undo,
        #[command(flatten)]
        keeping: Keeping,
        #[command(flatten)]
        labels: Labels,
    }

    fn read(flags: &[&str]) -> Result<Options, String> {
        let words = [&["line"], flags, &["web"]].concat();
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        let mut options = line.how.options();
        line.putting.set(&mut options);
        line.undo.set(&mut options);
        line.keeping.set(&mut options);
        Ok(options)
    }

    #[test]
    fn a_timeout_is_a_duration_of_helms_or_seconds() {
        assert_eq!(timeout("5m0s"), Ok(Duration::from_mins(5)));
        assert_eq!(timeout("1h2m"), Ok(Duration::from_mins(62)));
        assert_eq!(timeout("90"), Ok(Duration::from_secs(90)));
        assert_eq!(timeout("1.5s"), Ok(Duration::from_millis(1500)));
        for bad in ["", "5x", "-5m", "0", "0s", "5 m", "1.5"] {
            let told = timeout(bad).unwrap_err();
            assert!(told.contains("5m0s"), "{bad}: {told}");
        }
    }

    #[test]
    fn flags_are_read_as_helm_reads_them() {
        let plain = read(&[]).unwrap();
        assert!(!plain.wait && plain.dry_run.is_none() && plain.server_side.is_none() && plain.history == 10);
        assert!(read(&["--wait"]).unwrap().wait, "the name of the release is no strategy");
        assert!(read(&["--wait=legacy"]).unwrap().wait);
        assert!(!read(&["--wait=hookOnly"]).unwrap().wait);
        assert_eq!(read(&["--dry-run"]).unwrap().dry_run, Some(DryRun::Client));
        assert_eq!(read(&["--dry-run=server"]).unwrap().dry_run, Some(DryRun::Server));
        assert_eq!(read(&["--server-side", "false"]).unwrap().server_side, Some(false));
        assert!(read(&["--atomic"]).unwrap().rollback_on_failure);
        assert_eq!(read(&["--history-max", "0"]).unwrap().history, 0);
        assert!(read(&["--timeout", "soon"]).unwrap_err().contains("no duration"));
    }

    #[test]
    fn labels_are_pairs() {
        let line = Line::try_parse_from(["line", "web", "-l", "a=b,c=null", "--labels", "d=e=f"]).unwrap();
        let wanted = [("a", "b"), ("c", "null"), ("d", "e=f")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(line.labels.map(), BTreeMap::from(wanted));
        assert!(Line::try_parse_from(["line", "web", "-l", "a"]).is_err());
    }
}

//! `landfall lint`: looks whether charts are well-formed, as `helm lint` does.

use std::path::{Path, PathBuf};

use landfall_helm::lint::{LintOptions, Message, Severity, lint};
use landfall_helm::{Chart, HelmError, Values};

use crate::charts::{ValueFlags, kube_version};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::give;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall lint charts/keystone\n  landfall lint charts/* --strict --quiet"
)]
pub(crate) struct Args {
    /// Folders or archives of charts
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    values: ValueFlags,
    #[arg(long, short = 'n', default_value = "default")]
    namespace: String,
    /// Kubernetes version that the chart sees, and by which APIs are deprecated
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Warnings fail too
    #[arg(long)]
    strict: bool,
    /// Warnings and errors only
    #[arg(long)]
    quiet: bool,
    /// The charts in `charts/`, too
    #[arg(long)]
    with_subcharts: bool,
    /// Do not look into values.schema.json
    #[arg(long)]
    skip_schema_validation: bool,
}

pub(crate) fn run(args: Args) -> Result {
    let options = LintOptions {
        namespace: args.namespace,
        kube_version: kube_version(args.kube_version.as_ref())?,
        skip_schema_validation: args.skip_schema_validation,
    };
    let values = args.values.merge()?;
    let mut paths = args.paths.clone();
    if args.with_subcharts {
        for path in &args.paths {
            subcharts(&path.join("charts"), &mut paths);
        }
    }
    let least = if args.strict { Severity::Warning } else { Severity::Error };
    let (mut text, mut failed, mut told) = (String::new(), 0, false);
    for path in &paths {
        let found = look_at(path, &values, &options);
        let (messages, wrong) = match &found {
            Ok(messages) => (&messages[..], messages.iter().any(|message| message.severity >= least)),
            Err(_) => (&[][..], true),
        };
        failed += usize::from(wrong);
        let notable = wrong || messages.iter().any(|message| message.severity > Severity::Info);
        told |= notable;
        if args.quiet && !notable {
            continue;
        }
        text.push_str(&format!("==> Linting {}\n", path.display()));
        if let Err(error) = &found {
            text.push_str(&format!("Error {error}\n"));
        }
        for message in messages.iter().filter(|message| !args.quiet || message.severity > Severity::Info) {
            text.push_str(&format!("{message}\n"));
        }
        text.push('\n');
    }
    let summary = format!("{} chart(s) linted, {failed} chart(s) failed", paths.len());
    if failed == 0 && (!args.quiet || told) {
        text.push_str(&format!("{summary}\n"));
    }
    give(&text);
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::told(
        Exit::Unexpected,
        summary,
        format!("차트 {}개를 검사했고 {failed}개에 문제가 있습니다", paths.len()),
    ))
}

fn look_at(
    path: &Path,
    values: &Values,
    options: &LintOptions,
) -> std::result::Result<Vec<Message>, HelmError> {
    if path.is_dir() {
        return lint(path, values, options);
    }
    // The rules are about a folder.
    let io = |source| HelmError::Io { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(io)?;
    let folder = tempfile::tempdir().map_err(io)?;
    let name = Chart::unpack(&bytes, &path.display().to_string(), folder.path())?;
    lint(&folder.path().join(name), values, options)
}

fn subcharts(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort();
    for path in found {
        if path.is_dir() {
            if path.join("Chart.yaml").is_file() {
                paths.push(path.clone());
            }
            subcharts(&path, paths);
        } else if path.extension().is_some_and(|kind| kind == "tgz") {
            paths.push(path);
        }
    }
}

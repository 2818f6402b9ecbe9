//! `cargo run -p landfall-helm --example template -- NAME CHART [-f FILE] [--set A=B] [-n NAMESPACE]`:
//! what `helm template` prints, for writers of charts.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use landfall_helm::{Chart, HelmError, KubeVersion, Options, OutputOptions, ValueSources, Values, render};

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, HelmError> {
    let mut sources = ValueSources::default();
    let mut output = OutputOptions::default();
    let mut positional = Vec::new();
    let (mut namespace, mut kube_version, mut extra) = ("default".to_owned(), None, Vec::new());
    let (mut upgrade, mut show_notes) = (false, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_default();
        match arg.as_str() {
            "-f" | "--values" => sources.files.push(PathBuf::from(value())),
            "--set" => sources.set.push(value()),
            "--set-string" => sources.set_string.push(value()),
            "--set-json" => sources.set_json.push(value()),
            "--set-file" => sources.set_file.push(value()),
            "--set-literal" => sources.set_literal.push(value()),
            "-n" | "--namespace" => namespace = value(),
            "--kube-version" => kube_version = KubeVersion::parse(&value()),
            "-a" | "--api-versions" => extra.extend(value().split(',').map(str::to_owned)),
            "-s" | "--show-only" => output.show_only.push(value()),
            "--include-crds" => output.include_crds = true,
            "--no-hooks" => output.no_hooks = true,
            "--skip-tests" => output.skip_tests = true,
            "--is-upgrade" => upgrade = true,
            "--notes" => show_notes = true,
            _ => positional.push(arg),
        }
    }
    let (name, path) = match positional.as_slice() {
        [path] => ("release-name", path),
        [name, path] => (name.as_str(), path),
        _ => return Err(HelmError::Values("usage: template [NAME] CHART [-f FILE]…".to_owned())),
    };
    let chart = Chart::load(path)?;
    let values = Values::merge(&sources)?;
    let mut options = Options::new(name, namespace);
    options.is_install = !upgrade;
    options.kube_version = kube_version;
    options.extra_api_versions = extra;
    let rendered = render(&chart, &values, &options)?;
    let mut text = rendered.template_output(&output)?;
    if show_notes {
        text.push_str(&format!("---\n# Notes\n{}", rendered.notes));
    }
    Ok(text)
}

//! `helm lint`: what real Helm 4.3.1 has said of a chart full of faults, and what it says now where it is there.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use landfall_helm::Values;
use landfall_helm::lint::{LintOptions, lint};

fn faulty() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/faulty")
}

fn ours(folder: &Path, skip_schema_validation: bool) -> String {
    let options = LintOptions { namespace: "default".to_owned(), kube_version: None, skip_schema_validation };
    let messages = lint(folder, &Values::new(), &options).unwrap();
    let lines: Vec<String> = messages.iter().map(ToString::to_string).collect();
    (lines.join("\n") + "\n").replace(&folder.display().to_string(), "CHART") + "\n"
}

#[test]
fn the_words_are_helms() {
    assert_eq!(ours(&faulty(), false), include_str!("faulty.txt"));
    assert_eq!(ours(&faulty(), true), include_str!("faulty_without_schema.txt"));
}

#[test]
fn real_helm_says_the_same() {
    let Some(helm) = support::program("helm") else { return };
    for skip in [false, true] {
        let mut command = Command::new(&helm);
        command.args(["lint", "."]).current_dir(faulty());
        if skip {
            command.arg("--skip-schema-validation");
        }
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let said = said.replace(&faulty().display().to_string(), "CHART");
        assert_eq!(ours(&faulty(), skip), said.strip_prefix("==> Linting .\n").unwrap());
    }
}

#[test]
fn what_is_no_chart_is_an_error() {
    assert!(lint(Path::new(env!("CARGO_MANIFEST_DIR")), &Values::new(), &LintOptions::default()).is_err());
}

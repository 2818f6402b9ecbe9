//! Renders each chart of `tests/fixtures` and compares it with what Helm 4.3.1 prints, stored under
//! `tests/expected`; where the real Helm is at hand, what is stored is compared with it too.
//! Fixtures named `err_*` have to fail, with every stored line in the error.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use landfall_helm::{Chart, Options, ValueSources, Values, render};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn fixtures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(found.len() > 10, "the fixtures are gone");
    found
}

fn values_file(chart: &Path) -> Option<PathBuf> {
    Some(chart.join("test-values.yaml")).filter(|path| path.exists())
}

fn ours(path: &Path) -> Result<String, String> {
    let chart = Chart::load(path).map_err(|error| error.to_string())?;
    let sources = ValueSources { files: values_file(path).into_iter().collect(), ..ValueSources::default() };
    let values = Values::merge(&sources).map_err(|error| error.to_string())?;
    let rendered = render(&chart, &values, &Options::new("rel", "ns")).map_err(|error| error.to_string())?;
    Ok(rendered.to_template_output())
}

fn expected(name: &str) -> String {
    let kind = if name.starts_with("err_") { "txt" } else { "yaml" };
    std::fs::read_to_string(root().join("expected").join(format!("{name}.{kind}"))).unwrap()
}

/// The first line that differs, for people.
fn first_difference(want: &str, got: &str) -> String {
    let mut lines = want.lines().zip(got.lines()).enumerate();
    match lines.find(|(_, (want, got))| want != got) {
        Some((at, (want, got))) => format!("line {}:\n  helm: {want}\n  ours: {got}", at + 1),
        None => format!("{} and {} bytes", want.len(), got.len()),
    }
}

#[test]
fn every_fixture_renders_as_helm_does() {
    let mut failures = Vec::new();
    for path in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let want = expected(&name);
        match (name.starts_with("err_"), ours(&path)) {
            (true, Ok(_)) => failures.push(format!("{name}: rendered, but has to fail")),
            (true, Err(error)) => {
                for line in want.lines().filter(|line| !error.contains(line)) {
                    failures.push(format!("{name}: no line {line:?} in:\n{error}"));
                }
            }
            (false, Ok(got)) if got == want => {}
            (false, Ok(got)) => failures.push(format!("{name}: {}", first_difference(&want, &got))),
            (false, Err(error)) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn what_is_stored_is_what_real_helm_prints() {
    let Some(helm) = support::program("helm") else {
        eprintln!("skipped: there is no real Helm (landfall images bundle --oracle makes it)");
        return;
    };
    for path in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut command = Command::new(&helm);
        command.args(["template", "rel"]).arg(&path).args(["-n", "ns"]);
        if let Some(file) = values_file(&path) {
            command.arg("-f").arg(file);
        }
        let output = command.output().unwrap();
        let want = expected(&name);
        if name.starts_with("err_") {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{name}");
            for line in want.lines() {
                assert!(error.contains(line), "{name}: {line}\n{error}");
            }
        } else {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text == want, "{name}: {}", first_difference(&text, &want));
        }
    }
}

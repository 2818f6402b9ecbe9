//! `cargo xtask test`: every test, in parts that can be named.

use crate::shell::{Result, built, cargo, command, execute, found, say};
use crate::stages::Stages;
use crate::{tidy, up};

#[derive(clap::Args)]
pub struct Args {
    /// Only these parts; all where none is named
    #[arg(value_enum)]
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Format, walls, lints, and the tests that need neither root nor network
    Unit,
    /// Our charts, rendered by Landfall and by real Helm: the same bytes
    Charts,
    /// The embedded cluster: made, killed, brought back, removed without a trace
    Node,
    /// Keystone's cloud on the embedded cluster, and what may happen to it; releases that real Helm takes over
    E2e,
    /// The guide's thirteen steps on one node, from nothing, with what they must outlast
    Guide,
    /// The longer run, only where it is named: every pod lost once, ten kills, the dashboard in a browser, four nodes
    /// and the loss of one
    Long,
}

pub fn run(args: &Args) -> Result {
    let parts = if args.parts.is_empty() {
        vec![Part::Unit, Part::Charts, Part::Node, Part::E2e, Part::Guide]
    } else {
        args.parts.clone()
    };
    let mut stages = Stages::new();
    let outcome = stages_of_test(&mut stages, &parts);
    say(&stages.summary());
    let (passed, failed) = stages.counts();
    say(&format!("{passed} passed, {failed} failed"));
    outcome
}

fn stages_of_test(stages: &mut Stages, parts: &[Part]) -> Result {
    if parts.contains(&Part::Unit) {
        stages.run("format", || run_cargo(&["fmt", "--all", "--check"]))?;
        stages.run("walls", tidy::run)?;
        stages.run("unit tests", unit)?;
        stages.run("lints", || {
            run_cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
        })?;
    }
    if parts.iter().any(|part| *part != Part::Unit) {
        stages.run("build landfall", || {
            if parts.contains(&Part::Unit) { built_with_tests() } else { up::build() }
        })?;
        stages.run("packages of this machine", up::test_packages)?;
        stages.run("bundle: binaries and images", || {
            execute(command(built("landfall")).args(["images", "bundle", "--oracle"]))
        })?;
    }
    if parts.contains(&Part::Charts) {
        stages.run("charts", || real_tests("charts", &[]))?;
    }
    if parts.contains(&Part::Node) {
        stages.run("node", || real_tests("node", &[]))?;
    }
    if parts.contains(&Part::E2e) {
        stages.run("e2e", || real_tests("cloud", &[]))?;
        stages.run("releases", || real_tests("releases", &[]))?;
    }
    if parts.contains(&Part::Guide) && !parts.contains(&Part::Long) {
        stages.run("guide", || real_tests("guide", &[]))?;
    }
    if parts.contains(&Part::Long) {
        stages.run("guide, long", || real_tests("guide", &["--long"]))?;
        stages.run("browser of this machine", up::browser_packages)?;
        stages.run("dashboard", || real_tests("dashboard", &[]))?;
        stages.run("four nodes", || real_tests("four", &[]))?;
    }
    Ok(())
}

/// nextest where it is installed, since it is quicker; else cargo's own runner, with the same tests.
fn unit() -> Result {
    if found("cargo-nextest") {
        run_cargo(&["nextest", "run", "--workspace"])
    } else {
        run_cargo(&["test", "--workspace", "--quiet"])
    }
}

/// With the features of the tests' own dependencies, as the unit tests have just built everything: `up::build` alone
/// would build a third of it once more, for one feature of one crate.
fn built_with_tests() -> Result {
    run_cargo(&["build", "--workspace", "--all-targets"])
}

/// Tests upon the real parts share one machine, hence one thread.
fn real_tests(name: &str, more: &[&str]) -> Result {
    execute(
        cargo()
            .args(["test", "--package", "landfall-e2e", "--features", "real", "--test", name, "--"])
            .args(["--test-threads=1", "--nocapture"])
            .args(more)
            .env("LANDFALL", built("landfall")),
    )
}

fn run_cargo(arguments: &[&str]) -> Result {
    execute(cargo().args(arguments))
}

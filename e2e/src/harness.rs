//! A harness for scenarios that build upon each other: in order, named, filtered by argument.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// What a scenario ends with: the text says what was expected and what was seen.
pub type Outcome = Result<(), String>;

/// One named behaviour.
pub struct Scenario<W> {
    pub name: &'static str,
    pub run: fn(&mut W) -> Outcome,
}

// Derived, it would ask the same of the world.
impl<W> Clone for Scenario<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Scenario<W> {}

impl<W> std::fmt::Debug for Scenario<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Fails with `why` unless `holds`.
///
/// # Errors
/// `why`, when the claim does not hold.
pub fn check(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}

/// Runs the scenarios whose names contain one of the arguments (all where there is none) in the world that `begin`
/// makes and `leave` takes down again; with `--list`, only names them. After a failure the rest still runs: each says
/// for itself what it needs.
pub fn main_in<W>(
    begin: impl FnOnce() -> Result<W, String>,
    scenarios: &[Scenario<W>],
    leave: impl FnOnce(W),
) -> ExitCode {
    let (options, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let chosen: Vec<_> = scenarios
        .iter()
        .filter(|scenario| wanted.is_empty() || wanted.iter().any(|name| scenario.name.contains(name)))
        .collect();
    if options.iter().any(|option| option == "--list") {
        for scenario in &chosen {
            line(&format!("{}: test", scenario.name));
        }
        return ExitCode::SUCCESS;
    }
    let mut world = match begin() {
        Ok(world) => world,
        Err(why) => {
            // Nothing can be done where stderr is gone.
            let _ = writeln!(std::io::stderr(), "{why}");
            return ExitCode::FAILURE;
        }
    };
    let code = run(&mut world, &chosen);
    leave(world);
    code
}

fn run<W>(world: &mut W, scenarios: &[&Scenario<W>]) -> ExitCode {
    let mut failed = Vec::new();
    for scenario in scenarios {
        line(&format!("test {} ...", scenario.name));
        let began = Instant::now();
        let outcome = (scenario.run)(world);
        let took = began.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => line(&format!("test {} ... ok ({took:.1}s)", scenario.name)),
            Err(why) => {
                line(&format!("test {} ... FAILED ({took:.1}s)\n{why}", scenario.name));
                failed.push(scenario.name);
            }
        }
    }
    let passed = scenarios.len() - failed.len();
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    line(&format!(
        "\ntest result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; 0 filtered out",
        failed.len()
    ));
    if failed.is_empty() && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn line(text: &str) {
    // Nothing can be done where stdout is gone.
    let _ = writeln!(std::io::stdout(), "{text}");
}

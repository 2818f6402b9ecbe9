//! Starts that can not succeed: each must be told with its cause and remedy soon after the cluster
//! shows it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::harness;
use crate::{Outcome, World, check};

/// A start that cannot succeed: how it is broken and mended, and what must be told.
#[derive(Debug)]
pub struct Broken<'a> {
    /// The cloud file of the start.
    pub file: &'a str,
    pub service: &'a str,
    /// Of the failure.
    pub code: &'a str,
    /// Words of which each must be in the causes.
    pub says: &'a [&'a str],
}

/// Runs the start and reads its events until the failure.
///
/// # Errors
/// What was expected and not told.
pub fn told(world: &World, broken: &Broken<'_>) -> Outcome {
    let file = world.landfall.home.join("broken.yaml");
    std::fs::write(&file, broken.file).map_err(|error| error.to_string())?;
    let local = format!("--local={}", world.landfall.cluster);
    let path = file.display().to_string();
    let began = Instant::now();
    let mut child = world
        .landfall
        .command(&world.up_arguments(&[broken.service, &local, "-o", "json", "-f", &path]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut failure = None;
    let lines = child.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
    for line in lines.map_while(Result::ok) {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] == "step-waiting" {
            harness::line(&format!("{:>7} ms {}: {}", event["elapsed_ms"], event["step"], event["causes"]));
        }
        if event["event"] == "step-failed" && failure.is_none() {
            harness::line(&format!("told after {:.1?}: {}", began.elapsed(), event["failure"]));
            failure = Some(event["failure"].clone());
        }
    }
    let code = child.wait().map_err(|error| error.to_string())?.code();
    let failure = failure.ok_or_else(|| format!("no step failed; the program ended with {code:?}"))?;
    check(code == Some(10), || format!("exit code {code:?}"))?;
    check(failure["code"] == broken.code, || format!("expected {}: {failure:#}", broken.code))?;
    let causes = failure["causes"].to_string();
    for word in broken.says {
        check(causes.contains(word), || format!("{word:?} is not told: {failure:#}"))?;
    }
    check(failure["remedy"]["en"] != "" && failure["remedy"]["ko"] != "", || {
        format!("no remedy: {failure:#}")
    })
}

//! The proof of the whole cloud: all of it holds and nothing is left; what an interrupted one leaves is removed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use landfall_e2e::{Outcome, World, check, kill, peak_memory_of};
use serde_json::Value;

/// What one compute can not show.
const OF_TWO_COMPUTES: &str = "proof/migration";

fn rows(stdout: &str) -> Result<Vec<Value>, String> {
    let rows: Value = serde_json::from_str(stdout).map_err(|error| format!("{error}: {stdout}"))?;
    Ok(rows.as_array().cloned().unwrap_or_default())
}

/// Every step holds, with its evidence, and afterwards Ceph, the switch and libvirt have nothing of it.
pub fn holds(world: &mut World) -> Outcome {
    let prove = || world.landfall.run(&["verify", "--full", "-o", "json"]);
    let (proof, memory) = peak_memory_of(&world.landfall, prove);
    eprintln!("{}", proof.stderr);
    let rows = rows(&proof.stdout)?;
    let wrong: Vec<&Value> = rows
        .iter()
        .filter(|row| {
            let wanted = if row["id"] == OF_TWO_COMPUTES { "not-applicable" } else { "passed" };
            row["state"] != wanted || row["evidence"].as_str().is_none_or(str::is_empty)
        })
        .collect();
    check(proof.code == 0 && wrong.is_empty(), || format!("exit code {}: {wrong:#?}", proof.code))?;
    let seen = |id: &str| rows.iter().any(|row| row["id"] == id);
    for id in
        ["proof/server", "proof/floating-ip", "proof/volume-moved", "proof/restore", "proof/nothing-left"]
    {
        check(seen(id), || format!("{id} is not among {} steps", rows.len()))?;
    }
    eprintln!(
        "the proof took {:.1?}: {} steps, memory of all processes at most {} MiB",
        proof.took,
        rows.len(),
        memory >> 20
    );
    Ok(())
}

/// Killed while its servers boot; the next one finds what is there by its name, and removes it.
pub fn interrupted(world: &mut World) -> Outcome {
    let local = format!("--local={}", world.landfall.cluster);
    let mut command = world.landfall.command(&["verify", "--full", &local]);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let told = child.stderr.take().ok_or("no stderr")?;
    let reached =
        BufReader::new(told).lines().map_while(Result::ok).any(|line| line.contains("start proof/address"));
    kill(u64::from(child.id()))?;
    child.wait().map_err(|error| error.to_string())?;
    check(reached, || "it ended before a server was ACTIVE".to_owned())?;

    let clean = world.landfall.run(&["verify", "--full", "--clean", "-o", "json"]).ended(0)?;
    let rows = rows(&clean.stdout)?;
    let found = rows.iter().find(|row| row["id"] == "proof/leftovers").ok_or("no step of leftovers")?;
    let evidence = found["evidence"].as_str().unwrap_or_default();
    check(evidence.starts_with("removed what was left of landfall-proof-"), || found.to_string())?;
    eprintln!("cleaning took {:.1?}: {evidence}", clean.took);

    let again = world.landfall.run(&["verify", "--full", "--clean", "-o", "json"]).ended(0)?;
    check(again.stdout.contains("nothing of an earlier proof"), || again.stdout.clone())
}

/// OpenStack's own smoke set: none fails, and what is skipped says why.
pub fn smoke(world: &mut World) -> Outcome {
    let suite = world.landfall.run(&["verify", "--tempest", "-o", "json"]);
    let rows = rows(&suite.stdout).map_err(|why| format!("{why}\n{}", suite.stderr))?;
    let of = |state: &str| rows.iter().filter(|row| row["state"] == state).collect::<Vec<_>>();
    let (passed, failed, skipped) = (of("passed"), of("failed"), of("skipped"));
    for row in &skipped {
        eprintln!("skipped: {}: {}", row["id"], row["evidence"]);
    }
    eprintln!(
        "{} passed, {} failed, {} skipped in {:.1?}",
        passed.len(),
        failed.len(),
        skipped.len(),
        suite.took
    );
    check(suite.code == 0 && failed.is_empty() && passed.len() > 20, || {
        format!("{failed:#?}\n{}", suite.stderr)
    })?;
    check(skipped.iter().all(|row| row["evidence"] != ""), || format!("without a reason: {skipped:#?}"))
}

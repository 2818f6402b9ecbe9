//! SIGKILL to `landfall up`, at random moments: the next `up` ends in the same state.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use landfall_e2e::{Outcome, World};

/// Rounds in the test command; `$LANDFALL_KILLS` asks for more.
const ROUNDS: u32 = 2;
/// About what a whole `up` takes here: later moments would find it at its end.
const LONGEST: u64 = 40;

pub fn at_random_moments(world: &mut World) -> Outcome {
    let rounds = std::env::var("LANDFALL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    // The seed is shown, so that a failure can be met again.
    let seed = std::env::var("LANDFALL_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 =
        seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs()));
    eprintln!("LANDFALL_SEED={seed} LANDFALL_KILLS={rounds}");
    let mut random = seed | 1;
    for round in 1..=rounds {
        world.landfall.run(&["down", "--volumes", "--yes"]).ended(0)?;
        // xorshift: enough to choose a moment.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let moment = Duration::from_millis(500 + random % (LONGEST * 1000));
        let local = format!("--local={}", world.landfall.cluster);
        let mut command = world.landfall.command(&world.up_arguments(&[&local]));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        // The moment is the point of the test; there is nothing to wait for but time.
        std::thread::sleep(moment);
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        let again =
            world.up(&[]).ended(0).map_err(|why| format!("round {round}, killed after {moment:?}: {why}"))?;
        eprintln!("round {round}: killed after {moment:.1?}, the next up took {:.1?}", again.took);
        world.verified().map_err(|why| format!("round {round}, killed after {moment:?}: {why}"))?;
    }
    Ok(())
}

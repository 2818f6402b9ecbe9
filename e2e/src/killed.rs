//! SIGKILL to `landfall up`, at random moments: the next `up` ends in the same state.

use std::process::Stdio;
use std::time::Duration;

use crate::chance::{Chance, number};
use crate::{Outcome, World, harness};

/// Kills `up` once a round (`$LANDFALL_KILLS` gives another number of them), within `longest` seconds: about what a
/// whole one takes here, since later moments would find it at its end. `anew` is carried out before each.
///
/// # Errors
/// The round and the moment, with what did not hold after them.
pub fn killed_at_random(
    world: &World,
    rounds: u64,
    longest: u64,
    anew: impl Fn(&World) -> Outcome,
) -> Outcome {
    let mut chance = Chance::new();
    for round in 1..=number("LANDFALL_KILLS", rounds) {
        anew(world)?;
        let moment = Duration::from_millis(500 + chance.below(longest * 1000));
        let local = format!("--local={}", world.landfall.cluster);
        let mut command = world.landfall.command(&world.up_arguments(&[&local]));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        // The moment is the point of the test; there is nothing to wait for but time.
        std::thread::sleep(moment);
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        let at = |why: String| format!("round {round}, killed after {moment:?}: {why}");
        let again = world.up(&[]).ended(0).map_err(at)?;
        harness::line(&format!(
            "round {round}: killed after {moment:.1?}, the next up took {:.1?}",
            again.took
        ));
        world.verified().map_err(at)?;
    }
    Ok(())
}

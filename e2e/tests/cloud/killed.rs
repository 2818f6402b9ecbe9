//! SIGKILL to `landfall up` of Keystone's cloud.

use landfall_e2e::{Outcome, World, killed_at_random};

/// Rounds in the test command.
const ROUNDS: u64 = 2;
/// Seconds; about what a whole `up` takes here.
const LONGEST: u64 = 40;

pub fn at_random_moments(world: &mut World) -> Outcome {
    killed_at_random(world, ROUNDS, LONGEST, |world| {
        world.landfall.run(&["down", "--volumes", "--yes"]).ended(0).map(drop)
    })
}

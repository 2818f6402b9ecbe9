//! Whether the switch does its work: it answers, and what was to be made of bridges and addresses is made.

use super::state::{self, State};
use super::vsctl;
use crate::pod::{Result, say};

pub async fn run() -> Result<u8> {
    let Some(state) = State::read(&state::dir())? else {
        say("the datapath is not decided yet");
        return Ok(1);
    };
    let ready = vsctl(&["get", "Open_vSwitch", ".", "external_ids:landfall-generation"]).await?;
    let ready = ready.trim_matches('"');
    if state.is_ready() && ready == state.generation {
        return Ok(0);
    }
    say("the switch has not made its bridges yet");
    Ok(1)
}

//! Chance that can be met again: its seed is shown, and `$LANDFALL_SEED` gives it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness;

/// A number that the environment gives, or the default.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// xorshift: enough to choose a moment or an order.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
        let seed = number("LANDFALL_SEED", now);
        harness::line(&format!("LANDFALL_SEED={seed}"));
        Self(seed | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}

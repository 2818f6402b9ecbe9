//! Stages with their times: what a newcomer and CI see of a long command.

use std::time::{Duration, Instant};

use crate::shell::{Result, say};

/// Runs stages one after the other and keeps their times.
pub struct Stages {
    began: Instant,
    done: Vec<(String, Duration, bool)>,
}

impl Stages {
    pub fn new() -> Self {
        Self { began: Instant::now(), done: Vec::new() }
    }

    /// Runs a stage; its error ends the command.
    pub fn run<T>(&mut self, name: &str, stage: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("\n== {name}"));
        let began = Instant::now();
        let outcome = stage();
        self.done.push((name.to_owned(), began.elapsed(), outcome.is_ok()));
        say(&format!(
            "== {name}: {} in {}",
            if outcome.is_ok() { "ok" } else { "FAILED" },
            time(began.elapsed())
        ));
        outcome
    }

    /// The table of times, and the plain line that CI reads.
    pub fn summary(&self) -> String {
        let mut text = String::from("\nstage                                       time\n");
        for (name, took, ok) in &self.done {
            text.push_str(&format!("{name:<40} {:>8}{}\n", time(*took), if *ok { "" } else { "  FAILED" }));
        }
        text.push_str(&format!("{:<40} {:>8}\n", "all", time(self.began.elapsed())));
        text
    }

    pub fn counts(&self) -> (usize, usize) {
        let passed = self.done.iter().filter(|stage| stage.2).count();
        (passed, self.done.len() - passed)
    }
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1}s", took.as_secs_f64())
    } else {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    }
}

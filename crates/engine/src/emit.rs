//! Where events come from: one sink a run, which stamps them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use landfall_catalog::blueprint::Text;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::event::{EVENT_VERSION, Event, What};

/// Stamps events with time and run, and sends them. Nobody listening is no error.
#[derive(Debug, Clone)]
pub(crate) struct Emit {
    run: String,
    begun: Instant,
    to: UnboundedSender<Event>,
    /// What was last said of a waiting step.
    said: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl Emit {
    pub fn new(run: &str, to: UnboundedSender<Event>) -> Self {
        Self { run: run.to_owned(), begun: Instant::now(), to, said: Arc::default() }
    }

    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub fn send(&self, what: What) {
        let event = Event {
            version: EVENT_VERSION,
            time: jiff::Timestamp::now().to_string(),
            elapsed_ms: millis(self.elapsed()),
            run: self.run.clone(),
            what,
        };
        let _ = self.to.send(event);
    }

    /// Says what a step waits for, unless that was the last that was said.
    pub fn waiting(&self, step: &str, causes: Vec<String>) {
        {
            let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if said.get(step) == Some(&causes) {
                return;
            }
            said.insert(step.to_owned(), causes.clone());
        }
        self.send(What::StepWaiting { step: step.to_owned(), causes });
    }

    pub fn note(&self, en: impl Into<String>, ko: impl Into<String>) {
        self.send(What::Note { text: Text::new(en, ko) });
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

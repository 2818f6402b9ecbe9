//! What happened, as data. Displays see these and nothing else of a run.

use landfall_catalog::blueprint::Text;
use serde::{Deserialize, Serialize};

/// Version of the JSON form; raised when a field changes its meaning.
pub const EVENT_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub version: u32,
    /// RFC 3339, UTC.
    pub time: String,
    /// Milliseconds since the run began.
    pub elapsed_ms: u64,
    pub run: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// `changes` counts steps whose change is not `none`.
    RunStarted {
        cluster: String,
        cloud: String,
        steps: Vec<StepBrief>,
        changes: usize,
    },
    StepStarted {
        step: String,
    },
    /// What the step waits for now, root cause last; sent again only when it changes.
    StepWaiting {
        step: String,
        causes: Vec<String>,
    },
    StepDone {
        step: String,
        changed: bool,
        took_ms: u64,
    },
    StepFailed {
        step: String,
        failure: Failure,
    },
    /// Not started because a step it needs failed.
    StepSkipped {
        step: String,
        because: String,
    },
    /// Not carried out, or not to its end: it does not apply here, what it needs did not hold, it was stopped.
    StepPassedOver {
        step: String,
        why: String,
    },
    CheckPassed {
        check: String,
        guide: String,
        title: Text,
        evidence: String,
        took_ms: u64,
    },
    CheckFailed {
        check: String,
        guide: String,
        title: Text,
        evidence: String,
        remedy: Text,
    },
    Note {
        text: Text,
    },
    RunDone {
        ok: bool,
        changed: bool,
        took_ms: u64,
        critical_path: Vec<(String, u64)>,
    },
    RunCancelled {
        done: usize,
        of: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepBrief {
    pub id: String,
    pub service: String,
    pub guide: String,
    pub change: String,
}

/// Why a step can not succeed, from the symptom to the root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `image-missing`, `crash-loop`, `unschedulable`, `volume-unbound`, `job-failed`, …
    pub code: String,
    pub causes: Vec<Cause>,
    pub remedy: Text,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// `Kind/namespace/name`.
    pub object: String,
    pub says: String,
    /// What was seen: a condition's message, an event, the last log lines.
    pub evidence: String,
}

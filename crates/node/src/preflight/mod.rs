//! What stands in the way of a cluster on this machine, said before anything changes.
//!
//! `host` looks, `evaluate` judges; judging is a pure function of what was seen.

mod evaluate;
mod host;
mod nft;

use serde::Serialize;

pub use evaluate::evaluate;
pub use host::{CgroupVersion, Earlier, Host};

use crate::error::Result;
use crate::spec::Spec;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It may work, or not well.
    Warning,
    /// It cannot work: nothing is begun.
    Error,
}

/// What to do about a finding, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    pub en: String,
    pub ko: String,
}

/// What a finding is about, where callers tell it apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    Memory,
    Disk,
    #[default]
    Other,
}

/// One thing that preflight noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub what: String,
    pub topic: Topic,
    pub severity: Severity,
    pub remedy: Remedy,
}

impl Finding {
    fn about(self, topic: Topic) -> Self {
        Self { topic, ..self }
    }
}

/// Looks at the host and says what is missing for `spec`. Changes nothing.
pub async fn preflight(spec: &Spec) -> Result<Vec<Finding>> {
    let host = Host::look(spec).await?;
    Ok(evaluate(spec, &host))
}

//! The tests that a chart brings as hooks.

use crate::store::Stored;
use crate::{Actions, Result};

/// Of one test hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    pub name: String,
    /// `Succeeded`, `Failed`, or `Unknown` where an earlier one ended the run.
    pub phase: String,
}

impl Actions {
    /// Runs the tests of the newest revision, and says how each went; the record has it, too.
    ///
    /// # Errors
    /// Where the release is not there. A test that fails is the second part of the answer.
    pub async fn test(&self, name: &str) -> Result<(Vec<Tested>, Result<Stored>)> {
        let mut stored = self.get(name, None).await?;
        let outcome = self.run_hooks(&mut stored, "test").await;
        let hooks = stored.record.hooks.iter().filter(|hook| hook.events.iter().any(|event| event == "test"));
        let told = hooks
            .map(|hook| Tested {
                name: hook.name.clone(),
                phase: if hook.phase.is_empty() { "Unknown".to_owned() } else { hook.phase.clone() },
            })
            .collect();
        Ok((told, outcome.map(|()| stored)))
    }
}

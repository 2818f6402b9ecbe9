//! Hooks: run one after the other, by weight and name, with their records kept and their deletion policies obeyed.

use jiff::Timestamp;
use landfall_cluster::api::Gvk;
use landfall_helm::release::RecordHook;
use serde_json::Value;
use tokio::time::Instant;

use crate::objects::{parsed, shown};
use crate::store::Stored;
use crate::{Actions, Error, MANAGER, Result};

const BEFORE: &str = "before-hook-creation";
const SUCCEEDED: &str = "hook-succeeded";
const FAILED: &str = "hook-failed";

impl Actions {
    /// Runs the hooks of an event (`pre-install`, …); the first that fails ends it. What became of each is in the record.
    pub(crate) async fn run_hooks(&self, stored: &mut Stored, event: &str) -> Result<()> {
        if !self.options.hooks {
            return Ok(());
        }
        let order = ordered(&stored.record.hooks, event);
        for at in &order {
            let outcome = self.run_hook(stored, *at, event).await;
            if let Err(error) = outcome {
                self.remove_hook(&stored.record.hooks[*at], FAILED).await?;
                return Err(error);
            }
        }
        for at in &order {
            self.remove_hook(&stored.record.hooks[*at], SUCCEEDED).await?;
        }
        Ok(())
    }

    async fn run_hook(&self, stored: &mut Stored, at: usize, event: &str) -> Result<()> {
        let hook = stored.record.hooks[at].clone();
        self.remove_hook(&hook, BEFORE).await?;
        let now = Timestamp::now();
        let running = &mut stored.record.hooks[at];
        (running.started_at, running.completed_at, running.phase) = (Some(now), None, "Running".to_owned());
        self.keep(stored).await?;
        let mut outcome = Ok(());
        for object in parsed(&stored.record.name, &hook.manifest)? {
            outcome = self.carry_out(&object).await;
            if outcome.is_err() {
                break;
            }
        }
        let ended = &mut stored.record.hooks[at];
        ended.completed_at = Some(Timestamp::now());
        let phase = if outcome.is_ok() { "Succeeded" } else { "Failed" };
        phase.clone_into(&mut ended.phase);
        self.keep(stored).await?;
        outcome.map_err(|error| Error::Hook {
            event: event.to_owned(),
            object: format!("{} {}", hook.kind, hook.name),
            why: match error {
                Error::Unwell { why, .. } => why,
                other => other.to_string(),
            },
        })
    }

    /// Made, and where it is something that runs, waited for until it has run.
    async fn carry_out(&self, object: &Value) -> Result<()> {
        let placed = self.placed(object);
        self.cluster
            .apply(&placed, MANAGER, true)
            .await
            .map_err(|source| Error::Refused { object: shown(&placed), source })?;
        if matches!(object["kind"].as_str(), Some("Job" | "Pod")) {
            self.ready(&placed, Instant::now() + self.options.timeout).await?;
        }
        Ok(())
    }

    /// Deletes a hook's objects where its policies say so; without any they are deleted before they are made anew.
    async fn remove_hook(&self, hook: &RecordHook, policy: &str) -> Result<()> {
        let policies = &hook.delete_policies;
        let wanted = policies.iter().any(|one| one == policy) || (policies.is_empty() && policy == BEFORE);
        // A definition takes all of its objects with it.
        if !wanted || hook.kind == "CustomResourceDefinition" {
            return Ok(());
        }
        for object in parsed(&hook.name, &hook.manifest)? {
            let Some(gvk) = Gvk::of(&object) else { continue };
            let placed = self.placed(&object);
            let (namespace, name) =
                (placed["metadata"]["namespace"].as_str(), object["metadata"]["name"].as_str());
            let gone = self.cluster.delete(&gvk, namespace, name.unwrap_or_default(), true);
            self.in_time(&placed, gone).await?;
        }
        Ok(())
    }
}

/// Indices of the hooks of an event, in the order in which Helm runs them.
pub(crate) fn ordered(hooks: &[RecordHook], event: &str) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..hooks.len()).filter(|at| hooks[*at].events.iter().any(|one| one == event)).collect();
    order.sort_by(|a, b| {
        let key = |at: &usize| (hooks[*at].weight, hooks[*at].name.clone());
        key(a).cmp(&key(b))
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_run_by_weight_then_by_name() {
        let hook = |name: &str, weight: i64, event: &str| RecordHook {
            name: name.into(),
            kind: "Job".into(),
            path: String::new(),
            manifest: String::new(),
            events: vec![event.into()],
            weight,
            delete_policies: Vec::new(),
            output_log_policies: Vec::new(),
            started_at: None,
            completed_at: None,
            phase: String::new(),
        };
        let hooks = [
            hook("b", 0, "test"),
            hook("a", 0, "test"),
            hook("z", -5, "test"),
            hook("other", -9, "pre-install"),
        ];
        assert_eq!(ordered(&hooks, "test"), [2, 1, 0]);
        assert!(ordered(&hooks, "post-delete").is_empty());
    }
}

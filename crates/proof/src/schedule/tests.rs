#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::step::{clean_steps, full_steps};

/// A cloud that does what a script says: `fail`, `none` (not applicable), `hang`, `stop` (cancels); else it holds.
struct Scripted {
    script: BTreeMap<&'static str, &'static str>,
    cancel: CancellationToken,
    /// `+id` as a step begins, `-id` as it ends.
    log: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(script: &[(&'static str, &'static str)]) -> Self {
        Self {
            script: script.iter().copied().collect(),
            cancel: CancellationToken::new(),
            log: Mutex::new(Vec::new()),
        }
    }

    async fn run(&self, steps: &[Step]) -> BTreeMap<&'static str, (State, String)> {
        let outcomes = run(steps, self, Duration::from_mins(1), &self.cancel, &|_| {}).await;
        assert_eq!(outcomes.len(), steps.len(), "every step has an outcome");
        assert!(outcomes.iter().zip(steps).all(|(outcome, step)| outcome.id == step.id), "in their order");
        outcomes.into_iter().map(|outcome| (outcome.id, (outcome.state, outcome.evidence))).collect()
    }

    fn at(&self, mark: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().position(|line| line == mark).unwrap_or_else(|| panic!("{mark} is not in {log:?}"))
    }
}

#[async_trait]
impl Cloud for Scripted {
    async fn carry_out(&self, step: &Step, waits: Waits<'_>) -> Result<Seen, String> {
        self.log.lock().unwrap().push(format!("+{}", step.id));
        waits("a look");
        // Each takes a second of the paused clock, so that who may run side by side does.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let ends = match self.script.get(step.id).copied() {
            Some("fail") => Err("broken".to_owned()),
            Some("none") => Ok(Seen::NotApplicable("no such service".to_owned())),
            Some("hang") => std::future::pending().await,
            Some("stop") => {
                self.cancel.cancel();
                std::future::pending().await
            }
            _ => Ok(Seen::Holds(format!("saw {}", step.id))),
        };
        self.log.lock().unwrap().push(format!("-{}", step.id));
        ends
    }
}

#[tokio::test(start_paused = true)]
async fn all_holds_and_what_may_runs_side_by_side() {
    let cloud = Scripted::new(&[]);
    let began = Instant::now();
    let outcomes = cloud.run(&full_steps()).await;
    assert!(outcomes.values().all(|(state, _)| *state == State::Passed));
    assert!(cloud.at("+proof/flavor") < cloud.at("-proof/accounts"));
    assert!(cloud.at("+proof/second-server") < cloud.at("-proof/server"));
    assert!(cloud.at("+proof/router") < cloud.at("-proof/floating-ip"));
    assert!(cloud.at("-proof/user-data") < cloud.at("+proof/volume-attached"));
    // The longest way, a second a step: far less than one after the other.
    let serial = full_steps().len() as u64;
    assert!(began.elapsed().as_secs() < serial * 2 / 3, "{:?} of {serial} s", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_failed_step_is_skipped_and_the_removal_is_not() {
    let cloud = Scripted::new(&[("proof/server", "fail")]);
    let outcomes = cloud.run(&full_steps()).await;
    let of = |id: &str| outcomes[id].clone();
    assert_eq!(of("proof/server"), (State::Failed, "broken".to_owned()));
    assert_eq!(of("proof/address"), (State::Skipped, "it needs proof/server, which did not hold".to_owned()));
    assert_eq!(of("proof/restore").0, State::Skipped, "by way of what is skipped itself");
    assert_eq!(of("proof/second-server").0, State::Passed, "it does not need it");
    for step in full_steps().iter().filter(|step| step.removal) {
        assert_eq!(of(step.id).0, State::Passed, "{}", step.id);
    }
}

#[tokio::test(start_paused = true)]
async fn removal_begins_when_all_else_has_ended_and_goes_on_after_a_failure() {
    let cloud = Scripted::new(&[("proof/servers-removed", "fail")]);
    let outcomes = cloud.run(&full_steps()).await;
    for step in full_steps().iter().filter(|step| !step.removal) {
        assert!(cloud.at(&format!("-{}", step.id)) < cloud.at("+proof/servers-removed"), "{}", step.id);
    }
    let order =
        ["servers", "volumes", "images", "accounts"].map(|what| cloud.at(&format!("+proof/{what}-removed")));
    assert!(order.is_sorted(), "{order:?}");
    assert!(cloud.at("-proof/network-removed") < cloud.at("+proof/accounts-removed"));
    assert!(cloud.at("-proof/accounts-removed") < cloud.at("+proof/nothing-left"));
    assert_eq!(outcomes["proof/nothing-left"].0, State::Passed);
}

#[tokio::test(start_paused = true)]
async fn what_a_cloud_has_not_is_not_applicable_with_all_that_stands_on_it() {
    let cloud = Scripted::new(&[("proof/volume", "none")]);
    let outcomes = cloud.run(&full_steps()).await;
    for id in ["proof/volume", "proof/volume-moved", "proof/restore", "proof/boot-from-volume"] {
        assert_eq!(outcomes[id], (State::NotApplicable, "no such service".to_owned()), "{id}");
    }
    for id in ["proof/hard-reboot", "proof/isolation", "proof/quota"] {
        assert_eq!(outcomes[id].0, State::Passed, "{id} comes after volumes and does not need them");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_proof_removes_what_it_made() {
    let cloud = Scripted::new(&[("proof/server", "stop")]);
    let outcomes = cloud.run(&full_steps()).await;
    for id in ["proof/server", "proof/router", "proof/volume-written"] {
        assert_eq!(outcomes[id], (State::Skipped, "stopped".to_owned()), "{id}");
    }
    for step in full_steps().iter().filter(|step| step.removal) {
        assert_eq!(outcomes[step.id].0, State::Passed, "{}", step.id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_without_an_end_fails_at_its_limit() {
    let cloud = Scripted::new(&[("proof/backup", "hang"), ("proof/images-removed", "hang")]);
    let outcomes = cloud.run(&full_steps()).await;
    assert_eq!(outcomes["proof/backup"], (State::Failed, "no end after 60 s".to_owned()));
    assert_eq!(outcomes["proof/images-removed"].0, State::Failed);
    assert_eq!(outcomes["proof/nothing-left"].0, State::Passed);
}

#[tokio::test(start_paused = true)]
async fn cleaning_looks_for_what_is_left_and_then_whether_it_is() {
    let cloud = Scripted::new(&[]);
    let outcomes = cloud.run(&clean_steps()).await;
    assert_eq!(outcomes.len(), 2);
    assert!(cloud.at("-proof/leftovers") < cloud.at("+proof/nothing-left"));
}

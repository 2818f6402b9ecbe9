//! Who goes next: the longest way to the end first, all that can go at once within the limit.
//!
//! The scheduler owns all state of a run; steps only report how they ended. A release is watched from
//! when its objects are applied, so that an image that does not exist is told in seconds, though the
//! release's `ready` step counts as done only after its hooks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use landfall_plan::model::{Action, Change, Plan, Step};
use landfall_plan::order::ways_to_end;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::act::{Ended, Shared};
use crate::checks::{self, CheckContext};
use crate::emit::millis;
use crate::event::{Failure, What};
use crate::records;

/// How long a stopped run may take to finish the calls that are under way.
const DRAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Running,
    /// A `ready` step whose workloads are ready, though hooks are not yet done.
    Seen,
    /// A check that did not hold while others were at work, which may be why: tried again when they have ended.
    Late,
    Done,
    Failed,
    Skipped,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub done: usize,
    pub changed: bool,
    pub cancelled: bool,
    pub failures: Vec<(String, Failure)>,
    pub failed_checks: Vec<String>,
    /// Step id, milliseconds, whether it changed something; in the order of ending.
    pub times: Vec<(String, u64, bool)>,
    pub critical_path: Vec<(String, u64)>,
}

enum Message {
    Ended(usize, Ended),
    Checked(usize, Box<checks::CheckOutcome>),
}

pub(crate) struct Scheduler {
    shared: Arc<Shared>,
    check_context: CheckContext,
    steps: Vec<Step>,
    needs: Vec<Vec<usize>>,
    state: Vec<State>,
    began: Vec<Option<Instant>>,
    ended: Vec<Option<Instant>>,
    way: Vec<u32>,
    running: JoinSet<Message>,
    aborts: HashMap<usize, tokio::task::AbortHandle>,
    busy: usize,
    tally: Tally,
}

impl Scheduler {
    pub fn new(plan: Plan, shared: Arc<Shared>, check_context: CheckContext) -> Self {
        let ways = ways_to_end(&plan);
        let at: HashMap<String, usize> =
            plan.steps.iter().enumerate().map(|(i, s)| (s.id.clone(), i)).collect();
        let needs =
            plan.steps.iter().map(|s| s.needs.iter().filter_map(|n| at.get(n).copied()).collect()).collect();
        let way = plan.steps.iter().map(|s| ways.get(&s.id).copied().unwrap_or(0)).collect();
        let count = plan.steps.len();
        Self {
            shared,
            check_context,
            steps: plan.steps,
            needs,
            state: vec![State::Pending; count],
            began: vec![None; count],
            ended: vec![None; count],
            way,
            running: JoinSet::new(),
            aborts: HashMap::new(),
            busy: 0,
            tally: Tally::default(),
        }
    }

    pub async fn run(mut self) -> Tally {
        let cancel = self.shared.cancel.clone();
        loop {
            self.start_what_can();
            if self.running.is_empty() {
                self.start_what_is_late();
            }
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    self.drain().await;
                    break;
                }
                Some(joined) = self.running.join_next() => self.take(joined).await,
            }
        }
        self.tally.done = self.state.iter().filter(|s| **s == State::Done).count();
        self.tally.critical_path = self.critical_path();
        self.tally
    }

    /// Stops: lets calls that are under way end, waits for nothing else.
    async fn drain(&mut self) {
        self.tally.cancelled = true;
        let deadline = Instant::now() + DRAIN;
        while let Ok(Some(joined)) = tokio::time::timeout_at(deadline, self.running.join_next()).await {
            if let Ok(Message::Ended(index, Ended::Done { changed })) = joined {
                self.finished(index, changed);
            }
        }
        self.running.abort_all();
    }

    fn start_what_can(&mut self) {
        let mut able: Vec<usize> = (0..self.steps.len())
            .filter(|i| self.state[*i] == State::Pending && self.may_start(*i))
            .collect();
        able.sort_by_key(|i| (std::cmp::Reverse(self.way[*i]), *i));
        for index in able {
            let watches_only = matches!(self.steps[index].action, Action::Ready { .. });
            if !watches_only && self.busy >= self.shared.limits.steps {
                continue;
            }
            self.start(index);
        }
    }

    /// Checks that are tried again have needed all other steps, as the longest way is to tell.
    fn start_what_is_late(&mut self) {
        let others: Vec<usize> = (0..self.steps.len()).filter(|i| !is_check(&self.steps[*i])).collect();
        let late: Vec<usize> = (0..self.steps.len()).filter(|i| self.state[*i] == State::Late).collect();
        for index in late {
            self.needs[index].clone_from(&others);
            self.start(index);
        }
    }

    fn may_start(&self, index: usize) -> bool {
        match &self.steps[index].action {
            // Watched from when its objects are there.
            Action::Ready { .. } => self.needs[index].iter().all(|need| {
                !matches!(self.steps[*need].action, Action::Apply { .. }) || self.state[*need] == State::Done
            }),
            _ => self.needs[index].iter().all(|need| self.state[*need] == State::Done),
        }
    }

    fn start(&mut self, index: usize) {
        self.state[index] = State::Running;
        self.began[index] = Some(Instant::now());
        let step = self.steps[index].clone();
        self.shared.emit.send(What::StepStarted { step: step.id.clone() });
        let shared = Arc::clone(&self.shared);
        if !matches!(step.action, Action::Ready { .. }) {
            self.busy += 1;
        }
        let handle = match &step.action {
            Action::Check { check } => {
                let (check, context) = (check.clone(), self.check_context.clone());
                self.running.spawn(async move {
                    let outcome =
                        checks::check(&shared.cluster, &check, &shared.secrets, &context, &shared.cancel)
                            .await;
                    Message::Checked(index, Box::new(outcome))
                })
            }
            _ => self.running.spawn(async move { Message::Ended(index, shared.carry_out(&step).await) }),
        };
        self.aborts.insert(index, handle);
    }

    async fn take(&mut self, joined: Result<Message, tokio::task::JoinError>) {
        let message = match joined {
            Ok(message) => message,
            // Aborted: its state was set by who aborted it.
            Err(error) if error.is_cancelled() => return,
            Err(error) => {
                tracing::error!(%error, "a step ended in an unforeseen way");
                self.tally.cancelled = true;
                self.shared.cancel.cancel();
                return;
            }
        };
        match message {
            Message::Ended(index, ended) => {
                self.aborts.remove(&index);
                if self.state[index] != State::Running {
                    return;
                }
                let watches_only = matches!(self.steps[index].action, Action::Ready { .. });
                if !watches_only {
                    self.busy -= 1;
                }
                match ended {
                    Ended::Done { .. } if watches_only => self.state[index] = State::Seen,
                    Ended::Done { changed } => self.finished(index, changed),
                    Ended::Failed(failure) => self.failed(index, *failure).await,
                    Ended::Skipped(because) => self.skip(index, &because),
                    Ended::Cancelled => self.state[index] = State::Pending,
                }
            }
            Message::Checked(index, outcome) => {
                self.busy -= 1;
                self.checked(index, *outcome);
            }
        }
        self.conclude().await;
    }

    /// `ready` steps whose workloads are ready and whose other needs are done: the record says so.
    async fn conclude(&mut self) {
        for index in 0..self.steps.len() {
            let complete = self.needs[index].iter().all(|need| self.state[*need] == State::Done);
            if self.state[index] != State::Seen || !complete {
                continue;
            }
            let Action::Ready { release, namespace } = &self.steps[index].action else { continue };
            let shared = Arc::clone(&self.shared);
            let Some(release) = shared.release(release, namespace) else { continue };
            // Hooks may have had workloads rolled: both must hold at once.
            let targets = Shared::workloads(release);
            let ready = shared.observer.read(|world| {
                targets
                    .iter()
                    .all(|at| world.get(at).is_some_and(|o| landfall_health::readiness(o).is_ready()))
            });
            if !ready {
                self.state[index] = State::Pending;
                continue;
            }
            if self.steps[index].change == Change::None {
                self.finished(index, false);
                continue;
            }
            match records::finish(&*shared.cluster, &*shared.records, release).await {
                Ok(changed) => self.finished(index, changed),
                Err(error) => {
                    let failure = crate::failure::plain(
                        "record",
                        &format!("release {}", release.name),
                        error.to_string(),
                        "run `landfall up` again",
                        "`landfall up`을 다시 실행하세요",
                    );
                    self.failed(index, failure).await;
                }
            }
        }
    }

    fn took(&self, index: usize) -> u64 {
        self.began[index].map_or(0, |began| millis(began.elapsed()))
    }

    fn finished(&mut self, index: usize, changed: bool) {
        self.state[index] = State::Done;
        self.ended[index] = Some(Instant::now());
        self.tally.changed |= changed;
        let (step, took_ms) = (self.steps[index].id.clone(), self.took(index));
        self.tally.times.push((step.clone(), took_ms, changed));
        self.shared.emit.send(What::StepDone { step, changed, took_ms });
    }

    fn checked(&mut self, index: usize, outcome: checks::CheckOutcome) {
        let spec = outcome.spec;
        let took_ms = millis(outcome.took);
        if outcome.passed {
            self.shared.emit.send(What::CheckPassed {
                check: spec.id,
                guide: spec.guide,
                title: spec.title,
                evidence: outcome.evidence,
                took_ms,
            });
        } else if self.shared.cancel.is_cancelled() {
            self.state[index] = State::Pending;
            return;
        } else if !outcome.settled && self.others_work() {
            self.state[index] = State::Late;
            let seen = format!("{}; it is tried again when the other steps have ended", outcome.evidence);
            self.shared.emit.waiting(&self.steps[index].id, vec![seen]);
            return;
        } else {
            self.tally.failed_checks.push(spec.id.clone());
            self.shared.emit.send(What::CheckFailed {
                check: spec.id,
                guide: spec.guide,
                title: spec.title,
                evidence: outcome.evidence,
                remedy: spec.remedy,
            });
        }
        self.finished(index, false);
    }

    /// Whether anything but checks has not ended yet.
    fn others_work(&self) -> bool {
        let open = |state| matches!(state, State::Pending | State::Running | State::Seen);
        self.steps.iter().zip(&self.state).any(|(step, state)| !is_check(step) && open(*state))
    }

    async fn failed(&mut self, index: usize, failure: Failure) {
        self.state[index] = State::Failed;
        let step = self.steps[index].clone();
        self.shared.emit.send(What::StepFailed { step: step.id.clone(), failure: failure.clone() });
        let why = failure
            .causes
            .last()
            .map_or_else(|| failure.code.clone(), |c| format!("{}: {}", c.object, c.says));
        self.tally.failures.push((step.id.clone(), failure));
        if let Action::Apply { release, namespace }
        | Action::Hook { release, namespace, .. }
        | Action::Ready { release, namespace } = &step.action
        {
            let shared = Arc::clone(&self.shared);
            if let Some(release) = shared.release(release, namespace)
                && let Err(error) = records::fail(&*shared.cluster, &*shared.records, release, &why).await
            {
                tracing::warn!(%error, "the record could not be marked failed");
            }
        }
        self.skip_dependents(index);
    }

    fn skip(&mut self, index: usize, because: &str) {
        self.state[index] = State::Skipped;
        self.shared
            .emit
            .send(What::StepSkipped { step: self.steps[index].id.clone(), because: because.to_owned() });
        self.skip_dependents(index);
    }

    fn skip_dependents(&mut self, index: usize) {
        let because = self.steps[index].id.clone();
        for other in 0..self.steps.len() {
            let open = matches!(self.state[other], State::Pending | State::Running | State::Seen);
            if open && self.needs[other].contains(&index) {
                if let Some(handle) = self.aborts.remove(&other) {
                    handle.abort();
                }
                self.skip(other, &because);
            }
        }
    }

    /// From the last step to end back through the need that ended last.
    fn critical_path(&self) -> Vec<(String, u64)> {
        let mut at =
            (0..self.steps.len()).filter(|i| self.ended[*i].is_some()).max_by_key(|i| self.ended[*i]);
        let mut path = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(index) = at {
            if !seen.insert(index) {
                break;
            }
            let before = self.needs[index]
                .iter()
                .copied()
                .filter(|i| self.ended[*i].is_some())
                .max_by_key(|i| self.ended[*i]);
            let from = before.and_then(|i| self.ended[i]).or(self.began[index]);
            let took = self.ended[index]
                .zip(from)
                .map_or(0, |(end, from)| millis(end.saturating_duration_since(from)));
            path.push((self.steps[index].id.clone(), took));
            at = before;
        }
        path.reverse();
        path
    }
}

fn is_check(step: &Step) -> bool {
    matches!(step.action, Action::Check { .. })
}

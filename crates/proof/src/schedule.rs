//! Carries a graph of steps out: side by side what may be, and its removal whatever happened. Knows nothing of
//! OpenStack: what a step does is the [`Cloud`]'s.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use landfall_catalog::blueprint::Text;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::step::Step;
use crate::wait::Waits;

/// What a step saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It holds: the line, table or number that was seen.
    Holds(String),
    /// This cloud has nothing that it could be seen of; why.
    NotApplicable(String),
}

/// What carries steps out.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// # Errors
    /// What was seen instead.
    async fn carry_out(&self, step: &Step, waits: Waits<'_>) -> Result<Seen, String>;
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Passed,
    Failed,
    NotApplicable,
    /// Not carried out: a step that it needs did not hold, or the proof was stopped.
    Skipped,
}

#[derive(Debug, Clone)]
pub struct Outcome {
    pub id: &'static str,
    pub title: Text,
    pub remedy: Text,
    pub state: State,
    /// What was seen; for a step that was not carried out, why not.
    pub evidence: String,
    pub took: Duration,
}

impl Outcome {
    /// Whether the proof as a whole may still hold.
    pub fn is_good(&self) -> bool {
        matches!(self.state, State::Passed | State::NotApplicable)
    }
}

/// What happens meanwhile, for who watches.
#[derive(Debug)]
pub enum Progress<'a> {
    Started(&'static str),
    Waits(&'static str, &'a str),
    Ended(&'a Outcome),
}

/// Carries all steps out and gives their outcomes in the order of `steps`. `limit` is for each step. Where `cancel`
/// is called, what is no removal ends at once, and the removal is carried out.
pub async fn run(
    steps: &[Step],
    cloud: &dyn Cloud,
    limit: Duration,
    cancel: &CancellationToken,
    tell: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Vec<Outcome> {
    let mut ended: Vec<Option<Outcome>> = vec![None; steps.len()];
    let mut started = vec![false; steps.len()];
    let mut running = FuturesUnordered::new();
    loop {
        // A step that is passed over lets others be passed over.
        while let Some((index, state, why)) = passed_over(steps, &started, &ended, cancel.is_cancelled()) {
            started[index] = true;
            let outcome = outcome(&steps[index], state, why, Duration::ZERO);
            tell(Progress::Ended(&outcome));
            ended[index] = Some(outcome);
        }
        for index in able(steps, &started, &ended) {
            started[index] = true;
            let step = &steps[index];
            tell(Progress::Started(step.id));
            running.push(async move { (index, one(step, cloud, limit, cancel, tell).await) });
        }
        let Some((index, outcome)) = running.next().await else { break };
        tell(Progress::Ended(&outcome));
        ended[index] = Some(outcome);
    }
    ended.into_iter().flatten().collect()
}

async fn one(
    step: &Step,
    cloud: &dyn Cloud,
    limit: Duration,
    cancel: &CancellationToken,
    tell: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Outcome {
    let began = Instant::now();
    let waits = |what: &str| tell(Progress::Waits(step.id, what));
    let work = timeout(limit, cloud.carry_out(step, &waits));
    let stopped =
        async { if step.removal { std::future::pending().await } else { cancel.cancelled().await } };
    let (state, evidence) = tokio::select! {
        done = work => match done {
            Ok(Ok(Seen::Holds(evidence))) => (State::Passed, evidence),
            Ok(Ok(Seen::NotApplicable(why))) => (State::NotApplicable, why),
            Ok(Err(seen)) => (State::Failed, seen),
            Err(_) => (State::Failed, format!("no end after {} s", limit.as_secs())),
        },
        () = stopped => (State::Skipped, "stopped".to_owned()),
    };
    outcome(step, state, evidence, began.elapsed())
}

fn outcome(step: &Step, state: State, evidence: String, took: Duration) -> Outcome {
    let (title, remedy) = (step.title.clone(), step.remedy.clone());
    Outcome { id: step.id, title, remedy, state, evidence, took }
}

fn find(steps: &[Step], id: &str) -> Option<usize> {
    steps.iter().position(|step| step.id == id)
}

/// The first step that can not be carried out any more, and why.
fn passed_over(
    steps: &[Step],
    started: &[bool],
    ended: &[Option<Outcome>],
    cancelled: bool,
) -> Option<(usize, State, String)> {
    (0..steps.len()).filter(|index| !started[*index]).find_map(|index| {
        let step = &steps[index];
        if cancelled && !step.removal {
            return Some((index, State::Skipped, "stopped".to_owned()));
        }
        let needs = step.needs.iter().filter_map(|id| ended[find(steps, id)?].as_ref());
        let unmet = needs.filter(|need| need.state != State::Passed);
        unmet
            .map(|need| match need.state {
                State::NotApplicable => (index, State::NotApplicable, need.evidence.clone()),
                _ => (index, State::Skipped, format!("it needs {}, which did not hold", need.id)),
            })
            .next()
    })
}

/// Steps that may start now.
fn able(steps: &[Step], started: &[bool], ended: &[Option<Outcome>]) -> Vec<usize> {
    let has_ended = |id: &&str| find(steps, id).is_none_or(|index| ended[index].is_some());
    let all_made = (0..steps.len()).all(|index| steps[index].removal || ended[index].is_some());
    (0..steps.len())
        .filter(|index| {
            let step = &steps[*index];
            !started[*index]
                && (!step.removal || all_made)
                && step.needs.iter().all(has_ended)
                && step.after.iter().all(has_ended)
        })
        .collect()
}

#[cfg(test)]
mod tests;

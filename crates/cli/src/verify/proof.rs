//! `landfall verify --full`: the proof, its steps shown as they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use landfall_cluster::api::Cluster;
use landfall_config::{Cloud, Language};
use landfall_display::say;
use landfall_engine::event::{Cause, EVENT_VERSION, Event, Failure as Failed, StepBrief, What};
use landfall_proof::{GuestFiles, Outcome, Progress, State, Step, clean_steps, full_steps};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::report::{self, Row};
use super::setting::{alone, guest, open, password, stop_on_ctrl_c};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::tell;
use crate::{Session, cloud, run, target};

/// The steps' service, in rows and suites.
const SERVICE: &str = "proof";
/// No step takes so long, even where everything is emulated: it is for what never ends.
const LIMIT: Duration = Duration::from_mins(10);

pub(super) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    let target = target::connect(session).await?;
    let guest = guest(session).await?;
    let cluster = Arc::clone(&target.cluster);
    let lock = alone(&cloud, &cluster).await?;
    let proven = prove(session, &args, &cloud, cluster, guest, lock.lost()).await;
    lock.release().await;
    let (outcomes, stopped) = proven?;
    let given = report::give(session, &outcomes.iter().map(row).collect::<Vec<_>>());
    if stopped { Err(Failure::silent(Exit::Stopped)) } else { given }
}

async fn prove(
    session: &Session,
    args: &Args,
    cloud: &Cloud,
    cluster: Arc<dyn Cluster>,
    guest: GuestFiles,
    lost: CancellationToken,
) -> Result<(Vec<Outcome>, bool)> {
    let word = format!("{:08x}", rand::random::<u32>());
    let (name, password) = (cluster.name().to_owned(), password(cloud, &*cluster).await?);
    let real = open(cloud, cluster, guest, args, &word, &password).await?;
    let steps = if args.clean { clean_steps() } else { full_steps() };
    let cancel = stop_on_ctrl_c(session, lost);
    let (events, view) = run::watch(session);
    let teller = Teller { language: session.language(), events, run: word, began: Instant::now() };
    teller.send(What::RunStarted {
        cluster: name,
        cloud: cloud.name.clone(),
        steps: steps.iter().map(brief).collect(),
        changes: steps.len(),
    });
    let outcomes =
        landfall_proof::run(&steps, &real, LIMIT, &cancel, &|progress| teller.tell(progress)).await;
    let took = teller.began.elapsed();
    drop(teller);
    // The view ends when the last sender is gone.
    let _ = view.await;
    tell(&summary(session, &outcomes, took));
    Ok((outcomes, cancel.is_cancelled()))
}

/// Steps as the displays of runs know them.
struct Teller {
    language: Language,
    events: UnboundedSender<Event>,
    run: String,
    began: Instant,
}

impl Teller {
    fn send(&self, what: What) {
        let event = Event {
            version: EVENT_VERSION,
            time: jiff::Timestamp::now().to_string(),
            elapsed_ms: self.began.elapsed().as_millis() as u64,
            run: self.run.clone(),
            what,
        };
        // Nobody may be looking any more; the outcomes are given all the same.
        let _ = self.events.send(event);
    }

    fn tell(&self, progress: Progress<'_>) {
        match progress {
            Progress::Started(step) => self.send(What::StepStarted { step: step.to_owned() }),
            Progress::Waits(step, cause) => {
                self.send(What::StepWaiting { step: step.to_owned(), causes: vec![cause.to_owned()] });
            }
            Progress::Ended(outcome) => {
                let (step, took_ms) = (outcome.id.to_owned(), outcome.took.as_millis() as u64);
                self.send(ended(outcome, self.language));
                if outcome.state == State::Passed {
                    self.send(What::StepDone { step, changed: true, took_ms });
                }
            }
        }
    }
}

fn ended(outcome: &Outcome, language: Language) -> What {
    let (step, title, evidence) = (outcome.id.to_owned(), outcome.title.clone(), outcome.evidence.clone());
    match outcome.state {
        State::Passed => What::CheckPassed {
            check: step,
            guide: String::new(),
            title,
            evidence,
            took_ms: outcome.took.as_millis() as u64,
        },
        State::Failed => What::StepFailed {
            failure: Failed {
                code: "not-proven".to_owned(),
                causes: vec![Cause {
                    object: step.clone(),
                    says: say(&title, language).to_owned(),
                    evidence,
                }],
                remedy: outcome.remedy.clone(),
            },
            step,
        },
        State::NotApplicable | State::Skipped => What::StepPassedOver { step, why: evidence },
    }
}

fn brief(step: &Step) -> StepBrief {
    StepBrief {
        id: step.id.to_owned(),
        service: SERVICE.to_owned(),
        guide: String::new(),
        change: "check".to_owned(),
    }
}

fn row(outcome: &Outcome) -> Row {
    Row {
        id: outcome.id.to_owned(),
        service: SERVICE.to_owned(),
        guide: String::new(),
        title: outcome.title.clone(),
        remedy: outcome.remedy.clone(),
        state: outcome.state,
        evidence: outcome.evidence.clone(),
        took: outcome.took,
    }
}

fn summary(session: &Session, outcomes: &[Outcome], took: Duration) -> String {
    let count = |wanted: State| outcomes.iter().filter(|one| one.state == wanted).count();
    let (passed, failed) = (count(State::Passed), count(State::Failed));
    let (skipped, none) = (count(State::Skipped), count(State::NotApplicable));
    let (minutes, seconds) = (took.as_secs() / 60, took.as_secs() % 60);
    match session.language() {
        Language::En => format!(
            "proof: {passed} of {} hold, {failed} failed, {skipped} skipped, {none} do not apply ({minutes}m {seconds:02}s)",
            outcomes.len()
        ),
        Language::Ko => format!(
            "증명: {}개 중 {passed}개 통과, {failed}개 실패, {skipped}개 건너뜀, {none}개 해당 없음 ({minutes}분 {seconds:02}초)",
            outcomes.len()
        ),
    }
}

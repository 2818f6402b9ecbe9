//! `landfall verify --full`: the proof, its steps shown as they end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use landfall_cluster::api::Cluster;
use landfall_cluster::lease::RunLock;
use landfall_config::{Cloud, Language};
use landfall_engine::EngineError;
use landfall_engine::event::{EVENT_VERSION, Event, StepBrief, What};
use landfall_proof::{GuestFiles, Outcome, Progress, RealCloud, Setting, Step, clean_steps, full_steps};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::report::{self, Row, State};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::tell;
use crate::{Session, bundle, cloud, run, target};

/// The steps' service, in rows and suites.
const SERVICE: &str = "proof";
/// No step takes so long, even where everything is emulated: it is for what never ends.
const LIMIT: Duration = Duration::from_mins(10);
const HTTP: u16 = 80;

pub(super) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::wanted(session, &args.cloud, &args.asked)?;
    let target = target::connect(session).await?;
    let guest = guest(session).await?;
    let cluster = Arc::clone(&target.cluster);
    // Whoever holds it is alone: what is there of other proofs is left over.
    let lock = RunLock::acquire(
        Arc::clone(&cluster),
        &cloud.namespace,
        &format!("{}-proof", cloud.name),
        &run::holder(),
    )
    .await
    .map_err(EngineError::Lock)?;
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
    let (name, real) = (cluster.name().to_owned(), open(cloud, cluster, guest, args, &word).await?);
    let steps = if args.clean { clean_steps() } else { full_steps() };
    let cancel = stop_on_ctrl_c(session);
    let stop = cancel.clone();
    tokio::spawn(async move {
        lost.cancelled().await;
        stop.cancel();
    });
    let (events, view) = run::watch(session);
    let teller = Teller { events, run: word, began: Instant::now() };
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

/// What servers boot; built where the bundle does not have it yet.
async fn guest(session: &Session) -> Result<GuestFiles> {
    let (store, mut show) = (bundle::store(session)?, bundle::shown(session));
    let guest = bundle::blocking(move || store.servers_guest(&mut show)).await?;
    Ok(GuestFiles {
        kernel: guest.kernel,
        initrd: guest.initrd,
        disk: guest.disk,
        begins: landfall_image::DISK_BEGINS.to_owned(),
    })
}

async fn open(
    cloud: &Cloud,
    cluster: Arc<dyn Cluster>,
    guest: GuestFiles,
    args: &Args,
    word: &str,
) -> Result<RealCloud> {
    let lacking = |en: &str, ko: &str| Failure::told(Exit::NotThere, en, ko).hint_command("landfall up");
    let secrets = landfall_engine::secrets::stored(&*cluster, &cloud.namespace).await?;
    let domain = match &cloud.domain {
        Some(domain) => Some(domain.clone()),
        None => cloud::domain_of(&*cluster, &cloud.namespace).await?,
    };
    let (Some(domain), Some(password)) = (domain, secrets.0.get(landfall_catalog::ADMIN_SECRET)) else {
        return Err(lacking("there is no cloud to prove yet", "아직 증명할 클라우드가 없습니다"));
    };
    let address: Option<IpAddr> =
        cloud::ingress_address(&*cluster).await?.and_then(|address| address.parse().ok());
    let Some(address) = address else {
        return Err(lacking(
            "the cluster publishes no name through an Ingress yet",
            "아직 Ingress로 공개된 이름이 없습니다",
        ));
    };
    let setting = Setting {
        namespace: cloud.namespace.clone(),
        rook: cloud.storage.ceph.namespace.clone(),
        keystone: format!("keystone.{domain}"),
        address: SocketAddr::new(address, HTTP),
        region: landfall_catalog::REGION.to_owned(),
        guest,
        external: args.external.clone(),
        word: word.to_owned(),
        cluster,
    };
    RealCloud::open(setting, password).await.map_err(|why| {
        Failure::told(
            Exit::NotThere,
            format!("the cloud can not be spoken to: {why}"),
            format!("클라우드와 통신할 수 없습니다: {why}"),
        )
        .hint("`landfall verify` tells what is not well", "`landfall verify`로 문제가 있는 곳을 확인하세요")
    })
}

/// Steps as the displays of runs know them.
struct Teller {
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
                self.send(ended(outcome));
                if outcome.state != landfall_proof::State::Skipped {
                    let (step, took_ms) = (outcome.id.to_owned(), outcome.took.as_millis() as u64);
                    self.send(What::StepDone { step, changed: true, took_ms });
                }
            }
        }
    }
}

fn ended(outcome: &Outcome) -> What {
    let (check, guide, title) = (outcome.id.to_owned(), String::new(), outcome.title.clone());
    let (evidence, took_ms) = (outcome.evidence.clone(), outcome.took.as_millis() as u64);
    match outcome.state {
        landfall_proof::State::Passed => What::CheckPassed { check, guide, title, evidence, took_ms },
        landfall_proof::State::Failed => {
            What::CheckFailed { check, guide, title, evidence, remedy: outcome.remedy.clone() }
        }
        landfall_proof::State::NotApplicable => What::Note {
            text: landfall_catalog::blueprint::Text::new(
                format!("- {check} does not apply: {evidence}"),
                format!("- {check} 해당 없음: {evidence}"),
            ),
        },
        landfall_proof::State::Skipped => What::StepSkipped { step: check, because: evidence },
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
        state: match outcome.state {
            landfall_proof::State::Passed => State::Passed,
            landfall_proof::State::Failed => State::Failed,
            landfall_proof::State::NotApplicable => State::NotApplicable,
            landfall_proof::State::Skipped => State::Skipped,
        },
        evidence: outcome.evidence.clone(),
        took: outcome.took,
    }
}

fn summary(session: &Session, outcomes: &[Outcome], took: Duration) -> String {
    let count = |wanted: landfall_proof::State| outcomes.iter().filter(|one| one.state == wanted).count();
    let (passed, failed) = (count(landfall_proof::State::Passed), count(landfall_proof::State::Failed));
    let (skipped, none) =
        (count(landfall_proof::State::Skipped), count(landfall_proof::State::NotApplicable));
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

/// The first Ctrl-C goes on with the removal, the second ends at once.
fn stop_on_ctrl_c(session: &Session) -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    let words = session
        .say(
            "stopping: what the proof made is removed first (again: at once; the next proof removes what is left)",
            "멈추는 중: 증명이 만든 것을 먼저 지웁니다 (한 번 더: 즉시 종료, 남은 것은 다음 증명이 지웁니다)",
        )
        .to_owned();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        tell(&words);
        stop.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(Exit::Stopped as u8));
        }
    });
    token
}

//! What verbs that run a plan share: blueprint, plan, view, Ctrl-C.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use landfall_catalog::blueprint::Secrets;
use landfall_config::Cloud;
use landfall_display::{Mode, View};
use landfall_engine::Prepared;
use landfall_engine::event::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Session;
use crate::args::Output;
use crate::exit::{Exit, Result};
use crate::target::{Choice, Target};
use crate::terminal::{tell, width, yaml};
use crate::{bundle, cloud};

/// Rendered, looked at and planned.
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) secrets: Secrets,
    pub(crate) cloud: Cloud,
    pub(crate) domain: String,
}

/// From the cloud that is wanted to a plan; changes nothing.
pub(crate) async fn prepare(
    session: &Session,
    target: &Target,
    cloud: Cloud,
    asked: &cloud::Asked,
    domain: Option<&str>,
    registry: Option<&str>,
) -> Result<Ready> {
    let domain = cloud::domain(session, target, &cloud, domain).await?;
    let images = match (&target.choice, registry) {
        (Choice::Embedded { .. }, None) => bundle::references(session)?,
        (_, Some(registry)) => bundle::references(session)?
            .into_iter()
            .map(|(name, reference)| {
                (name, reference.replacen("localhost/landfall", registry.trim_end_matches('/'), 1))
            })
            .collect(),
        (Choice::Given { .. }, None) => BTreeMap::new(),
    };
    rendered(target, cloud, asked, domain, images).await
}

/// As [`prepare`] for all services, for a look: nothing is asked, and a bundle that is not complete is no
/// hindrance (images then count as changed).
pub(crate) async fn look(session: &Session, target: &Target, cloud: Cloud) -> Result<Ready> {
    let images = match &target.choice {
        Choice::Embedded { .. } => bundle::references(session).unwrap_or_default(),
        Choice::Given { .. } => BTreeMap::new(),
    };
    let known = match &cloud.domain {
        Some(domain) => Some(domain.clone()),
        None => cloud::domain_of(target.cluster.as_ref(), &cloud.namespace).await?,
    };
    let domain = known.unwrap_or_else(|| cloud::DEFAULT_DOMAIN.to_owned());
    rendered(target, cloud, &cloud::Asked::default(), domain, images).await
}

async fn rendered(
    target: &Target,
    cloud: Cloud,
    asked: &cloud::Asked,
    domain: String,
    images: BTreeMap<String, String>,
) -> Result<Ready> {
    let services = cloud::services(&cloud, asked)?;
    let inputs = cloud::inputs(target, &cloud, domain.clone(), images).await?;
    let wanted = landfall_catalog::required_secrets(&services);
    let secrets = landfall_engine::secrets::load(target.cluster.as_ref(), &cloud.namespace, &wanted).await?;
    let blueprint = landfall_catalog::blueprint(&inputs, &secrets, &services);
    let prepared = landfall_engine::prepare(
        target.cluster.as_ref(),
        blueprint,
        &secrets,
        &landfall_catalog::CHARTS,
        &landfall_plan::Options::default(),
        &std::collections::BTreeSet::new(),
    )
    .await?;
    Ok(Ready { prepared, secrets, cloud, domain })
}

/// Who runs, for the lease.
pub(crate) fn holder() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!(
        "{}@{host} pid {}",
        std::env::var("USER").unwrap_or_else(|_| "root".to_owned()),
        std::process::id()
    )
}

/// A channel of events with a view at its end; await the handle after the sender is dropped.
pub(crate) fn show(session: &Session) -> (UnboundedSender<Event>, JoinHandle<()>) {
    let view: Box<dyn View> = match session.global.output {
        Output::Yaml => Box::new(YamlDocuments { out: std::io::stdout() }),
        Output::Json => {
            landfall_display::view(Mode::Json, session.language(), width(), Box::new(std::io::stdout()))
        }
        _ => return watch(session),
    };
    let (sender, receiver) = unbounded_channel();
    (sender, tokio::spawn(drive(view, receiver, false)))
}

/// As [`show`], for people only: what data is written is the verb's own.
pub(crate) fn watch(session: &Session) -> (UnboundedSender<Event>, JoinHandle<()>) {
    let at_terminal = std::io::stderr().is_terminal() && !session.environment.ci;
    let mode = if at_terminal { Mode::Live } else { Mode::Plain };
    let view = landfall_display::view(mode, session.language(), width(), Box::new(anstream::stderr()));
    let (sender, receiver) = unbounded_channel();
    (sender, tokio::spawn(drive(view, receiver, at_terminal)))
}

/// Events as a stream of YAML documents.
struct YamlDocuments<W> {
    out: W,
}

impl<W: Write + Send> View for YamlDocuments<W> {
    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        let text = yaml(event).map_err(|failure| std::io::Error::other(failure.message.en))?;
        write!(self.out, "---\n{text}")?;
        self.out.flush()
    }
}

async fn drive(mut view: Box<dyn View>, mut events: UnboundedReceiver<Event>, live: bool) {
    // The times in the live block count on; nothing else is waited for here.
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        let shown = tokio::select! {
            event = events.recv() => match event {
                Some(event) => view.show(&event),
                None => return,
            },
            _ = tick.tick(), if live => view.tick(),
        };
        // The reader went away: the run goes on without being seen.
        if shown.is_err() {
            while events.recv().await.is_some() {}
            return;
        }
    }
}

/// The first Ctrl-C stops cleanly, the second at once.
pub(crate) fn stop_on_ctrl_c(session: &Session) -> CancellationToken {
    stop_with_words(session.say(
        "stopping: what runs is left as it is, `landfall up` goes on from there (again: at once)",
        "멈추는 중: 진행 중인 작업은 그대로 두며 `landfall up`으로 이어집니다 (한 번 더: 즉시 종료)",
    ))
}

/// As [`stop_on_ctrl_c`], with words of one's own.
pub(crate) fn stop_with_words(words: &str) -> CancellationToken {
    let token = CancellationToken::new();
    let (stop, words) = (token.clone(), words.to_owned());
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

/// Cancelled by the first Ctrl-C; for verbs that only look.
pub(crate) fn interrupted() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    });
    token
}

//! The life of one member: say who it is, decide, run mariadbd, publish, stop in order.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use futures::{StreamExt, future, pin_mut};
use jiff::Timestamp;
use kube::Client;
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{interval, sleep, timeout};

use super::decide::{Decision, View, decide, gives_up};
use super::journal::{Journal, Read};
use super::server::{self, Mode, Server};
use super::settings::Settings;
use super::sql;
use super::state::{ClusterState, Member, Phase};
use crate::pod::{self, Error, Result};

/// Members tell this often that they live.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// While waiting, what no watch shows (the clock, other servers' ports) is looked at this often.
const LOOK: Duration = Duration::from_secs(3);
/// Where mariadbd does not say by itself that it is up.
const ASK: Duration = Duration::from_secs(1);
const REACH: Duration = Duration::from_secs(1);

/// A line in the guide's form.
fn info(line: &str) {
    log("INFO", line);
}

fn log(level: &str, line: &str) {
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
    let millis = Timestamp::now().subsec_millisecond();
    pod::say(&format!("{now},{millis:03} - OpenStack-Helm Mariadb - {level} - {line}"));
}

pub async fn run() -> Result<u8> {
    let settings = Settings::from_environment()?;
    let mut signals = Signals::new()?;
    info(&format!("This instance hostname: {}", settings.me));
    info(&format!("This instance IP address: {}", settings.ip));
    let _ = fs::remove_file(settings.places.ready());
    let client = pod::client().await?;
    let starting = start(&settings, client);
    let (member, mode) = tokio::select! {
        started = starting => started?,
        () = signals.stop() => {
            info("Stopped while waiting; the server was not started.");
            return Ok(0);
        }
    };
    member.serve(&settings, mode, &mut signals).await
}

struct Signals {
    term: Signal,
    interrupt: Signal,
    child: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let on = |kind| signal(kind).map_err(Error::io("cannot listen to signals"));
        Ok(Self {
            term: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            child: on(SignalKind::child())?,
        })
    }

    async fn stop(&mut self) {
        stop(&mut self.term, &mut self.interrupt).await;
    }
}

async fn stop(term: &mut Signal, interrupt: &mut Signal) {
    tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
}

struct Running {
    journal: Journal,
    own: Member,
    /// The database is new: it counts only when its accounts are set.
    fresh: bool,
    /// Since when it is outside the primary component.
    apart: Option<Timestamp>,
}

/// Decides until there is something to start.
async fn start(settings: &Settings, client: Client) -> Result<(Running, Mode)> {
    let version = patiently("ask the API server for its version", || client.apiserver_version()).await;
    info(&format!("Kubernetes API Version: {}", version.git_version));
    let journal = Journal::new(client, settings);
    let members = settings.members();
    let mut own = server::inspect(&settings.places);
    set_phase(settings, &mut own, Phase::Waiting);
    let changes = journal.changes();
    pin_mut!(changes);
    let mut look = interval(LOOK);
    let mut beat = interval(HEARTBEAT);
    let mut said = String::new();
    loop {
        own.sampled = Some(Timestamp::now());
        let read = match journal.read().await {
            Ok(read) => read,
            Err(error @ (Error::Forbidden { .. } | Error::Failed(_))) => return Err(error),
            Err(error) => {
                say_once(&mut said, "WARNING", &error.to_string());
                sleep(LOOK).await;
                continue;
            }
        };
        if read.is_some() && own_word_is_old(read.as_ref(), settings, &own) {
            journal.publish(&own).await?;
        }
        let reachable =
            if settings.is_single() { BTreeSet::new() } else { reachable(settings, &members).await };
        let now = Timestamp::now();
        let view = View {
            me: &settings.me,
            members: &members,
            shared: read.as_ref().map(|r| &r.shared),
            own: &own,
            reachable: &reachable,
            ephemeral: settings.ephemeral,
            now,
        };
        let decision = decide(&view);
        tracing::debug!(?decision, "decided");
        let mode = match &decision {
            Decision::Claim(state) => {
                let state = *state;
                if journal.claim(read.as_ref(), state, &own, now).await? {
                    info(&format!(
                        "The cluster is now in \"{}\" state, led by {}.",
                        state.as_str(),
                        settings.me
                    ));
                }
                continue;
            }
            Decision::Recover => {
                info("This member was not stopped in order; finding out how new its data is.");
                let (uuid, seqno) = server::recover(settings).await?;
                // A member without a position comes after all that have one.
                own.seqno = Some(seqno.unwrap_or(0));
                own.uuid = uuid.or(own.uuid);
                journal.publish(&own).await?;
                continue;
            }
            Decision::Wait(why) => {
                say_once(&mut said, "INFO", &format!("Waiting for {why}."));
                tokio::select! {
                    Some(()) = changes.next() => {}
                    _ = look.tick() => {}
                    _ = beat.tick() => journal.publish(&own).await.unwrap_or_else(|e| log("WARNING", &e.to_string())),
                }
                continue;
            }
            Decision::Refuse(why) => return Err(Error::Failed(why.clone())),
            Decision::Bootstrap if settings.is_single() => Mode::Single,
            Decision::Bootstrap | Decision::Found => Mode::Found,
            Decision::Single => Mode::Single,
            Decision::Join => Mode::Join,
        };
        let fresh = decision == Decision::Bootstrap;
        let before = own.clone();
        set_phase(settings, &mut own, Phase::Starting);
        // The others must know before the server can write, and nothing may have changed since the decision.
        let told = match (&read, mode) {
            (Some(read), Mode::Single | Mode::Found) => journal.lead(read, &own, now).await,
            _ => journal.publish(&own).await.map(|()| true),
        };
        if !told.unwrap_or_else(|error| {
            say_once(&mut said, "WARNING", &error.to_string());
            false
        }) {
            own = before;
            set_phase(settings, &mut own, Phase::Waiting);
            look.tick().await;
            continue;
        }
        if fresh {
            info("Making the database.");
            server::install(&settings.places).await?;
        }
        server::prepare(&settings.places, mode)?;
        return Ok((Running { journal, own, fresh, apart: None }, mode));
    }
}

/// The shared word about this member is from an earlier life, or getting old.
fn own_word_is_old(read: Option<&Read>, settings: &Settings, own: &Member) -> bool {
    let shared = read.and_then(|r| r.shared.members.get(&settings.me));
    shared.is_none_or(|m| {
        let age = m.sampled.map(|t| Timestamp::now().duration_since(t).as_secs());
        (m.data, m.phase, m.seqno, &m.uuid) != (own.data, own.phase, own.seqno, &own.uuid)
            || age.is_none_or(|a| a >= HEARTBEAT.as_secs() as i64)
    })
}

/// Members whose Galera port answers.
async fn reachable(settings: &Settings, members: &[String]) -> BTreeSet<String> {
    let others = members.iter().filter(|m| **m != settings.me).map(|m| async move {
        let address = (settings.host(m), settings.wsrep_port);
        let answers = timeout(REACH, TcpStream::connect(address)).await.is_ok_and(|c| c.is_ok());
        answers.then(|| m.clone())
    });
    future::join_all(others).await.into_iter().flatten().collect()
}

impl Running {
    async fn serve(mut self, settings: &Settings, mode: Mode, signals: &mut Signals) -> Result<u8> {
        info(match mode {
            Mode::Single => "Starting MariaDB (one server, without Galera).",
            Mode::Found => "Starting MariaDB as the first of its cluster.",
            Mode::Join => "Starting MariaDB to join its cluster.",
        });
        let (mut server, notices) = Server::start(settings, mode)?;
        let pid = server.pid();
        let mut stopping = false;
        let mut up = false;
        let mut ask = interval(ASK);
        let mut beat = interval(HEARTBEAT);
        beat.reset();
        let status = loop {
            tokio::select! {
                status = server.ended() => break status?,
                () = stop(&mut signals.term, &mut signals.interrupt) => {
                    if !stopping {
                        info("Stopping MariaDB.");
                        let _ = fs::remove_file(settings.places.ready());
                        server::stop(pid);
                    }
                    stopping = true;
                }
                _ = signals.child.recv() => server::reap_orphans(pid),
                notice = notices.next(), if !up && !stopping => {
                    for line in notice.lines().filter_map(|l| l.strip_prefix("STATUS=")) {
                        tracing::debug!(line, "mariadbd");
                    }
                    if notice.lines().any(|l| l == "READY=1") {
                        up = self.came_up(settings, mode).await?;
                    }
                }
                _ = ask.tick(), if !up && !stopping => up = self.came_up(settings, mode).await?,
                _ = beat.tick() => {
                    server::reap_orphans(pid);
                    self.heartbeat(settings).await;
                    if up && !stopping && mode != Mode::Single && self.gives_up(settings).await {
                        log(
                            "WARNING",
                            "Outside the primary component, and no other member runs: stopping MariaDB, so that all decide anew who goes first.",
                        );
                        let _ = fs::remove_file(settings.places.ready());
                        server::stop(pid);
                        stopping = true;
                    }
                }
            }
        };
        self.ended(settings, status, stopping).await
    }

    /// Once the server answers: accounts, upgrade, the state. False where it does not answer yet.
    async fn came_up(&mut self, settings: &Settings, mode: Mode) -> Result<bool> {
        let places = &settings.places;
        match server::sql(places, if mode == Mode::Single { "SELECT 1;" } else { sql::WSREP_STATUS }).await {
            Ok(answer) if mode != Mode::Single && sql::wsrep_trouble(&answer).is_some() => return Ok(false),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(error, "not up yet");
                return Ok(false);
            }
        }
        if !self.fresh {
            match server::upgrade(places).await {
                Ok(true) => info("The system tables were brought up to date."),
                Ok(false) => {}
                // The server works; only new features may lack.
                Err(error) => log("WARNING", &format!("mariadb-upgrade failed: {error}")),
            }
        }
        let accounts = sql::accounts(&settings.admin, settings.sst.as_ref(), settings.audit.as_ref());
        if let Err(error) = server::sql(places, &accounts).await {
            return Err(Error::Failed(format!("the accounts could not be set: {error}")));
        }
        server::installed(places)?;
        self.own = server::inspect(places);
        if mode == Mode::Found {
            server::founded(places);
            self.own.alone = false;
        }
        set_phase(settings, &mut self.own, Phase::Running);
        fs::write(places.ready(), "").map_err(Error::io("cannot write the mark for the probes"))?;
        if mode == Mode::Join {
            self.publish().await;
            self.say_state().await;
        } else {
            self.go_live().await;
        }
        Ok(true)
    }

    async fn say_state(&self) {
        if let Ok(Some(read)) = self.journal.read().await {
            info(&format!("The cluster is currently in \"{}\" state.", read.shared.state.as_str()));
        }
    }

    /// The server is up; the API server may be slow to hear of it.
    async fn go_live(&mut self) {
        loop {
            let now = Timestamp::now();
            self.own.sampled = Some(now);
            let done = match self.journal.read().await {
                Ok(Some(read)) => self.journal.live(&read, &self.own, now).await,
                // Somebody deleted it meanwhile.
                Ok(None) => self.journal.claim(None, ClusterState::Live, &self.own, now).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    log("WARNING", &error.to_string());
                    sleep(LOOK).await;
                }
            }
        }
        info("The cluster is currently in \"live\" state.");
    }

    async fn heartbeat(&mut self, settings: &Settings) {
        if self.own.phase == Phase::Running {
            let seen = server::inspect(&settings.places);
            self.own = Member { phase: Phase::Running, ..seen };
        }
        let now = Timestamp::now();
        self.own.sampled = Some(now);
        let lead = match self.journal.read().await {
            Ok(Some(read)) if self.own.phase == Phase::Running && self.journal.may_lead(&read, now) => {
                self.journal.lead(&read, &self.own, now).await
            }
            Ok(Some(_)) => Ok(false),
            // The ConfigMap was deleted under a running server: it is put back as it is.
            Ok(None) if self.own.phase == Phase::Running => {
                self.journal.claim(None, ClusterState::Live, &self.own, now).await
            }
            Ok(None) => Ok(true),
            Err(error) => Err(error),
        };
        match lead {
            Ok(true) => {}
            Ok(false) => self.publish().await,
            Err(error) => log("WARNING", &format!("the heartbeat failed, the server goes on: {error}")),
        }
    }

    async fn gives_up(&mut self, settings: &Settings) -> bool {
        // Who does not answer tells nothing of the cluster.
        let Ok(answer) = server::sql(&settings.places, sql::WSREP_STATUS).await else { return false };
        if !sql::is_apart(&answer) {
            self.apart = None;
            return false;
        }
        let now = Timestamp::now();
        let since = *self.apart.get_or_insert(now);
        let Ok(Some(read)) = self.journal.read().await else { return false };
        gives_up(&settings.me, &read.shared, since, now)
    }

    async fn publish(&mut self) {
        self.own.sampled = Some(Timestamp::now());
        if let Err(error) = self.journal.publish(&self.own).await {
            log("WARNING", &error.to_string());
        }
    }

    async fn ended(mut self, settings: &Settings, status: ExitStatus, stopping: bool) -> Result<u8> {
        let _ = fs::remove_file(settings.places.ready());
        if self.apart.is_some() {
            server::ended_apart(&settings.places)?;
        }
        self.own = server::inspect(&settings.places);
        set_phase(settings, &mut self.own, Phase::Stopped);
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        // The position matters to the others; the pod's time is short.
        let _ = timeout(Duration::from_secs(5), self.publish()).await;
        if stopping && status.success() {
            info("MariaDB stopped in order.");
            return Ok(0);
        }
        log("ERROR", &format!("mariadbd ended by itself ({status}); its last lines above say why."));
        Ok(u8::try_from(code).unwrap_or(1).max(u8::from(!stopping)))
    }
}

fn set_phase(settings: &Settings, own: &mut Member, phase: Phase) {
    own.phase = phase;
    own.sampled = Some(Timestamp::now());
    let _ = fs::create_dir_all(&settings.places.run);
    let _ = fs::write(settings.places.phase(), phase.as_str());
}

fn say_once(said: &mut String, level: &str, line: &str) {
    if said != line {
        log(level, line);
        line.clone_into(said);
    }
}

/// Tries again until it works; the API server may be on its way.
async fn patiently<T, F: Future<Output = std::result::Result<T, kube::Error>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let mut pause = Duration::from_millis(500);
    let mut said = String::new();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                say_once(&mut said, "WARNING", &format!("cannot {what} yet: {}", pod::short(&error)));
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

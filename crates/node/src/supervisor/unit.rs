//! The life of one component: wait for those it needs, start, become ready, end, and start again.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::layout::inside;
use crate::manifest::{After, Component, Ready};
use crate::supervisor::Shared;
use crate::supervisor::log::RotatingLog;
use crate::supervisor::probe::{Notify, answered, http_ready};
use crate::supervisor::reaper::End;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A component that ran this long has not failed to start: the next pause is the first again.
const STEADY: Duration = Duration::from_mins(1);

/// Where in its life a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// For others to become ready.
    Waiting,
    Starting,
    Ready,
    /// It ended, and is started again after a pause.
    Pausing,
    Stopped,
}

/// A component as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStatus {
    pub name: String,
    pub phase: Phase,
    /// Its process, as the node counts processes.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it ended the last time, if it did.
    pub last_end: Option<String>,
    /// When it took its present phase, in milliseconds since 1970.
    pub since: i64,
    /// Resident memory in KiB: with the pages it shares with others, and with only its share of them.
    pub rss_kib: u64,
    pub pss_kib: u64,
}

/// A node as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    pub node: String,
    pub components: Vec<ComponentStatus>,
}

/// A component as the supervisor keeps it.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// It has said `READY=1` since it was started.
    pub(crate) serving: bool,
    pub(crate) pid: Option<u32>,
    pub(crate) restarts: u32,
    pub(crate) last_end: Option<String>,
    pub(crate) since: i64,
}

impl Unit {
    pub(crate) fn new(component: &Component) -> Self {
        Self {
            name: component.name.clone(),
            phase: Phase::Waiting,
            serving: false,
            pid: None,
            restarts: 0,
            last_end: None,
            since: jiff::Timestamp::now().as_millisecond(),
        }
    }
}

impl Shared {
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Unit)) {
        if let Some(unit) = self.units.borrow_mut().iter_mut().find(|unit| unit.name == name) {
            change(unit);
        }
        self.tell_change();
    }

    fn set_phase(&self, name: &str, phase: Phase) {
        self.change(name, |unit| {
            unit.phase = phase;
            unit.since = jiff::Timestamp::now().as_millisecond();
        });
    }

    /// Whether what a component of this node is waited for holds.
    fn holds(&self, after: &After) -> bool {
        let units = self.units.borrow();
        let any = |test: &dyn Fn(&Unit) -> bool| units.iter().any(test);
        match after {
            After::Ready(name) => any(&|unit| unit.name == *name && unit.phase == Phase::Ready),
            After::Serving(name) => any(&|unit| unit.name == *name && unit.serving),
            After::Answered { .. } | After::Healthy { .. } => true,
        }
    }

    /// The node as it is now. Memory is read only when asked for: it costs a walk over each process's pages.
    pub(crate) fn status(&self, with_memory: bool) -> NodeStatus {
        let components = self
            .units
            .borrow()
            .iter()
            .map(|unit| {
                let (rss_kib, pss_kib) = unit.pid.filter(|_| with_memory).map_or((0, 0), memory);
                ComponentStatus {
                    name: unit.name.clone(),
                    phase: unit.phase,
                    pid: unit.pid,
                    restarts: unit.restarts,
                    last_end: unit.last_end.clone(),
                    since: unit.since,
                    rss_kib,
                    pss_kib,
                }
            })
            .collect();
        NodeStatus { node: self.node.clone(), components }
    }
}

/// Runs a component until the node stops.
pub(crate) async fn run(shared: Rc<Shared>, component: Component) {
    let name = component.name.as_str();
    let mut stopping = shared.stopping.subscribe();
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::select! {
            waited = wait_for(&shared, &component.after) => {
                if let Err(error) = waited {
                    // It is started all the same: its own words will say what is wrong.
                    shared.note(&format!("{name}: {error}"));
                }
            }
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        if *stopping.borrow() {
            break;
        }
        let begun = Instant::now();
        let end = match once(&shared, &component).await {
            Ok(end) => end,
            Err(error) => error.to_string(),
        };
        shared.note(&format!("{name} ended: {end}"));
        shared.change(name, |unit| {
            unit.pid = None;
            unit.serving = false;
            unit.last_end = Some(end);
        });
        if *stopping.borrow() {
            break;
        }
        if begun.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        shared.set_phase(name, Phase::Pausing);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        shared.change(name, |unit| {
            unit.restarts += 1;
            unit.phase = Phase::Waiting;
        });
    }
    shared.set_phase(name, Phase::Stopped);
}

async fn wait_for(shared: &Shared, after: &[After]) -> Result<()> {
    let mut changed = shared.changed.subscribe();
    while !after.iter().all(|after| shared.holds(after)) {
        if changed.changed().await.is_err() {
            return Ok(());
        }
    }
    for after in after {
        match after {
            After::Answered { url, kubeconfig } => answered(url, kubeconfig).await?,
            After::Healthy { url, kubeconfig } => http_ready(url, Some(kubeconfig)).await?,
            After::Ready(_) | After::Serving(_) => {}
        }
    }
    Ok(())
}

/// One start of a component, to its end.
async fn once(shared: &Rc<Shared>, component: &Component) -> Result<End> {
    let name = component.name.as_str();
    shared.set_phase(name, Phase::Starting);
    let notify = if component.ready.contains(&Ready::Notify) { Some(Notify::bind(name)?) } else { None };
    let mut ended = spawn(shared, component, notify.as_ref().map(|notify| notify.path.as_path()))?;
    tokio::select! {
        end = &mut ended => return Ok(end.unwrap_or_default()),
        ready = become_ready(shared, component, notify.as_ref()) => {
            // A probe that cannot even be made leaves the component unready, with the reason in the log.
            match ready {
                Ok(()) => {
                    shared.note(&format!("{name} is ready"));
                    shared.set_phase(name, Phase::Ready);
                }
                Err(error) => shared.note(&format!("{name}: {error}")),
            }
        }
    }
    Ok(ended.await.unwrap_or_default())
}

async fn become_ready(shared: &Shared, component: &Component, notify: Option<&Notify>) -> Result<()> {
    for ready in &component.ready {
        match (ready, notify) {
            (Ready::Notify, Some(notify)) => {
                notify.ready().await;
                shared.note(&format!("{} serves", component.name));
                shared.change(&component.name, |unit| unit.serving = true);
            }
            (Ready::Notify, None) => {}
            (Ready::Http { url, kubeconfig }, _) => http_ready(url, kubeconfig.as_deref()).await?,
        }
    }
    Ok(())
}

fn spawn(
    shared: &Rc<Shared>,
    component: &Component,
    notify: Option<&Path>,
) -> Result<oneshot::Receiver<End>> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(Error::system("making a pipe"))?;
    let log = RotatingLog::open(&Path::new(inside::LOGS).join(format!("{}.log", component.name)))?;
    let errors = writer.as_fd().try_clone_to_owned().map_err(Error::system("copying a pipe"))?;
    let mut command = Command::new(&component.program);
    command
        .args(&component.args)
        .env_clear()
        .env("PATH", inside::PATH)
        .env("HOME", "/root")
        .envs(component.env.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(errors)
        .process_group(0);
    if let Some(path) = notify {
        command.env("NOTIFY_SOCKET", path);
    }
    let child = command.spawn().map_err(Error::file("starting", &component.program))?;
    let pid = child.id();
    // The command holds our copies of the pipe's writing end; the log's reader would never see its end.
    drop(command);
    let ended = shared.reaper.expect(pid);
    shared.note(&format!("{} starts as process {pid}", component.name));
    shared.change(&component.name, |unit| unit.pid = Some(pid));
    tokio::task::spawn_local(copy_log(reader, log));
    Ok(ended)
}

async fn copy_log(reader: OwnedFd, mut log: RotatingLog) {
    let Ok(mut reader) = tokio::net::unix::pipe::Receiver::from_owned_fd(reader) else { return };
    let mut buffer = vec![0_u8; 16 << 10];
    while let Ok(length) = reader.read(&mut buffer).await {
        if length == 0 {
            return;
        }
        log.write(&buffer[..length]);
    }
}

/// Resident and proportional memory of a process, in KiB.
fn memory(pid: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    };
    (field("Rss:"), field("Pss:"))
}

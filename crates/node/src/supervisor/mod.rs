//! PID 1 of a node: starts the components in order, by their readiness, restarts what ends, reaps what is left behind,
//! and stops all in order when told to.
//!
//! One thread: state is shared by `Rc`, and a child cannot end between its start and our noting its number.

mod control;
mod log;
mod probe;
mod reaper;
mod stop;
mod unit;

use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::LocalSet;

pub(crate) use control::{Request, connect};
pub(crate) use log::RotatingLog;
pub use unit::{ComponentStatus, NodeStatus, Phase};

use crate::error::{Error, Result};
use crate::files::{make_dir, make_private_dir};
use crate::layout::inside;
use crate::manifest::Manifest;
use crate::{launch, network};
use reaper::Reaper;

/// What is ready once PID 1 has begun and before it runs.
pub(crate) struct Started {
    runtime: Runtime,
    log: RotatingLog,
    control: std::os::unix::net::UnixListener,
}

/// What the tasks of the supervisor share.
pub(crate) struct Shared {
    pub(crate) node: String,
    pub(crate) units: RefCell<Vec<unit::Unit>>,
    /// Counts up at every change of a unit.
    pub(crate) changed: watch::Sender<u64>,
    /// True once the node is told to stop.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) reaper: Reaper,
    log: RefCell<RotatingLog>,
}

impl Shared {
    pub(crate) fn note(&self, line: &str) {
        self.log.borrow_mut().line(line);
    }

    pub(crate) fn tell_change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Sets the node's network up and opens what the supervisor needs. Errors here still reach whoever starts the node.
pub(crate) fn start(manifest: &Manifest) -> Result<Started> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::system("starting the supervisor"))?;
    runtime.block_on(async {
        let handle = network::connect()?;
        network::configure(&handle, &manifest.network).await
    })?;
    make_dir(Path::new(inside::LOGS))?;
    make_private_dir(Path::new(inside::RUN))?;
    let log = RotatingLog::open(&Path::new(inside::LOGS).join("supervisor.log"))?;
    // Left by nobody: /run is new. But a second start in the same /run must not fail either.
    let _ = std::fs::remove_file(inside::CONTROL);
    let control = std::os::unix::net::UnixListener::bind(inside::CONTROL)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(Error::file("listening on", inside::CONTROL))?;
    raise_limits();
    Ok(Started { runtime, log, control })
}

/// Runs the node until it is told to stop.
pub(crate) fn run(manifest: &Manifest, started: Started) -> ExitCode {
    let Started { runtime, log, control } = started;
    let shared = Rc::new(Shared {
        node: manifest.node.clone(),
        units: RefCell::new(manifest.components.iter().map(unit::Unit::new).collect()),
        changed: watch::Sender::new(0),
        stopping: watch::Sender::new(false),
        reaper: Reaper::default(),
        log: RefCell::new(log),
    });
    let local = LocalSet::new();
    let outcome = local.block_on(&runtime, live(manifest, Rc::clone(&shared), control));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shared.note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn live(
    manifest: &Manifest,
    shared: Rc<Shared>,
    control: std::os::unix::net::UnixListener,
) -> Result<()> {
    let mut terminate = on(SignalKind::terminate())?;
    let mut interrupt = on(SignalKind::interrupt())?;
    let child = on(SignalKind::child())?;
    tokio::task::spawn_local(reaper::run(Rc::clone(&shared), child));
    tokio::task::spawn_local(control::serve(Rc::clone(&shared), control));
    shared.note(&format!("node {} of cluster {} starts", manifest.node, manifest.cluster));
    for component in &manifest.components {
        tokio::task::spawn_local(unit::run(Rc::clone(&shared), component.clone()));
    }
    launch::detach()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop::run(&shared, &manifest.components).await;
    shared.note("node stopped");
    Ok(())
}

fn on(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(Error::system("listening for signals"))
}

/// containerd and the kubelet hold many files open, and hand their limit on to pods.
fn raise_limits() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let files = Rlimit { current: Some(1_048_576), maximum: Some(1_048_576) };
    // A host that allows less keeps its own limit.
    let _ = setrlimit(Resource::Nofile, files);
}

//! Making a cluster, or bringing it back: whatever is there already is used, whatever is missing is made.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures::future::try_join_all;
use rtnetlink::Handle;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::cluster::Cluster;
use crate::config::{NodePlan, manifest, routes};
use crate::credentials::{Authorities, make_dirs};
use crate::error::{Error, Result};
use crate::files::{make_private_dir, write_secret};
use crate::layout::{Layout, node_name};
use crate::preflight::{Severity, preflight};
use crate::process::Process;
use crate::reexec::LAUNCH;
use crate::spec::{APPLETS, Bundle, MAX_NODES, NEEDED_BINARIES, ProgressSink, Spec, check_name};
use crate::state::{Lock, State};
use crate::supervisor::{Request, connect};
use crate::{kvm, logs, network, ready, seed};

/// A supervisor answers at once; on a machine that swaps it may take a moment.
const ANSWER: Duration = Duration::from_secs(10);

/// Makes the cluster that `spec` asks for, or starts what of it does not run, and waits until every node is Ready.
///
/// Doing it twice is the same as doing it once. A cluster that has more nodes than asked for keeps them.
///
/// # Errors
/// Nothing is undone on error: a second `up` goes on where it stopped, and `down` removes what there is.
pub async fn up(spec: &Spec, progress: &ProgressSink) -> Result<Cluster> {
    check_name(&spec.name)?;
    let layout = Layout::new(&spec.state_root, &spec.name);
    let _lock = Lock::take(&layout)?;
    let findings = preflight(spec).await?;
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Error::Preflight(findings));
    }
    progress.tell("preflight", "this machine can hold the cluster", true);
    let bundle = settle(&spec.bundle)?;
    let begun = jiff::Timestamp::now();
    let mut state = match State::read(&layout)? {
        Some(mut state) => {
            // The subnet is in certificates and data: it stays what it was.
            state.nodes = state.nodes.max(spec.nodes.clamp(1, MAX_NODES));
            state.bundle = bundle;
            state.tuning = spec.tuning.clone();
            state
        }
        None => State::new(spec.nodes.clamp(1, MAX_NODES), spec.subnet, spec.tuning.clone(), bundle),
    };
    make_private_dir(&layout.dir)?;
    state.write(&layout)?;
    let probe = tokio::spawn(kvm::works());
    let authorities = Authorities::open_or_make(&layout)?;
    let handle = network::connect()?;
    progress.tell("network", format!("bridge {}", layout.bridge()), false);
    let bridges = network::ensure_bridges(&handle, &layout, state.subnet).await?;
    progress.tell("network", format!("{} on {}", state.subnet, layout.bridge()), true);

    let (mut missing, mut alive) = (Vec::new(), Vec::new());
    for number in 1..=state.nodes {
        if runs(&state, &node_name(number)).await? { alive.push(number) } else { missing.push(number) }
    }
    if missing.contains(&1) || !layout.kubeconfig().exists() {
        authorities.write_admin(&layout, state.subnet)?;
    }
    for number in &missing {
        make_dirs(&layout.node(&node_name(*number)))?;
        take_images(&layout, &state, *number, progress);
        authorities.issue(&layout, state.subnet, *number)?;
        write_manifest(&layout, &state, *number)?;
    }
    // Two ends of one line at a time: a node's PID is written down as soon as it is known.
    let started = try_join_all(
        missing.iter().map(|number| launch(&handle, &layout, &state, *number, bridges, progress)),
    )
    .await;
    for (node, process) in started? {
        state.running.insert(node, process);
    }
    state.write(&layout)?;
    if !missing.is_empty() {
        for number in &alive {
            introduce(&layout, &state, *number).await?;
        }
    }
    let cluster = Cluster::of(layout, state, &spec.state_root);
    ready::wait(&cluster, &missing, begun, progress).await?;
    if probe.await.unwrap_or(false) {
        for process in cluster.state.running.values() {
            kvm::show(process.pid)?;
        }
    }
    Ok(cluster)
}

/// Whether a node runs and its supervisor answers. One that does not answer (it was killed this moment, or hangs) is
/// ended for good, so that it can be started anew.
async fn runs(state: &State, node: &str) -> Result<bool> {
    let Some(process) = state.alive(node) else { return Ok(false) };
    let asked = async { connect(process.pid, &Request::Status).await.ok()?.next().await };
    if matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Some(_))) {
        return Ok(true);
    }
    process.kill(node).await?;
    Ok(false)
}

/// Checks that the bundle is whole, and follows its links: what is bound into a node must be a file.
fn settle(bundle: &Bundle) -> Result<Bundle> {
    for name in NEEDED_BINARIES {
        if !bundle.bin.contains_key(name) {
            return Err(Error::Bundle { what: format!("the binary {name}") });
        }
    }
    let applets: Vec<&str> = APPLETS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let whole = |path: &PathBuf| {
        path.canonicalize().map_err(|_| Error::Bundle { what: format!("{}", path.display()) })
    };
    let bin = bundle
        .bin
        .iter()
        // The applets are links to their binary there as well.
        .filter(|(name, _)| !applets.contains(&name.as_str()))
        .map(|(name, path)| Ok((name.clone(), whole(path)?)))
        .collect::<Result<_>>()?;
    let node_tree = whole(&bundle.node_tree)?;
    if !node_tree.join("usr/sbin/runc").is_file() {
        return Err(Error::Bundle { what: format!("a Debian tree with runc at {}", node_tree.display()) });
    }
    Ok(Bundle { bin, node_tree, images: bundle.images.clone() })
}

fn plan<'a>(layout: &'a Layout, state: &'a State, number: u32) -> NodePlan<'a> {
    NodePlan {
        layout,
        bundle: &state.bundle,
        subnet: state.subnet,
        tuning: &state.tuning,
        number,
        nodes: state.nodes,
        layers: seed::layers(&layout.node(&node_name(number))),
    }
}

/// A node that gets no images this way has them imported later: that is slower, and no reason to stop.
fn take_images(layout: &Layout, state: &State, number: u32, progress: &ProgressSink) {
    let node = node_name(number);
    match seed::settle(&layout.node(&node), state.bundle.images.as_deref()) {
        Ok(true) => progress.tell(&node, "has the prepared images", false),
        Ok(false) => {}
        Err(error) => progress.tell(&node, format!("images will be imported: {error}"), true),
    }
}

fn write_manifest(layout: &Layout, state: &State, number: u32) -> Result<()> {
    let path = layout.node(&node_name(number)).config();
    let manifest = manifest(&plan(layout, state, number));
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::State { path: path.clone(), reason: error.to_string() })?;
    write_secret(&path, &text)
}

/// Starts one node and connects it.
async fn launch(
    handle: &Handle,
    layout: &Layout,
    state: &State,
    number: u32,
    bridges: network::Bridges,
    progress: &ProgressSink,
) -> Result<(String, Process)> {
    let node = node_name(number);
    let dir = layout.node(&node);
    progress.tell(&node, format!("starting at {}", state.subnet.node(number)), false);
    let fail = |reason: String| Error::Launch {
        node: node.clone(),
        reason,
        log: logs::tail_of(&dir.supervisor_log()),
    };
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.supervisor_log())
        .map_err(Error::file("opening the log", dir.supervisor_log()))?;
    let program = std::env::current_exe().map_err(Error::system("finding this program's own file"))?;
    let mut launcher = tokio::process::Command::new(program)
        .arg(LAUNCH)
        .arg(dir.config())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(Error::system(format!("starting node {node}")))?;
    let (Some(mut stdin), Some(stdout)) = (launcher.stdin.take(), launcher.stdout.take()) else {
        return Err(fail("its pipes are missing".into()));
    };
    let mut lines = BufReader::new(stdout).lines();
    let mut answer = async || match lines.next_line().await {
        Ok(Some(line)) => match line.strip_prefix("error: ") {
            Some(reason) => Err(fail(reason.to_owned())),
            None => Ok(line),
        },
        _ => Err(fail("it ended without a word".into())),
    };
    let line = answer().await?;
    let pid: u32 = line
        .strip_prefix("pid ")
        .and_then(|pid| pid.parse().ok())
        .ok_or_else(|| fail(format!("it said {line:?} in place of its number")))?;
    let process = Process::of(pid).ok_or_else(|| fail("it ended at once".into()))?;
    write_process(layout, state, &node, &process)?;
    network::attach(handle, layout, &node, bridges, pid).await?;
    stdin.write_all(b"go\n").await.map_err(|error| fail(error.to_string()))?;
    answer().await?;
    // The launcher itself ended once it had said the number.
    let _ = launcher.wait().await;
    Ok((node, process))
}

/// Notes a node's process in a file of its own at once, so that `down` finds it even if we are killed now.
fn write_process(layout: &Layout, state: &State, node: &str, process: &Process) -> Result<()> {
    let mut noted = State::read(layout)?.unwrap_or_else(|| state.clone());
    noted.running.insert(node.to_owned(), process.clone());
    noted.write(layout)
}

/// Tells a node that runs already of those that have joined.
async fn introduce(layout: &Layout, state: &State, number: u32) -> Result<()> {
    let Some(process) = state.alive(&node_name(number)) else { return Ok(()) };
    let routes = routes(state.subnet, number, state.nodes);
    let hosts = crate::config::hosts(state.subnet, state.nodes);
    write_manifest(layout, state, number)?;
    let mut answers = connect(process.pid, &Request::Peers { routes, hosts }).await?;
    match answers.outcome().await {
        Some(Ok(())) => Ok(()),
        Some(Err(reason)) => {
            Err(Error::Network { what: format!("telling {} of the new nodes", node_name(number)), reason })
        }
        None => Err(Error::NodeDied {
            node: node_name(number),
            log: logs::tail_of(&layout.node(&node_name(number)).supervisor_log()),
        }),
    }
}

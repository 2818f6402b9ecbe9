//! Stopping a cluster, and removing it so that the host is as it was.

use std::path::Path;
use std::time::Duration;

use futures::future::try_join_all;
use rustix::process::Signal;

use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::process::Process;
use crate::reexec::LAUNCH;
use crate::spec::{MAX_NODES, ProgressSink, check_name};
use crate::state::{Lock, State};
use crate::{cgroup, layout, network};

/// The supervisor gives its components, one after the other, less than this.
const ORDERLY: Duration = Duration::from_secs(90);
impl Cluster {
    /// Stops the nodes in order and keeps their data; `up` brings them back.
    pub async fn stop(&self, progress: &ProgressSink) -> Result<()> {
        let _lock = Lock::take(&self.layout)?;
        // Workers first: their kubelets still have an API server to talk to.
        let (first, rest): (Vec<String>, Vec<String>) =
            self.nodes().into_iter().partition(|node| node == "k1");
        for group in [rest, first] {
            try_join_all(group.iter().map(|node| self.stop_node(node, progress))).await?;
        }
        let nodes: Vec<String> = self.nodes();
        clear_host(&self.layout, &nodes).await
    }

    async fn stop_node(&self, node: &str, progress: &ProgressSink) -> Result<()> {
        let Some(process) = self.state.alive(node) else { return Ok(()) };
        progress.tell(node, "stopping", false);
        if !process.end(Signal::TERM, ORDERLY).await? {
            process.kill(node).await?;
        }
        progress.tell(node, "stopped", true);
        Ok(())
    }
}

/// Removes a cluster: its processes, mounts, links, cgroups and files. False if there was nothing of it.
///
/// It works on half-made and broken clusters too, by their name alone.
pub async fn down(state_root: &Path, name: &str, progress: &ProgressSink) -> Result<bool> {
    check_name(name)?;
    let layout = Layout::new(state_root, name);
    let existed = layout.dir.exists();
    let lock = Lock::take(&layout)?;
    // A state that cannot be read is one more reason to remove it: then all that bears the name goes.
    let state = State::read(&layout).ok().flatten();
    let nodes: Vec<String> = match &state {
        Some(state) => state.node_names(),
        None => (1..=MAX_NODES).map(layout::node_name).collect(),
    };
    let mut processes: Vec<(String, Process)> = Vec::new();
    for node in &nodes {
        let known = state.as_ref().and_then(|state| state.alive(node)).cloned();
        processes.extend(known.or(stray(&layout, node)?).map(|process| (node.clone(), process)));
    }
    try_join_all(processes.iter().map(|(node, process)| async move {
        progress.tell(node, "ending", false);
        process.kill(node).await?;
        progress.tell(node, "ended", true);
        Ok::<_, Error>(())
    }))
    .await?;
    let doomed = layout.doomed();
    if doomed.exists() {
        std::fs::remove_dir_all(&doomed).map_err(Error::file("removing", &doomed))?;
    }
    let cleared = clear_host(&layout, &nodes).await;
    release_loops(&layout.dir);
    if existed {
        progress.tell("files", layout.dir.display().to_string(), false);
        // Out of sight at once: if we are killed while removing, nobody takes what is left for a cluster.
        std::fs::rename(&layout.dir, &doomed).map_err(Error::file("moving aside", &layout.dir))?;
        std::fs::remove_dir_all(&doomed).map_err(Error::file("removing", &doomed))?;
        progress.tell("files", "removed", true);
    }
    lock.remove(&layout);
    // Only if no other cluster is left in it, and it is ours.
    let _ = std::fs::remove_dir(state_root);
    cleared?;
    Ok(existed)
}

/// A node's PID 1 that no state tells of: whoever started it was killed, or its files were removed by hand.
fn stray(layout: &Layout, node: &str) -> Result<Option<Process>> {
    let hierarchies = cgroup::mounted()?;
    for pid in cgroup::daemons(&hierarchies, &layout.cgroup(node)) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> =
            line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let [_, verb, manifest, ..] = words.as_slice() else { continue };
        if verb != LAUNCH {
            continue;
        }
        if !Path::new(manifest).starts_with(&layout.dir) {
            return Err(Error::Elsewhere { name: layout.name.clone(), manifest: manifest.into() });
        }
        return Ok(Process::of(pid));
    }
    Ok(None)
}

/// What is outside the nodes' own namespaces.
async fn clear_host(layout: &Layout, nodes: &[String]) -> Result<()> {
    let handle = network::connect()?;
    network::remove(&handle, layout, nodes).await?;
    let hierarchies = cgroup::mounted()?;
    for node in nodes {
        cgroup::remove(&hierarchies, &layout.cgroup(node))?;
    }
    Ok(())
}

/// Loop devices are the whole machine's: those that a pod has left on a file of this cluster are let go.
fn release_loops(dir: &Path) {
    let Ok(entries) = std::fs::read_dir("/sys/block") else { return };
    for entry in entries.flatten() {
        let Ok(file) = std::fs::read_to_string(entry.path().join("loop/backing_file")) else { continue };
        if Path::new(file.trim_end()).starts_with(dir) {
            crate::devices::release_loop(&Path::new("/dev").join(entry.file_name()));
        }
    }
}

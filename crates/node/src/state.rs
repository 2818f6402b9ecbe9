//! What is kept of a cluster on the host: its shape and the processes that are its nodes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{make_dir, write_secret};
use crate::layout::{Layout, node_name};
use crate::process::Process;
use crate::spec::{Bundle, Subnet, Tuning};

const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) version: u32,
    pub(crate) nodes: u32,
    pub(crate) subnet: Subnet,
    pub(crate) tuning: Tuning,
    pub(crate) bundle: Bundle,
    /// PID 1 of each node that was started, by the node's name.
    pub(crate) running: BTreeMap<String, Process>,
}

impl State {
    pub(crate) fn new(nodes: u32, subnet: Subnet, tuning: Tuning, bundle: Bundle) -> Self {
        Self { version: VERSION, nodes, subnet, tuning, bundle, running: BTreeMap::new() }
    }

    pub(crate) fn read(layout: &Layout) -> Result<Option<Self>> {
        let path = layout.state_file();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("reading", path)(error)),
        };
        let state: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::State { path: path.clone(), reason: error.to_string() })?;
        if state.version != VERSION {
            let reason = format!("it is of version {}, this program reads {VERSION}", state.version);
            return Err(Error::State { path, reason });
        }
        Ok(Some(state))
    }

    pub(crate) fn write(&self, layout: &Layout) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::State { path: layout.state_file(), reason: error.to_string() })?;
        write_secret(&layout.state_file(), &text)
    }

    pub(crate) fn node_names(&self) -> Vec<String> {
        (1..=self.nodes).map(node_name).collect()
    }

    /// PID 1 of a node, if it runs.
    pub(crate) fn alive(&self, node: &str) -> Option<&Process> {
        self.running.get(node).filter(|process| process.is_alive())
    }
}

/// Keeps two landfall processes from changing one cluster at once. Goes with the process that holds it.
#[derive(Debug)]
pub(crate) struct Lock(Flock<File>);

impl Lock {
    pub(crate) fn take(layout: &Layout) -> Result<Self> {
        let path = layout.lock_file();
        if let Some(parent) = path.parent() {
            make_dir(parent)?;
        }
        let open =
            |path: &Path| OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        loop {
            let file = open(&path).map_err(Error::file("opening", &path))?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(mut lock) => {
                    if !same_file(&lock, &path) {
                        // Whoever held it has removed it with the cluster meanwhile.
                        continue;
                    }
                    let _ = lock.set_len(0);
                    let _ = lock.rewind();
                    let _ = write!(&mut *lock, "{}", std::process::id());
                    return Ok(Self(lock));
                }
                Err((mut file, _)) => {
                    let mut holder = String::new();
                    let _ = file.read_to_string(&mut holder);
                    return Err(Error::Busy { name: layout.name.clone(), holder });
                }
            }
        }
    }

    /// Gives the lock up and takes its file away.
    pub(crate) fn remove(self, layout: &Layout) {
        let _ = std::fs::remove_file(layout.lock_file());
        drop(self.0);
    }
}

fn same_file(lock: &Flock<File>, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (lock.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_second_to_lock_hears_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path(), "c");
        let first = Lock::take(&layout).unwrap();
        match Lock::take(&layout) {
            Err(Error::Busy { holder, .. }) => assert_eq!(holder, std::process::id().to_string()),
            other => panic!("{other:?}"),
        }
        first.remove(&layout);
        Lock::take(&layout).unwrap();
    }

    #[test]
    fn a_state_of_another_version_is_refused_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path(), "c");
        make_dir(&layout.dir).unwrap();
        assert!(State::read(&layout).unwrap().is_none());
        let bundle = Bundle { bin: BTreeMap::new(), node_tree: "/t".into(), images: None };
        let mut state = State::new(2, Subnet::default(), Tuning::default(), bundle);
        state.write(&layout).unwrap();
        assert_eq!(State::read(&layout).unwrap(), Some(state.clone()));
        state.version = 99;
        state.write(&layout).unwrap();
        assert!(State::read(&layout).unwrap_err().to_string().contains("local down"));
    }
}

//! What was decided for this node, in a file beside the switch's sockets: it lives as long as they do.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::follow;
use crate::pod::{self, Error, Result, say};

/// The folder that all of a node's pods with a part in its networks share.
pub const DIR: &str = "/run/openvswitch";
/// The file's name in [`DIR`].
pub const NAME: &str = "landfall.json";

/// Which of its two ways the switch forwards packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datapath {
    /// By the kernel's module.
    System,
    /// By itself, in user space.
    Netdev,
}

impl Datapath {
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Netdev => "netdev",
        }
    }
}

/// The end of this node's tunnels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunnel {
    pub address: Ipv4Addr,
    /// The device that has the address.
    pub device: String,
    /// What must be known of it; empty where all is well.
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub datapath: Datapath,
    /// Why this one.
    pub why: String,
    /// Set once the switch runs and its bridges are there.
    pub tunnel: Option<Tunnel>,
    /// Another one after each start that killed the ports in namespaces; empty while the switch is not ready.
    #[serde(default)]
    pub generation: String,
}

/// Where the file is: `OPENVSWITCH_DIR` is for tests.
pub fn dir() -> PathBuf {
    pod::var("OPENVSWITCH_DIR").map_or_else(|| PathBuf::from(DIR), PathBuf::from)
}

impl State {
    /// None where nothing was decided yet.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(format!("cannot read {}", path.display()))(e)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|e| Error::Failed(format!("{}: {e}; delete it and this pod", path.display())))
    }

    /// Replaces the file whole, so that who watches the folder reads no half of it.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(NAME);
        let io = || Error::io(format!("cannot write {}", path.display()));
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::Failed(e.to_string()))?;
        let fresh = dir.join(format!(".{NAME}.new"));
        fs::create_dir_all(dir).map_err(io())?;
        fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path)).map_err(io())
    }

    pub fn is_ready(&self) -> bool {
        !self.generation.is_empty()
    }
}

/// `[ovs]` for Neutron's agents: the datapath of their bridges and the end of their tunnels.
pub async fn write_agent_config(file: &Path) -> Result<u8> {
    let state = follow::ready_state(&dir()).await?;
    let text = agent_config(&state);
    fs::write(file, &text).map_err(Error::io(format!("cannot write {}", file.display())))?;
    say(&format!("{}: {}", file.display(), text.trim().replace('\n', "; ")));
    Ok(0)
}

fn agent_config(state: &State) -> String {
    let mut text = format!("[ovs]\ndatapath_type = {}\n", state.datapath.word());
    if let Some(tunnel) = &state.tunnel {
        text.push_str(&format!("local_ip = {}\n", tunnel.address));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn state() -> State {
        State {
            datapath: Datapath::Netdev,
            why: "no module".into(),
            tunnel: Some(Tunnel {
                address: Ipv4Addr::new(198, 18, 0, 11),
                device: "br-phy".into(),
                note: String::new(),
            }),
            generation: "a1".into(),
        }
    }

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), None);
        state().write(dir.path()).unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), Some(state()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no left-overs");
    }

    #[test]
    fn agents_are_told_the_datapath_and_the_tunnels_end() {
        assert_eq!(agent_config(&state()), "[ovs]\ndatapath_type = netdev\nlocal_ip = 198.18.0.11\n");
    }

    #[test]
    fn a_file_of_rubbish_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "x").unwrap();
        assert!(State::read(dir.path()).unwrap_err().to_string().contains("landfall.json"));
    }
}

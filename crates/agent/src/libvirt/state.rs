//! What was found out about this node, beside libvirt's socket: Nova reads it there.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::pod::{Error, Result, say};

const FILE: &str = "/run/libvirt/landfall.json";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// `kvm` or `qemu`, as Nova's `[libvirt] virt_type` has it.
    pub virt_type: String,
    pub why: String,
}

impl State {
    pub fn write(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::Failed(e.to_string()))?;
        let file = Path::new(FILE);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(file, text))
            .map_err(Error::io(format!("cannot write {FILE}")))
    }
}

/// `[libvirt]` for nova-compute: guests run as libvirt found out that they can.
pub fn write_compute_config(file: &Path) -> Result<u8> {
    let hint = format!(
        "cannot read {FILE}: libvirt has not started on this node (DaemonSet libvirt-libvirt-default)"
    );
    let text = fs::read(FILE).map_err(Error::io(hint))?;
    let state: State = serde_json::from_slice(&text).map_err(|e| {
        Error::Failed(format!("{FILE}: {e}; delete this node's pod of libvirt, which writes it anew"))
    })?;
    let config = config(&state);
    fs::write(file, &config).map_err(Error::io(format!("cannot write {}", file.display())))?;
    say(&format!("{} ({})", config.trim().replace('\n', "; "), state.why));
    Ok(0)
}

fn config(state: &State) -> String {
    let mut text = format!("[libvirt]\nvirt_type = {}\n", state.virt_type);
    // An emulator gives its own CPU; that of the node is KVM's to give.
    if state.virt_type != "kvm" {
        text.push_str("cpu_mode = none\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(virt_type: &str) -> State {
        State { virt_type: virt_type.into(), why: "asked for".into() }
    }

    #[test]
    fn computes_are_told_how_guests_run() {
        assert_eq!(config(&state("kvm")), "[libvirt]\nvirt_type = kvm\n");
        assert_eq!(config(&state("qemu")), "[libvirt]\nvirt_type = qemu\ncpu_mode = none\n");
    }
}

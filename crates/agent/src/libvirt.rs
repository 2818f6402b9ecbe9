//! libvirt on a node: whether guests may use KVM, its daemon, and the keys by which guests' disks in Ceph are opened.

mod ceph;
mod guests;
mod kvm;
mod state;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use clap::Subcommand;
use tokio::process::Command as Process;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use self::state::State;
use crate::child;
use crate::pod::{self, Error, Result, say};

const DAEMON: Duration = Duration::from_mins(1);
const TRY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Try KVM, then run and watch over libvirtd
    Start,
    /// Become libvirtd, where guests outlive this pod (`start` calls it)
    #[command(hide = true)]
    Daemon,
    /// Write what was found out of this node as a file of nova-compute's
    ComputeConfig { file: PathBuf },
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Start => start().await,
        Command::Daemon => Err(guests::become_daemon()),
        Command::ComputeConfig { file } => state::write_compute_config(&file),
    }
}

async fn start() -> Result<u8> {
    // What follows changes /dev and /run, which outside a container are the machine's own.
    if pod::var("KUBERNETES_SERVICE_HOST").is_none() {
        return Err(Error::Failed(
            "it starts libvirt in a pod of the chart libvirt, and this is none".into(),
        ));
    }
    let wanted = pod::var("VIRT_TYPE").unwrap_or_else(|| "auto".into());
    let (virt_type, why) =
        choose(&wanted, if wanted == "qemu" { Err("asked for".into()) } else { kvm::tried().await })?;
    say(&format!("guests run by {virt_type}: {why}"));
    if virt_type == "qemu" {
        // One that hangs would hang libvirtd too, which opens it to see what it can do. This /dev is the container's own.
        let _ = fs::remove_file(kvm::DEVICE);
    }
    State { virt_type: virt_type.to_owned(), why }.write()?;
    guests::end_left().await?;
    // A guest's state of an earlier start is read from there; a socket nobody listens at only misleads.
    let _ = fs::remove_file("/run/libvirt/libvirt-sock");
    let term = signal(SignalKind::terminate()).map_err(Error::io("cannot listen to signals"))?;
    let keys = ceph::keys()?;
    let own = std::env::current_exe().map_err(Error::io("cannot tell where this program is"))?;
    let child = Process::new(own)
        .args(["libvirt", "daemon"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io("cannot run libvirtd"))?;
    let ended = child::watch(child, term, "libvirtd", set_up(keys)).await?;
    Ok(u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1))
}

/// What libvirtd must be told once it answers, and whenever that changes.
async fn set_up(keys: Vec<ceph::Key>) -> Result<()> {
    let answers = async {
        while virsh(&["list"]).await.is_err() {
            sleep(TRY).await;
        }
    };
    timeout(DAEMON, answers).await.map_err(|_| Error::Failed("libvirtd does not answer".into()))?;
    say("libvirtd is ready");
    ceph::follow(keys).await
}

async fn virsh(args: &[&str]) -> Result<String> {
    let all: Vec<&str> = ["-c", "qemu:///system"].iter().chain(args).copied().collect();
    crate::openvswitch::tool("virsh", &all).await
}

/// The way guests run, and why.
fn choose(wanted: &str, kvm: std::result::Result<(), String>) -> Result<(&'static str, String)> {
    match (wanted, kvm) {
        ("qemu", _) => Ok(("qemu", "asked for by the values".into())),
        ("auto" | "kvm", Ok(())) => Ok(("kvm", "a guest ran by it".into())),
        ("auto", Err(reason)) => Ok(("qemu", format!("KVM does not serve here: {reason}"))),
        ("kvm", Err(reason)) => Err(Error::Failed(format!(
            "conf.virt_type asks for KVM, but it does not serve here: {reason}. Turn virtualisation on in this machine's firmware (nested, in a virtual machine), or set conf.virt_type to auto"
        ))),
        _ => Err(Error::BadVariable {
            variable: "VIRT_TYPE".into(),
            value: wanted.to_owned(),
            wanted: "auto, kvm or qemu",
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn auto_falls_back_and_kvm_does_not() {
        assert_eq!(choose("auto", Ok(())).unwrap().0, "kvm");
        assert_eq!(
            choose("auto", Err("no /dev/kvm".into())).unwrap(),
            ("qemu", "KVM does not serve here: no /dev/kvm".into())
        );
        assert_eq!(choose("qemu", Ok(())).unwrap().0, "qemu");
        let error = choose("kvm", Err("no /dev/kvm".into())).unwrap_err().to_string();
        assert!(error.contains("firmware") && error.contains("no /dev/kvm"), "{error}");
        assert!(choose("xen", Ok(())).is_err());
    }
}

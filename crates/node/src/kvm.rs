//! Whether /dev/kvm works. On some virtual machines it is there and hangs whoever uses it, so a process of its own
//! tries it, for a limited time; and a node sees the device only if that went well.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use nix::sys::stat::SFlag;

use crate::devices;
use crate::error::{Error, Result};
use crate::reexec::PROBE_KVM;

const DEVICE: &str = "/dev/kvm";
const LIMIT: Duration = Duration::from_secs(2);
/// The one version that there has been since 2007.
const API_VERSION: i32 = 12;

// KVM_GET_API_VERSION and KVM_CREATE_VM take no structure: _IO(0xAE, 0x00) and _IO(0xAE, 0x01).
nix::ioctl_write_int_bad!(kvm_get_api_version, 0xAE00);
nix::ioctl_write_int_bad!(kvm_create_vm, 0xAE01);

/// The probing process: exit code 0 means that KVM works.
pub(crate) fn run() -> ExitCode {
    let Ok(device) = OpenOptions::new().read(true).write(true).open(DEVICE) else {
        return ExitCode::FAILURE;
    };
    // SAFETY: neither call reads or writes memory of ours; the second gives a descriptor that we then own.
    let works = unsafe {
        kvm_get_api_version(device.as_raw_fd(), 0) == Ok(API_VERSION)
            && kvm_create_vm(device.as_raw_fd(), 0).map(|vm| drop(OwnedFd::from_raw_fd(vm))).is_ok()
    };
    if works { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries KVM, for two seconds at most.
pub(crate) async fn works() -> bool {
    if !Path::new(DEVICE).exists() {
        return false;
    }
    let Ok(program) = std::env::current_exe() else { return false };
    let child = tokio::process::Command::new(program)
        .arg(PROBE_KVM)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut child) = child else { return false };
    // One that hangs in the kernel may not even be killable: it is not waited for.
    matches!(tokio::time::timeout(LIMIT, child.wait()).await, Ok(Ok(status)) if status.success())
}

/// Shows the device to the node whose PID 1 is `pid`.
pub(crate) fn show(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/root{DEVICE}");
    let path = Path::new(&path);
    if path.exists() {
        return Ok(());
    }
    devices::node(path, SFlag::S_IFCHR, devices::KVM, 0o666).map_err(|error| Error::System {
        what: "showing /dev/kvm".into(),
        source: std::io::Error::other(error.to_string()),
    })
}

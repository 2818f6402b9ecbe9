//! Whether /dev/kvm works, and fast enough to be of use. Some virtual machines have one that runs its guests a hundred
//! times slower than an emulator would, or hangs: so a process of its own runs a tiny guest, for a limited time, and a
//! node sees the device only if that went well.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use nix::sys::stat::SFlag;

use crate::devices;
use crate::error::{Error, Result};
use crate::process::cpu_time;
use crate::reexec::PROBE_KVM;

const DEVICE: &str = "/dev/kvm";
/// For one that hangs; how fast it is, is told by the CPU's time, which other programs do not lengthen.
const LIMIT: Duration = Duration::from_secs(2);
/// Real hardware needs a millisecond for the guest below.
const CPU_LIMIT: Duration = Duration::from_millis(150);
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
    // SAFETY: the first call touches no memory; the second gives a descriptor that we then own.
    let vm = unsafe {
        if kvm_get_api_version(device.as_raw_fd(), 0) != Ok(API_VERSION) {
            return ExitCode::FAILURE;
        }
        kvm_create_vm(device.as_raw_fd(), 0).map(|vm| OwnedFd::from_raw_fd(vm))
    };
    let runs = vm.is_ok_and(|vm| guest::runs(&vm));
    let fast = cpu_time().is_some_and(|spent| spent < CPU_LIMIT);
    if runs && fast { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Elsewhere than on x86-64 that a machine can be made must do.
#[cfg(not(target_arch = "x86_64"))]
mod guest {
    pub(super) fn runs(_vm: &std::os::fd::OwnedFd) -> bool {
        true
    }
}

/// A guest in real mode that counts through its memory a hundred thousand times, and halts.
#[cfg(target_arch = "x86_64")]
mod guest {
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

    // From linux/kvm.h; the structures are written as bytes, with the offsets of the few fields that matter.
    nix::ioctl_write_int_bad!(kvm_create_vcpu, 0xAE41);
    nix::ioctl_write_int_bad!(kvm_run, 0xAE80);
    nix::ioctl_write_ptr_bad!(kvm_set_user_memory_region, 0x4020_AE46, [u8; 32]);
    nix::ioctl_read_bad!(kvm_get_sregs, 0x8138_AE83, [u8; 312]);
    nix::ioctl_write_ptr_bad!(kvm_set_sregs, 0x4138_AE84, [u8; 312]);
    nix::ioctl_write_ptr_bad!(kvm_set_regs, 0x4090_AE82, [u8; 144]);

    const PAGES: usize = 256;
    /// Where the code is: above the 64 KiB that the guest writes over.
    const CODE_PAGE: usize = 0x81;
    const WRITTEN_PAGES: usize = 16;
    const RIP: usize = 128;
    const RFLAGS: usize = 136;
    /// Selector of the code segment, whose base comes first of all.
    const CS_SELECTOR: usize = 12;

    /// mov dx, 2; a: mov cx, -1; b: inc byte [bx]; add bx, 64; loop b; dec dx; jnz a; hlt
    const CODE: [u8; 17] = [
        0xba, 0x02, 0x00, 0xb9, 0xff, 0xff, 0xfe, 0x07, 0x83, 0xc3, 0x40, 0xe2, 0xf9, 0x4a, 0x75, 0xf3, 0xf4,
    ];

    #[derive(Clone)]
    #[repr(C, align(4096))]
    struct Page([u8; 4096]);

    pub(super) fn runs(vm: &OwnedFd) -> bool {
        let mut memory = vec![Page([0; 4096]); PAGES];
        memory[CODE_PAGE].0[..CODE.len()].copy_from_slice(&CODE);
        let mut region = [0_u8; 32];
        region[16..24].copy_from_slice(&((PAGES * 4096) as u64).to_ne_bytes());
        region[24..32].copy_from_slice(&(memory.as_mut_ptr() as u64).to_ne_bytes());
        let mut registers = [0_u8; 144];
        registers[RIP..RIP + 8].copy_from_slice(&0x1000_u64.to_ne_bytes());
        // The bit that is always set.
        registers[RFLAGS..RFLAGS + 8].copy_from_slice(&2_u64.to_ne_bytes());
        // SAFETY: the structures have the sizes that the calls' numbers say; the guest's memory is ours, aligned to
        // pages, and outlives the guest; the descriptor of the CPU is ours once it is made.
        let ran = unsafe {
            (|| {
                kvm_set_user_memory_region(vm.as_raw_fd(), &raw const region)?;
                let cpu = OwnedFd::from_raw_fd(kvm_create_vcpu(vm.as_raw_fd(), 0)?);
                let mut segments = [0_u8; 312];
                kvm_get_sregs(cpu.as_raw_fd(), &raw mut segments)?;
                segments[..8].copy_from_slice(&0x8_0000_u64.to_ne_bytes());
                segments[CS_SELECTOR..CS_SELECTOR + 2].copy_from_slice(&0x8000_u16.to_ne_bytes());
                kvm_set_sregs(cpu.as_raw_fd(), &raw const segments)?;
                kvm_set_regs(cpu.as_raw_fd(), &raw const registers)?;
                kvm_run(cpu.as_raw_fd(), 0)
            })()
        };
        // What it wrote shows that it ran, and did not merely fail at its first step.
        ran.is_ok() && memory[..WRITTEN_PAGES].iter().any(|page| page.0.iter().any(|byte| *byte != 0))
    }
}

/// Tries KVM by running a guest, for a limited time. The program must begin with [`reexec`](crate::reexec()).
pub async fn works() -> bool {
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

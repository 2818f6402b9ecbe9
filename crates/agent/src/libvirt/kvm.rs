//! Whether KVM serves: a machine of QEMU's with a few bytes of firmware is run by it, for a limited time. Some virtual
//! machines have a /dev/kvm that hangs, or runs its guests far slower than an emulator would.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

pub const DEVICE: &str = "/dev/kvm";
/// The guest's work takes a tenth of a second by real hardware; the rest is QEMU's start on a busy machine.
const LIMIT: Duration = Duration::from_secs(6);
const FIRMWARE: usize = 64 << 10;
const CODE_AT: usize = 0xff00;
/// Where a processor begins.
const RESET_AT: usize = 0xfff0;
/// What QEMU exits with when the guest writes 0x10 to its exit port: twice that, and one.
const SAID_DONE: i32 = 0x21;

/// mov dx, 600; a: mov cx, -1; b: inc byte [bx]; add bx, 64; loop b; dec dx; jnz a; mov al, 0x10; out 0xf4, al; hlt
const CODE: [u8; 21] = [
    0xba, 0x58, 0x02, 0xb9, 0xff, 0xff, 0xfe, 0x07, 0x83, 0xc3, 0x40, 0xe2, 0xf9, 0x4a, 0x75, 0xf3, 0xb0,
    0x10, 0xe6, 0xf4, 0xf4,
];
/// jmp f000:ff00
const RESET: [u8; 5] = [0xea, 0x00, 0xff, 0x00, 0xf0];

/// Nothing where it serves, else why not.
pub async fn tried() -> Result<(), String> {
    if !Path::new(DEVICE).exists() {
        return Err(format!("there is no {DEVICE}"));
    }
    run("kvm").await
}

async fn run(accelerator: &str) -> Result<(), String> {
    let file = std::env::temp_dir().join("landfall-kvm-trial");
    fs::write(&file, firmware()).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    let child = Command::new("qemu-system-x86_64")
        .args(["-accel", accelerator, "-machine", "pc", "-m", "4", "-nodefaults", "-no-user-config"])
        .args(["-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-bios"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("cannot run QEMU: {e}"))?;
    // One that hangs in the kernel can not even be ended: it is not waited for.
    let outcome = match timeout(LIMIT, child.wait_with_output()).await {
        Err(_) => Err(format!("a small guest was not done after {} s", LIMIT.as_secs())),
        Ok(Err(e)) => Err(format!("QEMU: {e}")),
        Ok(Ok(output)) if output.status.code() == Some(SAID_DONE) => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("QEMU: {}: {}", output.status, said.trim().lines().last().unwrap_or_default()))
        }
    };
    let _ = fs::remove_file(&file);
    outcome
}

fn firmware() -> Vec<u8> {
    let mut image = vec![0xf4; FIRMWARE];
    image[CODE_AT..CODE_AT + CODE.len()].copy_from_slice(&CODE);
    image[RESET_AT..RESET_AT + RESET.len()].copy_from_slice(&RESET);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_finds_its_way_to_the_code() {
        let image = firmware();
        assert_eq!(image.len() % FIRMWARE, 0);
        let target = usize::from(image[RESET_AT + 1]) | usize::from(image[RESET_AT + 2]) << 8;
        assert_eq!(image[target..target + CODE.len()], CODE);
    }
}

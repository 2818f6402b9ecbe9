//! Running the programs of Open vSwitch and iproute2.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

use crate::pod::{Error, Result};

/// Its stdout; where it fails, what it said.
pub async fn run(program: &str, args: &[impl AsRef<OsStr>]) -> Result<String> {
    let shown = || {
        let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        format!("{program} {}", words.join(" "))
    };
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| Error::Io { what: format!("cannot run {}", shown()), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::Failed(format!("{}: {}: {}", shown(), output.status, said.trim())))
}

/// ovs-vsctl, which waits for the switch to carry a change out unless `--no-wait` is among the words.
pub async fn vsctl(args: &[impl AsRef<OsStr>]) -> Result<String> {
    let mut all: Vec<&OsStr> = vec![OsStr::new("--timeout=30")];
    all.extend(args.iter().map(AsRef::as_ref));
    run("ovs-vsctl", &all).await
}

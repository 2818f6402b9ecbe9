//! The start of a node: `landfall __node-launch MANIFEST`. It joins the node's cgroups, leaves the host's namespaces,
//! and forks the node's PID 1, which goes on in this same program: nothing need exist inside the node for it to run.
//!
//! Spoken with the library over stdin and stdout, a line each: `pid N` out; `go` in, once the node's link is in its
//! network namespace; `up` or `error: …` out.
#![allow(unsafe_code)]

use std::io::{BufRead as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, dup2_stdin, dup2_stdout, fork, setsid};

use crate::cgroup::{self, Hierarchy};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::{rootfs, supervisor};

/// The launcher's whole life; in the child, the node's.
pub(crate) fn run(manifest: &Path) -> ExitCode {
    match launch(manifest) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn read_manifest(path: &Path) -> Result<Manifest> {
    let text = std::fs::read(path).map_err(Error::file("reading", path))?;
    serde_json::from_slice(&text)
        .map_err(|error| Error::State { path: path.to_path_buf(), reason: error.to_string() })
}

fn launch(path: &Path) -> Result<ExitCode> {
    let manifest = read_manifest(path)?;
    let hierarchies = cgroup::mounted()?;
    setsid().map_err(Error::system("leaving the session"))?;
    cgroup::make(&hierarchies, &manifest.cgroup)?;
    cgroup::enter(&hierarchies, &manifest.cgroup)?;
    let namespaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP;
    unshare(namespaces).map_err(Error::system("making the node's namespaces"))?;
    cgroup::enter_daemons(&hierarchies, &manifest.cgroup)?;
    // SAFETY: this process has one thread only: it runs before main has made any.
    match unsafe { fork() }.map_err(Error::system("starting the node's PID 1"))? {
        ForkResult::Parent { child } => {
            say(&format!("pid {child}"));
            Ok(ExitCode::SUCCESS)
        }
        ForkResult::Child => Ok(init(&manifest, &hierarchies)),
    }
}

/// PID 1 of the node.
fn init(manifest: &Manifest, hierarchies: &[Hierarchy]) -> ExitCode {
    let log = match prepare(manifest, hierarchies) {
        Ok(log) => log,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    supervisor::run(manifest, log)
}

fn prepare(manifest: &Manifest, hierarchies: &[Hierarchy]) -> Result<supervisor::Started> {
    rootfs::enter(manifest, hierarchies)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Error::system("waiting for the node's link"))?;
    if line.trim() != "go" {
        return Err(Error::System {
            what: "waiting for the node's link".into(),
            source: std::io::Error::other("whoever started this node has gone"),
        });
    }
    supervisor::start(manifest)
}

/// Says that the node is up, and lets go of whoever started it.
pub(crate) fn detach() -> Result<()> {
    say("up");
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(Error::file("opening", "/dev/null"))?;
    dup2_stdin(null.as_fd()).map_err(Error::system("letting go of stdin"))?;
    dup2_stdout(null.as_fd()).map_err(Error::system("letting go of stdout"))?;
    // stderr stays as it is: the library gave it the supervisor's log, where a panic would show.
    Ok(())
}

fn say(line: &str) {
    // Nobody may be listening any more; that alone is no reason to fail.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

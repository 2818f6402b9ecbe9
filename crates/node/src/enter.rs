//! Running a program inside a node: `landfall __node-enter PID CGROUP PROGRAM [ARG…]`.
//!
//! A process of its own does it: a namespace of mounts can only be entered by a process with one thread.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, chdir, fork};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::cgroup;
use crate::error::{Error, Result};
use crate::layout::inside;

/// What `exec` failures exit with, as shells have it.
const NOT_FOUND: u8 = 127;

pub(crate) fn run(args: &[OsString]) -> ExitCode {
    match enter(args) {
        Ok(code) => code,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(125)
        }
    }
}

fn enter(args: &[OsString]) -> Result<ExitCode> {
    let usage = || Error::System {
        what: "entering a node".into(),
        source: std::io::Error::other("needs a process, a cgroup and a program"),
    };
    let [pid, group, program, rest @ ..] = args else { return Err(usage()) };
    let pid: i32 = pid.to_str().and_then(|text| text.parse().ok()).ok_or_else(usage)?;
    let pid = Pid::from_raw(pid).ok_or_else(usage)?;
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(Error::system("finding the node's PID 1"))?;
    // So that what runs here is counted, and ends, with the node.
    let hierarchies = cgroup::mounted()?;
    let group = format!("{}/{}", group.to_string_lossy(), cgroup::DAEMONS);
    cgroup::enter(&hierarchies, &group)?;
    let namespaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP;
    setns(&process, namespaces).map_err(Error::system("entering the node's namespaces"))?;
    chdir("/root").or_else(|_| chdir("/")).map_err(Error::system("entering the node's root"))?;
    // SAFETY: this process has one thread only: it runs before main has made any.
    match unsafe { fork() }.map_err(Error::system("starting the program"))? {
        ForkResult::Child => {
            // Whoever kills us means the program.
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            let mut command = Command::new(program);
            command.args(rest).env_clear().env("PATH", inside::PATH).env("HOME", "/root");
            for name in ["TERM", "LANG", "LC_ALL", "COLORTERM"] {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
            let admin = Path::new(inside::KUBERNETES).join("admin.conf");
            if admin.exists() {
                command.env("KUBECONFIG", admin);
            }
            let error = command.exec();
            complain(&format!("{}: {error}", program.to_string_lossy()));
            Ok(ExitCode::from(NOT_FOUND))
        }
        ForkResult::Parent { child } => {
            // The terminal's signals go to the program as well; it decides.
            for ignored in [Signal::SIGINT, Signal::SIGQUIT] {
                // SAFETY: ignoring a signal runs no handler.
                let _ = unsafe { signal(ignored, SigHandler::SigIgn) };
            }
            loop {
                match waitpid(child, None) {
                    Ok(WaitStatus::Exited(_, code)) => return Ok(ExitCode::from(code as u8)),
                    Ok(WaitStatus::Signaled(_, signal, _)) => {
                        return Ok(ExitCode::from(128u8.saturating_add(signal as u8)));
                    }
                    Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                    Err(errno) => return Err(Error::system("waiting for the program")(errno)),
                }
            }
        }
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

//! The bundle's own containerd, run for a moment to unpack images.
//!
//! It lives in the mount and network namespace of the calling thread (see [`crate::mounts::in_private`]): its sockets
//! and state are on a memory file system that nobody else sees, and it listens on none of the machine's addresses.
//! Whatever ends this thread ends it too.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::command::tail_of;
use crate::error::{Error, IoContext, Result};
use crate::mounts;

const RUN: &str = "/run";
const ADDRESS: &str = "/run/containerd/containerd.sock";
const NOTIFY: &str = "/run/notify.sock";
/// Where Kubernetes looks for images.
const NAMESPACE: &str = "k8s.io";

/// It starts in a tenth of a second where nothing else runs.
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(20);

/// What CRI gives an image: that it is its own to use, and that the kubelet must not collect it. An image that was
/// loaded cannot be pulled again.
const LABELS: [&str; 2] = ["io.cri-containerd.image=managed", "io.cri-containerd.pinned=pinned"];

pub(crate) struct Containerd {
    /// On it, it says that it is ready, and later that it ends.
    notify: UnixDatagram,
    child: Child,
    ended: OwnedFd,
    ctr: PathBuf,
    log: PathBuf,
}

impl Containerd {
    /// Starts it upon `root` and waits until it answers. The caller's thread has namespaces of its own.
    pub(crate) fn start(program: &Path, ctr: &Path, root: &Path, log: &Path) -> Result<Self> {
        let run = Path::new(RUN);
        unshare(CloneFlags::CLONE_NEWNET).on("leave the network for", run)?;
        mounts::tmpfs(run)?;
        let config = run.join("containerd.toml");
        std::fs::write(&config, configuration(root)).on("write", &config)?;
        let notify = UnixDatagram::bind(NOTIFY).on("listen at", Path::new(NOTIFY))?;
        let output = File::options().create(true).append(true).open(log).on("write", log)?;
        let both = output.try_clone().on("write", log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .arg("--config")
            .arg(&config)
            .env("NOTIFY_SOCKET", NOTIFY)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(both)
            .spawn()
            .on("run", program)?;
        let pid = Pid::from_child(&child);
        let ended = pidfd_open(pid, PidfdFlags::empty()).on("watch", program)?;
        let (ctr, log) = (ctr.to_path_buf(), log.to_path_buf());
        let mut started = Self { notify, child, ended, ctr, log };
        started.wait_until_ready()?;
        Ok(started)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let mut message = [0; 256];
        while begun.elapsed() < START {
            let mut watched = [
                PollFd::new(self.notify.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.ended.as_fd(), PollFlags::POLLIN),
            ];
            poll(&mut watched, limit(START)).on("wait for", &self.log)?;
            if watched[0].any().unwrap_or_default() {
                let length = self.notify.recv(&mut message).on("listen at", Path::new(NOTIFY))?;
                if message[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
                    return Ok(());
                }
            } else if watched[1].any().unwrap_or_default() {
                let status = self.child.wait().on("wait for", &self.log)?;
                return Err(self.failed("containerd", &status.to_string()));
            }
        }
        Err(self.failed("containerd", "it did not become ready"))
    }

    /// Imports what `write` writes (a tar of images) and unpacks it.
    pub(crate) fn import(&self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let mut import = self.command(&["images", "import", "--all-platforms"]);
        for label in LABELS {
            import.args(["--label", label]);
        }
        let output = File::options().create(true).append(true).open(&self.log).on("write", &self.log)?;
        let mut child = import
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .on("run", &self.ctr)?;
        let written = match child.stdin.take() {
            Some(mut pipe) => write(&mut pipe),
            None => Ok(()),
        };
        let status = child.wait().on("wait for", &self.ctr)?;
        // Where it has ended early, its own words say more than those of the broken pipe.
        if !status.success() {
            return Err(self.failed("importing images", &status.to_string()));
        }
        written
    }

    /// The names of the images, those by content alone too.
    pub(crate) fn images(&self) -> Result<BTreeSet<String>> {
        let output = self
            .command(&["images", "list", "--quiet"])
            .stdin(Stdio::null())
            .output()
            .on("run", &self.ctr)?;
        if !output.status.success() {
            return Err(self.failed("listing images", &output.status.to_string()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Removes images, and at once what none of the others needs.
    pub(crate) fn remove(&self, images: &BTreeSet<String>) -> Result<()> {
        if images.is_empty() {
            return Ok(());
        }
        let mut remove = self.command(&["images", "rm", "--sync"]);
        remove.args(images);
        crate::command::run("removing images", remove, &self.log, &mut |_| {})
    }

    /// Ends it in order: its databases are at rest then.
    pub(crate) fn stop(mut self) -> Result<()> {
        pidfd_send_signal(&self.ended, Signal::TERM).on("end", &self.log)?;
        let mut watched = [PollFd::new(self.ended.as_fd(), PollFlags::POLLIN)];
        if poll(&mut watched, limit(STOP)).on("wait for", &self.log)? == 0 {
            return Err(self.failed("containerd", "it did not end"));
        }
        self.child.wait().map(drop).on("wait for", &self.log)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.ctr);
        command.args(["--address", ADDRESS, "--namespace", NAMESPACE]).args(arguments);
        command
    }

    fn failed(&self, what: &str, status: &str) -> Error {
        Error::Command {
            what: what.to_owned(),
            status: status.to_owned(),
            tail: tail_of(&self.log),
            log: self.log.clone(),
        }
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn limit(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)
}

/// Without what runs pods, and without what would write outside its root (`/opt/containerd`).
fn configuration(root: &Path) -> String {
    let disabled = [
        "io.containerd.cri.v1.images",
        "io.containerd.cri.v1.runtime",
        "io.containerd.grpc.v1.cri",
        "io.containerd.podsandbox.controller.v1.podsandbox",
        "io.containerd.nri.v1.nri",
        "io.containerd.internal.v1.opt",
        "io.containerd.internal.v1.restart",
        "io.containerd.internal.v1.tracing",
        "io.containerd.tracing.processor.v1.otlp",
        "io.containerd.snapshotter.v1.blockfile",
        "io.containerd.snapshotter.v1.btrfs",
        "io.containerd.snapshotter.v1.devmapper",
        "io.containerd.snapshotter.v1.erofs",
        "io.containerd.snapshotter.v1.native",
        "io.containerd.snapshotter.v1.zfs",
        "io.containerd.differ.v1.erofs",
    ];
    let text = |value: &str| toml::Value::from(value).to_string();
    format!(
        "version = 3\nroot = {}\nstate = {}\ndisabled_plugins = {}\n[grpc]\naddress = {}\n",
        text(&root.display().to_string()),
        text("/run/containerd"),
        toml::Value::from(disabled.to_vec()),
        text(ADDRESS),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_configuration_is_toml_whatever_the_folder_is_called() {
        let text = configuration(Path::new("/a \"b\"/c"));
        let read: toml::Value = toml::from_str(&text).unwrap();
        assert_eq!(read["root"].as_str(), Some("/a \"b\"/c"));
        assert_eq!(read["grpc"]["address"].as_str(), Some(ADDRESS));
        assert!(read["disabled_plugins"].as_array().unwrap().len() > 10);
    }
}

//! Ceph's programs as children: run to their end, or kept running until something calls for a new start.

use std::ffi::OsStr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use super::addresses::{self, Addresses, Map};
use super::settings::RUN;
use crate::child::code;
use crate::pod::{Error, Result, say};

/// Seconds that the command line gives monitors to answer.
const PATIENCE: &str = "10";
/// Lines of what a program said that an error shows.
const SHOWN: usize = 4;

/// How a daemon's run ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code, or 128 and the signal's number.
    Exited(u8),
    /// Stopped, since the monitors are now there.
    Moved(Map),
}

/// The kubelet's word that the pod must go. Listened to from the very start: the first process of a pod
/// ignores it else, and the pod stays for all of its grace period.
#[derive(Debug)]
pub struct Stop(Listener);

impl Stop {
    pub fn listen() -> Result<Self> {
        signal(SignalKind::terminate()).map(Self).map_err(Error::io("cannot listen to signals"))
    }

    /// Carries out what can be broken off at any point; none where the pod must go.
    pub async fn or<T>(&mut self, doing: impl Future<Output = Result<T>>) -> Result<Option<T>> {
        tokio::select! {
            done = doing => done.map(Some),
            _ = self.0.recv() => Ok(None),
        }
    }
}

/// Runs a daemon until it ends, the pod is stopped, or `moved` says of new addresses that it must start again.
pub async fn keep(
    mut command: Command,
    stop: &mut Stop,
    addresses: &mut Addresses,
    mut now: Map,
    mut moved: impl AsyncFnMut(&Map) -> Result<bool>,
) -> Result<Ended> {
    let program = command.as_std().get_program().display().to_string();
    let mut child =
        command.stdin(Stdio::null()).spawn().map_err(Error::io(format!("cannot run {program}")))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let end = || pid.map(|pid| kill(pid, Signal::SIGTERM));
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(Error::io(format!("cannot wait for {program}")))?;
                say(&format!("{program} ended: {status}"));
                return Ok(Ended::Exited(code(status)));
            }
            _ = stop.0.recv() => {
                end();
                let status = child.wait().await.map_err(Error::io(format!("cannot wait for {program}")))?;
                // What was asked for is no failure.
                return Ok(Ended::Exited(if status.signal() == Some(Signal::SIGTERM as i32) { 0 } else { code(status) }));
            }
            next = addresses.other_than(&now) => {
                now = next?;
                if moved(&now).await? {
                    say(&format!("monitors are now at {}: starting {program} again", shown(&now)));
                    end();
                    child.wait().await.map_err(Error::io(format!("cannot wait for {program}")))?;
                    return Ok(Ended::Moved(now));
                }
            }
        }
    }
}

fn shown(map: &Map) -> String {
    map.iter().map(|(id, ip)| format!("{id}={ip}")).collect::<Vec<_>>().join(", ")
}

/// Whether a client that knew these addresses finds no monitor any more.
pub fn is_lost(before: &Map, now: &Map) -> bool {
    !before.iter().any(|(id, ip)| now.get(id) == Some(ip))
}

/// Runs a program to its end and gives its output; an error has its last lines.
pub async fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::io(format!("cannot run {program}")))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = if stderr.trim().is_empty() { stdout.as_str() } else { &stderr };
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(SHOWN)..].join(" / ");
    Err(Error::Failed(format!("{program} failed ({}): {last}", output.status)))
}

/// `ceph`, as `user` whose key is in `keyring`, at these monitors; again and again until they answer.
pub async fn ceph(user: &str, keyring: &Path, at: &Map, words: &[&str]) -> Result<String> {
    let hosts = addresses::monitors(at).mon_host();
    let keyring = keyring.display().to_string();
    let first = ["-n", user, "-k", &keyring, "-m", &hosts, "--connect-timeout", PATIENCE];
    let mut told = false;
    loop {
        addresses::reachable(at).await;
        match run("ceph", first.iter().chain(words)).await {
            Ok(said) => return Ok(said),
            // Daemons that start up or elect a leader answer a little later.
            Err(error) if is_passing(&error.to_string()) => {
                if !told {
                    say(&format!("the monitors do not answer yet: {error}"));
                    told = true;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The client's own words for monitors that do not answer; a refusal reads otherwise.
fn is_passing(said: &str) -> bool {
    ["timed out", "TimedOut", "error connecting to the cluster", "Interrupted", "EAGAIN"]
        .iter()
        .any(|word| said.contains(word))
}

/// Writes a file of the pod's own run folder that only this user reads.
pub fn secret_file(name: &str, content: &str) -> Result<PathBuf> {
    let path = Path::new(RUN).join(name);
    write_private(&path, content)?;
    Ok(path)
}

/// Writes a file that only this user reads.
pub fn write_private(path: &Path, content: &str) -> Result<()> {
    use std::io::Write as _;
    let fail = || Error::io(format!("cannot write {}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path).map_err(fail())?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(fail())?;
    file.write_all(content.as_bytes()).map_err(fail())
}

/// An empty folder `<data>.new` to make a store in; whatever a dead predecessor left of it goes.
pub fn unfinished(data: &Path) -> Result<PathBuf> {
    let path = data.with_extension("new");
    if path.exists() {
        std::fs::remove_dir_all(&path).map_err(Error::io(format!("cannot clear {}", path.display())))?;
    }
    std::fs::create_dir_all(&path).map_err(Error::io(format!("cannot make {}", path.display())))?;
    Ok(path)
}

/// From here on the store counts.
pub fn finish(unfinished: &Path, data: &Path) -> Result<()> {
    std::fs::rename(unfinished, data).map_err(Error::io(format!("cannot rename to {}", data.display())))
}

/// Name of the file that tells which Ceph a store is of.
pub const OWNER: &str = "ceph_fsid";

/// Refuses to run a store of another Ceph than the Secrets are of.
pub fn check_owner(data: &Path, fsid: &str, secret: &str) -> Result<()> {
    let path = data.join(OWNER);
    let held =
        std::fs::read_to_string(&path).map_err(Error::io(format!("cannot read {}", path.display())))?;
    if held.trim() == fsid {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "this volume holds data of the Ceph {}, and secret {secret} is of {fsid}: restore that secret, or delete the \
         volume's claim if the data may go",
        held.trim()
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_client_is_lost_only_when_no_monitor_stayed() {
        let map = |text: &str| {
            text.split(' ')
                .filter_map(|i| i.split_once('='))
                .map(|(k, v)| (k.into(), v.into()))
                .collect::<Map>()
        };
        assert!(is_lost(&map("a=1"), &map("a=2")));
        assert!(!is_lost(&map("a=1 b=1 c=1"), &map("a=2 b=1 c=2")));
    }

    #[test]
    fn a_store_of_another_ceph_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(OWNER), "one\n").unwrap();
        assert!(check_owner(dir.path(), "one", "s").is_ok());
        let told = check_owner(dir.path(), "two", "rook-ceph-mon").unwrap_err().to_string();
        assert!(told.contains("secret rook-ceph-mon is of two: restore"), "{told}");
    }

    #[test]
    fn a_half_made_store_is_cleared_and_a_whole_one_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("ceph-a");
        std::fs::create_dir(dir.path().join("ceph-a.new")).unwrap();
        std::fs::write(dir.path().join("ceph-a.new/half"), "").unwrap();
        let made = unfinished(&data).unwrap();
        assert_eq!(std::fs::read_dir(&made).unwrap().count(), 0);
        finish(&made, &data).unwrap();
        assert!(data.is_dir() && !made.exists());
    }

    #[tokio::test]
    async fn a_failed_program_tells_its_last_lines() {
        let error = run("sh", ["-c", "echo one; echo two >&2; exit 3"]).await.unwrap_err().to_string();
        assert!(error.contains("sh failed") && error.contains("two") && !error.contains("one"), "{error}");
    }
}

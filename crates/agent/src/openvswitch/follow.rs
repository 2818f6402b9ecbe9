//! Runs an agent of Neutron's whose ports are in network namespaces. In user space such ports die with the switch and
//! nothing revives them: so when the switch was started anew, all that the agent started is ended, its namespaces are
//! taken away, and it starts again, which makes every port anew.
//!
//! It is the container's PID 1, and so also reaps what daemons leave behind.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::state::{self, State};
use crate::folder::Watch;
use crate::pod::{self, Error, Result, say};

const NAMESPACES: &str = "/run/netns";
/// The switch's pod starts beside the agent's.
const SWITCH: Duration = Duration::from_mins(5);

/// Why one life of the agent ended.
enum End {
    Itself(u8),
    Told,
    SwitchStarted,
}

pub async fn run(command: &[OsString]) -> Result<u8> {
    let dir = state::dir();
    let prefixes: Vec<String> =
        pod::var("NAMESPACE_PREFIXES").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let mut watch = Watch::of(&dir)?;
    loop {
        let state = ready_state(&dir).await?;
        clear_if_stale(&dir, &prefixes, &state.generation, Path::new(NAMESPACES))?;
        match live(command, &dir, &state.generation, &mut watch).await? {
            End::Itself(code) => return Ok(code),
            End::Told => return Ok(0),
            End::SwitchStarted => {
                say(
                    "the switch was started anew, and the ports in namespaces died with it: starting the agent again",
                );
                end_all().await;
            }
        }
    }
}

async fn live(command: &[OsString], dir: &Path, generation: &str, watch: &mut Watch) -> Result<End> {
    let listen = |kind| signal(kind).map_err(Error::io("cannot listen to signals"));
    let (mut term, mut child_ended) = (listen(SignalKind::terminate())?, listen(SignalKind::child())?);
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Failed("no agent to run".into()));
    };
    let what = format!("cannot run {}", program.to_string_lossy());
    let agent = Command::new(program).args(arguments).spawn().map_err(Error::io(what))?.id();
    let agent = Pid::from_raw(i32::try_from(agent).unwrap_or_default());
    let mut told = false;
    loop {
        if let Some(code) = reap(agent) {
            return Ok(if told { End::Told } else { End::Itself(code) });
        }
        tokio::select! {
            _ = child_ended.recv() => {}
            _ = term.recv() => {
                told = true;
                let _ = kill(agent, Signal::SIGTERM);
            }
            () = watch.changed() => {
                let now = State::read(dir)?.filter(State::is_ready);
                if now.is_some_and(|now| now.generation != generation) {
                    let _ = kill(agent, Signal::SIGKILL);
                    let _ = waitpid(agent, None);
                    return Ok(End::SwitchStarted);
                }
            }
        }
    }
}

/// Takes note of all children that have ended; the exit code of this one, once it has.
fn reap(agent: Pid) -> Option<u8> {
    let mut code = None;
    // What daemons leave behind comes to PID 1 alone.
    let whom = (std::process::id() != 1).then_some(agent);
    loop {
        match waitpid(whom, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == agent => {
                code = u8::try_from(status).ok().or(Some(1));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == agent => {
                code = u8::try_from(128 + signal as i32).ok();
            }
            Ok(WaitStatus::StillAlive) => return code,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return code,
        }
    }
}

/// Ends every process of the container but this one.
async fn end_all() {
    if std::process::id() != 1 {
        return;
    }
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {
                ended.recv().await;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// Takes the namespaces away whose ports are dead, once for each generation of the switch.
fn clear_if_stale(dir: &Path, prefixes: &[String], generation: &str, namespaces: &Path) -> Result<()> {
    let Some(first) = prefixes.first() else { return Ok(()) };
    let note = dir.join(format!("landfall-{first}generation"));
    if fs::read_to_string(&note).is_ok_and(|known| known == generation) {
        return Ok(());
    }
    let removed = clear(prefixes, namespaces)?;
    if !removed.is_empty() {
        say(&format!("removed the namespaces of an earlier start of the switch: {}", removed.join(", ")));
    }
    fs::write(&note, generation).map_err(Error::io(format!("cannot write {}", note.display())))
}

fn clear(prefixes: &[String], namespaces: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(namespaces) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(format!("cannot read {}", namespaces.display()))(e)),
    };
    let mut removed = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            // One that is no mount any more is a file only.
            let _ = umount2(&entry.path(), MntFlags::MNT_DETACH);
            fs::remove_file(entry.path())
                .map_err(Error::io(format!("cannot remove the namespace {name}")))?;
            removed.push(name);
        }
    }
    Ok(removed)
}

/// The state, once the switch runs.
///
/// # Errors
/// When it has not been ready for [`SWITCH`].
pub async fn ready_state(dir: &Path) -> Result<State> {
    fs::create_dir_all(dir).map_err(Error::io(format!("cannot make {}", dir.display())))?;
    let mut watch = Watch::of(dir)?;
    let ready = async {
        loop {
            if let Some(state) = State::read(dir)?.filter(State::is_ready) {
                return Ok(state);
            }
            watch.changed().await;
        }
    };
    timeout(SWITCH, ready).await.unwrap_or_else(|_| {
        Err(Error::Failed(format!(
            "the switch of this node is not ready ({}): see the pod openvswitch here",
            dir.join(state::NAME).display()
        )))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::state::Datapath;
    use super::*;

    fn state(generation: &str) -> State {
        State {
            datapath: Datapath::Netdev,
            why: String::new(),
            tunnel: None,
            generation: generation.to_owned(),
        }
    }

    #[test]
    fn namespaces_go_once_for_each_start_of_the_switch_and_only_the_agents_own() {
        let (dir, namespaces) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let prefixes = ["qrouter-".to_owned(), "snat-".to_owned()];
        let make = || {
            for name in ["qrouter-1", "snat-1", "qdhcp-1"] {
                fs::write(namespaces.path().join(name), "").unwrap();
            }
        };
        let left = || fs::read_dir(namespaces.path()).unwrap().count();
        make();
        clear_if_stale(dir.path(), &prefixes, "a", namespaces.path()).unwrap();
        assert_eq!(left(), 1);
        make();
        clear_if_stale(dir.path(), &prefixes, "a", namespaces.path()).unwrap();
        assert_eq!(left(), 3, "the same switch: its ports live");
        clear_if_stale(dir.path(), &prefixes, "b", namespaces.path()).unwrap();
        assert_eq!(left(), 1);
    }

    #[tokio::test]
    async fn who_waits_for_the_switch_hears_of_it_at_once() {
        let dir = tempfile::tempdir().unwrap();
        state("").write(dir.path()).unwrap();
        let (seen, ()) = tokio::join!(ready_state(dir.path()), async {
            state("a").write(dir.path()).unwrap();
        });
        assert_eq!(seen.unwrap().generation, "a");
    }

    #[tokio::test]
    async fn an_agent_that_ends_ends_with_its_code() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::of(dir.path()).unwrap();
        let command: Vec<OsString> = ["sh", "-c", "exit 7"].map(OsString::from).to_vec();
        let end = live(&command, dir.path(), "a", &mut watch).await.unwrap();
        assert!(matches!(end, End::Itself(7)));
    }

    #[tokio::test]
    async fn a_new_start_of_the_switch_ends_the_agents_life() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::of(dir.path()).unwrap();
        let command: Vec<OsString> = ["sleep", "30"].map(OsString::from).to_vec();
        let (end, ()) = tokio::join!(live(&command, dir.path(), "a", &mut watch), async {
            state("a").write(dir.path()).unwrap();
            state("b").write(dir.path()).unwrap();
        });
        assert!(matches!(end.unwrap(), End::SwitchStarted));
    }
}

//! The orderly end of a node: the kubelet first, then the pods, then the other components, those that others need last.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::manifest::{After, Component};
use crate::supervisor::{Phase, Shared};

/// How long pods have after SIGTERM. What remains ends with the node.
const POD_SECONDS: u64 = 10;

pub(crate) async fn run(shared: &Rc<Shared>, components: &[Component]) {
    shared.note("node stops");
    shared.stopping.send_replace(true);
    let kubelet: Vec<&Component> =
        components.iter().filter(|component| component.name == "kubelet").collect();
    end(shared, &kubelet).await;
    end_pods(shared).await;
    for wave in waves(components) {
        end(shared, &wave).await;
    }
}

/// Groups of components in the order of their end: none is needed by one of a later group.
fn waves(components: &[Component]) -> Vec<Vec<&Component>> {
    let mut left: Vec<&Component> = components.iter().collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let needed: HashSet<&str> =
            left.iter().flat_map(|component| component.after.iter().filter_map(After::component)).collect();
        let (mut wave, rest): (Vec<_>, Vec<_>) =
            left.iter().copied().partition(|component| !needed.contains(component.name.as_str()));
        left = rest;
        if wave.is_empty() {
            // Only a circle could lead here; then all go at once.
            wave.append(&mut left);
        }
        waves.push(wave);
    }
    waves
}

/// Sends SIGTERM to each, and SIGKILL to those that take too long.
async fn end(shared: &Rc<Shared>, components: &[&Component]) {
    let ends = components.iter().map(|component| async {
        signal_unit(shared, &component.name, Signal::SIGTERM);
        let limit = Duration::from_secs(component.stop_seconds);
        if tokio::time::timeout(limit, stopped(shared, &component.name)).await.is_err() {
            shared.note(&format!("{} does not stop within {limit:?}: killed", component.name));
            signal_unit(shared, &component.name, Signal::SIGKILL);
            stopped(shared, &component.name).await;
        }
    });
    futures::future::join_all(ends).await;
}

fn signal_unit(shared: &Shared, name: &str, signal: Signal) {
    let pid = shared.units.borrow().iter().find(|unit| unit.name == name).and_then(|unit| unit.pid);
    if let Some(pid) = pid {
        let _ = kill(Pid::from_raw(pid as i32), signal);
    }
}

async fn stopped(shared: &Shared, name: &str) {
    let mut changed = shared.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let done = shared
            .units
            .borrow()
            .iter()
            .all(|unit| unit.name != name || (unit.phase == Phase::Stopped && unit.pid.is_none()));
        if done || changed.changed().await.is_err() {
            return;
        }
    }
}

/// Asks every process of the pods to end, and waits for those that do.
async fn end_pods(shared: &Shared) {
    let own: HashSet<u32> = shared.units.borrow().iter().filter_map(|unit| unit.pid).collect();
    let mut ends = Vec::new();
    for pid in pods(&own) {
        let Some(raw) = rustix::process::Pid::from_raw(pid as i32) else { continue };
        let Ok(descriptor) = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::NONBLOCK) else {
            continue;
        };
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGTERM);
        if let Ok(descriptor) = crate::descriptor::readable(descriptor) {
            ends.push(async move {
                let _ = descriptor.readable().await;
            });
        }
    }
    shared.note(&format!("{} processes of pods are asked to end", ends.len()));
    let all = futures::future::join_all(ends);
    if tokio::time::timeout(Duration::from_secs(POD_SECONDS), all).await.is_err() {
        shared.note("some pods take too long: they end with the node");
    }
}

/// Processes that are neither the supervisor's nor a shim.
fn pods(own: &HashSet<u32>) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != 1 && !own.contains(pid))
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| !name.starts_with("containerd-shim"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, after: &[&str]) -> Component {
        Component {
            name: name.into(),
            program: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            after: after.iter().map(|name| After::Ready((*name).to_owned())).collect(),
            ready: Vec::new(),
            stop_seconds: 1,
        }
    }

    fn names(components: &[Component]) -> Vec<Vec<&str>> {
        waves(components).iter().map(|wave| wave.iter().map(|c| c.name.as_str()).collect()).collect()
    }

    #[test]
    fn what_others_need_ends_after_them() {
        let all = [
            component("etcd", &[]),
            component("kube-apiserver", &["etcd"]),
            component("kube-scheduler", &["kube-apiserver"]),
            component("containerd", &[]),
            component("kubelet", &["containerd", "kube-apiserver"]),
        ];
        assert_eq!(
            names(&all),
            [vec!["kube-scheduler", "kubelet"], vec!["kube-apiserver", "containerd"], vec!["etcd"]]
        );
    }

    #[test]
    fn a_circle_does_not_hang_the_end() {
        let all = [component("a", &["b"]), component("b", &["a"])];
        assert_eq!(names(&all), [vec!["a", "b"]]);
    }
}

//! What the guide's cloud must outlast: lost pods, moved monitors, a killed program.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use landfall_e2e::{Chance, Outcome, Servers, Watch, World, check, killed_at_random, number};
use serde_json::Value;

/// Rounds of kills in the long run.
const ROUNDS: u64 = 10;
/// Seconds; `$LANDFALL_LONGEST` gives another number.
const LONGEST: u64 = 180;
const PATIENCE: &str = "--timeout=240s";
/// Under emulation a guest takes its time.
const BOOT: Duration = Duration::from_mins(5);

/// The monitor comes back under another address; after the renewal Glance still reads images.
pub fn monitor_moved(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let address = |world: &World| -> Result<String, String> {
        let service = world.landfall.get(&["service", "rook-ceph-mon-a", "-n", "rook-ceph"])?;
        Ok(service["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned())
    };
    let before = address(world)?;
    landfall.kubectl(&["-n", "rook-ceph", "delete", "service", "rook-ceph-mon-a"]).ended(0)?;
    world.up(&["ceph"]).ended(0)?;
    let after = address(world)?;
    check(before != after, || format!("the monitor is still at {before}"))?;
    landfall.run(&["ceph", "renew"]).ended(0)?;
    let conf = landfall.get(&["configmap", "ceph-etc", "-n", "openstack"])?;
    let text = conf["data"]["ceph.conf"].as_str().unwrap_or_default().to_owned();
    check(text.contains(&after) && !text.contains(&before), || text.clone())?;
    // A pod sees a changed ConfigMap at its kubelet's next look, within some 90 s.
    landfall.run(&["verify", "ceph", "glance", "--patience", "240"]).ended(0).map(drop)
}

/// Ports in namespaces lose their taps with the switch; the agents bring them back by themselves.
pub fn openvswitch_restarted(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    landfall
        .kubectl(&["-n", "openstack", "delete", "pod", "-l", "application=openvswitch", "--wait=true"])
        .ended(0)?;
    landfall
        .kubectl(&["-n", "openstack", "rollout", "status", "daemonset/openvswitch", PATIENCE])
        .ended(0)?;
    landfall.run(&["verify", "openvswitch", "neutron"]).ended(0).map(drop)
}

/// Running pods, as namespace, name and owner.
pub fn pods(world: &World, namespace: &str) -> Result<Vec<(String, String, String)>, String> {
    let list = world.landfall.get(&["pods", "-n", namespace])?;
    let pods = list["items"].as_array().into_iter().flatten();
    Ok(pods
        .filter(|pod| pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null())
        .filter_map(|pod| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let owner = &pod["metadata"]["ownerReferences"][0];
            let owner = format!("{}/{}", owner["kind"].as_str()?, owner["name"].as_str()?);
            Some((namespace.to_owned(), text(&pod["metadata"]["name"])?, owner))
        })
        .collect())
}

/// Every pod of the cloud once, one after the other, in random order; at the end all check points hold, and a server
/// that ran all the time has not noticed.
pub fn every_pod_deleted(world: &mut World) -> Outcome {
    world.up(&[]).ended(0)?;
    let servers = Servers::prepared(&world.landfall, "landfall-stays", "192.0.2.0/24")?;
    let server = servers.server("landfall-stays", None, "word=stays\n")?;
    let watch = Watch::from(&world.landfall, &servers, "k1")?;
    watch.answers(&server.address, BOOT)?;
    let outcome = delete_every_pod(world);
    let kept = watch
        .answers(&server.address, BOOT)
        .and_then(|()| servers.active(&server))
        .and_then(|()| servers.booted_once(&server));
    outcome.and(kept).and(servers.remove())
}

fn delete_every_pod(world: &World) -> Outcome {
    let mut chance = Chance::new();
    let mut left = [pods(world, "rook-ceph")?, pods(world, "openstack")?].concat();
    let all = left.len();
    let began = Instant::now();
    let mut gone = BTreeSet::new();
    while !left.is_empty() {
        let (namespace, name, owner) = left.swap_remove(chance.below(left.len() as u64) as usize);
        world.landfall.kubectl(&["-n", &namespace, "delete", "pod", &name, "--wait=true"]).ended(0)?;
        // Whatever takes its place must be ready before the next one goes.
        ready(world, &namespace).map_err(|why| format!("after {namespace}/{name} ({owner}): {why}"))?;
        gone.insert(name);
    }
    eprintln!("{all} pods deleted in {:.0?}", began.elapsed());
    check(gone.len() == all && all >= 20, || format!("{gone:?}"))?;
    world.verified().map(drop)
}

/// All workloads of a namespace as their owners want them.
pub fn ready(world: &World, namespace: &str) -> Outcome {
    for kind in ["deployments", "statefulsets", "daemonsets"] {
        let list = world.landfall.get(&[kind, "-n", namespace])?;
        for item in list["items"].as_array().into_iter().flatten() {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            let at = format!("{}/{name}", kind.trim_end_matches('s'));
            world.landfall.kubectl(&["-n", namespace, "rollout", "status", &at, PATIENCE]).ended(0)?;
        }
    }
    Ok(())
}

/// SIGKILL to `landfall up` at random moments of the whole way: the next `up` ends in the same state.
pub fn killed(world: &mut World) -> Outcome {
    killed_at_random(world, ROUNDS, number("LANDFALL_LONGEST", LONGEST), World::fresh)
}

//! What the guide's cloud must outlast: lost pods, moved monitors, a killed program.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use landfall_e2e::{Outcome, World, check, kill};
use serde_json::Value;

/// Rounds of kills in the long run; `$LANDFALL_KILLS` asks for more or fewer.
const ROUNDS: u64 = 10;
const PATIENCE: &str = "--timeout=240s";

/// A number that the environment gives, or the default.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A seed that is shown, so that a failure can be met again.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = number("LANDFALL_SEED", now);
    eprintln!("LANDFALL_SEED={seed}");
    seed | 1
}

/// xorshift: enough to choose a moment or an order.
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

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

/// Every pod of the cloud once, one after the other, in random order; at the end all check points hold.
pub fn every_pod_deleted(world: &mut World) -> Outcome {
    world.up(&[]).ended(0)?;
    let mut random = seed();
    let mut left = [pods(world, "rook-ceph")?, pods(world, "openstack")?].concat();
    let all = left.len();
    let began = Instant::now();
    let mut gone = BTreeSet::new();
    while !left.is_empty() {
        let (namespace, name, owner) = left.swap_remove((next(&mut random) % left.len() as u64) as usize);
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
    let rounds = number("LANDFALL_KILLS", ROUNDS);
    let mut random = seed();
    for round in 1..=rounds {
        world.fresh()?;
        let longest = number("LANDFALL_LONGEST", 180);
        let moment = Duration::from_millis(500 + next(&mut random) % (longest * 1000));
        let local = format!("--local={}", world.landfall.cluster);
        let mut command = world.landfall.command(&world.up_arguments(&[&local]));
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        // The moment is the point of the test; there is nothing to wait for but time.
        std::thread::sleep(moment);
        kill(u64::from(child.id()))?;
        child.wait().map_err(|error| error.to_string())?;
        let again =
            world.up(&[]).ended(0).map_err(|why| format!("round {round}, killed after {moment:?}: {why}"))?;
        eprintln!("round {round}: killed after {moment:.1?}, the next up took {:.1?}", again.took);
        world.verified().map_err(|why| format!("round {round}, killed after {moment:?}: {why}"))?;
    }
    Ok(())
}

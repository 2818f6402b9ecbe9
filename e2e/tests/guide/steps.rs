//! The thirteen steps: done, shown, done again, and seen by real Helm.

use std::collections::BTreeSet;

use landfall_e2e::{Outcome, World, check, copy_charts, memory_of};
use serde_json::Value;

/// The guide's numbers.
fn numbers() -> BTreeSet<String> {
    (1..=13).map(|number| format!("O{number:02}")).collect()
}

pub fn from_nothing(world: &mut World) -> Outcome {
    let cluster = world.cluster()?;
    let up = world.up(&[]).ended(0)?;
    eprintln!("{}", up.stderr);
    let checks = world.verified()?;
    let seen: BTreeSet<String> =
        checks.iter().filter_map(|check| check["guide"].as_str().map(str::to_owned)).collect();
    eprintln!(
        "local up {:.1?}, up {:.1?}, memory of all processes (PSS) {} MiB",
        cluster.took,
        up.took,
        memory_of(&world.landfall)? >> 20
    );
    check(numbers().is_subset(&seen), || format!("check points of {seen:?} only"))
}

pub fn guide_status(world: &mut World) -> Outcome {
    let status = world.landfall.run(&["status", "--guide", "-o", "json"]).ended(0)?;
    let steps: Value = serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let done: BTreeSet<String> = steps
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| step["state"] == "done")
        .filter_map(|step| step["guide"].as_str().map(str::to_owned))
        .collect();
    check(done == numbers(), || status.stdout.clone())?;
    let korean = world.landfall.run(&["status", "--guide", "--lang", "ko"]).ended(0)?;
    check(korean.stdout.contains("O13") && korean.stdout.contains('됨'), || korean.stdout.clone())
}

pub fn up_again(world: &mut World) -> Outcome {
    let up = world.up(&["-o", "json"]).ended(0)?;
    let events = World::events(&up);
    let done = events.iter().find(|event| event["event"] == "run-done").ok_or("no run-done event")?;
    check(done["changed"] == false && done["ok"] == true, || done.to_string())?;
    eprintln!("up again: {:.1?}", up.took);
    Ok(())
}

pub fn helm_list(world: &mut World) -> Outcome {
    world.deployed(
        &["--all-namespaces"],
        &["ceph", "keystone", "glance", "placement", "openvswitch", "libvirt", "neutron"],
    )
}

/// On a cluster that has all but Glance: real Helm brings it, and an image goes its way.
pub fn helm_installs_glance(world: &mut World) -> Outcome {
    world.up(&[]).ended(0)?;
    let values = world.helm(&["get", "values", "glance", "-n", "openstack", "-o", "yaml"]).ended(0)?;
    world.landfall.run(&["down", "glance", "--yes"]).ended(0)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let charts = copy_charts(folder.path())?;
    let file = folder.path().join("values.yaml");
    std::fs::write(&file, values.stdout).map_err(|error| error.to_string())?;
    let (chart, file) = (charts.join("glance").display().to_string(), file.display().to_string());
    world.helm(&["dependency", "build", "--skip-refresh", &chart]).ended(0)?;
    world
        .helm(&["install", "glance", &chart, "-n", "openstack", "--timeout", "10m", "-f", &file])
        .ended(0)?;
    world
        .landfall
        .kubectl(&["-n", "openstack", "rollout", "status", "deployment/glance-api", "--timeout=300s"])
        .ended(0)?;
    world.landfall.run(&["verify", "glance"]).ended(0).map(drop)
}

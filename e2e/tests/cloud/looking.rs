//! The verbs that only look: what they say of a cloud that is well, and of one that is not.

use landfall_e2e::{Outcome, World, check};

/// Asked of a cloud that is well.
pub fn of_a_cloud_that_is_well(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let guide = landfall.run(&["status", "--guide", "-o", "json"]).ended(0)?;
    let steps: serde_json::Value = serde_json::from_str(&guide.stdout).map_err(|error| error.to_string())?;
    for number in ["O02", "O04", "O05", "O06", "O07"] {
        let step = steps.as_array().into_iter().flatten().find(|step| step["guide"] == number);
        let step = step.ok_or_else(|| format!("{number} is not in {steps}"))?;
        check(step["state"] == "done", || step.to_string())?;
        let seen = step["checks"].as_array().is_some_and(|checks| {
            !checks.is_empty()
                && checks.iter().all(|check| check["passed"] == true && check["evidence"] != "")
        });
        check(seen, || step.to_string())?;
    }
    let doctor = landfall.run(&["doctor", "-o", "name"]).ended(0)?;
    check(!doctor.stdout.contains("check/"), || doctor.stdout.clone())?;
    let why = landfall.run(&["why", "-o", "name"]).ended(0)?;
    check(why.stdout.trim().is_empty(), || why.stdout.clone())?;
    let picture = landfall.run(&["diagram", "network"]).ended(0)?;
    check(picture.stdout.contains("→ mariadb, memcached"), || picture.stdout.clone())?;
    let logs = landfall.run(&["logs", "mariadb", "--tail", "2000"]).ended(0)?;
    check(logs.stdout.contains("mariadb-server-0/mariadb |"), || logs.stdout.clone())
}

/// A value that no pod mounts rolls nothing; one that a pod does is told with the pod, and then rolls it alone.
pub fn what_rolls_is_told(world: &mut World) -> Outcome {
    let file = world.landfall.home.join("scaled.yaml");
    let text = "spec: {overrides: {memcached: {conf: {memcached: {max_connections: 1000}}}}}\n";
    std::fs::write(&file, text).map_err(|error| error.to_string())?;
    let file = file.display().to_string();
    let planned = world.landfall.run(&["plan", "-f", &file, "--domain", &world.domain]).ended(0)?;
    let rolls: Vec<&str> = planned.stderr.lines().filter(|line| line.starts_with("rolls ")).collect();
    check(rolls.len() == 1 && rolls[0].contains("StatefulSet/openstack/memcached-memcached"), || {
        planned.stderr.clone()
    })
}

/// A backend that is taken away is named as the cause, down to it, and looks down in the picture.
pub fn a_backend_that_is_away(world: &mut World) -> Outcome {
    let scale = |replicas: &str| {
        let count = format!("--replicas={replicas}");
        world
            .landfall
            .kubectl(&["-n", "openstack", "scale", "statefulset/memcached-memcached", &count])
            .ended(0)
    };
    scale("0")?;
    let gone = ["-n", "openstack", "wait", "--for=delete", "pod/memcached-memcached-0", "--timeout=120s"];
    world.landfall.kubectl(&gone).ended(0)?;
    let looked = look_at_what_is_away(world);
    scale("1")?;
    let back = ["-n", "openstack", "rollout", "status", "statefulset/memcached-memcached", "--timeout=180s"];
    world.landfall.kubectl(&back).ended(0)?;
    looked
}

fn look_at_what_is_away(world: &World) -> Outcome {
    let landfall = &world.landfall;
    let doctor = landfall.run(&["doctor", "-o", "name"]).ended(12)?;
    check(doctor.stdout.contains("check/memcached/pods"), || doctor.stdout.clone())?;
    let guide = landfall.run(&["status", "--guide", "-o", "json"]).ended(0)?;
    let steps: serde_json::Value = serde_json::from_str(&guide.stdout).map_err(|error| error.to_string())?;
    let state = steps.as_array().into_iter().flatten().find(|step| step["guide"] == "O06");
    check(state.is_some_and(|step| step["state"] == "failing"), || steps.to_string())?;
    let picture = landfall.run(&["diagram", "network", "-o", "json"]).ended(0)?;
    let model: serde_json::Value =
        serde_json::from_str(&picture.stdout).map_err(|error| error.to_string())?;
    let services = model["network"]["services"].as_array();
    let memcached = services.into_iter().flatten().find(|service| service["name"] == "memcached");
    check(memcached.is_some_and(|service| service["health"] != "up"), || model.to_string())
}

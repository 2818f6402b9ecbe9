//! Servers' own disks in Ceph, by choice.

use std::time::Duration;

use landfall_e2e::{Outcome, Servers, Watch, World, check};

use crate::ceph::toolbox;

const NAME: &str = "landfall-disks";
const CHOICE: &str = "spec: {overrides: {nova: {conf: {nova: {libvirt: {images_type: rbd}}}}}}\n";
/// Under emulation a guest takes its time.
const BOOT: Duration = Duration::from_mins(5);

/// A server boots from a clone of its image, which Ceph makes without a copy; with the server it goes.
pub fn in_ceph(world: &mut World) -> Outcome {
    let file = world.landfall.home.join("disks.yaml");
    std::fs::write(&file, CHOICE).map_err(|error| error.to_string())?;
    world.up(&["-f", &file.display().to_string()]).ended(0)?;
    let servers = Servers::prepared(&world.landfall, NAME, "192.0.2.0/24")?;
    let seen = seen(world, &servers);
    let outcome = seen.and(servers.remove()).and(empty(world));
    world.up(&[]).ended(0)?;
    outcome
}

fn seen(world: &World, servers: &Servers) -> Outcome {
    let server = servers.server(NAME, None, "word=disks\n")?;
    Watch::from(&world.landfall, servers, "k1")?.answers(&server.address, BOOT)?;
    servers.active(&server)?;
    let disk = format!("vms/{}_disk", server.id);
    let info = toolbox(world, &["rbd", "info", &disk]).ended(0)?;
    check(info.stdout.contains("parent: glance.images/"), || info.stdout.clone())
}

fn empty(world: &World) -> Outcome {
    let left = toolbox(world, &["rbd", "ls", "vms"]).ended(0)?;
    check(left.stdout.trim().is_empty(), || format!("left in vms: {}", left.stdout))
}

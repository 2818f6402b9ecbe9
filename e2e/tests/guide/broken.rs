//! Broken starts of the guide's services: each is told with its cause, and mended.

use std::time::{Duration, Instant};

use landfall_e2e::{Broken, Outcome, World, check, told};

use crate::ceph::ceph;

/// From when the cluster shows a fault until it is told.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// What Ceph's own client waits for monitors, and `verify`'s patience here, on top of it.
const CLIENT: Duration = Duration::from_secs(15);

/// Whatever a scenario broke is made good again by `up` alone.
fn mended(world: &World) -> Outcome {
    world.up(&[]).ended(0).map(drop)
}

fn start(world: &World, file: &str, service: &str, code: &str, says: &[&str]) -> Outcome {
    let outcome = told(world, &Broken { file, service, code, says });
    mended(world)?;
    outcome
}

/// `verify` tells the fault with these words, in time.
fn verify_tells(world: &World, services: &[&str], says: &[&str]) -> Outcome {
    let began = Instant::now();
    let verify = world.landfall.run(&[&["verify", "--patience", "5"], services].concat());
    let took = began.elapsed();
    eprintln!("told after {took:.1?}: {}", verify.stdout);
    check(verify.code != 0, || format!("verify found nothing: {}", verify.stdout))?;
    for word in says {
        check(verify.stdout.contains(word), || format!("{word:?} is not told: {}", verify.stdout))?;
    }
    check(took < TOLD_WITHIN + CLIENT, || format!("told after {took:.1?}"))
}

pub fn no_label(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {libvirt: {labels: {agent: {libvirt: {node_selector_key: openstack-absent}}}}}}\n",
        "libvirt",
        "unschedulable",
        &["openstack-absent"],
    )
}

pub fn pool_missing(world: &mut World) -> Outcome {
    let pool = "glance.images";
    ceph(world, &["osd", "pool", "rm", pool, pool, "--yes-i-really-really-mean-it"])?;
    let outcome = verify_tells(world, &["glance"], &[pool]);
    mended(world)?;
    world.landfall.run(&["verify", "glance"]).ended(0)?;
    outcome
}

pub fn wrong_caps(world: &mut World) -> Outcome {
    ceph(
        world,
        &["auth", "caps", "client.glance", "mon", "profile rbd", "osd", "profile rbd pool=replicapool"],
    )?;
    let outcome = verify_tells(world, &["glance"], &["client.glance"]);
    mended(world)?;
    world.landfall.run(&["verify", "glance"]).ended(0)?;
    outcome
}

pub fn monitor_down(world: &mut World) -> Outcome {
    let scale = |replicas: &str| {
        let count = format!("--replicas={replicas}");
        world.landfall.kubectl(&["-n", "rook-ceph", "scale", "deployment/rook-ceph-mon-a", &count]).ended(0)
    };
    scale("0")?;
    let outcome = verify_tells(world, &["ceph"], &["rook-ceph-mon-a"]);
    scale("1")?;
    world.landfall.run(&["verify", "ceph", "glance"]).ended(0)?;
    outcome
}

/// The switch is nowhere: its agents wait for what nobody brings.
pub fn no_socket(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {openvswitch: {labels: {ovs: {node_selector_key: openstack-absent}}}}}\n",
        "openvswitch",
        "unschedulable",
        &["openstack-absent"],
    )
}

pub fn kvm_absent(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {libvirt: {conf: {virt_type: kvm}}}}\n",
        "libvirt",
        "crash-loop",
        &["KVM"],
    )
}

pub fn wrong_amqp_password(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {neutron: {endpoints: {oslo_messaging: {auth: {neutron: {password: not-this-one}}}}}}}\n",
        "neutron",
        "queue-access-refused",
        &["refuses"],
    )
}

/// The database's administrator has another password than the Secret says.
pub fn wrong_db_password(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {placement: {endpoints: {oslo_db: {auth: {admin: {password: not-this-one}}}}}}}\n",
        "placement",
        "database-access-denied",
        &["Access denied"],
    )
}

pub fn port_taken(world: &mut World) -> Outcome {
    let taken = serde_json::json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "taken", "namespace": "default"},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 31999}]}});
    world.landfall.apply(&taken)?;
    let outcome = start(
        world,
        "spec: {overrides: {placement: {network: {api: {node_port: {enabled: true, port: 31999}}}}}}\n",
        "placement",
        "refused",
        &["31999"],
    );
    world.landfall.kubectl(&["-n", "default", "delete", "service", "taken"]).ended(0)?;
    outcome
}

pub fn no_memory(world: &mut World) -> Outcome {
    start(
        world,
        "spec: {overrides: {placement: {pod: {resources: {enabled: true, api: {requests: {memory: 16Mi}, limits: {memory: 24Mi}}}}}}}\n",
        "placement",
        "out-of-memory",
        &["memory"],
    )
}

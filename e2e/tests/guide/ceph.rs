//! Ceph: a service's key opens its own pool alone, data outlasts every daemon, and Rook's operator is
//! asked where there is one.

use std::process::Stdio;

use landfall_e2e::{Outcome, Ran, World, check};
use serde_json::{Value, json};

use crate::survives::{pods, ready};

const ROOK: &str = "rook-ceph";
const POOL: &str = "replicapool";
/// A Ceph user of some service, and the Secret that Landfall makes of its key.
const USER: &str = "openstack";
const SECRET: &str = "ceph-client-openstack";
/// Where the operator of the test runs: it looks after Rook's namespace from another one.
const OPERATOR: &str = "rook-operator";
const PATIENCE: &str = "--timeout=120s";

/// Words of `ceph`, as the administrator.
pub fn ceph(world: &World, arguments: &[&str]) -> Result<Ran, String> {
    toolbox(world, &[&["ceph"], arguments].concat()).ended(0)
}

/// A command beside the monitors, as the administrator.
pub fn toolbox(world: &World, command: &[&str]) -> Ran {
    let inside = ["-n", ROOK, "exec", "deployment/rook-ceph-tools", "--"];
    world.landfall.kubectl(&[&inside, command].concat())
}

/// A line of shell on the node; through its pipes go keys, which nobody else is to see.
fn node(world: &World, line: &str) -> Result<String, String> {
    let shell = ["local", "shell", "--name", &world.landfall.cluster, "k1", "--", "bash", "-eo", "pipefail"];
    let ran = world.landfall.run(&[&shell[..], &["-c", line]].concat()).ended(0)?;
    Ok(ran.stdout.trim().to_owned())
}

pub fn key_of_another_refused(world: &mut World) -> Outcome {
    // In memory only, and gone with the pod.
    let keyring = "/run/ceph/glance.keyring";
    let put = format!(
        "kubectl -n openstack get secret images-rbd-keyring -o jsonpath='{{.data.keyring}}' | base64 -d \
         | kubectl -n {ROOK} exec -i deployment/rook-ceph-tools -- sh -c 'umask 077; cat > {keyring}'"
    );
    node(world, &put)?;
    let outcome = refused(world, keyring);
    toolbox(world, &["rm", "-f", keyring]).ended(0)?;
    outcome
}

fn refused(world: &World, keyring: &str) -> Outcome {
    let glance = |command: &[&str]| {
        let words = ["timeout", "30", command[0], "--id", "glance", "--keyring", keyring];
        toolbox(world, &[&words, &command[1..]].concat())
    };
    // The key is good where it belongs; else the refusals would say nothing.
    glance(&["rbd", "ls", "glance.images"]).ended(0)?;
    toolbox(world, &["rbd", "ls", POOL]).ended(0)?;
    for (command, words) in [
        (&["rbd", "ls", POOL][..], "Operation not permitted"),
        (&["rbd", "create", "--size", "1", "replicapool/a-strangers"], "Operation not permitted"),
        (&["ceph", "auth", "ls"], "EACCES"),
    ] {
        let ran = glance(command);
        check(ran.code != 0 && ran.stderr.contains(words), || {
            format!("{command:?} as client.glance ended with {}: {}", ran.code, ran.stderr)
        })?;
    }
    Ok(())
}

/// Every daemon and the toolbox once; an RBD image reads the same after each.
pub fn every_daemon_deleted(world: &mut World) -> Outcome {
    let image = format!("{POOL}/kept");
    let sum = |world: &World| {
        let line = format!("set -o pipefail; timeout 60 rbd export --no-progress {image} - | sha256sum");
        toolbox(world, &["bash", "-c", &line]).ended(0).map(|ran| ran.stdout)
    };
    let write = format!(
        "head -c 16777216 /dev/urandom | timeout 60 rbd import --no-progress - {image} && rbd ls {POOL}"
    );
    let written = toolbox(world, &["sh", "-c", &write]).ended(0)?;
    check(written.stdout.contains("kept"), || written.stdout.clone())?;
    let before = sum(world)?;
    let all = pods(world, ROOK)?;
    for (namespace, name, _) in &all {
        world.landfall.kubectl(&["-n", namespace, "delete", "pod", name, "--wait=true"]).ended(0)?;
        ready(world, ROOK).map_err(|why| format!("after {name}: {why}"))?;
        let after = sum(world).map_err(|why| format!("after {name}: {why}"))?;
        check(before == after, || format!("after {name} the data is {after}, not {before}"))?;
    }
    check(all.len() >= 4, || format!("only {all:?}"))?;
    toolbox(world, &["rbd", "rm", "--no-progress", &image]).ended(0)?;
    world.landfall.run(&["verify", "ceph"]).ended(0).map(drop)
}

/// Where Rook's operator runs, a pool and a key are asked for by its resources, and by nothing else.
pub fn operator_asked(world: &mut World) -> Outcome {
    let outcome = operator(world).and_then(|()| carried_out(world));
    let resources = ["-n", ROOK, "get", "cephblockpools,cephclients"];
    eprintln!("{}", world.landfall.kubectl(&resources).stdout);
    for gone in
        [&["crd", "cephblockpools.ceph.rook.io", "cephclients.ceph.rook.io"][..], &["namespace", OPERATOR]]
    {
        world.landfall.kubectl(&[&["delete", "--ignore-not-found"], gone].concat()).ended(0)?;
    }
    // Without an operator the toolbox serves again, and nothing is left to do.
    let toolbox = unchanged(world);
    outcome.and(toolbox)
}

fn carried_out(world: &World) -> Outcome {
    ceph(world, &["osd", "pool", "rm", POOL, POOL, "--yes-i-really-really-mean-it"])?;
    ceph(world, &["auth", "caps", &format!("client.{USER}"), "mon", "profile rbd"])?;
    let local = format!("--local={}", world.landfall.cluster);
    let mut command = world.landfall.command(&world.up_arguments(&["ceph", "libvirt", &local]));
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let told = file.reopen().map_err(|error| error.to_string())?;
    let mut up = command.stdout(Stdio::null()).stderr(told).spawn().map_err(|error| error.to_string())?;
    let (pool, client) = std::thread::scope(|scope| {
        let (pool, client) = (scope.spawn(|| make_pool(world)), scope.spawn(|| make_client(world)));
        (pool.join(), client.join())
    });
    let status = up.wait().map_err(|error| error.to_string())?;
    let told = std::fs::read_to_string(file.path()).unwrap_or_default();
    for made in [pool, client] {
        made.map_err(|_| "the operator panicked")?.map_err(|why| format!("{why}\n{told}"))?;
    }
    check(status.success(), || told)?;
    unchanged(world)?;
    let held = format!("kubectl -n openstack get secret {SECRET} -o jsonpath='{{.data.key}}' | base64 -d");
    let given =
        format!("kubectl -n {ROOK} exec deployment/rook-ceph-tools -- ceph auth print-key client.{USER}");
    // One by one: within a condition a command that fails would count for nothing.
    let same =
        format!("held=$({held} | sha256sum)\ngiven=$({given} | sha256sum)\ntest \"$held\" = \"$given\"");
    node(world, &same).map_err(|_| format!("Secret {SECRET} holds another key than client.{USER} has"))?;
    world.landfall.run(&["verify", "ceph", "libvirt"]).ended(0).map(drop)
}

fn unchanged(world: &World) -> Outcome {
    let again = world.up(&["ceph", "libvirt", "-o", "json"]).ended(0)?;
    let events = World::events(&again);
    let done = events.iter().find(|event| event["event"] == "run-done").ok_or("no run-done event")?;
    check(done["changed"] == false, || done.to_string())
}

/// A resource that Landfall asked for, once it is there.
fn asked(world: &World, kind: &str, name: &str) -> Result<Value, String> {
    let resource = format!("{kind}/{name}");
    world.landfall.kubectl(&["-n", ROOK, "wait", "--for=create", &resource, PATIENCE]).ended(0)?;
    world.landfall.get(&[&resource, "-n", ROOK])
}

fn done(world: &World, kind: &str, resource: &Value, info: &Value) -> Outcome {
    let (name, generation) = (&resource["metadata"]["name"], &resource["metadata"]["generation"]);
    let status = json!({"status": {"phase": "Ready", "observedGeneration": generation, "info": info}});
    let target = format!("{kind}/{}", name.as_str().unwrap_or_default());
    let patch =
        ["-n", ROOK, "patch", &target, "--subresource=status", "--type=merge", "-p", &status.to_string()];
    world.landfall.kubectl(&patch).ended(0).map(drop)
}

/// The operator's part for a CephBlockPool.
fn make_pool(world: &World) -> Outcome {
    let pool = asked(world, "cephblockpool", POOL)?;
    let there = ceph(world, &["osd", "pool", "ls"])?.stdout;
    check(!there.lines().any(|line| line == POOL), || "the pool was made without the operator".to_owned())?;
    let replicated = &pool["spec"]["replicated"];
    check(*replicated == json!({"size": 1, "requireSafeReplicaSize": false}), || replicated.to_string())?;
    ceph(world, &["osd", "pool", "create", POOL, "--size=1", "--yes-i-really-mean-it"])?;
    toolbox(world, &["rbd", "pool", "init", POOL]).ended(0)?;
    done(world, "cephblockpool", &pool, &json!({}))
}

/// The operator's part for a CephClient.
fn make_client(world: &World) -> Outcome {
    let client = asked(world, "cephclient", USER)?;
    let entity = format!("client.{USER}");
    toolbox(world, &["sh", "-c", &format!("ceph auth get-or-create-key {entity} > /dev/null")]).ended(0)?;
    let caps = client["spec"]["caps"].as_object().into_iter().flatten();
    let caps: Vec<&str> =
        caps.flat_map(|(daemon, allowed)| [daemon.as_str(), allowed.as_str().unwrap_or_default()]).collect();
    ceph(world, &[&["auth", "caps", &entity], &caps[..]].concat())?;
    let secret = format!("rook-ceph-client-{USER}");
    let line = format!(
        "kubectl -n {ROOK} exec deployment/rook-ceph-tools -- ceph auth print-key {entity} \
         | kubectl -n {ROOK} create secret generic {secret} --from-file={USER}=/dev/stdin"
    );
    node(world, &line)?;
    done(world, "cephclient", &client, &json!({"secretName": secret}))
}

/// Rook's kinds as far as they are used, and a pod that stands for the operator: the test does its work.
fn operator(world: &World) -> Outcome {
    let text = || json!({"type": "string"});
    let pool = json!({"name": text(), "replicated": {"type": "object", "required": ["size"], "properties":
        {"size": {"type": "integer", "minimum": 0}, "requireSafeReplicaSize": {"type": "boolean"}}}});
    let client = json!({"name": text(), "caps": {"type": "object", "additionalProperties": text()}});
    let labels = json!({"app": "rook-ceph-operator"});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "rook-ceph-operator", "namespace": OPERATOR, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec":
            {"containers": [{"name": "operator", "image": "localhost/landfall/pause:3.10", "imagePullPolicy": "Never"}]}}}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR}});
    let kinds = [kind("CephBlockPool", &pool, &["replicated"]), kind("CephClient", &client, &["caps"])];
    for object in [namespace, deployment].iter().chain(&kinds) {
        world.landfall.apply(object)?;
    }
    let kinds = ["crd/cephblockpools.ceph.rook.io", "crd/cephclients.ceph.rook.io"];
    world
        .landfall
        .kubectl(&[&["wait", "--for=condition=Established"], &kinds[..], &[PATIENCE]].concat())
        .ended(0)?;
    let rollout = ["-n", OPERATOR, "rollout", "status", "deployment/rook-ceph-operator", PATIENCE];
    world.landfall.kubectl(&rollout).ended(0).map(drop)
}

fn kind(kind: &str, spec: &Value, required: &[&str]) -> Value {
    let singular = kind.to_lowercase();
    let status = json!({"phase": {"type": "string"}, "observedGeneration": {"type": "integer"},
        "info": {"type": "object", "additionalProperties": {"type": "string"}}});
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": required, "properties": spec},
        "status": {"type": "object", "properties": status},
    }});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{singular}s.ceph.rook.io")},
        "spec": {"group": "ceph.rook.io", "scope": "Namespaced",
            "names": {"kind": kind, "plural": format!("{singular}s"), "singular": singular},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}})
}

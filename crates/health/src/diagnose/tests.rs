#![allow(clippy::unwrap_used)]
use std::fmt::Write;

use serde_json::json;

use super::*;

/// A fixture: `{symptom, objects, events, logs, listed}`; its snapshot is what a person would be told.
fn world_of(fixture: &Value) -> (World, ObjectRef) {
    let mut world = World { events: list(fixture, "/events").to_vec(), ..World::default() };
    for object in list(fixture, "/objects") {
        world.insert(object.clone());
    }
    for (key, log) in fixture.get("logs").and_then(Value::as_object).into_iter().flatten() {
        world.logs.insert(key.clone(), log.as_str().unwrap().to_owned());
    }
    world.listed = list(fixture, "/listed").iter().filter_map(|k| k.as_str().map(str::to_owned)).collect();
    (world, ObjectRef::parse(text(fixture, "/symptom")).unwrap())
}

fn told(world: &World, symptom: &ObjectRef) -> String {
    let found = diagnose(world, symptom);
    let mut out = format!("{} ({})\n\n", found.code, if found.terminal { "terminal" } else { "may pass" });
    for link in &found.links {
        writeln!(out, "{}: {}", link.object, link.says).unwrap();
        for line in link.evidence.lines() {
            writeln!(out, "    | {line}").unwrap();
        }
    }
    write!(out, "\nen: {}\nko: {}\n\nwants:\n", found.remedy.en, found.remedy.ko).unwrap();
    for want in wanted(world, symptom) {
        writeln!(out, "    {}", serde_json::to_string(&want).unwrap()).unwrap();
    }
    out
}

#[test]
fn chains() {
    insta::glob!("../../fixtures", "*.json", |path| {
        let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (world, symptom) = world_of(&fixture);
        insta::assert_snapshot!(told(&world, &symptom));
    });
}

fn pod(name: &str, status: Value) -> Value {
    json!({"kind": "Pod", "metadata": {"namespace": "openstack", "name": name}, "spec": {"nodeName": "k1"}, "status": status})
}

fn at(kind: &str, name: &str) -> ObjectRef {
    ObjectRef::new(kind, "openstack", name)
}

#[test]
fn what_is_wanted_is_asked_for_until_it_is_there() {
    let mut world = World::default();
    let symptom = at("Pod", "api");
    assert_eq!(wanted(&world, &symptom), [Want::Object { object: symptom.clone() }]);
    let crash = json!({"phase": "Running", "containerStatuses": [{"name": "c", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    world.insert(pod("api", crash));
    assert_eq!(
        wanted(&world, &symptom),
        [Want::Logs {
            namespace: "openstack".into(),
            pod: "api".into(),
            container: "c".into(),
            previous: false
        }]
    );
    world.logs.insert(World::log_key("openstack", "api", "c", false), "boom".into());
    assert_eq!(wanted(&world, &symptom), []);
    let found = diagnose(&world, &symptom);
    assert_eq!(
        (found.code, found.terminal, found.links[0].evidence.as_str()),
        (Code::CrashLoop, true, "boom")
    );
}

#[test]
fn a_first_crash_may_pass_and_the_second_restart_is_a_loop() {
    for (restarts, terminal) in [(1, false), (2, true)] {
        let mut world = World::default();
        world.insert(pod("api", json!({"containerStatuses": [{"name": "c", "restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]})));
        assert_eq!(diagnose(&world, &at("Pod", "api")).terminal, terminal, "{restarts} restarts");
    }
}

#[test]
fn a_claim_that_waits_for_its_first_pod_is_no_error() {
    let mut world = World::default();
    world.insert(json!({"kind": "StorageClass", "metadata": {"name": "general"}, "volumeBindingMode": "WaitForFirstConsumer"}));
    world.insert(json!({"kind": "PersistentVolumeClaim", "metadata": {"namespace": "openstack", "name": "data"}, "spec": {"storageClassName": "general"}, "status": {"phase": "Pending"}}));
    let found = diagnose(&world, &at("PersistentVolumeClaim", "data"));
    assert_eq!((found.code, found.terminal), (Code::Starting, false));
}

#[test]
fn pods_that_wait_for_each_other_end_the_walk() {
    let waits = |name: &str, other: &str| {
        json!({"kind": "Pod", "metadata": {"namespace": "openstack", "name": name, "labels": {"app": name}},
            "spec": {"nodeName": "k1", "initContainers": [{"name": "init", "env": [{"name": "DEPENDENCY_POD_JSON", "value": format!(r#"[{{"labels":{{"app":"{other}"}}}}]"#)}]}]},
            "status": {"phase": "Pending", "initContainerStatuses": [{"name": "init", "state": {"running": {}}}]}})
    };
    let mut world = World::default();
    world.insert(waits("a", "b"));
    world.insert(waits("b", "a"));
    let found = diagnose(&world, &at("Pod", "a"));
    assert!(!found.terminal);
    assert_eq!(
        found.causes(),
        ["pod a: waits for pod app=b", "pod b: waits for pod app=a", "pod a: waits, in the end, for itself"]
    );
}

#[test]
fn a_missing_secret_is_final_only_when_nothing_is_left_to_make_it() {
    let mut world = World::default();
    world.insert(pod("api", json!({"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]})));
    let message = "MountVolume.SetUp failed for volume \"keys\" : secret \"keystone-fernet-keys\" not found";
    world.events.push(json!({"reason": "FailedMount", "count": 6, "message": message, "involvedObject": {"kind": "Pod", "namespace": "openstack", "name": "api"}}));
    world.insert(json!({"kind": "Job", "metadata": {"namespace": "openstack", "name": "setup"}, "status": {"active": 1}}));
    let symptom = at("Pod", "api");
    assert!(!diagnose(&world, &symptom).terminal, "a job may still make it");
    world.insert(json!({"kind": "Job", "metadata": {"namespace": "openstack", "name": "setup"}, "status": {"conditions": [{"type": "Failed", "status": "True"}]}}));
    let found = diagnose(&world, &symptom);
    assert_eq!((found.code, found.terminal), (Code::ConfigMissing, true));
    assert_eq!(found.causes()[1], "secret keystone-fernet-keys: is not there");
}

#[test]
fn a_service_whose_workload_is_scaled_to_none_says_so() {
    let mut world = World::default();
    let labels = json!({"application": "mariadb"});
    world.insert(json!({"kind": "Service", "metadata": {"namespace": "openstack", "name": "mariadb"}, "spec": {"selector": labels}}));
    world.insert(
        json!({"kind": "StatefulSet", "metadata": {"namespace": "openstack", "name": "mariadb-server"},
        "spec": {"replicas": 0, "template": {"metadata": {"labels": labels}}}, "status": {}}),
    );
    let found = diagnose(&world, &at("Service", "mariadb"));
    assert_eq!(
        found.causes(),
        ["service mariadb: has no endpoint", "statefulset mariadb-server: is scaled to no pods"]
    );
    assert!(found.remedy.en.contains("scale statefulset/mariadb-server --replicas=1"), "{}", found.remedy.en);
}

#[test]
fn only_the_newest_replica_set_speaks_for_a_deployment() {
    let mut world = World::default();
    let owned = |kind: &str, name: &str| json!([{"kind": kind, "name": name}]);
    world.insert(json!({"kind": "Deployment", "metadata": {"namespace": "openstack", "name": "api"}, "spec": {"replicas": 1}}));
    for (set, revision) in [("api-old", "9"), ("api-new", "10")] {
        world.insert(json!({"kind": "ReplicaSet", "metadata": {"namespace": "openstack", "name": set, "annotations": {"deployment.kubernetes.io/revision": revision}, "ownerReferences": owned("Deployment", "api")}}));
        let mut p = pod(
            &format!("{set}-1"),
            json!({"containerStatuses": [{"name": "c", "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}),
        );
        p["metadata"]["ownerReferences"] = owned("ReplicaSet", set);
        if set == "api-new" {
            p["status"] = json!({"phase": "Pending"});
        }
        world.insert(p);
    }
    let found = diagnose(&world, &at("Deployment", "api"));
    assert_eq!(found.links.last().unwrap().object, "Pod/openstack/api-new-1");
    assert!(!found.terminal);
}

#[test]
fn a_daemon_set_without_nodes_fails_only_where_no_node_has_its_label() {
    let mut world = World::default();
    world.insert(json!({"kind": "DaemonSet", "metadata": {"namespace": "openstack", "name": "agent"},
        "spec": {"template": {"spec": {"nodeSelector": {"l3-agent": "enabled"}}}},
        "status": {"desiredNumberScheduled": 0}}));
    let node = |labels: Value| json!({"kind": "Node", "metadata": {"name": "k1", "labels": labels}});
    world.insert(node(json!({})));
    let found = diagnose(&world, &at("DaemonSet", "agent"));
    assert_eq!((found.code, found.terminal), (Code::Unschedulable, true));
    world.insert(node(json!({"l3-agent": "enabled"})));
    let found = diagnose(&world, &at("DaemonSet", "agent"));
    assert_eq!((found.code, found.terminal), (Code::Starting, false));
}

#[test]
fn every_code_has_a_remedy_in_both_languages() {
    for code in [
        Code::Starting,
        Code::DependencyMissing,
        Code::ImageMissing,
        Code::CrashLoop,
        Code::Unschedulable,
        Code::VolumeUnbound,
        Code::DiskFull,
        Code::RolloutFailed,
    ] {
        let remedy = remedy::general(code);
        assert!(!remedy.en.is_empty() && remedy.ko.chars().any(|c| ('가'..='힣').contains(&c)), "{code}");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

#[test]
fn strange_objects_do_not_upset_the_walk() {
    let mut world = World::default();
    world.insert(json!({"kind": "Pod", "metadata": {"name": "x", "namespace": "openstack"}, "spec": [], "status": {"initContainerStatuses": [null, 3], "containerStatuses": "no"}}));
    world.insert(json!({"kind": "Deployment", "metadata": {"name": "x", "namespace": "openstack"}, "spec": {"replicas": "two"}}));
    world.insert(json!({"kind": "Service", "metadata": {"name": "x", "namespace": "openstack"}, "spec": {"selector": [1]}}));
    world.events.push(json!({"involvedObject": 7}));
    for kind in ["Pod", "Deployment", "Service"] {
        diagnose(&world, &at(kind, "x"));
        wanted(&world, &at(kind, "x"));
    }
}

#[test]
fn what_a_watch_brings_late_does_not_undo_what_is_known() {
    let set = |uid: &str, version: &str| json!({"kind": "DaemonSet", "metadata": {"namespace": "openstack", "name": "agent", "uid": uid, "resourceVersion": version}});
    let mut world = World::default();
    let known = |world: &World| world.get(&at("DaemonSet", "agent")).cloned();
    world.insert(set("a", "10"));
    world.insert(set("a", "9"));
    assert_eq!(known(&world), Some(set("a", "10")));
    world.insert(set("b", "8"));
    assert_eq!(known(&world), Some(set("b", "8")), "another object of the same name begins anew");
}

//! What every node's files and command lines must hold, whatever else changes in them.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::manifest::{After, Component, Ready};

fn with_plan<T>(number: u32, nodes: u32, test: impl FnOnce(&NodePlan<'_>) -> T) -> T {
    let layout = Layout::new(Path::new("/var/lib/landfall"), "landfall");
    let bin = crate::NEEDED_BINARIES.iter().map(|name| ((*name).to_owned(), format!("/b/{name}").into()));
    let bundle = Bundle { bin: bin.collect::<BTreeMap<_, _>>(), node_tree: "/tree".into(), images: None };
    let tuning = Tuning::default();
    test(&NodePlan {
        layout: &layout,
        bundle: &bundle,
        subnet: Subnet::default(),
        tuning: &tuning,
        number,
        nodes,
        layers: None,
    })
}

fn component(manifest: &Manifest, name: &str) -> Component {
    manifest.components.iter().find(|component| component.name == name).unwrap().clone()
}

#[test]
fn only_the_first_node_runs_the_control_plane() {
    let names = |number| {
        with_plan(number, 2, |plan| {
            manifest(plan).components.into_iter().map(|component| component.name).collect::<BTreeSet<_>>()
        })
    };
    let worker: BTreeSet<String> = ["containerd", "kubelet", "kube-proxy"].map(str::to_owned).into();
    assert_eq!(names(2), worker);
    assert!(names(1).is_superset(&worker));
    assert!(names(1).contains("etcd") && names(1).contains("kube-apiserver"));
}

#[test]
fn every_component_waits_only_for_what_its_node_has() {
    for number in [1, 2] {
        with_plan(number, 2, |plan| {
            let manifest = manifest(plan);
            let names: Vec<&str> = manifest.components.iter().map(|c| c.name.as_str()).collect();
            for component in &manifest.components {
                for after in &component.after {
                    if let Some(name) = after.component() {
                        assert!(names.contains(&name), "{} of k{number} waits for {name}", component.name);
                    }
                    if let After::Serving(name) = after {
                        let other = manifest.components.iter().find(|c| c.name == *name).unwrap();
                        assert!(other.ready.contains(&Ready::Notify), "{name} never says that it serves");
                    }
                }
                assert!(!component.ready.is_empty(), "{} is never ready", component.name);
            }
        });
    }
}

#[test]
fn nobody_is_anonymous_and_nodes_see_only_their_own() {
    with_plan(1, 1, |plan| {
        let args = component(&manifest(plan), "kube-apiserver").args;
        for flag in ["--anonymous-auth=false", "--authorization-mode=Node,RBAC", "--profiling=false"] {
            assert!(args.iter().any(|arg| arg == flag), "{flag}");
        }
        assert!(args.iter().any(|arg| arg == "--enable-admission-plugins=NodeRestriction"));
        let kubelet: serde_json::Value = serde_json::from_str(&kubelet::config(plan)).unwrap();
        assert_eq!(kubelet["authentication"]["anonymous"]["enabled"], false);
        assert_eq!(kubelet["authorization"]["mode"], "Webhook");
        assert_eq!(kubelet["readOnlyPort"], 0);
        let etcd = component(&manifest(plan), "etcd").args;
        for arg in etcd.iter().filter(|arg| arg.contains("-urls=")) {
            assert!(arg.ends_with("127.0.0.1:2379") || arg.ends_with("127.0.0.1:2380"), "{arg}");
            assert!(arg.contains("https://"), "{arg}");
        }
    });
}

#[test]
fn etcd_is_safe_unless_told_otherwise() {
    with_plan(1, 1, |plan| {
        assert!(!component(&manifest(plan), "etcd").args.iter().any(|arg| arg.contains("fsync")));
        let tuning = Tuning { throwaway: true, apiserver: vec!["--v=4".into()] };
        let plan = NodePlan { tuning: &tuning, ..plan.clone() };
        assert!(component(&manifest(&plan), "etcd").args.contains(&"--unsafe-no-fsync=true".to_owned()));
        // A user's flag comes last: the last one counts.
        assert_eq!(component(&manifest(&plan), "kube-apiserver").args.last().unwrap(), "--v=4");
    });
}

#[test]
fn each_node_has_a_way_to_the_services_and_to_all_others_pods() {
    let routes = routes(Subnet::default(), 2, 3);
    let shown: Vec<String> = routes
        .iter()
        .map(|r| format!("{}/{} {}", r.network, r.prefix, r.gateway.map_or("link".into(), |g| g.to_string())))
        .collect();
    assert_eq!(shown, ["10.96.0.0/16 link", "10.244.1.0/24 10.89.0.11", "10.244.3.0/24 10.89.0.13"]);
}

#[test]
fn a_full_disk_of_the_machine_evicts_nothing_early() {
    with_plan(1, 1, |plan| {
        let kubelet: serde_json::Value = serde_json::from_str(&kubelet::config(plan)).unwrap();
        assert_eq!(kubelet["evictionHard"]["nodefs.available"], "2%");
        assert_eq!(kubelet["imageGCHighThresholdPercent"], 100);
        assert_eq!(kubelet["failCgroupV1"], false);
        assert_eq!(kubelet["failSwapOn"], false);
        assert_eq!(kubelet["maxPods"], 250);
    });
}

#[test]
fn the_pods_network_is_the_nodes_own_range() {
    let config: serde_json::Value = serde_json::from_str(&cni::conflist(3)).unwrap();
    assert_eq!(config["plugins"][0]["ipam"]["ranges"][0][0]["subnet"], "10.244.3.0/24");
    // isDefaultGateway sets the default route: one more from the address plan would be refused by the kernel.
    assert!(config["plugins"][0]["ipam"].get("routes").is_none());
}

#[test]
fn applets_are_links_unless_the_bundle_has_them_as_files() {
    with_plan(1, 1, |plan| {
        let links = manifest(plan).links;
        assert!(links.contains(&("kubelet".into(), "landfall-kube".into())));
        let mut bundle = plan.bundle.clone();
        bundle.bin.insert("kubectl".into(), "/b/kubectl".into());
        let plan = NodePlan { bundle: &bundle, ..plan.clone() };
        assert!(!manifest(&plan).links.iter().any(|(name, _)| name == "kubectl"));
    });
}

#[test]
fn a_manifest_reads_back_as_it_was_written() {
    with_plan(1, 4, |plan| {
        let written = manifest(plan);
        let read: Manifest = serde_json::from_slice(&serde_json::to_vec(&written).unwrap()).unwrap();
        assert_eq!(read, written);
    });
}

#[test]
fn every_node_knows_all_names() {
    let hosts = hosts(Subnet::default(), 2);
    assert!(hosts.contains("10.89.0.11 k1\n") && hosts.contains("10.89.0.12 k2\n"), "{hosts}");
}

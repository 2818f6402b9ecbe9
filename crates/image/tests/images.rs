//! What is built in the cache is what its recipe says. These tests build nothing: where
//! an image is not built, or the user is not root, they say so and pass.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use landfall_image::{Kind, Store};

fn store() -> Option<Store> {
    let cache = std::env::var_os("LANDFALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/landfall")))?;
    Some(Store::open(&cache).unwrap())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn prove(name: &str) {
    let Some(store) = store() else { return };
    let recipe = store.recipes().get(name).unwrap();
    let there = match recipe.kind {
        Kind::Image => store.built(name).unwrap().is_some(),
        Kind::Tree => store.tree(name).is_some(),
        Kind::Guest => store.guest(name).is_some(),
        Kind::Layer => false,
    };
    if !there || !is_root() {
        eprintln!("skipped: {name} is {}", if there { "for root to prove" } else { "not built here" });
        return;
    }
    match store.prove(name) {
        Ok(passed) => assert_eq!(passed, recipe.check.len()),
        Err(error) => panic!("{error}"),
    }
}

macro_rules! proofs {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { prove($name); })*

        #[test]
        fn every_recipe_is_proven() {
            let proven = BTreeSet::from([$($name),*]);
            let store = Store::open(std::path::Path::new("/nonexistent")).unwrap();
            let missing: Vec<_> = (store.recipes().iter())
                .filter(|r| r.kind != Kind::Layer && !proven.contains(r.name.as_str()))
                .map(|r| r.name.clone())
                .collect();
            assert!(missing.is_empty(), "add to the list above: {missing:?}");
        }
    };
}

proofs! {
    addons_runs: "addons",
    agent_runs: "agent",
    ceph_runs: "ceph",
    cinder_runs: "cinder",
    coredns_runs: "coredns",
    glance_runs: "glance",
    horizon_runs: "horizon",
    guest_is_whole: "guest",
    ingress_nginx_runs: "ingress-nginx",
    keystone_runs: "keystone",
    mariadb_runs: "mariadb",
    libvirt_runs: "libvirt",
    memcached_runs: "memcached",
    neutron_runs: "neutron",
    node_runs: "node",
    nova_runs: "nova",
    openstackclient_runs: "openstackclient",
    openvswitch_runs: "openvswitch",
    pause_runs: "pause",
    placement_runs: "placement",
    rabbitmq_runs: "rabbitmq",
    tempest_runs: "tempest",
}

#[test]
fn an_export_gives_each_image_three_names_and_holds_each_blob_once() {
    let Some(store) = store() else { return };
    let images: Vec<_> = store.list().unwrap().into_iter().filter_map(|i| i.built).take(2).collect();
    if images.is_empty() {
        eprintln!("skipped: no image is built here");
        return;
    }
    let mut tar = Vec::new();
    store.export_tar(&images, &mut tar).unwrap();
    let mut blobs = BTreeSet::new();
    let mut index = String::new();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if path == "index.json" {
            entry.read_to_string(&mut index).unwrap();
        } else if let Some(blob) = path.strip_prefix("blobs/sha256/") {
            assert!(blobs.insert(blob.to_owned()), "{blob} twice");
        }
    }
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let names: Vec<_> = (index["manifests"].as_array().unwrap().iter())
        .map(|m| m["annotations"]["io.containerd.image.name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), images.len() * 3);
    for image in &images {
        assert!(names.contains(&image.reference) && names.contains(&image.pinned()));
        assert!(names.iter().any(|name| blobs.contains(name.trim_start_matches("sha256:"))));
        assert!(blobs.contains(image.digest.trim_start_matches("sha256:")));
    }
}

#![allow(clippy::unwrap_used)]

use super::*;

fn machine() -> Machine {
    let modules = ["openvswitch", "rbd", "nbd", "vxlan"].map(|name| (name.to_owned(), Module::Present));
    Machine {
        name: "this machine".into(),
        kernel: "6.18".into(),
        modules: BTreeMap::from(modules),
        kvm: Some(Kvm::Works),
        cgroups: Some(Cgroups::V2),
        memory_free: Some(16 << 30),
        disk_free: Some(50 << 30),
        datapath: None,
    }
}

fn node(name: &str) -> Node {
    Node {
        name: name.into(),
        ready: true,
        kubelet: "v1.36.3".into(),
        kernel: "6.18".into(),
        memory: 8 << 30,
        memory_asked: 1 << 30,
        cpu: 2000,
        cpu_asked: 500,
        ..Node::default()
    }
}

fn ceph() -> Ceph {
    let caps = [("mon", "profile rbd"), ("osd", "profile rbd pool=glance.images")];
    Ceph {
        namespace: "rook-ceph".into(),
        health: "HEALTH_OK".into(),
        version: "18.2.7".into(),
        osds: (1, 1),
        monitors: (1, 1),
        clients: vec![CephClient {
            name: "client.glance".into(),
            caps: caps.map(|(of, cap)| (of.to_owned(), cap.to_owned())).into(),
        }],
        ..Ceph::default()
    }
}

/// A cloud that lacks nothing.
fn good() -> Facts {
    Facts {
        installed: true,
        machines: vec![machine()],
        nodes: vec![node("k1")],
        labels: vec![Label {
            label: "openstack-control-plane=enabled".into(),
            wanted: vec!["k1".into()],
            lacking: Vec::new(),
            services: vec!["keystone".into()],
            needed_now: true,
        }],
        classes: Some(vec![Class {
            name: "general".into(),
            provisioner: "landfall.dev/folder".into(),
            default: true,
        }]),
        wanted_class: None,
        drivers: Vec::new(),
        ceph: Some(ceph()),
        coredns_lacks: Some(Vec::new()),
        ingress_classes: Some(BTreeMap::from([("nginx".into(), "landfall.dev/ingress".into())])),
        wanted_ingress: "nginx".into(),
        ingress_address: Some("10.96.0.11".into()),
        clocks: vec![Clock { node: "k1".into(), age_ms: 4000, period_ms: 10_000 }],
        wanted_apis: vec!["apps/v1/Deployment".into()],
        missing_apis: Vec::new(),
        names: vec![Name {
            name: "keystone.citec.com".into(),
            address: "10.96.0.11".into(),
            resolved: vec!["10.96.0.11".into()],
        }],
        checks: vec![Check {
            id: "mariadb/live".into(),
            title: Words::new("MariaDB is live", "MariaDB 동작"),
            passed: true,
            evidence: "live".into(),
            remedy: Words::new("look at its log", "로그를 보세요"),
        }],
    }
}

/// What is not as it should be: id and level.
fn amiss(facts: &Facts) -> Vec<(String, Level)> {
    examine(facts).into_iter().filter(|f| f.level != Level::Ok).map(|f| (f.id, f.level)).collect()
}

#[test]
fn nothing_is_amiss_in_a_good_cloud() {
    assert_eq!(amiss(&good()), []);
    assert!(examine(&good()).len() > 15, "all that is well is told, too");
}

#[test]
fn each_thing_amiss_is_told_once_with_its_level() {
    type Break = fn(&mut Facts);
    let breaks: [(Break, &str, Level); 24] = [
        (|f| set_module(f, "openvswitch"), "kernel/openvswitch", Level::Note),
        (|f| set_module(f, "rbd"), "kernel/rbd", Level::Note),
        (|f| f.machines[0].kvm = Some(Kvm::Broken), "kernel/kvm", Level::Warning),
        (|f| f.machines[0].kvm = Some(Kvm::Absent), "kernel/kvm", Level::Note),
        (|f| f.machines[0].cgroups = Some(Cgroups::None), "kernel/cgroups", Level::Problem),
        (|f| f.machines[0].memory_free = Some(100 << 20), "memory/free", Level::Problem),
        (|f| f.machines[0].disk_free = Some(1 << 30), "disk/free", Level::Problem),
        (|f| f.nodes[0].ready = false, "nodes/k1", Level::Problem),
        (|f| f.nodes[0].pressure.push("DiskPressure".into()), "nodes/k1", Level::Problem),
        (|f| f.nodes[0].cordoned = true, "nodes/k1", Level::Warning),
        (|f| f.nodes[0].memory = 4 << 30, "memory/nodes", Level::Warning),
        (|f| f.labels[0].lacking.push("k1".into()), "labels/openstack-control-plane", Level::Problem),
        (|f| f.classes = Some(Vec::new()), "storage/class", Level::Problem),
        (|f| f.wanted_class = Some("fast".into()), "storage/class", Level::Problem),
        (|f| f.ceph.as_mut().unwrap().health = "HEALTH_WARN".into(), "ceph/health", Level::Warning),
        (|f| f.ceph.as_mut().unwrap().unseen = Some("no pod".into()), "ceph/health", Level::Warning),
        (|f| f.ceph.as_mut().unwrap().version = "20.2.4".into(), "ceph/version", Level::Note),
        (|f| f.ceph.as_mut().unwrap().version = "16.2.1".into(), "ceph/version", Level::Warning),
        (|f| f.coredns_lacks = Some(vec!["pods".into()]), "dns/coredns", Level::Warning),
        (|f| f.wanted_ingress = "traefik".into(), "ingress/class", Level::Problem),
        (|f| f.ingress_address = None, "ingress/address", Level::Warning),
        (|f| f.missing_apis.push("batch/v1/CronJob".into()), "api/versions", Level::Problem),
        (|f| f.names[0].resolved.clear(), "names/keystone.citec.com", Level::Warning),
        (|f| f.checks[0].passed = false, "check/mariadb/live", Level::Problem),
    ];
    for (break_it, id, level) in breaks {
        let mut facts = good();
        break_it(&mut facts);
        assert_eq!(amiss(&facts), [(id.to_owned(), level)], "{id}");
    }
}

fn set_module(facts: &mut Facts, name: &str) {
    facts.machines[0].modules.insert(name.into(), Module::Absent);
}

#[test]
fn what_is_amiss_has_a_remedy_in_both_languages() {
    let mut facts = good();
    facts.machines[0].modules.values_mut().for_each(|state| *state = Module::Absent);
    facts.machines[0].kvm = Some(Kvm::Broken);
    facts.nodes[0].ready = false;
    facts.labels[0].lacking.push("k1".into());
    facts.classes = Some(Vec::new());
    facts.ceph.as_mut().unwrap().health = "HEALTH_ERR".into();
    facts.coredns_lacks = Some(vec!["pods".into()]);
    facts.wanted_ingress = "traefik".into();
    facts.ingress_address = None;
    facts.names[0].resolved = vec!["192.0.2.1".into()];
    facts.clocks[0].age_ms = -60_000;
    for finding in examine(&facts).iter().filter(|f| f.level > Level::Ok) {
        let remedy = finding.remedy.as_ref().unwrap_or_else(|| panic!("{} has no remedy", finding.id));
        assert!(!remedy.en.is_empty());
        for text in [&remedy.ko, &finding.says.ko] {
            assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{}: {text}", finding.id);
        }
    }
}

#[test]
fn a_name_that_does_not_resolve_is_told_with_the_very_line() {
    let mut facts = good();
    facts.names[0].resolved.clear();
    let found = examine(&facts);
    let finding = found.iter().find(|f| f.id.starts_with("names/")).unwrap();
    let remedy = finding.remedy.as_ref().unwrap();
    assert!(remedy.en.contains("`10.96.0.11 keystone.citec.com`"), "{}", remedy.en);
    assert!(remedy.ko.contains("/etc/hosts에 IP와 도메인 매핑을 확인하세요"), "{}", remedy.ko);
}

#[test]
fn before_anything_is_installed_a_missing_label_is_only_a_note() {
    let mut facts = good();
    facts.installed = false;
    facts.labels[0].lacking.push("k1".into());
    facts.labels[0].needed_now = false;
    assert_eq!(amiss(&facts), [("labels/openstack-control-plane".to_owned(), Level::Note)]);
}

#[test]
fn a_class_of_ceph_is_of_use_only_with_its_driver() {
    let driver = "rook-ceph.rbd.csi.ceph.com";
    let mut facts = good();
    let class = Class { name: "rook-ceph-block".into(), provisioner: driver.into(), default: true };
    facts.classes = Some(vec![class]);
    assert_eq!(amiss(&facts), [("storage/class".to_owned(), Level::Problem)]);
    facts.drivers.push(driver.into());
    assert_eq!(amiss(&facts), []);
}

#[test]
fn caps_of_old_are_a_warning_that_a_strict_ceph_makes_a_problem() {
    let old = CephClient {
        name: "client.cinder".into(),
        caps: BTreeMap::from([
            ("mon".to_owned(), "allow r".to_owned()),
            (
                "osd".to_owned(),
                "allow class-read object_prefix rbd_children, allow rwx pool=volumes".to_owned(),
            ),
        ]),
    };
    let mut facts = good();
    facts.ceph.as_mut().unwrap().clients.push(old);
    assert_eq!(amiss(&facts), [("ceph/caps".to_owned(), Level::Warning)]);
    facts.ceph.as_mut().unwrap().version = "20.2.0".into();
    assert!(amiss(&facts).contains(&("ceph/caps".to_owned(), Level::Problem)));
}

#[test]
fn a_clock_is_off_only_as_far_as_its_renewals_prove_it() {
    let off = |age_ms: i64| {
        let mut facts = good();
        facts.clocks[0].age_ms = age_ms;
        amiss(&facts).len()
    };
    // Within a period and what is tolerated nothing is proven.
    for age in [-4000, 0, 9999, 14_000] {
        assert_eq!(off(age), 0, "{age}");
    }
    for age in [-6000, 16_000, 3_600_000] {
        assert_eq!(off(age), 1, "{age}");
    }
}

#[test]
fn a_node_that_is_away_says_nothing_of_its_clock() {
    let mut facts = good();
    facts.nodes[0].ready = false;
    facts.clocks[0].age_ms = 600_000;
    assert_eq!(amiss(&facts), [("nodes/k1".to_owned(), Level::Problem)]);
}

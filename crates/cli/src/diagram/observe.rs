//! From what the cluster shows to the model that is drawn. Pure: lists in, pictures out.

use std::collections::{BTreeMap, BTreeSet};

use landfall_catalog::blueprint::Text;
use landfall_display::diagram::{Cluster, Health, Network, Node, Service, Share};
use landfall_health::dependency::Dependency;
use landfall_health::object::{self, condition_is, list, number, text};
use landfall_health::readiness;
use landfall_plan::graph::declared;
use serde_json::Value;

/// What was listed: the cloud's namespace and Ceph's, and the cluster's nodes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) nodes: Vec<Value>,
    pub(super) pods: Vec<Value>,
    /// Deployments, StatefulSets, DaemonSets and Jobs.
    pub(super) workloads: Vec<Value>,
    pub(super) services: Vec<Value>,
    pub(super) ingresses: Vec<Value>,
    pub(super) rook: String,
    pub(super) address: Option<String>,
}

/// Labels of nodes that say what they are for.
const ROLES: [(&str, &str); 4] = [
    ("openstack-control-plane", "control-plane"),
    ("openstack-compute-node", "compute"),
    ("openstack-network-node", "network"),
    ("openvswitch", "openvswitch"),
];
/// Whose settings a pod mounts that speaks with Ceph.
const CEPH_CONF: &str = "ceph-etc";
const CEPH: &str = "ceph";

/// The service of the catalog that an object belongs to, by Helm's note or the label `application`.
fn owner(object: &Value, rook: &str) -> Option<String> {
    let release = text(object, "/metadata/annotations/meta.helm.sh~1release-name");
    let label = text(object, "/metadata/labels/application");
    let known = |name: &&str| landfall_catalog::services().iter().any(|service| service.name == *name);
    // Rook's own pods carry neither.
    let ceph = object::namespace(object) == rook && known(&CEPH);
    [release, label].into_iter().find(known).or(ceph.then_some(CEPH)).map(str::to_owned)
}

/// How many pods a workload has ready, of how many it wants.
fn count(workload: &Value) -> (usize, usize) {
    let at = |pointer: &str| number(workload, pointer).and_then(|n| usize::try_from(n).ok());
    match text(workload, "/kind") {
        "DaemonSet" => {
            (at("/status/numberReady").unwrap_or(0), at("/status/desiredNumberScheduled").unwrap_or(0))
        }
        "Job" => (0, 0),
        // One that is scaled to none runs as little as one whose pods fail.
        _ => (at("/status/readyReplicas").unwrap_or(0), at("/spec/replicas").unwrap_or(1).max(1)),
    }
}

pub(super) fn network(seen: &Seen) -> Network {
    let mut services = Vec::new();
    let owners: BTreeMap<&str, String> = seen
        .services
        .iter()
        .filter_map(|service| Some((object::name(service)?, owner(service, &seen.rook)?)))
        .collect();
    for entry in landfall_catalog::services() {
        let own: Vec<&Value> = seen
            .workloads
            .iter()
            .filter(|one| owner(one, &seen.rook).as_deref() == Some(entry.name))
            .collect();
        let (ready, wanted) = own.iter().fold((0, 0), |(ready, wanted), workload| {
            let (some, all) = count(workload);
            (ready + some, wanted + all)
        });
        let mut uses: BTreeSet<String> = own.iter().flat_map(|one| used(one, &owners, &seen.rook)).collect();
        uses.remove(entry.name);
        if uses.is_empty() {
            // One that is not there, or whose pods wait for nothing: as the catalog says.
            uses.extend(entry.needs.iter().map(|name| (*name).to_owned()));
        }
        services.push(Service {
            name: entry.name.to_owned(),
            summary: Text::new(entry.summary_en, entry.summary_ko),
            // Hooks' Jobs alone are no service.
            health: if wanted == 0 { Health::Absent } else { Health::of(ready, wanted) },
            ready,
            wanted,
            uses: landfall_catalog::services()
                .iter()
                .map(|service| service.name.to_owned())
                .filter(|name| uses.contains(name))
                .collect(),
            names: names(seen, &owners, entry.name),
        });
    }
    Network { address: seen.address.clone(), services }
}

/// Services whose Service, Job or pods a workload waits for, and Ceph where it mounts its settings.
fn used(workload: &Value, owners: &BTreeMap<&str, String>, rook: &str) -> Vec<String> {
    let mut found = Vec::new();
    let known = |name: &str| landfall_catalog::services().iter().any(|service| service.name == name);
    for dependency in declared(workload, object::namespace(workload)).dependencies {
        match dependency {
            Dependency::Service { name, .. } => found.extend(owners.get(name.as_str()).cloned()),
            Dependency::Pod { labels, .. } | Dependency::Jobs { labels, .. } => {
                found.extend(labels.get("application").filter(|name| known(name)).cloned());
            }
            Dependency::DaemonSet { name, .. } | Dependency::Job { name, .. } => {
                // `neutron-ovs-agent-default`, `libvirt-libvirt-default`: the service comes first.
                let service = landfall_catalog::services()
                    .iter()
                    .find(|service| name == service.name || name.starts_with(&format!("{}-", service.name)));
                found.extend(service.map(|service| service.name.to_owned()));
            }
            _ => {}
        }
    }
    let template = landfall_plan::object::pod_template(workload);
    let volumes = template.map(|template| list(template, "/spec/volumes")).unwrap_or_default();
    let reads_ceph = volumes.iter().any(|volume| {
        text(volume, "/configMap/name") == CEPH_CONF
            || list(volume, "/projected/sources")
                .iter()
                .any(|source| text(source, "/configMap/name") == CEPH_CONF)
    });
    if reads_ceph && object::namespace(workload) != rook {
        found.push(CEPH.to_owned());
    }
    found
}

/// Public names whose Ingress leads to a service.
fn names(seen: &Seen, owners: &BTreeMap<&str, String>, service: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    for ingress in &seen.ingresses {
        let inside = format!(".{}", object::namespace(ingress));
        for rule in list(ingress, "/spec/rules") {
            let host = text(rule, "/host");
            let public = host.contains('.') && !host.contains(".svc") && !host.ends_with(&inside);
            let leads = list(rule, "/http/paths").iter().any(|path| {
                owners.get(text(path, "/backend/service/name")).is_some_and(|owner| owner == service)
            });
            if public && leads {
                names.insert(host.to_owned());
            }
        }
    }
    names.into_iter().collect()
}

pub(super) fn cluster(seen: &Seen, name: &str) -> Cluster {
    let mut nodes: Vec<Node> = seen.nodes.iter().map(|node| of_node(node, seen)).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let placed = |pod: &Value| !text(pod, "/spec/nodeName").is_empty();
    let over = |pod: &Value| matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
    let mut nowhere: Vec<String> = seen
        .pods
        .iter()
        .filter(|pod| !placed(pod) && !over(pod))
        .filter_map(|pod| object::name(pod).map(str::to_owned))
        .collect();
    nowhere.sort();
    Cluster { name: name.to_owned(), nodes, nowhere }
}

fn of_node(node: &Value, seen: &Seen) -> Node {
    let name = object::name(node).unwrap_or_default();
    let ready = condition_is(node, "Ready", "True");
    let on_it = seen.pods.iter().filter(|pod| {
        text(pod, "/spec/nodeName") == name && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
    });
    let mut shares: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut ceph = Vec::new();
    for pod in on_it {
        // A pod of a node that is away is only said to be ready.
        let runs = ready && readiness(pod).is_ready();
        if object::namespace(pod) == seen.rook {
            if let Some(daemon) = daemon(pod) {
                ceph.push((daemon, if runs { Health::Up } else { Health::Down }));
            }
        } else if let Some(service) = owner(pod, &seen.rook) {
            let share = shares.entry(service).or_default();
            *share = (share.0 + usize::from(runs), share.1 + 1);
        }
    }
    ceph.sort_by(|a, b| a.0.cmp(&b.0));
    let roles = ROLES.iter().filter(|(label, _)| node["metadata"]["labels"][*label] == "enabled");
    let in_order = landfall_catalog::services().iter().filter_map(|service| {
        let (ready, wanted) = shares.get(service.name)?;
        Some(Share { service: service.name.to_owned(), ready: *ready, wanted: *wanted })
    });
    Node {
        name: name.to_owned(),
        health: if ready { Health::Up } else { Health::Down },
        roles: roles.map(|(_, role)| (*role).to_owned()).collect(),
        shares: in_order.collect(),
        ceph,
    }
}

/// `mon.a`, `osd.0`, `mgr.a` by Rook's labels.
fn daemon(pod: &Value) -> Option<String> {
    let kind = ["mon", "mgr", "osd", "mds", "rgw"]
        .into_iter()
        .find(|kind| text(pod, "/metadata/labels/app") == format!("rook-ceph-{kind}"))?;
    let own = [
        format!("/metadata/labels/{kind}"),
        "/metadata/labels/ceph_daemon_id".to_owned(),
        format!("/metadata/labels/ceph-{kind}-id"),
    ];
    let id = own.iter().map(|pointer| text(pod, pointer)).find(|id| !id.is_empty()).unwrap_or("?");
    Some(format!("{kind}.{id}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn deployment(name: &str, service: &str, waits: &str, ready: u64) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "openstack", "labels": {"application": service}},
            "spec": {"replicas": 2, "template": {"spec": {
                "initContainers": [{"name": "init", "env": [{"name": "DEPENDENCY_SERVICE", "value": waits}]}], "containers": []}}},
            "status": {"readyReplicas": ready}})
    }

    fn pod(name: &str, node: &str, labels: Value, namespace: &str, ready: bool) -> Value {
        let status = if ready { "True" } else { "False" };
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"nodeName": node, "containers": []},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}})
    }

    fn seen() -> Seen {
        let service = |name: &str, of: &str| json!({"kind": "Service", "metadata": {"name": name, "namespace": "openstack", "labels": {"application": of}}});
        let node = |name: &str, ready: &str, labels: Value| {
            json!({"kind": "Node", "metadata": {"name": name, "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        Seen {
            nodes: vec![
                node("k2", "Unknown", json!({})),
                node("k1", "True", json!({"openstack-control-plane": "enabled"})),
            ],
            pods: vec![
                pod("keystone-api-1", "k1", json!({"application": "keystone"}), "openstack", true),
                pod("keystone-api-2", "k2", json!({"application": "keystone"}), "openstack", true),
                pod(
                    "rook-ceph-mon-a-1",
                    "k1",
                    json!({"app": "rook-ceph-mon", "mon": "a"}),
                    "rook-ceph",
                    true,
                ),
                pod("mariadb-server-0", "", json!({"application": "mariadb"}), "openstack", false),
            ],
            workloads: vec![
                deployment("keystone-api", "keystone", "mariadb,memcached", 1),
                deployment("mariadb-server", "mariadb", "", 0),
            ],
            services: vec![
                service("mariadb", "mariadb"),
                service("memcached", "memcached"),
                service("keystone-api", "keystone"),
            ],
            ingresses: vec![json!({"metadata": {"namespace": "openstack"}, "spec": {"rules": [
                {"host": "keystone.citec.com", "http": {"paths": [{"backend": {"service": {"name": "keystone-api"}}}]}},
                {"host": "keystone.openstack", "http": {"paths": [{"backend": {"service": {"name": "keystone-api"}}}]}}]}})],
            rook: "rook-ceph".into(),
            address: Some("10.96.0.11".into()),
        }
    }

    #[test]
    fn who_uses_what_is_read_from_the_pods() {
        let network = network(&seen());
        let find = |name: &str| network.services.iter().find(|service| service.name == name).unwrap();
        let keystone = find("keystone");
        assert_eq!(keystone.uses, ["mariadb", "memcached"]);
        assert_eq!(keystone.names, ["keystone.citec.com"]);
        assert_eq!((keystone.health, keystone.ready, keystone.wanted), (Health::Partly, 1, 2));
        assert_eq!(find("mariadb").health, Health::Down);
        assert_eq!(find("rabbitmq").health, Health::Absent);
    }

    #[test]
    fn what_is_on_a_node_that_is_away_does_not_run() {
        let cluster = cluster(&seen(), "citec");
        let [k1, k2] = &cluster.nodes[..] else { panic!("two nodes") };
        assert_eq!(
            (k1.name.as_str(), k1.health, k1.roles.as_slice()),
            ("k1", Health::Up, &["control-plane".to_owned()][..])
        );
        assert_eq!(k1.ceph, [("mon.a".to_owned(), Health::Up)]);
        assert_eq!((k2.health, k2.shares[0].ready, k2.shares[0].wanted), (Health::Down, 0, 1));
        assert_eq!(cluster.nowhere, ["mariadb-server-0"]);
    }

    #[test]
    fn who_mounts_cephs_settings_uses_it() {
        let mut workload = deployment("glance-api", "glance", "", 1);
        workload["spec"]["template"]["spec"]["volumes"] =
            json!([{"name": "ceph", "configMap": {"name": "ceph-etc"}}]);
        assert_eq!(used(&workload, &BTreeMap::new(), "rook-ceph"), ["ceph"]);
    }
}

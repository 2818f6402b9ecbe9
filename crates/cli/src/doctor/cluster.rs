//! From what the cluster shows to the facts that are judged. Pure but for the lists and the few
//! commands in pods that are asked for at the top.

use std::collections::{BTreeMap, BTreeSet};

use landfall_catalog::blueprint::{Blueprint, Prerequisite};
use landfall_cluster::api::{Cluster, Gvk};
use landfall_health::doctor::{Class, Clock, Datapath, Facts, Label, Machine, Module, Name, Node};
use landfall_health::object::{self, condition_is, condition_says, number, text};
use landfall_health::{quantity, readiness, scheduling};
use landfall_plan::model::RenderedRelease;
use serde_json::Value;

use crate::cloud::{self, gvk};
use crate::exit::Result;
use crate::run::Ready;
use crate::target::Target;

const PRESSURE: [&str; 3] = ["MemoryPressure", "DiskPressure", "PIDPressure"];
/// A quarter of the Lease's life passes between renewals, as kubelet has it.
const RENEWALS: i64 = 4;
/// Where Open vSwitch's pod says what it forwards with.
const DATAPATH: &str = "/run/openvswitch/landfall.json";

/// All that the API shows. `machines` are those that are seen from here already.
pub(super) async fn look(target: &Target, ready: &Ready, machines: Vec<Machine>) -> Result<Facts> {
    let cluster = target.cluster.as_ref();
    let nodes = cluster.list(&gvk("", "v1", "Node"), None, "").await?;
    let pods = cluster.list(&gvk("", "v1", "Pod"), None, "").await?;
    let classes = cluster.list(&gvk("storage.k8s.io", "v1", "StorageClass"), None, "").await?;
    let drivers = cluster.list(&gvk("storage.k8s.io", "v1", "CSIDriver"), None, "").await.unwrap_or_default();
    let ingress_classes = cluster.list(&gvk("networking.k8s.io", "v1", "IngressClass"), None, "").await?;
    let leases = gvk("coordination.k8s.io", "v1", "Lease");
    let leases = cluster.list(&leases, Some("kube-node-lease"), "").await.unwrap_or_default();
    let (blueprint, releases) = (&ready.prepared.blueprint, &ready.prepared.releases);
    let installed: BTreeSet<&str> = blueprint
        .releases
        .iter()
        .filter(|r| ready.prepared.snapshot.releases.contains_key(&format!("{}/{}", r.namespace, r.name)))
        .map(|r| r.service.as_str())
        .collect();
    let ingress_address = cloud::ingress_address(cluster).await?;
    let names = cloud::public_names(cluster, &ready.cloud.namespace).await?;
    let (_, served) = cluster.version().await?;
    let wanted_apis = kinds(releases);
    let missing_apis = wanted_apis.iter().filter(|kind| !served.contains(kind)).cloned().collect();
    let mut facts = Facts {
        installed: !installed.is_empty(),
        machines,
        nodes: nodes.iter().map(|node| of_node(node, &pods)).collect(),
        labels: labels(blueprint, releases, &nodes, &installed),
        classes: Some(classes.iter().map(of_class).collect()),
        wanted_class: ready.cloud.storage.class.clone(),
        drivers: drivers.iter().filter_map(object::name).map(str::to_owned).collect(),
        ceph: super::ceph::look(cluster, &ready.cloud.storage.ceph.namespace).await?,
        coredns_lacks: coredns(cluster).await?,
        ingress_classes: Some(
            ingress_classes
                .iter()
                .filter_map(|class| {
                    Some((object::name(class)?.to_owned(), text(class, "/spec/controller").to_owned()))
                })
                .collect(),
        ),
        wanted_ingress: ready.cloud.ingress.class.clone(),
        clocks: leases.iter().filter_map(|lease| clock(lease, jiff::Timestamp::now())).collect(),
        wanted_apis,
        missing_apis,
        names: Vec::new(),
        checks: Vec::new(),
        ingress_address: ingress_address.clone(),
    };
    if let Some(address) = ingress_address {
        for name in names {
            let resolved = tokio::net::lookup_host((name.as_str(), 80)).await;
            let resolved: BTreeSet<String> =
                resolved.into_iter().flatten().map(|found| found.ip().to_string()).collect();
            facts.names.push(Name {
                name,
                address: address.clone(),
                resolved: resolved.into_iter().collect(),
            });
        }
    }
    from_pods(cluster, target.embedded().is_some(), &pods, &mut facts).await;
    Ok(facts)
}

/// What only a look from within a node tells: where the cluster is another's, the modules that its
/// nodes have loaded; everywhere, what Open vSwitch forwards with.
async fn from_pods(cluster: &dyn Cluster, here: bool, pods: &[Value], facts: &mut Facts) {
    let command = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    let nodes: Vec<String> = facts.nodes.iter().map(|node| node.name.clone()).collect();
    for node in nodes {
        let on_it =
            || pods.iter().filter(|pod| text(pod, "/spec/nodeName") == node && readiness(pod).is_ready());
        let datapath = match on_it().find(|pod| text(pod, "/metadata/labels/application") == "openvswitch") {
            Some(pod) => {
                let asked = command(&["cat", DATAPATH]);
                let (home, name) = (object::namespace(pod), object::name(pod).unwrap_or_default());
                let container = text(pod, "/spec/containers/0/name");
                cluster
                    .exec(home, name, container, &asked, None)
                    .await
                    .ok()
                    .and_then(|done| datapath(&done.stdout))
            }
            None => None,
        };
        let mut modules = BTreeMap::new();
        if !here {
            // Any pod of the cloud will do: all of them see the one kernel.
            for pod in on_it().filter(|pod| !text(pod, "/metadata/labels/application").is_empty()).take(3) {
                let (home, name) = (object::namespace(pod), object::name(pod).unwrap_or_default());
                let container = text(pod, "/spec/containers/0/name");
                let listed =
                    cluster.exec(home, name, container, &command(&["ls", "/sys/module"]), None).await;
                if let Ok(done) = listed
                    && done.code == 0
                {
                    let loaded = |wanted: &&str| done.stdout.split_whitespace().any(|name| name == *wanted);
                    let known = ["openvswitch", "rbd", "nbd", "vxlan"];
                    // What is not listed may be built in, or loadable: that can not be told from a pod.
                    modules = known
                        .into_iter()
                        .filter(loaded)
                        .map(|name| (name.to_owned(), Module::Present))
                        .collect();
                    break;
                }
            }
        }
        if datapath.is_some() || !modules.is_empty() {
            let kernel = facts.nodes.iter().find(|one| one.name == node).map(|one| one.kernel.clone());
            facts.machines.push(Machine {
                name: node,
                kernel: kernel.unwrap_or_default(),
                modules,
                kvm: None,
                cgroups: None,
                memory_free: None,
                disk_free: None,
                datapath,
            });
        }
    }
}

/// What the pod's agent keeps: the datapath in Open vSwitch's word (`netdev` is userspace), and why.
fn datapath(text: &str) -> Option<(Datapath, String)> {
    let kept: Value = serde_json::from_str(text).ok()?;
    let datapath = match kept["datapath"].as_str()? {
        "netdev" => Datapath::Userspace,
        "system" => Datapath::Kernel,
        _ => return None,
    };
    Some((datapath, kept["why"].as_str().unwrap_or_default().to_owned()))
}

fn of_node(node: &Value, pods: &[Value]) -> Node {
    let name = object::name(node).unwrap_or_default();
    let allocatable = |resource: &str| {
        let quantity = text(node, &format!("/status/allocatable/{resource}"));
        quantity::parse(quantity).unwrap_or(0.0)
    };
    let mut asked: BTreeMap<String, f64> = BTreeMap::new();
    for pod in pods {
        let over = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        if !over && text(pod, "/spec/nodeName") == name {
            for (resource, amount) in scheduling::requests(pod) {
                *asked.entry(resource).or_default() += amount;
            }
        }
    }
    let asked = |resource: &str| asked.get(resource).copied().unwrap_or(0.0);
    Node {
        name: name.to_owned(),
        ready: condition_is(node, "Ready", "True"),
        says: condition_says(node, "Ready"),
        cordoned: node["spec"]["unschedulable"] == true,
        pressure: PRESSURE
            .into_iter()
            .filter(|kind| condition_is(node, kind, "True"))
            .map(str::to_owned)
            .collect(),
        kubelet: text(node, "/status/nodeInfo/kubeletVersion").to_owned(),
        kernel: text(node, "/status/nodeInfo/kernelVersion").to_owned(),
        memory: allocatable("memory") as u64,
        memory_asked: asked("memory") as u64,
        cpu: (allocatable("cpu") * 1000.0) as u64,
        cpu_asked: (asked("cpu") * 1000.0) as u64,
    }
}

fn of_class(class: &Value) -> Class {
    let default = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";
    Class {
        name: object::name(class).unwrap_or_default().to_owned(),
        provisioner: text(class, "/provisioner").to_owned(),
        default: text(class, default) == "true",
    }
}

/// The labels that the blueprint wants, and who looks for them: the rendered pods' node selectors.
fn labels(
    blueprint: &Blueprint,
    releases: &[RenderedRelease],
    nodes: &[Value],
    installed: &BTreeSet<&str>,
) -> Vec<Label> {
    let mut labels = Vec::new();
    for requirement in &blueprint.prerequisites {
        let Prerequisite::NodeLabel { key, value, nodes: wanted } = &requirement.what else { continue };
        let meant = |node: &&Value| {
            let name = object::name(node).unwrap_or_default();
            wanted.iter().any(|one| one == "*" || one == name)
        };
        let name = |node: &Value| object::name(node).unwrap_or_default().to_owned();
        let selects = |release: &RenderedRelease| {
            let templates = release.objects.iter().filter_map(landfall_plan::object::pod_template);
            templates.into_iter().any(|template| template["spec"]["nodeSelector"][key] == value.as_str())
        };
        let services: Vec<String> = releases
            .iter()
            .filter(|release| selects(release))
            .map(|release| release.service.clone())
            .collect();
        labels.push(Label {
            label: format!("{key}={value}"),
            wanted: nodes.iter().filter(meant).map(name).collect(),
            lacking: nodes
                .iter()
                .filter(meant)
                .filter(|node| node["metadata"]["labels"][key] != value.as_str())
                .map(name)
                .collect(),
            needed_now: services.iter().any(|service| installed.contains(service.as_str())),
            services,
        });
    }
    labels
}

/// `apps/v1/Deployment` of all that the charts bring.
fn kinds(releases: &[RenderedRelease]) -> Vec<String> {
    let objects =
        releases.iter().flat_map(|r| r.objects.iter().chain(r.hooks.iter().map(|hook| &hook.object)));
    let kinds: BTreeSet<String> =
        objects.filter_map(Gvk::of).map(|gvk| format!("{}/{}", gvk.api_version(), gvk.kind)).collect();
    kinds.into_iter().collect()
}

async fn coredns(cluster: &dyn Cluster) -> Result<Option<Vec<String>>> {
    let deployment = cluster.get(&gvk("apps", "v1", "Deployment"), Some("kube-system"), "coredns").await?;
    if deployment.is_none() {
        return Ok(None);
    }
    let role = cluster.get(&gvk("rbac.authorization.k8s.io", "v1", "ClusterRole"), None, "coredns").await?;
    let rules = role.as_ref().map(landfall_plan::coredns::rules).unwrap_or_default();
    Ok(Some(landfall_plan::coredns::lacking(rules)))
}

fn clock(lease: &Value, now: jiff::Timestamp) -> Option<Clock> {
    let renewed: jiff::Timestamp = text(lease, "/spec/renewTime").parse().ok()?;
    let life = number(lease, "/spec/leaseDurationSeconds").unwrap_or(40);
    Some(Clock {
        node: text(lease, "/spec/holderIdentity").to_owned(),
        age_ms: now.as_millisecond() - renewed.as_millisecond(),
        period_ms: life * 1000 / RENEWALS,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_shows_what_its_pods_ask_of_it() {
        let node = json!({"metadata": {"name": "k1"}, "spec": {"unschedulable": true},
            "status": {"allocatable": {"memory": "8Gi", "cpu": "2"}, "conditions": [
                {"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "True"}]}});
        let pod = |node: &str, phase: &str| {
            json!({"spec": {"nodeName": node, "containers": [
            {"resources": {"requests": {"memory": "1Gi", "cpu": "250m"}}}]}, "status": {"phase": phase}})
        };
        let seen = of_node(&node, &[pod("k1", "Running"), pod("k2", "Running"), pod("k1", "Succeeded")]);
        assert_eq!((seen.memory, seen.memory_asked, seen.cpu, seen.cpu_asked), (8 << 30, 1 << 30, 2000, 250));
        assert!(seen.ready && seen.cordoned);
        assert_eq!(seen.pressure, ["DiskPressure"]);
    }

    #[test]
    fn a_clock_is_read_from_the_lease() {
        let lease = json!({"spec": {"holderIdentity": "k1", "leaseDurationSeconds": 40, "renewTime": "2026-11-25T16:00:00.500000Z"}});
        let now = "2026-11-25T16:00:03Z".parse().unwrap();
        assert_eq!(clock(&lease, now).unwrap(), Clock { node: "k1".into(), age_ms: 2500, period_ms: 10_000 });
        assert_eq!(clock(&json!({"spec": {}}), now), None);
    }

    #[test]
    fn a_label_is_needed_by_those_that_select_by_it() {
        let blueprint = Blueprint {
            cloud: String::new(),
            domain: String::new(),
            namespace: "openstack".into(),
            prerequisites: vec![
                Prerequisite::NodeLabel {
                    key: "openvswitch".into(),
                    value: "enabled".into(),
                    nodes: vec!["*".into()],
                }
                .into(),
            ],
            releases: Vec::new(),
            checks: Vec::new(),
        };
        let release = RenderedRelease {
            service: "openvswitch".into(),
            name: "openvswitch".into(),
            namespace: "openstack".into(),
            objects: vec![json!({"kind": "DaemonSet", "apiVersion": "apps/v1",
                "spec": {"template": {"spec": {"nodeSelector": {"openvswitch": "enabled"}}}}})],
            hooks: Vec::new(),
            digest: String::new(),
        };
        let nodes = [
            json!({"metadata": {"name": "k1", "labels": {"openvswitch": "enabled"}}}),
            json!({"metadata": {"name": "k2", "labels": {}}}),
        ];
        let found =
            labels(&blueprint, std::slice::from_ref(&release), &nodes, &BTreeSet::from(["openvswitch"]));
        assert_eq!(found[0].lacking, ["k2"]);
        assert_eq!(found[0].services, ["openvswitch"]);
        assert!(found[0].needed_now);
        assert_eq!(kinds(&[release]), ["apps/v1/DaemonSet"]);
    }

    #[test]
    fn the_datapath_is_what_the_pod_says() {
        let kept = |word: &str| json!({"datapath": word, "why": "no module", "generation": "1"}).to_string();
        assert_eq!(datapath(&kept("netdev")), Some((Datapath::Userspace, "no module".to_owned())));
        assert_eq!(datapath(&kept("system")).unwrap().0, Datapath::Kernel);
        for broken in ["", "netdev", "{}"] {
            assert_eq!(datapath(broken), None, "{broken}");
        }
    }
}

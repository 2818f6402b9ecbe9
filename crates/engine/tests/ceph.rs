//! What a service wants of Ceph, made before it starts, by a simulated toolbox.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use landfall_catalog::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use landfall_cluster::api::Cluster;
use landfall_engine::event::What;
use landfall_engine::{CheckContext, ExitKind};
use landfall_plan::model::Change;
use landfall_testkit::{Cloud, Sim, SimCeph, cloud};
use support::up;
use tokio_util::sync::CancellationToken;

const CLOUD: &str = include_str!("../fixtures/ceph.yaml");
const ROOK: &str = "rook-ceph";
/// `client.glance`'s key in base64, as the Secret has it.
const KEY: &str = "c2ltdWxhdGVkLWdsYW5jZT09";

fn there() -> (Sim, SimCeph, Cloud) {
    let sim = Sim::new();
    let ceph = SimCeph::put(&sim, ROOK);
    (sim, ceph, cloud(CLOUD))
}

fn caps() -> BTreeMap<String, String> {
    [("mon", "profile rbd"), ("osd", "profile rbd pool=glance.images")]
        .map(|(daemon, allowed)| (daemon.to_owned(), allowed.to_owned()))
        .into()
}

#[tokio::test]
async fn pool_key_and_conf_are_there_before_who_asked_for_them() {
    let (sim, ceph, cloud) = there();
    let ran = up(&sim, &cloud).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
    let known = ceph.known();
    assert!(known.pools["glance.images"].contains("rbd"));
    assert_eq!(known.clients["glance"].1, caps());
    let secret = sim.object("Secret/openstack/images-rbd-keyring").unwrap();
    assert_eq!(secret["data"]["key"], KEY);
    assert_eq!(secret["type"], "kubernetes.io/rbd");
    let conf = sim.object("ConfigMap/openstack/ceph-etc").unwrap();
    assert!(conf["data"]["ceph.conf"].as_str().unwrap().contains("[v2:10.96.0.5:3300,v1:10.96.0.5:6789]"));
    let begun = ran
        .position(
            |what| matches!(what, What::StepStarted { step } if step.starts_with("glance/") && !step.ends_with("/ready")),
        )
        .unwrap();
    for step in ["ceph/pool-glance.images", "ceph/key-glance", "ceph/conf"] {
        assert!(ran.done(step) < begun, "{step}");
    }
    assert!(!format!("{:?}{:?}", ran.events, ran.plan).contains("simulated-glance"));
}

#[tokio::test]
async fn a_second_run_asks_nothing_of_ceph() {
    let (sim, _ceph, cloud) = there();
    up(&sim, &cloud).await;
    let again = up(&sim, &cloud).await;
    assert_eq!(again.plan.changes(), 0, "{:#?}", again.plan.steps);
    assert!(!again.outcome.changed);
}

#[tokio::test]
async fn caps_that_were_changed_and_a_pool_that_went_are_mended_alone() {
    let (sim, ceph, cloud) = there();
    up(&sim, &cloud).await;
    ceph.known().clients.get_mut("glance").unwrap().1.insert("osd".into(), "allow *".into());
    ceph.known().pools.clear();
    let again = up(&sim, &cloud).await;
    let changed: Vec<&str> =
        again.plan.steps.iter().filter(|s| s.change != Change::None).map(|s| s.id.as_str()).collect();
    assert_eq!(changed, ["ceph/pool-glance.images", "ceph/key-glance"]);
    assert_eq!(ceph.known().clients["glance"].1, caps());
    assert!(ceph.known().pools["glance.images"].contains("rbd"));
}

#[tokio::test]
async fn a_ceph_that_refuses_stops_who_asked_and_no_other() {
    let (sim, ceph, cloud) = there();
    ceph.known().refuses = true;
    let ran = up(&sim, &cloud).await;
    assert_eq!(ran.failure("ceph/pool-glance.images").code, "ceph-refused");
    assert!(sim.object("Deployment/openstack/glance-api").is_none());
    assert!(sim.object("Deployment/openstack/placement-api").is_some());
}

#[tokio::test]
async fn addresses_that_are_out_of_date_are_told_without_waiting() {
    let (sim, _ceph, cloud) = there();
    up(&sim, &cloud).await;
    let spec = CheckSpec {
        id: "ceph-config/monitors".into(),
        service: "ceph-config".into(),
        guide: "O03".into(),
        title: Text::new("monitors", "모니터"),
        remedy: Text::new("renew", "갱신"),
        kind: CheckKind::CephConf {
            rook: ROOK.into(),
            namespace: "openstack".into(),
            name: "ceph-etc".into(),
        },
    };
    let cluster: Arc<dyn Cluster> = Arc::new(sim.clone());
    let ctx = CheckContext { patience: Duration::from_hours(1), ..CheckContext::default() };
    let (secrets, cancel) = (Secrets::default(), CancellationToken::new());
    let checked = landfall_engine::checks::check(&cluster, &spec, &secrets, &ctx, &cancel).await;
    assert!(checked.passed, "{}", checked.evidence);
    SimCeph::monitor(&sim, ROOK, "10.96.0.9");
    let again = landfall_engine::checks::check(&cluster, &spec, &secrets, &ctx, &cancel);
    let told = tokio::time::timeout(Duration::from_secs(10), again).await.unwrap();
    assert!(!told.passed);
    assert!(told.evidence.contains("10.96.0.9") && told.evidence.contains("10.96.0.5"), "{}", told.evidence);
}

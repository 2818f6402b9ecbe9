//! Runs of a whole cloud on the simulated cluster: order, repetition, death and resumption.
#![allow(clippy::unwrap_used)]

mod support;

use landfall_engine::event::What;
use landfall_engine::{EngineError, ExitKind};
use landfall_testkit::{Sim, cloud};
use support::{CLOUD, context, planned, state, up};

#[tokio::test(start_paused = true)]
async fn a_cloud_comes_up() {
    let sim = Sim::new();
    let ran = up(&sim, &cloud(CLOUD)).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
    assert!(ran.outcome.changed);
    assert_eq!(ran.outcome.done, ran.outcome.of);
    for release in ["mariadb", "rabbitmq", "memcached", "keystone"] {
        let record = sim.object(&format!("Secret/openstack/sh.helm.release.v1.{release}.v1")).unwrap();
        assert_eq!(record["metadata"]["labels"]["status"], "deployed", "{release}");
    }
    let checks = ran.events.iter().filter(|e| matches!(e.what, What::CheckPassed { .. })).count();
    assert_eq!(checks, 2);
    assert!(matches!(ran.events.last().unwrap().what, What::RunDone { ok: true, changed: true, .. }));
}

/// The property: under whatever order pods get ready in, a step begins after what it needs, and no
/// Job is begun so early that its pod waits.
#[tokio::test(start_paused = true)]
async fn order_respects_needs_under_any_interleaving() {
    for seed in 0..40u64 {
        let sim = Sim::seeded(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let ran = up(&sim, &cloud(CLOUD)).await;
        assert_eq!(ran.outcome.exit, ExitKind::Ok, "seed {seed}: {:#?}", ran.outcome);
        for step in &ran.plan.steps {
            for need in &step.needs {
                // Readiness is watched from the start, and told at the end.
                let after =
                    if step.id.ends_with("/ready") { ran.done(&step.id) } else { ran.started(&step.id) };
                assert!(ran.done(need) < after, "seed {seed}: {} before {need}", step.id);
            }
        }
        assert_eq!(sim.idled(), Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_changes_nothing_and_says_so() {
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    up(&sim, &cloud).await;
    sim.forget_writes();
    let again = up(&sim, &cloud).await;
    assert_eq!(again.plan.changes(), 0, "{:#?}", again.plan.steps);
    assert!(!again.outcome.changed);
    assert_eq!(again.outcome.exit, ExitKind::Ok);
    let writes: Vec<String> = sim.writes().into_iter().filter(|w| !w.contains("Lease/")).collect();
    assert_eq!(writes, Vec::<String>::new());
    let checks = again.events.iter().filter(|e| matches!(e.what, What::CheckPassed { .. })).count();
    assert_eq!(checks, 2);
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_the_next_run_ends_in_the_same_state() {
    let cloud = cloud(CLOUD);
    let whole = Sim::new();
    up(&whole, &cloud).await;
    let wanted = state(&whole);
    let mut deaths = 0;
    for n in 0.. {
        let sim = Sim::new();
        let plan = planned(&sim, &cloud).await;
        let killed = sim.kill_after(n);
        let (context, _seen) = context(&sim, &cloud);
        let ended = tokio::select! {
            outcome = landfall_engine::run(plan, context) => Some(outcome),
            () = killed.cancelled() => None,
        };
        if ended.is_some() {
            break;
        }
        deaths += 1;
        sim.revive();
        let resumed = up(&sim, &cloud).await;
        assert_eq!(resumed.outcome.exit, ExitKind::Ok, "killed after {n}: {:#?}", resumed.outcome);
        assert_eq!(state(&sim), wanted, "killed after {n} writes");
        assert_eq!(planned(&sim, &cloud).await.changes(), 0, "killed after {n} writes");
    }
    assert!(deaths > 30, "only {deaths} deaths");
}

#[tokio::test(start_paused = true)]
async fn stopped_by_the_user_the_record_stays_pending_and_the_next_run_goes_on() {
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    sim.faults(|faults| {
        faults.stuck.insert("keystone-db-init".into());
        faults.no_storage = true;
    });
    let plan = planned(&sim, &cloud).await;
    let (context, mut seen) = context(&sim, &cloud);
    let cancel = context.cancel.clone();
    let stop = async {
        while let Some(event) = seen.recv().await {
            if matches!(&event.what, What::StepDone { step, .. } if step == "keystone/release") {
                cancel.cancel();
            }
        }
    };
    let (outcome, ()) = tokio::join!(landfall_engine::run(plan, context), stop);
    assert_eq!(outcome.unwrap().exit, ExitKind::Cancelled);
    let record = sim.object("Secret/openstack/sh.helm.release.v1.keystone.v1").unwrap();
    assert_eq!(record["metadata"]["labels"]["status"], "pending-install");
    sim.faults(|faults| *faults = landfall_testkit::Faults::default());
    let resumed = up(&sim, &cloud).await;
    assert_eq!(resumed.outcome.exit, ExitKind::Ok, "{:#?}", resumed.outcome);
    assert!(sim.object("Secret/openstack/sh.helm.release.v1.keystone.v2").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_api_server_may_be_away_for_a_moment() {
    let sim = Sim::new();
    sim.faults(|faults| {
        for write in [3, 10, 20, 21, 30] {
            faults.failing_writes.insert(write, "connection refused".into());
        }
    });
    let ran = up(&sim, &cloud(CLOUD)).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_are_kept_apart() {
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    sim.put(serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openstack"}}));
    let cluster: std::sync::Arc<dyn landfall_cluster::api::Cluster> = std::sync::Arc::new(sim.clone());
    let held = landfall_cluster::lease::RunLock::acquire(cluster, "openstack", "test", "kim@desk pid 7")
        .await
        .unwrap();
    let plan = planned(&sim, &cloud).await;
    let (context, _seen) = context(&sim, &cloud);
    let error = landfall_engine::run(plan, context).await.unwrap_err();
    assert!(matches!(error, EngineError::Lock(_)), "{error}");
    assert!(error.to_string().contains("kim@desk pid 7, since 20"), "{error}");
    held.release().await;
    assert_eq!(up(&sim, &cloud).await.outcome.exit, ExitKind::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_lack_of_permission_is_told_before_anything_changes() {
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    sim.faults(|faults| {
        faults.denied.push(landfall_cluster::api::Access {
            verb: "patch".into(),
            group: String::new(),
            resource: "nodes".into(),
            namespace: None,
        });
    });
    let plan = planned(&sim, &cloud).await;
    let (context, _seen) = context(&sim, &cloud);
    let error = landfall_engine::run(plan, context).await.unwrap_err();
    assert!(error.to_string().contains("patch nodes"), "{error}");
    assert_eq!(sim.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn coredns_is_restarted_once_and_only_where_its_role_lacked_something() {
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    up(&sim, &cloud).await;
    let restarts =
        |sim: &Sim| sim.writes().iter().filter(|w| *w == "patch Deployment/kube-system/coredns").count();
    assert_eq!(restarts(&sim), 1);
    up(&sim, &cloud).await;
    assert_eq!(restarts(&sim), 1);
    // What another allowed it stays.
    sim.put(serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "coredns"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}));
    up(&sim, &cloud).await;
    assert_eq!(restarts(&sim), 2);
    let role = sim.object("ClusterRole//coredns").unwrap();
    assert!(role["rules"].to_string().contains("nodes"), "{role}");
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_replaces_what_can_not_change_and_removes_what_is_no_more_wanted() {
    let sim = Sim::new();
    up(&sim, &cloud(CLOUD)).await;
    let other = CLOUD.replace("configs: [keystone-bin]", "configs: [keystone-etc]");
    let ran = up(&sim, &cloud(&other)).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
    assert!(sim.object("ConfigMap/openstack/keystone-etc").is_some());
    assert!(sim.object("ConfigMap/openstack/keystone-bin").is_none());
    let status = |version: u32| {
        let key = format!("Secret/openstack/sh.helm.release.v1.keystone.v{version}");
        sim.object(&key).map(|record| record["metadata"]["labels"]["status"].as_str().unwrap().to_owned())
    };
    assert_eq!((status(1).as_deref(), status(2).as_deref()), (Some("superseded"), Some("deployed")));
    // The hooks ran for the new content, the other releases were left alone.
    assert!(ran.plan.steps.iter().any(
        |s| s.id == "keystone/job/keystone-db-sync" && s.change == landfall_plan::model::Change::Replace
    ));
    assert!(sim.object("Secret/openstack/sh.helm.release.v1.mariadb.v2").is_none());
}

#[tokio::test(start_paused = true)]
async fn down_keeps_data_unless_volumes_are_named() {
    use landfall_engine::down::{DownOptions, down, inspect};
    let sim = Sim::new();
    let cloud = cloud(CLOUD);
    up(&sim, &cloud).await;
    let cluster: std::sync::Arc<dyn landfall_cluster::api::Cluster> = std::sync::Arc::new(sim.clone());
    let remove = async |options: DownOptions| {
        let inventory = inspect(&sim, "openstack", &std::collections::BTreeMap::default()).await.unwrap();
        let (events, _seen) = tokio::sync::mpsc::unbounded_channel();
        let cancel = tokio_util::sync::CancellationToken::new();
        down(std::sync::Arc::clone(&cluster), "test", &inventory, &options, "tester", cancel, events)
            .await
            .unwrap()
    };
    let outcome = remove(DownOptions::default()).await;
    assert_eq!(outcome.exit, ExitKind::Ok, "{outcome:#?}");
    let left = sim.keys();
    for gone in [
        "Pod/openstack",
        "Deployment/openstack",
        "StatefulSet/openstack",
        "Service/openstack",
        "Job/openstack",
        "Secret/openstack/sh.helm",
    ] {
        assert!(!left.iter().any(|key| key.starts_with(gone)), "{gone}: {left:#?}");
    }
    for kept in
        ["PersistentVolumeClaim/openstack/mysql-data-mariadb-server-0", "Secret/openstack/landfall-secrets"]
    {
        assert!(left.iter().any(|key| key == kept), "{kept}: {left:#?}");
    }
    assert_eq!(up(&sim, &cloud).await.outcome.exit, ExitKind::Ok);
    remove(DownOptions { volumes: true, only: Vec::new() }).await;
    let left: Vec<String> = sim
        .keys()
        .into_iter()
        .filter(|key| key.contains("/openstack/") && !key.starts_with("Lease"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

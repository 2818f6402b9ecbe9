//! What can not succeed is told with its cause, ends what needs it, and lets the rest finish.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use landfall_engine::ExitKind;
use landfall_engine::event::What;
use landfall_testkit::{Sim, cloud};
use support::{CLOUD, context, planned, up};

fn told(failure: &landfall_engine::event::Failure) -> String {
    let chain: Vec<String> = failure.causes.iter().map(|c| format!("{}: {}", c.object, c.says)).collect();
    format!("{} [{}] {}", failure.code, chain.join(" <- "), failure.remedy.en)
}

#[tokio::test(start_paused = true)]
async fn a_missing_image_is_told_and_the_others_finish() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.missing_images.insert("localhost/landfall/mariadb-server:1".into());
    });
    let ran = up(&sim, &cloud(CLOUD)).await;
    assert_eq!(ran.outcome.exit, ExitKind::StepFailed);
    let failure = ran.failure("mariadb/ready");
    assert_eq!(failure.code, "image-missing", "{}", told(failure));
    assert!(told(failure).contains("localhost/landfall/mariadb-server:1"), "{}", told(failure));
    assert!(!failure.remedy.en.is_empty() && !failure.remedy.ko.is_empty());
    // Siblings finish, what needs it is skipped.
    ran.done("rabbitmq/ready");
    ran.done("memcached/ready");
    let skipped = ran.skipped();
    assert!(
        skipped.contains(&"keystone/job/keystone-db-init") && skipped.contains(&"keystone/ready"),
        "{skipped:?}"
    );
    assert_eq!(ran.outcome.failures.len(), 1, "{:#?}", ran.outcome.failures);
    let record = sim.object("Secret/openstack/sh.helm.release.v1.mariadb.v1").unwrap();
    assert_eq!(record["metadata"]["labels"]["status"], "failed");
}

#[tokio::test(start_paused = true)]
async fn mended_it_comes_up_in_a_new_revision() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.missing_images.insert("localhost/landfall/mariadb-server:1".into());
    });
    up(&sim, &cloud(CLOUD)).await;
    sim.faults(|faults| faults.missing_images.clear());
    let ran = up(&sim, &cloud(CLOUD)).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
}

/// A StatefulSet would wait for the broken pod for ever.
#[tokio::test(start_paused = true)]
async fn a_corrected_image_takes_the_place_of_one_that_never_started() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.missing_images.insert("localhost/landfall/mariadb-server:1".into());
    });
    up(&sim, &cloud(CLOUD)).await;
    let corrected = CLOUD
        .replace("name: mariadb-server,", "name: mariadb-server, image: \"localhost/landfall/mariadb:2\",");
    let ran = up(&sim, &cloud(&corrected)).await;
    assert_eq!(ran.outcome.exit, ExitKind::Ok, "{:#?}", ran.outcome);
    let pod = sim.object("Pod/openstack/mariadb-server-0").unwrap();
    assert_eq!(pod["spec"]["containers"][0]["image"], "localhost/landfall/mariadb:2");
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_told_with_its_last_words() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.failing_jobs.insert("keystone-db-sync".into());
    });
    sim.log("keystone-db-sync", "ERROR: Table 'project' is marked as crashed");
    let ran = up(&sim, &cloud(CLOUD)).await;
    let failure = ran.failure("keystone/job/keystone-db-sync");
    assert_eq!(failure.code, "job-failed", "{}", told(failure));
    let evidence: String = failure.causes.iter().map(|c| c.evidence.as_str()).collect();
    assert!(evidence.contains("marked as crashed"), "{failure:#?}");
    assert!(ran.skipped().contains(&"keystone/ready"));
    ran.done("mariadb/ready");
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_is_told_with_the_last_log_lines() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.crashing.insert("memcached-memcached".into());
    });
    sim.log("memcached-memcached", "failed to listen on TCP port 11211");
    let ran = up(&sim, &cloud(CLOUD)).await;
    let failure = ran.failure("memcached/ready");
    assert_eq!(failure.code, "crash-loop", "{}", told(failure));
    let evidence: String = failure.causes.iter().map(|c| c.evidence.as_str()).collect();
    assert!(evidence.contains("11211"), "{failure:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_storage_is_told() {
    let sim = Sim::new();
    sim.faults(|faults| faults.no_storage = true);
    sim.remove("StorageClass//general");
    let ran = up(&sim, &cloud(CLOUD)).await;
    let failure = ran.failure("mariadb/ready");
    assert_eq!(failure.code, "volume-unbound", "{}", told(failure));
    assert!(told(failure).contains("general"), "{}", told(failure));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fits_nowhere_is_told_with_what_lacks() {
    let sim = Sim::new();
    let greedy = CLOUD.replace("name: memcached-memcached,", "name: memcached-memcached, cpu: \"64\",");
    let ran = up(&sim, &cloud(&greedy)).await;
    let failure = ran.failure("memcached/ready");
    assert_eq!(failure.code, "unschedulable", "{}", told(failure));
    assert!(told(failure).to_lowercase().contains("cpu"), "{}", told(failure));
}

#[tokio::test(start_paused = true)]
async fn a_node_without_the_label_is_told() {
    let sim = Sim::new();
    let unlabelled = CLOUD.replace(
        "  - {kind: node-label, key: openstack-control-plane, value: enabled, nodes: [\"*\"]}\n",
        "",
    );
    let ran = up(&sim, &cloud(&unlabelled)).await;
    let failure = ran.failure("mariadb/ready");
    assert_eq!(failure.code, "unschedulable", "{}", told(failure));
    assert!(told(failure).contains("openstack-control-plane"), "{}", told(failure));
}

#[tokio::test(start_paused = true)]
async fn waiting_is_never_silent_and_never_repeats_itself() {
    let sim = Sim::new();
    sim.faults(|faults| {
        faults.stuck.insert("mariadb-server".into());
    });
    let mut patient = cloud(CLOUD);
    patient.blueprint.checks.clear();
    let ran = up(&sim, &patient).await;
    let failure = ran.failure("mariadb/ready");
    assert_eq!(failure.code, "no-progress", "{}", told(failure));
    let said: Vec<&Vec<String>> = ran
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::StepWaiting { step, causes } if step == "mariadb/ready" => Some(causes),
            _ => None,
        })
        .collect();
    assert!(!said.is_empty());
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_hold_ends_in_its_own_exit() {
    let sim = Sim::new();
    let wrong = CLOUD.replace("pods: application=mariadb}", "pods: application=nothing}");
    let ran = up(&sim, &cloud(&wrong)).await;
    assert_eq!(ran.outcome.exit, ExitKind::CheckFailed);
    assert_eq!(ran.outcome.failed_checks, ["mariadb/live"]);
}

/// A machine that is busy bringing other services up may not answer in time.
#[tokio::test(start_paused = true)]
async fn a_check_that_fails_while_others_work_is_tried_again_at_the_end() {
    let sim = Sim::new();
    let early = cloud(&CLOUD.replace("pods: application=mariadb}", "pods: application=keystone}"));
    let plan = planned(&sim, &early).await;
    let (mut context, mut seen) = context(&sim, &early);
    context.checks.patience = Duration::ZERO;
    let outcome = landfall_engine::run(plan, context).await.unwrap();
    assert_eq!(outcome.exit, ExitKind::Ok, "{outcome:#?}");
    let mut said = Vec::new();
    while let Ok(event) = seen.try_recv() {
        match event.what {
            What::StepWaiting { step, causes } if step == "mariadb/check/live" => said.extend(causes),
            What::CheckPassed { check, .. } if check == "mariadb/live" => said.push("passed".to_owned()),
            What::CheckFailed { check, .. } => said.push(format!("{check} failed")),
            _ => {}
        }
    }
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].contains("tried again") && said[1] == "passed", "{said:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_field_of_another_manager_is_told_with_its_owner() {
    use landfall_cluster::api::Cluster as _;
    let sim = Sim::new();
    sim.put(serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openstack"}}));
    let theirs = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keystone-bin", "namespace": "openstack"}, "data": {"a": "theirs"}});
    sim.apply(&theirs, "kubectl", false).await.unwrap();
    let ran = up(&sim, &cloud(CLOUD)).await;
    let failure = ran.failure("keystone/release");
    assert_eq!(failure.code, "conflict", "{}", told(failure));
    assert!(told(failure).contains("kubectl"), "{}", told(failure));
}

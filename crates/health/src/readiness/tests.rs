#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;

fn reason(object: Value) -> String {
    readiness(&object).reason().unwrap().to_owned()
}

#[test]
fn a_deployment_is_ready_only_when_its_rollout_is_through() {
    let with = |status: Value| json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
    let done = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(readiness(&with(done)), Readiness::Ready);
    let stale = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(reason(with(stale)), "its latest change is not yet taken up");
    let surge = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
    assert_eq!(reason(with(surge)), "1 old pods are still to go");
    let late = json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]});
    assert!(matches!(readiness(&with(late)), Readiness::Failed { .. }));
}

#[test]
fn a_fresh_deployment_without_status_is_not_ready() {
    assert_eq!(reason(json!({"kind": "Deployment", "spec": {}})), "0 of 1 pods have the latest template");
    assert_eq!(readiness(&json!({"kind": "Deployment", "spec": {"replicas": 0}})), Readiness::Ready);
}

#[test]
fn a_statefulset_waits_for_its_revision() {
    let with = |ready: i64, updated: i64, current: &str| json!({"kind": "StatefulSet", "spec": {"replicas": 2}, "status": {"readyReplicas": ready, "updatedReplicas": updated, "currentRevision": current, "updateRevision": "b"}});
    assert_eq!(reason(with(1, 2, "b")), "1 of 2 pods are ready");
    assert_eq!(reason(with(2, 1, "a")), "1 of 2 pods have the latest template");
    assert_eq!(reason(with(2, 2, "a")), "its rollout is not yet through");
    assert_eq!(readiness(&with(2, 2, "b")), Readiness::Ready);
}

#[test]
fn a_daemonset_for_labelled_nodes_is_not_ready_where_no_node_has_the_label() {
    let spec = json!({"template": {"spec": {"nodeSelector": {"openvswitch": "enabled"}}}});
    let with = |wanted: i64| json!({"kind": "DaemonSet", "spec": spec, "status": {"desiredNumberScheduled": wanted, "updatedNumberScheduled": wanted, "numberAvailable": wanted}});
    assert_eq!(reason(with(0)), "no node has the label openvswitch=enabled");
    assert_eq!(readiness(&with(1)), Readiness::Ready);
}

#[test]
fn a_daemonset_for_any_node_is_ready_where_there_is_none() {
    let with = |status: Value| readiness(&json!({"kind": "DaemonSet", "status": status}));
    assert_eq!(with(json!({"desiredNumberScheduled": 0})), Readiness::Ready);
    assert!(
        !with(json!({"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}))
            .is_ready()
    );
    assert!(!with(json!({})).is_ready());
}

#[test]
fn a_job_is_ready_when_completed_and_failed_when_it_gave_up() {
    let with = |kind: &str| json!({"kind": "Job", "status": {"conditions": [{"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]}});
    assert_eq!(readiness(&with("Complete")), Readiness::Ready);
    assert_eq!(readiness(&with("Failed")), Readiness::failed("failed: BackoffLimitExceeded: too often"));
    assert_eq!(
        reason(json!({"kind": "Job", "status": {"active": 1, "failed": 2, "startTime": "x"}})),
        "is running, 2 of its pods failed"
    );
    assert_eq!(reason(json!({"kind": "Job"})), "has not started");
}

#[test]
fn a_pod_tells_what_it_waits_for() {
    let pending = json!({"kind": "Pod", "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}});
    assert_eq!(reason(pending), "Pending: 0/1 nodes are available: 1 Insufficient cpu.");
    let init = json!({"kind": "Pod", "spec": {"initContainers": [{"name": "init"}, {"name": "perms"}]}, "status": {"phase": "Pending", "initContainerStatuses": [
        {"name": "init", "state": {"running": {"startedAt": "x"}}}, {"name": "perms", "state": {"waiting": {"reason": "PodInitializing"}}}]}});
    assert_eq!(reason(init), "init container init (1 of 2) is running");
    let pull = json!({"kind": "Pod", "status": {"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]}});
    assert_eq!(reason(pull), "container c: ErrImagePull: not found");
    let failed = json!({"kind": "Pod", "status": {"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}});
    assert_eq!(readiness(&failed), Readiness::failed("failed: container c ended with code 3 (Error)"));
}

#[test]
fn a_sidecar_does_not_hide_the_container_that_is_not_ready() {
    let pod = json!({"kind": "Pod", "spec": {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}, "status": {"phase": "Running",
        "initContainerStatuses": [{"name": "proxy", "state": {"running": {"startedAt": "x"}}}],
        "containerStatuses": [{"name": "api", "ready": false, "state": {"running": {"startedAt": "x"}}}]}});
    assert_eq!(reason(pod), "container api is running but not ready");
}

#[test]
fn other_kinds_are_judged_by_what_they_say() {
    assert_eq!(readiness(&json!({"kind": "ConfigMap"})), Readiness::Ready);
    assert_eq!(
        readiness(&json!({"kind": "PersistentVolumeClaim", "status": {"phase": "Bound"}})),
        Readiness::Ready
    );
    assert!(matches!(
        readiness(&json!({"kind": "PersistentVolumeClaim", "status": {"phase": "Lost"}})),
        Readiness::Failed { .. }
    ));
    assert!(!readiness(&json!({"kind": "Service", "spec": {"type": "LoadBalancer"}})).is_ready());
    assert!(readiness(&json!({"kind": "Service", "spec": {"type": "ClusterIP"}})).is_ready());
    assert!(!readiness(&json!({"kind": "CustomResourceDefinition", "status": {}})).is_ready());
    assert!(readiness(&json!({"kind": "CustomResourceDefinition", "status": {"conditions": [{"type": "Established", "status": "True"}]}})).is_ready());
    assert!(
        !readiness(&json!({"kind": "CephCluster", "status": {"phase": "Progressing", "message": "mons"}}))
            .is_ready()
    );
    assert_eq!(
        reason(
            json!({"kind": "Thing", "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "No", "message": "m"}]}})
        ),
        "is not Ready: No: m"
    );
    assert_eq!(
        reason(json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "x"}})),
        "is being deleted"
    );
}

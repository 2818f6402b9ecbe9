//! Why something of the cloud is not well: one look at the cluster, and what is wanted beyond it.
//! Reads only.

use std::collections::BTreeSet;
use std::sync::Arc;

use landfall_cluster::api::Cluster;
use landfall_health::object::{self, text};
use landfall_health::{Code, ObjectRef, Want, World, diagnose, wanted};
use serde::Serialize;
use serde_json::Value;

use crate::event::Failure;
use crate::failure;
use crate::observe::Observer;
pub use crate::observe::api_of;

/// Rounds of fetching what a diagnosis wants; each answer may lead further.
const ROUNDS: usize = 4;
/// What stands for a service; its pods are found from these.
const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "Job"];

/// What became of looking at one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// `Kind/namespace/name`.
    pub object: String,
    pub well: bool,
    /// It does not get better without a hand.
    pub terminal: bool,
    /// The chain of causes with evidence, and the remedy; empty where it is well.
    #[serde(flatten)]
    pub failure: Failure,
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Every workload of the namespaces.
    Everything,
    /// The workloads of a service.
    Service(String),
    /// All workloads of one namespace: that of Ceph, which Rook may have made.
    Namespace(String),
    Object(ObjectRef),
}

/// Looks at `subject`; what is not well comes first. Empty where a service has no workload at all.
pub async fn explain(
    cluster: &Arc<dyn Cluster>,
    namespaces: &BTreeSet<String>,
    subject: &Subject,
) -> Vec<Explained> {
    let observer = Observer::start(cluster, namespaces);
    observer.settled().await;
    let targets = observer.read(|world| targets(world, subject));
    let mut asked: BTreeSet<Want> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let wants: Vec<Want> = observer.read(|world| {
            let all = targets.iter().flat_map(|at| wanted(world, at));
            all.filter(|want| !asked.contains(want)).collect()
        });
        if wants.is_empty() {
            break;
        }
        observer.fetch(&wants).await;
        asked.extend(wants);
    }
    let mut found: Vec<Explained> =
        observer.read(|world| targets.iter().map(|at| explained(world, at)).collect());
    found.sort_by_key(|one| (one.well, !one.terminal, std::cmp::Reverse(one.failure.causes.len())));
    found
}

fn explained(world: &World, at: &ObjectRef) -> Explained {
    let diagnosis = diagnose(world, at);
    Explained {
        object: at.key(),
        well: diagnosis.code == Code::Healthy,
        terminal: diagnosis.terminal,
        failure: failure::of_diagnosis(&diagnosis),
    }
}

fn targets(world: &World, subject: &Subject) -> Vec<ObjectRef> {
    let workloads = || WORKLOADS.iter().flat_map(|kind| world.of_kind(kind, ""));
    match subject {
        Subject::Object(at) => vec![at.clone()],
        // Jobs of the past are told by what waits for them.
        Subject::Everything => workloads().filter(|o| !is_cron(o)).filter_map(ObjectRef::of).collect(),
        Subject::Namespace(home) => workloads()
            .filter(|o| object::namespace(o) == home && !is_cron(o))
            .filter_map(ObjectRef::of)
            .collect(),
        Subject::Service(service) => {
            workloads().filter(|o| is_of(o, service) && !is_cron(o)).filter_map(ObjectRef::of).collect()
        }
    }
}

/// Whether an object belongs to a service: by Helm's note of its release, or by the label that all
/// OpenStack charts give (hooks carry nothing of Helm's).
pub fn is_of(object: &Value, service: &str) -> bool {
    text(object, "/metadata/annotations/meta.helm.sh~1release-name") == service
        || text(object, "/metadata/labels/application") == service
}

fn is_cron(object: &Value) -> bool {
    object::list(object, "/metadata/ownerReferences").iter().any(|owner| owner["kind"] == "CronJob")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn world() -> World {
        let mut world = World::default();
        let of = |kind: &str, name: &str, metadata: Value| {
            let mut object = json!({"kind": kind, "metadata": metadata});
            object["metadata"]["name"] = json!(name);
            object["metadata"]["namespace"] = json!("openstack");
            object
        };
        world.insert(of(
            "Deployment",
            "api",
            json!({"annotations": {"meta.helm.sh/release-name": "keystone"}}),
        ));
        world.insert(of("Job", "keystone-db-sync", json!({"labels": {"application": "keystone"}})));
        world.insert(of(
            "Job",
            "keystone-rotate-1",
            json!({"labels": {"application": "keystone"}, "ownerReferences": [{"kind": "CronJob", "name": "rotate"}]}),
        ));
        world.insert(of("StatefulSet", "mariadb-server", json!({"labels": {"application": "mariadb"}})));
        world
    }

    fn names(subject: &Subject) -> Vec<String> {
        targets(&world(), subject).iter().map(ObjectRef::key).collect()
    }

    #[test]
    fn a_service_is_its_workloads_by_release_or_label_without_what_runs_by_the_clock() {
        assert_eq!(
            names(&Subject::Service("keystone".into())),
            ["Deployment/openstack/api", "Job/openstack/keystone-db-sync"]
        );
        assert_eq!(names(&Subject::Service("glance".into())), Vec::<String>::new());
    }

    #[test]
    fn a_namespace_is_all_workloads_in_it() {
        assert_eq!(names(&Subject::Namespace("openstack".into())).len(), 3);
        assert_eq!(names(&Subject::Namespace("rook-ceph".into())), Vec::<String>::new());
    }

    #[test]
    fn everything_is_all_workloads() {
        assert_eq!(names(&Subject::Everything).len(), 3);
    }
}

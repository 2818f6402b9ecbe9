//! Clouds written as short YAML: what releases bring and what waits for what, rendered into the
//! objects that charts would give.
//!
//! ```yaml
//! releases:
//!   mariadb:
//!     workloads: [{kind: StatefulSet, name: mariadb-server, labels: {app: db}, volumes: [mysql-data]}]
//!     services: {mariadb: {app: db}}
//!   keystone:
//!     workloads: [{name: keystone-api, labels: {app: ks}, needs: {jobs: [keystone-db-sync]}}]
//!     hooks: [{name: keystone-db-init, needs: {services: [mariadb]}}, {name: keystone-db-sync, needs: {jobs: [keystone-db-init]}}]
//! ```

use std::collections::BTreeMap;

use landfall_catalog::blueprint::{Blueprint, CheckKind, CheckSpec, Requirement, Secrets, Text};
use landfall_plan::model::{Object, ReleaseState, RenderedHook, RenderedRelease, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};

/// A script, read.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub blueprint: Blueprint,
    pub releases: Vec<RenderedRelease>,
    pub snapshot: Snapshot,
    pub secrets: Secrets,
    pub options: landfall_plan::Options,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    releases: BTreeMap<String, Release>,
    /// Order of the releases; alphabetical without it.
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    prerequisites: Vec<Value>,
    #[serde(default)]
    checks: Vec<Check>,
    /// By `Kind/namespace/name`; only what a plan looks at needs to be said.
    #[serde(default)]
    cluster: BTreeMap<String, Value>,
    /// Recorded releases: name to `status`, `revision`, `same` (its digest is ours).
    #[serde(default)]
    recorded: BTreeMap<String, Recorded>,
    #[serde(default)]
    ordering: landfall_plan::Ordering,
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    #[serde(default)]
    workloads: Vec<Workload>,
    #[serde(default)]
    services: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    hooks: Vec<Workload>,
    /// Names of ConfigMaps, for objects without pods.
    #[serde(default)]
    configs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    #[serde(default)]
    kind: Option<String>,
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    needs: Needs,
    #[serde(default)]
    replicas: Option<i64>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    node: BTreeMap<String, String>,
    #[serde(default)]
    cpu: Option<String>,
    #[serde(default)]
    weight: i64,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    delete: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Needs {
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    jobs: Vec<String>,
    #[serde(default)]
    daemonsets: Vec<String>,
    #[serde(default)]
    pods: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    status: String,
    #[serde(default = "first")]
    revision: u32,
    #[serde(default)]
    same: bool,
}

fn first() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    id: String,
    guide: String,
    #[serde(default)]
    pods: String,
}

const NAMESPACE: &str = "openstack";

/// Reads a script.
///
/// # Panics
/// On a script that is not one: it is part of a test.
pub fn cloud(text: &str) -> Cloud {
    let script: Script = match serde_saphyr::from_str(text) {
        Ok(script) => script,
        Err(error) => panic!("{error}"),
    };
    let mut names: Vec<&String> = script.releases.keys().collect();
    names.sort_by_key(|name| script.order.iter().position(|n| n == *name).unwrap_or(usize::MAX));
    let releases: Vec<RenderedRelease> =
        names.iter().map(|name| rendered(name, &script.releases[*name])).collect();

    let mut snapshot = Snapshot::default();
    for (key, said) in &script.cluster {
        snapshot.objects.insert(key.clone(), said.clone());
    }
    for (name, recorded) in &script.recorded {
        let digest = releases.iter().find(|r| r.name == *name && recorded.same).map(|r| r.digest.clone());
        snapshot.releases.insert(
            format!("{NAMESPACE}/{name}"),
            ReleaseState {
                revision: recorded.revision,
                status: recorded.status.clone(),
                digest: digest.unwrap_or_default(),
            },
        );
    }
    let prerequisites: Vec<Requirement> = script
        .prerequisites
        .iter()
        .map(|p| serde_json::from_value(p.clone()).unwrap_or_else(|e| panic!("prerequisite {p}: {e}")))
        .collect();
    let checks = script.checks.iter().map(check).collect();
    Cloud {
        blueprint: Blueprint {
            cloud: "test".into(),
            domain: "landfall.test".into(),
            namespace: NAMESPACE.into(),
            prerequisites,
            releases: Vec::new(),
            checks,
        },
        releases,
        snapshot,
        secrets: Secrets(BTreeMap::from([("keystone-admin".into(), "simulated".into())])),
        options: landfall_plan::Options { ordering: script.ordering, force: script.force },
    }
}

fn check(check: &Check) -> CheckSpec {
    let service = check.id.split('/').next().unwrap_or_default().to_owned();
    let kind =
        CheckKind::PodsReady { namespace: NAMESPACE.into(), selector: check.pods.clone(), at_least: 1 };
    CheckSpec {
        id: check.id.clone(),
        service,
        guide: check.guide.clone(),
        title: Text::new(check.id.clone(), check.id.clone()),
        remedy: Text::new("look at it", "확인하세요"),
        kind,
    }
}

fn rendered(name: &str, release: &Release) -> RenderedRelease {
    let mut objects: Vec<Object> = Vec::new();
    for config in &release.configs {
        objects.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": config, "namespace": NAMESPACE}, "data": {"a": "b"}}));
    }
    for (service, selector) in &release.services {
        objects.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": service, "namespace": NAMESPACE},
            "spec": {"selector": selector, "ports": [{"port": 80}]}}));
    }
    objects.extend(release.workloads.iter().map(|w| workload(w, w.kind.as_deref().unwrap_or("Deployment"))));
    let hooks: Vec<RenderedHook> = release
        .hooks
        .iter()
        .map(|hook| RenderedHook {
            object: workload(hook, hook.kind.as_deref().unwrap_or("Job")),
            events: if hook.events.is_empty() {
                vec!["post-install".into(), "post-upgrade".into()]
            } else {
                hook.events.clone()
            },
            weight: hook.weight,
            delete_policies: if hook.delete.is_empty() {
                vec!["before-hook-creation".into()]
            } else {
                hook.delete.clone()
            },
        })
        .collect();
    let text = serde_json::to_string(&(&objects, &hooks)).unwrap_or_default();
    RenderedRelease {
        service: name.into(),
        name: name.into(),
        namespace: NAMESPACE.into(),
        objects,
        hooks,
        digest: format!(
            "digest-{:x}",
            text.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)))
        ),
    }
}

fn workload(workload: &Workload, kind: &str) -> Value {
    let mut env = vec![json!({"name": "NAMESPACE", "value": NAMESPACE})];
    let needs = &workload.needs;
    let lists = [("SERVICE", &needs.services), ("JOBS", &needs.jobs), ("DAEMONSET", &needs.daemonsets)];
    for (word, names) in lists {
        env.push(json!({"name": format!("DEPENDENCY_{word}"), "value": names.join(",")}));
    }
    let pods: Vec<Value> = needs.pods.iter().map(|labels| json!({"labels": labels})).collect();
    env.push(json!({"name": "DEPENDENCY_POD_JSON", "value": if pods.is_empty() { String::new() } else { json!(pods).to_string() }}));
    let mut labels = workload.labels.clone();
    labels.insert("workload".into(), workload.name.clone());
    let image = workload.image.clone().unwrap_or_else(|| format!("localhost/landfall/{}:1", workload.name));
    let cpu = workload.cpu.clone().unwrap_or_else(|| "10m".into());
    let pod = json!({
        "metadata": {"labels": labels},
        "spec": {
            "restartPolicy": if kind == "Job" { "OnFailure" } else { "Always" },
            "nodeSelector": workload.node,
            "initContainers": [{"name": "init", "image": "localhost/landfall/agent:latest", "env": env}],
            "containers": [{"name": "main", "image": image, "resources": {"requests": {"cpu": cpu}}}],
        },
    });
    let selector = json!({"matchLabels": {"workload": workload.name}});
    let (api, spec) = match kind {
        "Job" => ("batch/v1", json!({"template": pod, "backoffLimit": 0})),
        "ConfigMap" => {
            return json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": workload.name, "namespace": NAMESPACE}, "data": {"a": "b"}});
        }
        "StatefulSet" => {
            let claims: Vec<Value> = workload
                .volumes
                .iter()
                .map(|v| {
                    json!({"metadata": {"name": v}, "spec": {"accessModes": ["ReadWriteOnce"],
                    "storageClassName": "general", "resources": {"requests": {"storage": "5Gi"}}}})
                })
                .collect();
            (
                "apps/v1",
                json!({"replicas": workload.replicas.unwrap_or(1), "serviceName": workload.name, "selector": selector,
                "template": pod, "volumeClaimTemplates": claims}),
            )
        }
        "DaemonSet" => ("apps/v1", json!({"selector": selector, "template": pod})),
        _ => (
            "apps/v1",
            json!({"replicas": workload.replicas.unwrap_or(1), "selector": selector, "template": pod}),
        ),
    };
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": workload.name, "namespace": NAMESPACE, "labels": workload.labels}, "spec": spec})
}

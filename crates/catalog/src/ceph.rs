//! Ceph below the cloud, guide O01: its pool for volumes, the StorageClass, and on the embedded cluster, where
//! nobody runs Rook, a stand-in with real Ceph daemons. Other services ask here for pools, users and
//! the clients' `ceph.conf` (O08, O12).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Prerequisite, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Leftover, Service};
use crate::values::{images, overlay, storage_class};

/// The clients' configuration in the cloud's namespace; upstream's charts look for this name.
pub const CONF: &str = "ceph-etc";
/// Pool of the volumes that the StorageClass makes.
const VOLUMES: &str = "replicapool";
const NAME: &str = "ceph";
/// Nodes from which on the stand-in keeps every object three times.
const QUORUM: usize = 3;

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "storage",
    summary_ko: "스토리지",
    chart: "ceph",
    guide: "O01",
    needs: &[],
    companions: &[],
    public: None,
    weights: &[
        ("Deployment/rook-ceph-mon-a", 4),
        ("Deployment/rook-ceph-mgr-a", 6),
        ("Deployment/rook-ceph-osd-0", 7),
        ("Deployment/rook-ceph-tools", 3),
    ],
    leftovers: &[
        Leftover { kind: "PersistentVolumeClaim", name: "rook-ceph-mon-*", data: true },
        Leftover { kind: "PersistentVolumeClaim", name: "rook-ceph-osd-*", data: true },
        // Without its keys the data of a Ceph is of no use.
        Leftover { kind: "Secret", name: "rook-ceph-mon", data: true },
        Leftover { kind: "Secret", name: "rook-ceph-mgr-a-keyring", data: true },
        Leftover { kind: "Secret", name: "rook-ceph-osd-bootstrap", data: true },
        Leftover { kind: "ConfigMap", name: "rook-ceph-mon-endpoints", data: false },
    ],
    secrets: &[],
    home,
    prerequisites,
    values,
    checks,
};

/// Where a Rook is, no release of ours goes beside it.
fn home(inputs: &Inputs) -> Option<String> {
    inputs.ceph.stand_in.then(|| inputs.ceph.namespace.clone())
}

/// A pool of RBD images that `service` waits for; `guide` is the guide's step.
pub(crate) fn pool(inputs: &Inputs, service: &str, guide: &str, name: &str) -> Requirement {
    required(
        service,
        guide,
        Prerequisite::CephPool { rook: inputs.ceph.namespace.clone(), name: name.to_owned(), replicas: None },
    )
}

/// The user `client.<client>` with exactly these caps (pairs of `mon`, `osd`, `mgr` and what is allowed)
/// and its key in the Secret `secret` of the cloud's namespace. Waited for by `service`.
pub(crate) fn key(
    inputs: &Inputs,
    service: &str,
    guide: &str,
    client: &str,
    caps: &[(&str, &str)],
    secret: &str,
) -> Requirement {
    required(
        service,
        guide,
        Prerequisite::CephKey {
            rook: inputs.ceph.namespace.clone(),
            client: client.to_owned(),
            caps: caps
                .iter()
                .map(|(daemon, allowed)| ((*daemon).to_owned(), (*allowed).to_owned()))
                .collect(),
            namespace: inputs.namespace.clone(),
            secret: secret.to_owned(),
        },
    )
}

/// The clients' `ceph.conf` in the ConfigMap [`CONF`], waited for by `service`; one and the same for all who ask.
pub(crate) fn conf(inputs: &Inputs, service: &str) -> Requirement {
    required(
        service,
        "O08",
        Prerequisite::CephConf {
            rook: inputs.ceph.namespace.clone(),
            namespace: inputs.namespace.clone(),
            name: CONF.to_owned(),
        },
    )
}

fn required(service: &str, guide: &str, what: Prerequisite) -> Requirement {
    Requirement {
        services: vec![service.to_owned()],
        guide: guide.to_owned(),
        after: vec![NAME.to_owned()],
        what,
    }
}

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    let mut wanted = Vec::new();
    if let Some(namespace) = home(inputs) {
        wanted.push(Requirement {
            services: vec![NAME.to_owned()],
            ..Prerequisite::Namespace { name: namespace, labels: BTreeMap::new() }.into()
        });
    }
    wanted.push(Requirement {
        services: vec![NAME.to_owned()],
        guide: "O01".to_owned(),
        after: Vec::new(),
        what: Prerequisite::Object {
            id: format!("storage/class-{}", inputs.ceph.class),
            object: class(inputs),
        },
    });
    wanted.push(pool(inputs, NAME, "O01", VOLUMES));
    wanted
}

/// The driver is called by the namespace of the operator that runs it.
fn provisioner(inputs: &Inputs) -> String {
    format!("{}.rbd.csi.ceph.com", inputs.ceph.namespace)
}

/// As the guide shows it; parameters as Rook's CSI driver reads them.
fn class(inputs: &Inputs) -> Value {
    let rook = &inputs.ceph.namespace;
    let mut parameters = json!({
        "clusterID": rook,
        "pool": VOLUMES,
        "imageFormat": "2",
        "imageFeatures": "layering",
        "csi.storage.k8s.io/fstype": "ext4",
    });
    let secrets = [
        ("provisioner", "rook-csi-rbd-provisioner"),
        ("controller-expand", "rook-csi-rbd-provisioner"),
        ("node-stage", "rook-csi-rbd-node"),
    ];
    for (role, secret) in secrets {
        parameters[format!("csi.storage.k8s.io/{role}-secret-name")] = json!(secret);
        parameters[format!("csi.storage.k8s.io/{role}-secret-namespace")] = json!(rook);
    }
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": inputs.ceph.class},
        "provisioner": provisioner(inputs),
        "parameters": parameters,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": true,
    })
}

/// Three nodes carry a monitor and a disk each where there are three, else one.
fn nodes(inputs: &Inputs) -> &[String] {
    let count = if inputs.nodes.len() >= QUORUM { QUORUM } else { inputs.nodes.len().min(1) };
    &inputs.nodes[..count]
}

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("ceph", "ceph"), ("dep_check", "agent")]);
    overlay(&mut values, &json!({"nodes": nodes(inputs), "volume": {"class_name": storage_class(inputs)}}));
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "O01", what, title, remedy, kind);
    let (rook, class) = (&inputs.ceph.namespace, &inputs.ceph.class);
    vec![
        check(
            "health",
            Text::new(
                format!("Ceph says HEALTH_OK and has the pool {VOLUMES}"),
                format!("Ceph가 HEALTH_OK이고 풀 {VOLUMES}이(가) 있음"),
            ),
            Text::new(
                format!(
                    "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail` names what is wrong; monitors are mon, disks are osd: look at the pod of the one that is down"
                ),
                format!(
                    "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail`이 원인을 알려줍니다. mon은 모니터, osd는 스토리지 데몬입니다. 내려간 데몬의 파드를 확인하세요"
                ),
            ),
            CheckKind::CephHealth { rook: rook.clone(), pools: vec![VOLUMES.to_owned()] },
        ),
        check(
            "class",
            Text::new(
                format!("The StorageClass {class} is there"),
                format!("StorageClass {class}이(가) 있음"),
            ),
            Text::new(
                format!(
                    "a class can not be changed once it is there: `kubectl get storageclass {class} -o yaml` shows who made it; delete it (volumes stay) and run `landfall up ceph`"
                ),
                format!(
                    "이미 만든 StorageClass는 바꿀 수 없습니다: `kubectl get storageclass {class} -o yaml`로 확인한 뒤 지우고 (볼륨은 남습니다) `landfall up ceph`를 실행하세요"
                ),
            ),
            CheckKind::Object {
                api_version: "storage.k8s.io/v1".into(),
                object_kind: "StorageClass".into(),
                namespace: String::new(),
                name: class.clone(),
                fields: BTreeMap::from([
                    ("/provisioner".to_owned(), json!(provisioner(inputs))),
                    ("/reclaimPolicy".to_owned(), json!("Delete")),
                    ("/volumeBindingMode".to_owned(), json!("Immediate")),
                    ("/allowVolumeExpansion".to_owned(), json!(true)),
                    ("/parameters/pool".to_owned(), json!(VOLUMES)),
                ]),
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::inputs;

    #[test]
    fn three_nodes_carry_ceph_where_there_are_three() {
        let mut inputs = inputs();
        assert_eq!(nodes(&inputs), ["k1"]);
        inputs.nodes = ["k1", "k2"].map(str::to_owned).into();
        assert_eq!(nodes(&inputs), ["k1"]);
        inputs.nodes = ["k1", "k2", "k3", "k4"].map(str::to_owned).into();
        assert_eq!(nodes(&inputs), ["k1", "k2", "k3"]);
    }

    #[test]
    fn where_rook_runs_there_is_no_release_of_ours() {
        let mut inputs = inputs();
        assert_eq!(home(&inputs).as_deref(), Some("rook-ceph"));
        inputs.ceph.stand_in = false;
        assert_eq!(home(&inputs), None);
        let kinds: Vec<_> = prerequisites(&inputs).into_iter().map(|wanted| wanted.what).collect();
        assert!(!kinds.iter().any(|what| matches!(what, Prerequisite::Namespace { .. })));
    }
}

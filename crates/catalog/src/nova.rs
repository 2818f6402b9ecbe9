//! Nova, past the guide: servers. Its control plane, a compute on each node with libvirt, their consoles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::openvswitch::label;
use crate::service::{SecretKind, Service, in_the_cloud};
use crate::values::{count, images, overlay, password};
use crate::{accounts, ceph, keystone, libvirt, mariadb, neutron, rabbitmq, ssh};

const NAME: &str = "nova";
const DB_SECRET: &str = "nova-db";
const ACCOUNT_SECRET: &str = "nova-keystone";
/// By it computes bring servers' disks to one another.
const SSH_SECRET: &str = "nova-ssh";
/// First label of the name that consoles are looked at under.
pub(crate) const CONSOLES: &str = "novncproxy";
/// Pool of servers' own disks, where they are kept in Ceph.
const POOL: &str = "vms";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "servers",
    summary_ko: "서버(인스턴스)",
    chart: NAME,
    guide: "",
    needs: &[
        "mariadb",
        "rabbitmq",
        "memcached",
        "keystone",
        "glance",
        "placement",
        "openvswitch",
        "libvirt",
        "neutron",
    ],
    companions: &["openstackclient"],
    public: Some(NAME),
    weights: &[
        ("Job/nova-db-init", 3),
        ("Job/nova-db-sync", 18),
        ("Job/nova-ks-service", 2),
        ("Job/nova-ks-endpoints", 2),
        ("Job/nova-ks-user", 2),
        ("Job/nova-cell-setup", 8),
        ("Job/nova-bootstrap", 5),
        ("Deployment/nova-api-osapi", 10),
        ("Deployment/nova-api-metadata", 9),
        ("Deployment/nova-conductor", 9),
        ("Deployment/nova-scheduler", 9),
        ("Deployment/nova-novncproxy", 7),
        ("DaemonSet/nova-compute-default", 14),
    ],
    leftovers: &[],
    secrets: &[
        (keystone::ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (accounts::CACHE_SECRET, SecretKind::Key),
        (rabbitmq::NOVA_SECRET, SecretKind::Password),
        (DB_SECRET, SecretKind::Password),
        (ACCOUNT_SECRET, SecretKind::Password),
        (neutron::METADATA_SECRET, SecretKind::Key),
        (SSH_SECRET, SecretKind::PrivateKey),
    ],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

/// Servers' own disks are files on their node unless the cloud file says otherwise.
fn in_ceph(values: Option<&Value>) -> bool {
    values.and_then(|values| values.pointer("/conf/nova/libvirt/images_type")?.as_str()) == Some("rbd")
}

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    let mut all = vec![label("", NAME, "openstack-compute-node", inputs.compute().to_vec())];
    if in_ceph(inputs.overrides.get(NAME)) {
        all.push(ceph::pool(inputs, NAME, "", POOL));
        all.push(libvirt::key(inputs, NAME, ""));
        all.push(ceph::conf(inputs, NAME));
    }
    all
}

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let own = [
        "db_init",
        "nova_api",
        "nova_cell_setup",
        "nova_compute",
        "nova_conductor",
        "nova_db_sync",
        "nova_novncproxy",
        "nova_scheduler",
    ]
    .map(|tag| (tag, NAME));
    let agent = accounts::AGENT_TAGS.map(|tag| (tag, "agent"));
    let mut values = images(inputs, &[&own[..], &agent[..], &[("bootstrap", "openstackclient")]].concat());
    overlay(&mut values, &accounts::endpoints(inputs, secrets, NAME, "compute", DB_SECRET, ACCOUNT_SECRET));
    let workers = inputs.workers();
    let replicas = inputs.api_replicas();
    let private_key = password(secrets, SSH_SECRET);
    let public_key = private_key.as_str().and_then(ssh::public_key);
    let ingress = json!({"ingress": {"classes": {"namespace": inputs.ingress_class}}});
    overlay(
        &mut values,
        &json!({
            "endpoints": {
                "compute_novnc_proxy": {"host_fqdn_override": {"public": inputs.public(CONSOLES)}},
                "oslo_messaging": {"auth": {"nova": {"password": password(secrets, rabbitmq::NOVA_SECRET)}}},
            },
            "network": {
                "osapi": ingress,
                "novncproxy": ingress,
                "ssh": {"enabled": true, "public_key": public_key, "private_key": private_key},
            },
            "ceph_client": {"configmap": ceph::CONF, "user_secret_name": libvirt::KEY_SECRET},
            "pod": {"replicas": {
                "api_metadata": replicas,
                "conductor": replicas,
                "novncproxy": replicas,
                "osapi": replicas,
                "scheduler": replicas,
            }},
            "conf": {
                "nova": {
                    "conductor": {"workers": workers},
                    "libvirt": {
                        "images_rbd_pool": POOL,
                        "rbd_secret_uuid": libvirt::SECRET_UUID,
                        "rbd_user": libvirt::USER,
                    },
                    "neutron": {"metadata_proxy_shared_secret": password(secrets, neutron::METADATA_SECRET)},
                },
                "nova_api_uwsgi": {"uwsgi": {"processes": workers}},
                "nova_metadata_uwsgi": {"uwsgi": {"processes": workers}},
            },
        }),
    );
    values
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let (namespace, keystone, host) = (&inputs.namespace, inputs.public("keystone"), inputs.public(NAME));
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "", what, title, remedy, kind);
    let mut checks = vec![
        check(
            "pods",
            Text::new("The pods of nova's API run", "nova API 파드가 Running 상태"),
            Text::new(
                "`landfall why deployment/nova-api-osapi` names what they wait for",
                "`landfall why deployment/nova-api-osapi`가 기다리는 원인을 알려줍니다",
            ),
            CheckKind::PodsReady {
                namespace: namespace.clone(),
                selector: "application=nova,component=os-api".into(),
                at_least: count(values, "/pod/replicas/osapi", 1),
            },
        ),
        check(
            "service-list",
            Text::new("nova is in the service list", "서비스 목록에 nova가 보임"),
            accounts::unregistered(inputs, NAME),
            CheckKind::KeystoneServices {
                host: keystone.clone(),
                services: BTreeMap::from([(NAME.to_owned(), "compute".to_owned())]),
            },
        ),
        check(
            "computes",
            Text::new(
                "Nova's services are up, and every compute node is known to Placement",
                "nova 서비스가 모두 up이고 모든 컴퓨트 노드가 Placement에 등록됨",
            ),
            Text::new(
                format!(
                    "not registered or not reporting: `kubectl -n {namespace} get pods -l application=nova,component=compute -o wide`, then the log of the one on that node; disabled: libvirt there does not answer (`landfall verify libvirt`); not mapped: delete Job nova-cell-setup and run `landfall up nova`; unknown to Placement: `landfall verify placement`"
                ),
                format!(
                    "등록되지 않았거나 보고가 없으면 `kubectl -n {namespace} get pods -l application=nova,component=compute -o wide`로 그 노드 파드의 로그를, disabled이면 그 노드의 libvirt를 (`landfall verify libvirt`) 확인하세요. 셀에 매핑되지 않았으면 Job nova-cell-setup을 지우고 `landfall up nova`를 실행하고, Placement에 없으면 `landfall verify placement`를 확인하세요"
                ),
            ),
            CheckKind::ComputeServices {
                keystone: keystone.clone(),
                host,
                placement: inputs.public("placement"),
                computes: inputs.compute().to_vec(),
            },
        ),
    ];
    if values.pointer("/console/console_kind").is_none_or(|kind| kind == "novnc") {
        let consoles = inputs.public(CONSOLES);
        checks.push(check(
            "console",
            Text::new(
                format!("The page of servers' consoles answers at {consoles}"),
                format!("서버 콘솔 페이지가 {consoles}에서 응답함"),
            ),
            Text::new(
                "`landfall why deployment/nova-novncproxy` names what it waits for; 404: the Ingress nova-novncproxy-ingress is missing or of another class",
                "`landfall why deployment/nova-novncproxy`가 기다리는 원인을 알려줍니다. 404이면 Ingress nova-novncproxy-ingress가 없거나 클래스가 다릅니다",
            ),
            CheckKind::Ingress {
                host: consoles,
                path: "/vnc_lite.html".into(),
                status: vec![200],
                contains: "noVNC".into(),
            },
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::Prerequisite;
    use crate::inputs::tests::inputs;

    fn pools(inputs: &Inputs) -> Vec<String> {
        let wanted = prerequisites(inputs).into_iter();
        wanted
            .filter_map(|wanted| match wanted.what {
                Prerequisite::CephPool { name, .. } => Some(name),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn disks_in_ceph_ask_for_their_pool_and_files_do_not() {
        let mut inputs = inputs();
        assert!(pools(&inputs).is_empty());
        inputs.overrides.insert(NAME.into(), json!({"conf": {"nova": {"libvirt": {"images_type": "rbd"}}}}));
        assert_eq!(pools(&inputs), [POOL]);
    }

    #[test]
    fn a_cloud_without_consoles_is_not_asked_for_their_page() {
        let consoles =
            |values: &Value| checks(&inputs(), values).iter().any(|check| check.id == "nova/console");
        assert!(consoles(&json!({})));
        assert!(!consoles(&json!({"console": {"console_kind": "none"}})));
    }
}

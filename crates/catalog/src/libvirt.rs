//! Libvirt, guide O12: servers on the compute nodes, their disks in Ceph.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::openvswitch::label;
use crate::service::{Service, in_the_cloud};
use crate::values::{images, overlay};
use crate::{ceph, cinder};

const NAME: &str = "libvirt";
const SELECTOR: &str = "application=libvirt,component=libvirt";
/// The Ceph user of servers' own disks, the Secret with its key, and the number by which Nova names it to libvirt.
pub(crate) const USER: &str = "openstack";
pub(crate) const KEY_SECRET: &str = "ceph-client-openstack";
pub(crate) const SECRET_UUID: &str = "1c1ea2cf-7ec4-4a8b-9b63-f9ea5b0c1a4e";
/// The number of volumes' key, which is Cinder's: libvirt takes it over when Cinder comes. It is upstream's.
const VOLUME_SECRET_UUID: &str = "457eb676-33da-42ec-9a8c-9293d545c337";
/// Images are only read: a server's disk is a clone in a pool of its own.
const CAPS: [(&str, &str); 3] = [
    ("mon", "profile rbd"),
    ("osd", "profile rbd pool=vms, profile rbd-read-only pool=glance.images"),
    ("mgr", "profile rbd pool=vms"),
];

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "virtualisation",
    summary_ko: "가상화",
    chart: NAME,
    guide: "O12",
    needs: &["ceph"],
    companions: &[],
    public: None,
    weights: &[("DaemonSet/libvirt-libvirt-default", 6)],
    leftovers: &[],
    secrets: &[],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    vec![
        label("O12", NAME, "openstack-compute-node", inputs.compute().to_vec()),
        key(inputs, NAME, "O12"),
        ceph::conf(inputs, NAME),
    ]
}

/// The key of servers' own disks, waited for by `service`.
pub(crate) fn key(inputs: &Inputs, service: &str, guide: &str) -> Requirement {
    ceph::key(inputs, service, guide, USER, &CAPS, KEY_SECRET)
}

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("libvirt", "libvirt"), ("dep_check", "agent")]);
    overlay(
        &mut values,
        &json!({
            "conf": {"ceph": {
                "enabled": true,
                "cinder": {"user": cinder::CLIENT, "secret_uuid": VOLUME_SECRET_UUID},
                "nova": {"user": USER, "secret_uuid": SECRET_UUID},
            }},
            "ceph_client": {
                "configmap": ceph::CONF,
                "user_secret_name": KEY_SECRET,
                "cinder_secret_name": cinder::KEYRING,
            },
        }),
    );
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let count = inputs.compute().len();
    let namespace = &inputs.namespace;
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "O12", what, title, remedy, kind);
    let exec = |command: &str, contains: &str| CheckKind::Exec {
        namespace: namespace.clone(),
        selector: SELECTOR.into(),
        container: "libvirt".into(),
        command: ["sh", "-c", command].map(str::to_owned).to_vec(),
        contains: contains.into(),
    };
    vec![
        check(
            "pods",
            Text::new(
                format!("{count} libvirt pod(s) are Running"),
                format!("libvirt 파드 {count}개가 Running"),
            ),
            Text::new(
                "no pod at all: the node lacks the label openstack-compute-node=enabled; else `landfall why daemonset/libvirt-libvirt-default`",
                "파드가 없으면 노드에 openstack-compute-node=enabled 라벨이 없는 것입니다. 아니면 `landfall why daemonset/libvirt-libvirt-default`를 확인하세요",
            ),
            CheckKind::PodsReady { namespace: namespace.clone(), selector: SELECTOR.into(), at_least: count },
        ),
        check(
            "virsh",
            Text::new("`virsh list` runs without an error", "`virsh list`가 오류 없이 실행됨"),
            Text::new(
                format!(
                    "`kubectl -n {namespace} logs ds/libvirt-libvirt-default` says why libvirtd does not answer, and whether guests run by KVM or by emulation"
                ),
                format!(
                    "`kubectl -n {namespace} logs ds/libvirt-libvirt-default`가 libvirtd가 응답하지 않는 이유와 KVM 사용 여부를 알려줍니다"
                ),
            ),
            exec("virsh list && cat /run/libvirt/landfall.json", "State"),
        ),
        check(
            "ceph-secret",
            Text::new("libvirt knows the key of servers' disks", "libvirt가 Ceph 키를 알고 있음"),
            Text::new(
                format!(
                    "the Secret {KEY_SECRET} holds the key of client.{USER}: delete it and run `landfall up libvirt`, then delete the libvirt pod"
                ),
                format!(
                    "Secret {KEY_SECRET}에 client.{USER}의 키가 있습니다. 지우고 `landfall up libvirt`를 실행한 뒤 libvirt 파드를 지우세요"
                ),
            ),
            exec("virsh secret-list", SECRET_UUID),
        ),
    ]
}

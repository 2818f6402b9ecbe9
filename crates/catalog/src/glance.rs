//! Glance, guide O08 and O09: images, in a pool of Ceph's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Leftover, SecretKind, Service, in_the_cloud};
use crate::values::{images, overlay, storage_class};
use crate::{accounts, ceph, keystone, mariadb};

const DB_SECRET: &str = "glance-db";
const ACCOUNT_SECRET: &str = "glance-keystone";
pub(crate) const POOL: &str = "glance.images";
const CLIENT: &str = "glance";
/// Secret with the client's key; upstream's name.
const KEYRING: &str = "images-rbd-keyring";

pub(crate) const SERVICE: Service = Service {
    name: "glance",
    summary_en: "images",
    summary_ko: "이미지 관리",
    chart: "glance",
    guide: "O09",
    needs: &["mariadb", "memcached", "keystone", "ceph"],
    // Renews the monitors' addresses that Glance finds its images by.
    companions: &["openstackclient", "ceph-config"],
    public: Some("glance"),
    weights: &[
        ("Job/glance-storage-init", 3),
        ("Job/glance-db-init", 3),
        ("Job/glance-db-sync", 8),
        ("Job/glance-ks-service", 2),
        ("Job/glance-ks-endpoints", 2),
        ("Job/glance-ks-user", 3),
        ("Deployment/glance-api", 9),
    ],
    leftovers: &[Leftover { kind: "PersistentVolumeClaim", name: "glance-images", data: true }],
    secrets: &[
        (keystone::ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (accounts::CACHE_SECRET, SecretKind::Key),
        (DB_SECRET, SecretKind::Password),
        (ACCOUNT_SECRET, SecretKind::Password),
    ],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

/// `rbd` unless the cloud file says otherwise.
fn in_ceph(values: Option<&Value>) -> bool {
    values.and_then(|values| values["storage"].as_str()).is_none_or(|storage| storage == "rbd")
}

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    if !in_ceph(inputs.overrides.get("glance")) {
        return Vec::new();
    }
    let own = format!("profile rbd pool={POOL}");
    let caps = [("mon", "profile rbd"), ("mgr", own.as_str()), ("osd", own.as_str())];
    vec![
        ceph::pool(inputs, "glance", "O08", POOL),
        ceph::key(inputs, "glance", "O08", CLIENT, &caps, KEYRING),
        ceph::conf(inputs, "glance"),
    ]
}

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let own = ["db_init", "glance_api", "glance_db_sync", "glance_storage_init"].map(|tag| (tag, "glance"));
    let agent = accounts::AGENT_TAGS.map(|tag| (tag, "agent"));
    let mut values = images(inputs, &[&own[..], &agent[..], &[("bootstrap", "openstackclient")]].concat());
    overlay(&mut values, &accounts::endpoints(inputs, secrets, "glance", "image", DB_SECRET, ACCOUNT_SECRET));
    overlay(
        &mut values,
        &json!({
            "storage": "rbd",
            "ceph_client": {"configmap": ceph::CONF},
            "secrets": {"rbd": KEYRING},
            "volume": {"class_name": storage_class(inputs)},
            "network": {"api": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "conf": {
                "glance": {
                    // By it Cinder finds where in Ceph an image lies, and clones it there.
                    "DEFAULT": {"show_image_direct_url": in_ceph(inputs.overrides.get("glance"))},
                    "rbd": {"rbd_store_pool": POOL, "rbd_store_user": CLIENT},
                },
                "glance_api_uwsgi": {"uwsgi": {"processes": inputs.workers()}},
            },
        }),
    );
    values
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let (keystone, host) = (inputs.public("keystone"), inputs.public("glance"));
    let rook = &inputs.ceph.namespace;
    let check = |guide: &str, what: &str, title, remedy, kind| {
        CheckSpec::new("glance", guide, what, title, remedy, kind)
    };
    let mut checks = Vec::new();
    if in_ceph(Some(values)) {
        checks.push(check(
            "O08",
            "pool",
            Text::new(
                format!("Ceph says HEALTH_OK and has the pool {POOL}"),
                format!("Ceph가 HEALTH_OK이고 풀 {POOL}이(가) 있음"),
            ),
            Text::new(
                format!("`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail` names what is wrong; `landfall up glance` makes a pool that lacks"),
                format!("`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail`이 원인을 알려줍니다. 풀이 없으면 `landfall up glance`가 만듭니다"),
            ),
            CheckKind::CephHealth { rook: rook.clone(), pools: vec![POOL.to_owned()] },
        ));
        checks.push(check(
            "O08",
            "keyring",
            Text::new(
                format!("Secret {KEYRING} holds the key of client.{CLIENT}"),
                format!("Secret {KEYRING}에 client.{CLIENT}의 키가 있음"),
            ),
            Text::new(
                format!("`landfall up glance` makes it anew from Ceph (`ceph auth get client.{CLIENT}`)"),
                format!("`landfall up glance`가 Ceph에서 다시 가져옵니다 (`ceph auth get client.{CLIENT}`)"),
            ),
            CheckKind::Object {
                api_version: "v1".into(),
                object_kind: "Secret".into(),
                namespace: inputs.namespace.clone(),
                name: KEYRING.into(),
                fields: BTreeMap::from([("/type".to_owned(), json!("kubernetes.io/rbd"))]),
            },
        ));
    }
    checks.push(accounts::pods(inputs, "glance", "O09"));
    checks.push(check(
        "O09",
        "service-list",
        Text::new("glance is in the service list", "서비스 목록에 glance가 보임"),
        accounts::unregistered(inputs, "glance"),
        CheckKind::KeystoneServices {
            host: keystone.clone(),
            services: BTreeMap::from([("glance".to_owned(), "image".to_owned())]),
        },
    ));
    checks.push(check(
        "O09",
        "image",
        Text::new(
            "An image goes in, lies in its store, comes back with equal bytes, and is removed",
            "이미지를 올리고, 저장소에서 확인하고, 같은 내용으로 내려받고, 지움",
        ),
        Text::new(
            "401: delete Job glance-ks-user, then `landfall up glance`; 500 or 503 at the upload: the store does not take it, and `landfall logs glance` says why (`kubectl -n openstack logs job/glance-storage-init` tries pool and key by themselves)",
            "401이면 Job glance-ks-user를 지우고 `landfall up glance`를 실행하세요. 업로드에서 500이나 503이면 저장소 문제입니다: `landfall logs glance`를 확인하세요 (`kubectl -n openstack logs job/glance-storage-init`은 풀과 키만 따로 확인합니다)",
        ),
        CheckKind::GlanceImage {
            keystone,
            host,
            rook: rook.clone(),
            pool: in_ceph(Some(values)).then(|| POOL.to_owned()),
        },
    ));
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::Prerequisite;
    use crate::inputs::tests::inputs;

    #[test]
    fn its_key_opens_its_own_pool_and_no_other() {
        let keys: Vec<_> = prerequisites(&inputs())
            .into_iter()
            .filter_map(|wanted| match wanted.what {
                Prerequisite::CephKey { caps, .. } => Some(caps),
                _ => None,
            })
            .collect();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["osd"], "profile rbd pool=glance.images");
        assert!(!keys[0].values().any(|allowed| allowed.contains('*')));
    }

    #[test]
    fn files_ask_for_no_ceph() {
        let mut inputs = inputs();
        inputs.overrides.insert("glance".into(), json!({"storage": "pvc"}));
        assert!(prerequisites(&inputs).is_empty());
        let checks = checks(&inputs, &json!({"storage": "pvc"}));
        assert!(!checks.iter().any(|check| matches!(check.kind, CheckKind::CephHealth { .. })));
        assert!(checks.iter().any(|check| matches!(check.kind, CheckKind::GlanceImage { pool: None, .. })));
    }
}

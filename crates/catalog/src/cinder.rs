//! Cinder, past the guide: volumes in a pool of Ceph's, and their backups in another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{SecretKind, Service, in_the_cloud};
use crate::values::{count, images, overlay, password};
use crate::{accounts, ceph, glance, keystone, mariadb, rabbitmq};

const NAME: &str = "cinder";
const DB_SECRET: &str = "cinder-db";
const ACCOUNT_SECRET: &str = "cinder-keystone";
/// Pools of volumes and of backups, each with the only client that may write there; upstream's names.
const POOL: &str = "cinder.volumes";
pub(crate) const CLIENT: &str = "cinder";
const BACKUP_POOL: &str = "backup";
const BACKUP_CLIENT: &str = "cinderbackup";
/// Secret with the key of [`CLIENT`]; libvirt takes it over.
pub(crate) const KEYRING: &str = "cinder-volume-rbd-keyring";
const BACKUP_KEYRING: &str = "cinder-backup-rbd-keyring";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "volumes",
    summary_ko: "볼륨 관리",
    chart: NAME,
    guide: "",
    needs: &["mariadb", "rabbitmq", "memcached", "keystone", "ceph", "glance"],
    companions: &["openstackclient", "ceph-config"],
    public: Some(NAME),
    weights: &[
        ("Job/cinder-storage-init", 3),
        ("Job/cinder-backup-storage-init", 3),
        ("Job/cinder-db-init", 3),
        ("Job/cinder-db-sync", 12),
        ("Job/cinder-ks-service", 2),
        ("Job/cinder-ks-endpoints", 2),
        ("Job/cinder-ks-user", 3),
        ("Job/cinder-bootstrap", 5),
        ("Deployment/cinder-api", 9),
        ("Deployment/cinder-scheduler", 7),
        ("Deployment/cinder-volume", 8),
        ("Deployment/cinder-backup", 8),
    ],
    leftovers: &[],
    secrets: &[
        (keystone::ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (accounts::CACHE_SECRET, SecretKind::Key),
        (rabbitmq::CINDER_SECRET, SecretKind::Password),
        (DB_SECRET, SecretKind::Password),
        (ACCOUNT_SECRET, SecretKind::Password),
    ],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    let own = |pool: &str| format!("profile rbd pool={pool}");
    // Images are read, to be cloned into volumes.
    let volumes = format!("{}, profile rbd-read-only pool={}", own(POOL), glance::POOL);
    let caps = |osd: &str, pool: &str| {
        [("mon", "profile rbd".to_owned()), ("mgr", own(pool)), ("osd", osd.to_owned())]
    };
    let key = |client: &str, caps: [(&str, String); 3], secret: &str| {
        let caps = caps.each_ref().map(|(daemon, allowed)| (*daemon, allowed.as_str()));
        ceph::key(inputs, NAME, "", client, &caps, secret)
    };
    vec![
        ceph::pool(inputs, NAME, "", POOL),
        ceph::pool(inputs, NAME, "", BACKUP_POOL),
        key(CLIENT, caps(&volumes, POOL), KEYRING),
        key(BACKUP_CLIENT, caps(&own(BACKUP_POOL), BACKUP_POOL), BACKUP_KEYRING),
        ceph::conf(inputs, NAME),
    ]
}

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let cinder = [
        "cinder_api",
        "cinder_backup",
        "cinder_backup_storage_init",
        "cinder_db_sync",
        "cinder_scheduler",
        "cinder_storage_init",
        "cinder_volume",
        "cinder_volume_usage_audit",
        "db_init",
    ];
    let tags: Vec<(&str, &str)> = cinder
        .map(|tag| (tag, NAME))
        .into_iter()
        .chain(accounts::AGENT_TAGS.map(|tag| (tag, "agent")))
        .chain([("bootstrap", "openstackclient")])
        .collect();
    let mut values = images(inputs, &tags);
    overlay(&mut values, &accounts::endpoints(inputs, secrets, NAME, "volumev3", DB_SECRET, ACCOUNT_SECRET));
    let amqp = password(secrets, rabbitmq::CINDER_SECRET);
    overlay(
        &mut values,
        &json!({
            "ceph_client": {"configmap": ceph::CONF},
            "secrets": {"rbd": {"volume": KEYRING, "backup": BACKUP_KEYRING}},
            "endpoints": {"oslo_messaging": {"auth": {"cinder": {"password": amqp}}}},
            "network": {"api": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "pod": {"replicas": {"api": inputs.api_replicas()}},
            "conf": {
                "cinder": {"DEFAULT": {"backup_ceph_pool": BACKUP_POOL, "backup_ceph_user": BACKUP_CLIENT}},
                "backends": {"rbd1": {"rbd_pool": POOL, "rbd_user": CLIENT}},
                "cinder_api_uwsgi": {"uwsgi": {"processes": inputs.workers()}},
            },
        }),
    );
    values
}

/// Services that these values bring, by their programs' names.
fn binaries(values: &Value) -> Vec<String> {
    ["scheduler", "volume", "backup"]
        .into_iter()
        .filter(|name| values["manifests"][format!("deployment_{name}")] != false)
        .filter(|name| count(values, &format!("/pod/replicas/{name}"), 1) > 0)
        .map(|name| format!("cinder-{name}"))
        .collect()
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let (namespace, keystone, host) = (&inputs.namespace, inputs.public("keystone"), inputs.public(NAME));
    let rook = &inputs.ceph.namespace;
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "", what, title, remedy, kind);
    let mut checks = vec![check(
        "pools",
        Text::new(
            format!("Ceph says HEALTH_OK and has the pools {POOL} and {BACKUP_POOL}"),
            format!("Ceph가 HEALTH_OK이고 풀 {POOL}, {BACKUP_POOL}이(가) 있음"),
        ),
        Text::new(
            format!(
                "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail` names what is wrong; `landfall up cinder` makes a pool that lacks"
            ),
            format!(
                "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph health detail`이 원인을 알려줍니다. 풀이 없으면 `landfall up cinder`가 만듭니다"
            ),
        ),
        CheckKind::CephHealth { rook: rook.clone(), pools: vec![POOL.to_owned(), BACKUP_POOL.to_owned()] },
    )];
    for (what, secret, client) in
        [("keyring", KEYRING, CLIENT), ("backup-keyring", BACKUP_KEYRING, BACKUP_CLIENT)]
    {
        checks.push(check(
            what,
            Text::new(
                format!("Secret {secret} holds the key of client.{client}"),
                format!("Secret {secret}에 client.{client}의 키가 있음"),
            ),
            Text::new(
                format!("`landfall up cinder` makes it anew from Ceph (`ceph auth get client.{client}`)"),
                format!("`landfall up cinder`가 Ceph에서 다시 가져옵니다 (`ceph auth get client.{client}`)"),
            ),
            CheckKind::Object {
                api_version: "v1".into(),
                object_kind: "Secret".into(),
                namespace: namespace.clone(),
                name: secret.into(),
                fields: BTreeMap::from([("/type".to_owned(), json!("kubernetes.io/rbd"))]),
            },
        ));
    }
    checks.push(accounts::pods(inputs, NAME, ""));
    checks.push(check(
        "service-list",
        Text::new("cinderv3 is in the service list", "서비스 목록에 cinderv3이 보임"),
        accounts::unregistered(inputs, NAME),
        CheckKind::KeystoneServices {
            host: keystone.clone(),
            services: BTreeMap::from([("cinderv3".to_owned(), "volumev3".to_owned())]),
        },
    ));
    checks.push(check(
        "services",
        Text::new(
            "Cinder's scheduler, volume and backup services are up",
            "Cinder의 스케줄러, 볼륨, 백업 서비스가 up 상태",
        ),
        Text::new(
            format!(
                "down: it has not reported for a minute: `kubectl -n {namespace} get pods -l application=cinder`, then the log of the one that does not run; all of them down: the broker (`landfall verify rabbitmq`). One that is no more: `cinder-manage service remove BINARY HOST` in the pod of cinder-api"
            ),
            format!(
                "down은 1분 동안 보고가 없다는 뜻입니다: `kubectl -n {namespace} get pods -l application=cinder`로 실행되지 않는 파드의 로그를 확인하세요. 모두 down이면 메시지 브로커를 확인하세요 (`landfall verify rabbitmq`). 없어진 서비스는 cinder-api 파드에서 `cinder-manage service remove BINARY HOST`로 지웁니다"
            ),
        ),
        CheckKind::VolumeServices { keystone: keystone.clone(), host: host.clone(), binaries: binaries(values) },
    ));
    checks.push(check(
        "volume",
        Text::new(
            format!("A volume is made, lies in the pool {POOL}, and is removed"),
            format!("볼륨을 만들고, 풀 {POOL}에서 확인하고, 지움"),
        ),
        Text::new(
            format!(
                "error: `kubectl -n {namespace} logs deploy/cinder-scheduler` tells whether a back end was found, `kubectl -n {namespace} logs deploy/cinder-volume` what Ceph said; `kubectl -n {namespace} logs job/cinder-storage-init` tries pool and key by themselves"
            ),
            format!(
                "error 상태라면 `kubectl -n {namespace} logs deploy/cinder-scheduler`에서 백엔드를 찾았는지, `kubectl -n {namespace} logs deploy/cinder-volume`에서 Ceph의 응답을 확인하세요. `kubectl -n {namespace} logs job/cinder-storage-init`은 풀과 키만 따로 확인합니다"
            ),
        ),
        CheckKind::CinderVolume {
            keystone,
            host,
            rook: rook.clone(),
            pool: text(values, "/conf/backends/rbd1/rbd_pool", POOL),
            client: text(values, "/conf/backends/rbd1/rbd_user", CLIENT),
        },
    ));
    checks
}

fn text(values: &Value, pointer: &str, default: &str) -> String {
    values.pointer(pointer).and_then(Value::as_str).unwrap_or(default).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::blueprint::Prerequisite;
    use crate::inputs::tests::inputs;

    #[test]
    fn each_key_opens_its_own_pool_and_images_only_to_be_read() {
        let keys: BTreeMap<String, BTreeMap<String, String>> = prerequisites(&inputs())
            .into_iter()
            .filter_map(|wanted| match wanted.what {
                Prerequisite::CephKey { client, caps, .. } => Some((client, caps)),
                _ => None,
            })
            .collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(
            keys["cinder"]["osd"],
            "profile rbd pool=cinder.volumes, profile rbd-read-only pool=glance.images"
        );
        assert_eq!(keys["cinder"]["mgr"], "profile rbd pool=cinder.volumes");
        assert_eq!(keys["cinderbackup"]["osd"], "profile rbd pool=backup");
        assert!(!keys.values().flat_map(BTreeMap::values).any(|allowed| allowed.contains('*')));
    }

    #[test]
    fn a_service_that_is_left_out_is_not_asked_for() {
        assert_eq!(binaries(&json!({})), ["cinder-scheduler", "cinder-volume", "cinder-backup"]);
        assert_eq!(
            binaries(&json!({"manifests": {"deployment_backup": false}, "pod": {"replicas": {"volume": 0}}})),
            ["cinder-scheduler"]
        );
    }

    #[test]
    fn an_overridden_pool_is_where_the_volume_is_looked_for() {
        let checks = checks(&inputs(), &json!({"conf": {"backends": {"rbd1": {"rbd_pool": "fast"}}}}));
        let volume = checks.iter().find(|check| check.id == "cinder/volume").unwrap();
        assert!(matches!(&volume.kind, CheckKind::CinderVolume { pool, .. } if pool == "fast"));
    }
}

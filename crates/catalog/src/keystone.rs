//! Keystone, guide O07: identity and the catalog of services.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::{Inputs, REGION};
use crate::mariadb;
use crate::service::{Leftover, SecretKind, Service, in_the_cloud, none};
use crate::values::{images, overlay, password};

/// Name of the administrator's password.
pub const ADMIN_SECRET: &str = "keystone-admin";
const DB_SECRET: &str = "keystone-db";

pub(crate) const SERVICE: Service = Service {
    name: "keystone",
    summary_en: "identity",
    summary_ko: "인증 및 서비스 카탈로그",
    chart: "keystone",
    guide: "O07",
    needs: &["mariadb", "memcached"],
    // `landfall openstack` is how its catalog is seen.
    companions: &["openstackclient"],
    public: Some("keystone"),
    weights: &[
        ("Job/keystone-fernet-setup", 3),
        ("Job/keystone-credential-setup", 3),
        ("Job/keystone-db-init", 3),
        ("Job/keystone-db-sync", 10),
        ("Job/keystone-bootstrap", 8),
        ("Deployment/keystone-api", 8),
    ],
    leftovers: &[
        Leftover { kind: "Secret", name: "keystone-fernet-keys", data: true },
        Leftover { kind: "Secret", name: "keystone-credential-keys", data: true },
    ],
    secrets: &[
        (ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (DB_SECRET, SecretKind::Password),
    ],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let keystone = ["bootstrap", "db_init", "keystone_api", "keystone_credential_rotate", "keystone_db_sync"];
    let agent = ["dep_check", "keystone_credential_setup", "keystone_fernet_rotate", "keystone_fernet_setup"];
    let tags: Vec<(&str, &str)> =
        keystone.map(|tag| (tag, "keystone")).into_iter().chain(agent.map(|tag| (tag, "agent"))).collect();
    let mut values = images(inputs, &tags);
    overlay(
        &mut values,
        &json!({
            "endpoints": {
                "identity": {
                    "auth": {"admin": {"region_name": REGION, "password": password(secrets, ADMIN_SECRET)}},
                    "host_fqdn_override": {"public": inputs.public("keystone")},
                },
                "oslo_db": {"auth": {
                    "admin": {"password": password(secrets, mariadb::ROOT_SECRET)},
                    "keystone": {"password": password(secrets, DB_SECRET)},
                }},
            },
            "network": {"api": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "pod": {"replicas": {"api": inputs.api_replicas()}},
            "conf": {"keystone_api_uwsgi": {"uwsgi": {"processes": inputs.workers()}}},
        }),
    );
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let host = inputs.public("keystone");
    let check =
        |what: &str, title, remedy, kind| CheckSpec::new("keystone", "O07", what, title, remedy, kind);
    vec![
        check(
            "http",
            Text::new(
                format!("http://{host}/v3 answers through the Ingress"),
                format!("http://{host}/v3 이 Ingress를 통해 응답함"),
            ),
            Text::new(
                format!(
                    "if the name does not resolve, map it in /etc/hosts (`landfall hosts --write`); `landfall why ingress/keystone-ingress` names a missing controller or backend for {host}"
                ),
                "도메인 접근이 안 되면 /etc/hosts의 IP와 도메인 매핑을 확인하세요 (`landfall hosts --write`). `landfall why ingress/keystone-ingress`가 원인을 알려줍니다",
            ),
            CheckKind::Ingress {
                host: host.clone(),
                path: "/v3".into(),
                status: vec![200],
                contains: "\"v3".into(),
            },
        ),
        check(
            "token",
            Text::new("The administrator gets a token", "관리자가 토큰을 발급받음"),
            Text::new(
                "401: the password in the Secret landfall-secrets is not the one that Keystone was bootstrapped with (delete Job keystone-bootstrap, then `landfall up keystone`); 500: `landfall logs keystone`",
                "401이면 Secret landfall-secrets의 암호가 bootstrap 때와 다릅니다 (Job keystone-bootstrap을 지우고 `landfall up keystone`). 500이면 `landfall logs keystone`을 확인하세요",
            ),
            CheckKind::KeystoneToken { host: host.clone() },
        ),
        check(
            "service-list",
            Text::new("keystone is in the service list", "서비스 목록에 keystone이 보임"),
            Text::new(
                "Job keystone-bootstrap registers it: `kubectl -n openstack logs job/keystone-bootstrap`",
                "Job keystone-bootstrap이 등록합니다: `kubectl -n openstack logs job/keystone-bootstrap`",
            ),
            CheckKind::KeystoneServices {
                host,
                services: BTreeMap::from([("keystone".to_owned(), "identity".to_owned())]),
            },
        ),
    ]
}

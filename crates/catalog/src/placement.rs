//! Placement, guide O10: who has what to give to servers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::accounts;
use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{SecretKind, Service, in_the_cloud, none};
use crate::values::{images, overlay};
use crate::{keystone, mariadb};

const DB_SECRET: &str = "placement-db";
const ACCOUNT_SECRET: &str = "placement-keystone";

pub(crate) const SERVICE: Service = Service {
    name: "placement",
    summary_en: "resource allocation",
    summary_ko: "리소스 할당",
    chart: "placement",
    guide: "O10",
    needs: &["mariadb", "memcached", "keystone"],
    companions: &["openstackclient"],
    public: Some("placement"),
    weights: &[
        ("Job/placement-db-init", 3),
        ("Job/placement-db-sync", 7),
        ("Job/placement-ks-service", 2),
        ("Job/placement-ks-endpoints", 2),
        ("Job/placement-ks-user", 3),
        ("Deployment/placement-api", 7),
    ],
    leftovers: &[],
    secrets: &[
        (keystone::ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (accounts::CACHE_SECRET, SecretKind::Key),
        (DB_SECRET, SecretKind::Password),
        (ACCOUNT_SECRET, SecretKind::Password),
    ],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let own = ["db_init", "placement", "placement_db_sync"].map(|tag| (tag, "placement"));
    let agent = accounts::AGENT_TAGS.map(|tag| (tag, "agent"));
    let mut values = images(inputs, &[&own[..], &agent[..]].concat());
    overlay(
        &mut values,
        &accounts::endpoints(inputs, secrets, "placement", "placement", DB_SECRET, ACCOUNT_SECRET),
    );
    overlay(
        &mut values,
        &json!({
            "network": {"api": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "conf": {"placement_api_uwsgi": {"uwsgi": {"processes": inputs.workers()}}},
        }),
    );
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let (keystone, host) = (inputs.public("keystone"), inputs.public("placement"));
    let check =
        |what: &str, title, remedy, kind| CheckSpec::new("placement", "O10", what, title, remedy, kind);
    vec![
        accounts::pods(inputs, "placement", "O10"),
        check(
            "service-list",
            Text::new("placement is in the service list", "서비스 목록에 placement가 보임"),
            accounts::unregistered(inputs, "placement"),
            CheckKind::KeystoneServices {
                host: keystone.clone(),
                services: BTreeMap::from([("placement".to_owned(), "placement".to_owned())]),
            },
        ),
        check(
            "resource-providers",
            Text::new(
                format!("GET http://{host}/resource_providers answers"),
                format!("GET http://{host}/resource_providers 가 응답함"),
            ),
            Text::new(
                "401: the account of the service is not the one in Keystone (delete Job placement-ks-user, then `landfall up placement`); 503: `landfall why deployment/placement-api`; 500: `landfall logs placement`",
                "401이면 서비스 계정이 Keystone의 것과 다릅니다 (Job placement-ks-user를 지우고 `landfall up placement`). 503이면 `landfall why deployment/placement-api`, 500이면 `landfall logs placement`를 확인하세요",
            ),
            CheckKind::OpenstackGet {
                keystone,
                host,
                path: "/resource_providers".into(),
                contains: "resource_providers".into(),
            },
        ),
    ]
}

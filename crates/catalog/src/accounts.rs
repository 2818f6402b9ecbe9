//! What all services behind Keystone are given and are checked by: their accounts there and in the
//! database, their public names.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::{Inputs, REGION};
use crate::values::password;
use crate::{keystone, mariadb};

/// Key by which services encrypt what they keep of tokens in Memcached; the same for all of them.
pub(crate) const CACHE_SECRET: &str = "memcache-key";
/// Image tags of the agent in such a service's chart.
pub(crate) const AGENT_TAGS: [&str; 4] = ["dep_check", "ks_endpoints", "ks_service", "ks_user"];

/// `endpoints` of a service: its own of this type under its public name, its accounts in Keystone and
/// in the database, and those of their administrators.
pub(crate) fn endpoints(
    inputs: &Inputs,
    secrets: &Secrets,
    service: &str,
    kind: &str,
    database: &str,
    account: &str,
) -> Value {
    let mut values = json!({"endpoints": {
        "identity": {
            "auth": {
                "admin": {"region_name": REGION, "password": password(secrets, keystone::ADMIN_SECRET)},
            },
            "host_fqdn_override": {"public": inputs.public("keystone")},
        },
        "oslo_db": {"auth": {
            "admin": {"password": password(secrets, mariadb::ROOT_SECRET)},
        }},
        "oslo_cache": {"auth": {"memcache_secret_key": password(secrets, CACHE_SECRET)}},
    }});
    let endpoints = &mut values["endpoints"];
    endpoints["identity"]["auth"][service] =
        json!({"region_name": REGION, "password": password(secrets, account)});
    endpoints["oslo_db"]["auth"][service] = json!({"password": password(secrets, database)});
    endpoints[kind] = json!({"host_fqdn_override": {"public": inputs.public(service)}});
    values
}

/// The guide's check point of most services: its API's pods run.
pub(crate) fn pods(inputs: &Inputs, service: &str, guide: &str) -> CheckSpec {
    CheckSpec {
        id: format!("{service}/pods"),
        service: service.to_owned(),
        guide: guide.to_owned(),
        title: Text::new(format!("The pods of {service} run"), format!("{service} 파드가 Running 상태")),
        remedy: Text::new(
            format!("`landfall why deployment/{service}-api` names what they wait for"),
            format!("`landfall why deployment/{service}-api`가 기다리는 원인을 알려줍니다"),
        ),
        kind: CheckKind::PodsReady {
            namespace: inputs.namespace.clone(),
            selector: format!("application={service},component=api"),
            at_least: 1,
        },
    }
}

/// What to do where a service is not in the service list.
pub(crate) fn unregistered(inputs: &Inputs, service: &str) -> Text {
    let command = format!("kubectl -n {} logs job/{service}-ks-service", inputs.namespace);
    Text::new(
        format!("Job {service}-ks-service registers it: `{command}`"),
        format!("Job {service}-ks-service가 등록합니다: `{command}`"),
    )
}

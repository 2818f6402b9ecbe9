//! RabbitMQ, guide O05: messages between services.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Leftover, SecretKind, Service, in_the_cloud, none};
use crate::values::{count, images, overlay, password, storage_class};

/// Passwords of services' own users, which are always there: they must not come and go with what is installed this time.
pub(crate) const NEUTRON_SECRET: &str = "rabbitmq-neutron";
pub(crate) const NOVA_SECRET: &str = "rabbitmq-nova";
pub(crate) const CINDER_SECRET: &str = "rabbitmq-cinder";
const ADMIN_SECRET: &str = "rabbitmq-admin";
const COOKIE_SECRET: &str = "rabbitmq-erlang-cookie";

pub(crate) const SERVICE: Service = Service {
    name: "rabbitmq",
    summary_en: "message broker",
    summary_ko: "메시지 브로커",
    chart: "rabbitmq",
    guide: "O05",
    needs: &[],
    companions: &[],
    public: None,
    weights: &[("StatefulSet/rabbitmq-rabbitmq", 20)],
    leftovers: &[Leftover {
        kind: "PersistentVolumeClaim",
        name: "rabbitmq-data-rabbitmq-rabbitmq-*",
        data: true,
    }],
    secrets: &[
        (ADMIN_SECRET, SecretKind::Password),
        (COOKIE_SECRET, SecretKind::Key),
        (NEUTRON_SECRET, SecretKind::Password),
        (NOVA_SECRET, SecretKind::Password),
        (CINDER_SECRET, SecretKind::Password),
    ],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("rabbitmq", "rabbitmq"), ("dep_check", "agent")]);
    let schedulers = inputs.workers();
    overlay(
        &mut values,
        &json!({
            "endpoints": {"oslo_messaging": {"auth": {
                "user": {"password": password(secrets, ADMIN_SECRET)},
                "erlang_cookie": password(secrets, COOKIE_SECRET),
            }}},
            "conf": {
                "erlang": {"schedulers": schedulers},
                "users": {
                    "neutron": user(secrets, "neutron", NEUTRON_SECRET),
                    "nova": user(secrets, "nova", NOVA_SECRET),
                    "cinder": user(secrets, "cinder", CINDER_SECRET),
                },
            },
            "volume": {"class_name": storage_class(inputs)},
            // Two as in the guide; a third where queues can then outlive the loss of a node.
            "pod": {"replicas": {"server": inputs.members().max(2)}},
        }),
    );
    values
}

/// A user of this name, in a virtual host of its own.
fn user(secrets: &Secrets, name: &str, secret: &str) -> Value {
    json!({
        "auth": {name: {"username": name, "password": password(secrets, secret)}},
        "path": format!("/{name}"),
    })
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let members = count(values, "/pod/replicas/server", 2);
    let check =
        |what: &str, title, remedy, kind| CheckSpec::new("rabbitmq", "O05", what, title, remedy, kind);
    let selector = "application=rabbitmq,component=server";
    vec![
        check(
            "pods",
            Text::new(format!("{members} RabbitMQ pods are Running"), format!("RabbitMQ 파드 {members}개가 Running")),
            Text::new(
                "`landfall why statefulset/rabbitmq-rabbitmq` names what a pod waits for",
                "`landfall why statefulset/rabbitmq-rabbitmq`가 파드가 기다리는 원인을 알려줍니다",
            ),
            CheckKind::PodsReady { namespace: inputs.namespace.clone(), selector: selector.into(), at_least: members },
        ),
        check(
            "cluster",
            Text::new("They are members of one cluster", "모두 하나의 클러스터에 속함"),
            Text::new(
                "a member that formed a cluster of its own has another erlang cookie or could not resolve its peers: compare `rabbitmqctl cluster_status` of the pods, delete the claim of the one that stands alone, then its pod",
                "혼자 클러스터를 만든 멤버는 erlang cookie가 다르거나 이름을 찾지 못한 것입니다. 각 파드의 `rabbitmqctl cluster_status`를 비교하고, 떨어진 멤버의 PVC와 파드를 지우세요",
            ),
            CheckKind::Exec {
                namespace: inputs.namespace.clone(),
                selector: selector.into(),
                container: "rabbitmq".into(),
                command: [
                    "rabbitmqctl",
                    "--quiet",
                    "eval",
                    "N = rabbit_nodes:list_running(), io:format(\"running members: ~w ~0p~n\", [length(N), lists:sort(N)]).",
                ]
                .map(str::to_owned)
                .to_vec(),
                contains: format!("running members: {members} "),
            },
        ),
    ]
}

//! Neutron, guide O13: networks, by its server and the agents on the nodes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::openvswitch::{self, label};
use crate::service::{SecretKind, Service, in_the_cloud};
use crate::values::{count, images, overlay, password};
use crate::{accounts, keystone, mariadb, rabbitmq};

const NAME: &str = "neutron";
const DB_SECRET: &str = "neutron-db";
const ACCOUNT_SECRET: &str = "neutron-keystone";
/// Shared with Nova: by it the metadata of a server is given to that server alone.
pub(crate) const METADATA_SECRET: &str = "neutron-metadata";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "networking",
    summary_ko: "네트워킹",
    chart: NAME,
    guide: "O13",
    needs: &["mariadb", "rabbitmq", "memcached", "keystone", "openvswitch"],
    companions: &["openstackclient"],
    public: Some(NAME),
    weights: &[
        ("Job/neutron-db-init", 3),
        ("Job/neutron-db-sync", 14),
        ("Job/neutron-ks-service", 2),
        ("Job/neutron-ks-endpoints", 2),
        ("Job/neutron-ks-user", 2),
        ("Deployment/neutron-server", 12),
        ("DaemonSet/neutron-ovs-agent-default", 12),
        ("DaemonSet/neutron-dhcp-agent-default", 6),
        ("DaemonSet/neutron-l3-agent-default", 6),
        ("DaemonSet/neutron-metadata-agent-default", 6),
    ],
    leftovers: &[],
    secrets: &[
        (keystone::ADMIN_SECRET, SecretKind::Password),
        (mariadb::ROOT_SECRET, SecretKind::Password),
        (accounts::CACHE_SECRET, SecretKind::Key),
        (rabbitmq::NEUTRON_SECRET, SecretKind::Password),
        (DB_SECRET, SecretKind::Password),
        (ACCOUNT_SECRET, SecretKind::Password),
        (METADATA_SECRET, SecretKind::Key),
    ],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    let network = || inputs.network().to_vec();
    vec![
        label("O13", NAME, "openvswitch", openvswitch::nodes(inputs)),
        label("O13", NAME, "openstack-network-node", network()),
        label("O13", NAME, "l3-agent", network()),
    ]
}

fn values(inputs: &Inputs, secrets: &Secrets) -> Value {
    let neutron = [
        "db_init",
        "neutron_db_sync",
        "neutron_dhcp",
        "neutron_l3",
        "neutron_metadata",
        "neutron_openvswitch_agent",
        "neutron_server",
    ];
    let tags: Vec<(&str, &str)> = neutron
        .map(|tag| (tag, NAME))
        .into_iter()
        .chain(accounts::AGENT_TAGS.map(|tag| (tag, "agent")))
        .collect();
    let mut values = images(inputs, &tags);
    overlay(&mut values, &accounts::endpoints(inputs, secrets, NAME, "network", DB_SECRET, ACCOUNT_SECRET));
    let workers = inputs.workers();
    let amqp = password(secrets, rabbitmq::NEUTRON_SECRET);
    overlay(
        &mut values,
        &json!({
            "endpoints": {"oslo_messaging": {"auth": {"neutron": {"password": amqp}}}},
            "network": {"server": {"ingress": {"classes": {"namespace": inputs.ingress_class}}}},
            "pod": {"replicas": {"server": inputs.api_replicas()}},
            "conf": {
                "neutron": {"DEFAULT": {
                    "api_workers": workers,
                    "rpc_workers": workers,
                    "dhcp_agents_per_network": inputs.network().len().clamp(1, 2),
                }},
                "metadata_agent": {"DEFAULT": {
                    "metadata_proxy_shared_secret": password(secrets, METADATA_SECRET),
                }},
            },
        }),
    );
    values
}

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let servers = count(values, "/pod/replicas/server", 1);
    let (namespace, keystone, host) = (&inputs.namespace, inputs.public("keystone"), inputs.public(NAME));
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "O13", what, title, remedy, kind);
    let network = inputs.network().to_vec();
    let agents: BTreeMap<String, Vec<String>> = ["dhcp", "l3", "metadata"]
        .map(|name| (format!("neutron-{name}-agent"), network.clone()))
        .into_iter()
        .chain([("neutron-openvswitch-agent".to_owned(), openvswitch::nodes(inputs))])
        .collect();
    vec![
        check(
            "pods",
            Text::new("neutron-server is Running", "neutron-server가 Running"),
            Text::new(
                "`landfall why deployment/neutron-server` names what it waits for",
                "`landfall why deployment/neutron-server`가 기다리는 원인을 알려줍니다",
            ),
            CheckKind::PodsReady {
                namespace: namespace.clone(),
                selector: "application=neutron,component=server".into(),
                at_least: servers,
            },
        ),
        check(
            "service-list",
            Text::new("neutron is in the service list", "서비스 목록에 neutron이 보임"),
            accounts::unregistered(inputs, NAME),
            CheckKind::KeystoneServices {
                host: keystone.clone(),
                services: BTreeMap::from([(NAME.to_owned(), "network".to_owned())]),
            },
        ),
        check(
            "agents",
            Text::new(
                "All agents are alive and UP on their hosts",
                "모든 에이전트가 각 호스트에서 :-) 이고 UP 상태",
            ),
            Text::new(
                format!(
                    "XXX: the agent has not reported for 45 s: `kubectl -n {namespace} get pods -l application=neutron -o wide`, then the log of the one that does not run; all of them dead: the broker (`landfall verify rabbitmq`)"
                ),
                format!(
                    "XXX는 45초 동안 보고가 없다는 뜻입니다: `kubectl -n {namespace} get pods -l application=neutron -o wide`로 실행되지 않는 에이전트의 로그를 확인하세요. 모두 죽었다면 메시지 브로커를 확인하세요 (`landfall verify rabbitmq`)"
                ),
            ),
            CheckKind::NetworkAgents { keystone: keystone.clone(), host: host.clone(), agents },
        ),
        check(
            "ports",
            Text::new(
                "Two ports get their addresses by DHCP and reach each other",
                "두 포트가 DHCP로 주소를 받고 서로 통신함",
            ),
            Text::new(
                format!(
                    "no address: the DHCP agent (`kubectl -n {namespace} logs ds/neutron-dhcp-agent-default`); an address and no answer from another node: tunnels (`landfall verify openvswitch` shows where they end)"
                ),
                format!(
                    "주소를 받지 못하면 DHCP 에이전트를 (`kubectl -n {namespace} logs ds/neutron-dhcp-agent-default`), 다른 노드에서 응답이 없으면 터널을 확인하세요 (`landfall verify openvswitch`)"
                ),
            ),
            CheckKind::NetworkPorts {
                keystone,
                host,
                namespace: namespace.clone(),
                nodes: openvswitch::nodes(inputs),
            },
        ),
    ]
}

//! Open vSwitch, guide O11: the switch of every node that servers or routers are on.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Prerequisite, Requirement, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Service, in_the_cloud};
use crate::values::{images, overlay};

const NAME: &str = "openvswitch";
const SELECTOR: &str = "application=openvswitch,component=server";

pub(crate) const SERVICE: Service = Service {
    name: NAME,
    summary_en: "virtual switch",
    summary_ko: "가상 스위치",
    chart: NAME,
    guide: "O11",
    needs: &[],
    companions: &[],
    public: None,
    weights: &[("DaemonSet/openvswitch", 6)],
    leftovers: &[],
    secrets: &[],
    home: in_the_cloud,
    prerequisites,
    values,
    checks,
};

/// Nodes with a switch: those of servers and those of routers, in the cluster's order.
pub(crate) fn nodes(inputs: &Inputs) -> Vec<String> {
    let (compute, network) = (inputs.compute(), inputs.network());
    inputs.nodes.iter().filter(|node| compute.contains(node) || network.contains(node)).cloned().collect()
}

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    vec![label("O11", NAME, "openvswitch", nodes(inputs))]
}

/// The label by which a service's pods find their nodes.
pub(crate) fn label(guide: &str, service: &str, key: &str, nodes: Vec<String>) -> Requirement {
    Requirement {
        services: vec![service.to_owned()],
        guide: guide.to_owned(),
        after: Vec::new(),
        what: Prerequisite::NodeLabel { key: key.to_owned(), value: "enabled".to_owned(), nodes },
    }
}

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let switch = ["openvswitch_db_server", "openvswitch_vswitchd"];
    let mut tags: Vec<(&str, &str)> = switch.map(|tag| (tag, "openvswitch")).into();
    tags.push(("dep_check", "agent"));
    let mut values = images(inputs, &tags);
    overlay(&mut values, &json!({"network": {"interface": {"tunnel": inputs.tunnel_interface}}}));
    if let Some(outside) = &inputs.outside {
        overlay(&mut values, &json!({"network": {"bridge_addresses": {"br-ex": outside}}}));
    }
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    let count = nodes(inputs).len();
    let check = |what: &str, title, remedy, kind| CheckSpec::new(NAME, "O11", what, title, remedy, kind);
    let namespace = &inputs.namespace;
    vec![
        check(
            "pods",
            Text::new(
                format!("{count} openvswitch pod(s) are 2/2 Running"),
                format!("openvswitch 파드 {count}개가 2/2 Running"),
            ),
            Text::new(
                "no pod at all: the node lacks the label openvswitch=enabled; else `landfall why daemonset/openvswitch`",
                "파드가 없으면 노드에 openvswitch=enabled 라벨이 없는 것입니다. 아니면 `landfall why daemonset/openvswitch`를 확인하세요",
            ),
            CheckKind::PodsReady { namespace: namespace.clone(), selector: SELECTOR.into(), at_least: count },
        ),
        check(
            "log",
            Text::new("ovsdb-server says that it runs", "ovsdb-server 메시지가 로그에 보임"),
            Text::new(
                format!(
                    "`kubectl -n {namespace} logs ds/openvswitch -c openvswitch-db`: a database that can not be read is set aside as /run/openvswitch/conf.db.broken"
                ),
                format!(
                    "`kubectl -n {namespace} logs ds/openvswitch -c openvswitch-db`를 확인하세요. 읽을 수 없는 DB는 /run/openvswitch/conf.db.broken으로 옮겨집니다"
                ),
            ),
            CheckKind::LogLine {
                namespace: namespace.clone(),
                selector: SELECTOR.into(),
                container: "openvswitch-db".into(),
                contains: "ovsdb_server|INFO|ovsdb-server (Open vSwitch)".into(),
            },
        ),
        check(
            "bridges",
            Text::new("The bridges are there", "브리지가 만들어짐"),
            Text::new(
                format!(
                    "`kubectl -n {namespace} logs ds/openvswitch -c openvswitch-vswitchd` says what could not be made: a link that is not there, or one that carries the node's default route (network.interface.tunnel)"
                ),
                format!(
                    "`kubectl -n {namespace} logs ds/openvswitch -c openvswitch-vswitchd`가 원인을 알려줍니다: 없는 인터페이스이거나 노드의 기본 경로를 가진 인터페이스입니다 (network.interface.tunnel)"
                ),
            ),
            CheckKind::Exec {
                namespace: namespace.clone(),
                selector: SELECTOR.into(),
                container: "openvswitch-vswitchd".into(),
                command: ["sh", "-c", SHOW].map(str::to_owned).to_vec(),
                contains: "br-ex".into(),
            },
        ),
    ]
}

/// What was found out of the node, and its bridges on one line.
const SHOW: &str = "for key in datapath datapath-reason tunnel; do \
echo \"$key: $(ovs-vsctl get Open_vSwitch . external_ids:landfall-$key | tr -d '\\\"')\"; done; \
echo bridges: $(ovs-vsctl list-br)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::inputs;

    #[test]
    fn a_switch_is_where_servers_or_routers_are() {
        let mut inputs = inputs();
        inputs.nodes = ["k1", "k2", "k3", "k4"].map(str::to_owned).into();
        inputs.compute_nodes = vec!["k3".into(), "k4".into()];
        inputs.network_nodes = vec!["k2".into()];
        assert_eq!(nodes(&inputs), ["k2", "k3", "k4"]);
        inputs.compute_nodes.clear();
        assert_eq!(nodes(&inputs), ["k1", "k2", "k3", "k4"]);
    }
}

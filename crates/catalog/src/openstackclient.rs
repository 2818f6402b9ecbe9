//! The client's pod: the `openstack` command with a warm interpreter. No step of the guide, which
//! installs the client on the host.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::nova;
use crate::service::{Service, in_the_cloud, none, services};
use crate::values::{images, overlay};

/// What `landfall openstack ARGS…` runs in the container `openstackclient`, before the arguments.
/// `-S -E` keep the interpreter's start under 20 ms; the work is done by the server beside it.
pub const OPENSTACK_COMMAND: &[&str] = &["python3", "-S", "-E", "/opt/landfall/oscall.py"];

pub(crate) const SERVICE: Service = Service {
    name: "openstackclient",
    summary_en: "openstack command",
    summary_ko: "openstack 명령",
    chart: "openstackclient",
    guide: "",
    needs: &["keystone"],
    companions: &[],
    public: None,
    weights: &[("Deployment/openstack-client", 6)],
    leftovers: &[],
    secrets: &[],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("openstackclient", "openstackclient"), ("dep_check", "agent")]);
    let aliases = match &inputs.ingress_address {
        Some(address) => {
            let names: Vec<String> = services()
                .iter()
                .filter_map(|service| service.public)
                .chain([nova::CONSOLES])
                .map(|name| inputs.public(name))
                .collect();
            json!([{"ip": address, "hostnames": names}])
        }
        None => json!([]),
    };
    overlay(
        &mut values,
        &json!({
            "endpoints": {"identity": {"host_fqdn_override": {"public": inputs.public("keystone")}}},
            "network": {"host_aliases": aliases},
        }),
    );
    values
}

fn checks(inputs: &Inputs, _values: &Value) -> Vec<CheckSpec> {
    vec![CheckSpec {
        id: "openstackclient/pods".into(),
        service: "openstackclient".into(),
        guide: String::new(),
        title: Text::new("The client's pod is ready", "클라이언트 파드가 준비됨"),
        remedy: Text::new(
            "`landfall why deployment/openstack-client` names what it waits for",
            "`landfall why deployment/openstack-client`가 기다리는 원인을 알려줍니다",
        ),
        kind: CheckKind::PodsReady {
            namespace: inputs.namespace.clone(),
            selector: "application=openstackclient".into(),
            at_least: 1,
        },
    }]
}

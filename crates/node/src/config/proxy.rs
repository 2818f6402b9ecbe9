//! kube-proxy in nftables mode.

use serde_json::json;

use crate::config::{NodePlan, go_memory, in_kubernetes};
use crate::layout::{self, POD_RANGE, inside};
use crate::manifest::{After, Component, Ready};

pub(crate) fn config(plan: &NodePlan<'_>) -> String {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": in_kubernetes("kube-proxy.conf")},
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": plan.name(),
        "bindAddress": plan.address(),
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "enableProfiling": false,
        // These belong to the host's own network: they cannot be set from here.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    });
    format!("{config:#}\n")
}

pub(crate) fn component(plan: &NodePlan<'_>) -> Component {
    let after = if plan.is_control_plane() {
        vec![After::Ready("kube-apiserver".into())]
    } else {
        vec![After::Healthy {
            url: format!("{}/readyz", layout::api_server(plan.subnet)),
            kubeconfig: in_kubernetes("kube-proxy.conf").into(),
        }]
    };
    Component {
        name: "kube-proxy".into(),
        program: format!("{}/kube-proxy", inside::BIN),
        args: vec![format!("--config={}", in_kubernetes("kube-proxy.yaml")), "--v=1".into()],
        env: go_memory(60, 100),
        after,
        ready: vec![Ready::Http { url: "http://127.0.0.1:10256/healthz".into(), kubeconfig: None }],
        stop_seconds: 5,
    }
}

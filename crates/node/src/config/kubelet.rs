//! The kubelet: its configuration and how it is run.

use serde_json::json;

use crate::config::{NodePlan, go_memory, in_kubernetes};
use crate::layout::{self, CLUSTER_DOMAIN, DNS_SERVICE, inside};
use crate::manifest::{After, Component, Ready};

pub(crate) fn config(plan: &NodePlan<'_>) -> String {
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": plan.address(),
        "healthzBindAddress": "127.0.0.1",
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true, "cacheTTL": "2m0s"},
            "x509": {"clientCAFile": in_kubernetes("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": in_kubernetes("kubelet-server.crt"),
        "tlsPrivateKeyFile": in_kubernetes("kubelet-server.key"),
        "rotateCertificates": false,
        "containerRuntimeEndpoint": format!("unix://{}", inside::CONTAINERD),
        // The node has a cgroup namespace of its own: its root is the node's folder on the host.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/",
        "failCgroupV1": false,
        "failSwapOn": false,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": inside::RESOLV,
        "maxPods": 250,
        "registerNode": true,
        "serializeImagePulls": false,
        // Nodes share the machine's disk: a full one is for its owner to see to, and images that were loaded by hand
        // cannot be pulled again, so none is collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "2%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "2%",
            "imagefs.inodesFree": "1%",
        },
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
        "nodeStatusUpdateFrequency": "10s",
        "nodeStatusReportFrequency": "5m",
        "volumeStatsAggPeriod": "5m",
        "shutdownGracePeriod": "0s",
        "enableProfilingHandler": false,
        "enableDebugFlagsHandler": false,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    });
    format!("{config:#}\n")
}

pub(crate) fn component(plan: &NodePlan<'_>) -> Component {
    let mut args = vec![
        format!("--config={}", in_kubernetes("kubelet.yaml")),
        format!("--kubeconfig={}", in_kubernetes("kubelet.conf")),
        "--root-dir=/var/lib/kubelet".into(),
        "--cert-dir=/var/lib/kubelet/pki".into(),
        format!("--hostname-override={}", plan.name()),
        format!("--node-ip={}", plan.address()),
        "--v=1".into(),
    ];
    // NodeRestriction lets a kubelet give itself no label of the control plane's; this one it may.
    args.push(format!("--node-labels=landfall.dev/cluster={}", plan.layout.name));
    Component {
        name: "kubelet".into(),
        program: format!("{}/kubelet", inside::BIN),
        args,
        env: go_memory(50, 200),
        after: vec![After::Ready("containerd".into()), api_server(plan)],
        ready: vec![
            Ready::Notify,
            Ready::Http { url: "http://127.0.0.1:10248/healthz".into(), kubeconfig: None },
        ],
        stop_seconds: 10,
    }
}

/// A kubelet that finds no API server waits longer and longer between its tries: so it starts when there is one. The
/// roles that the API server makes before it calls itself healthy a kubelet does not need.
fn api_server(plan: &NodePlan<'_>) -> After {
    if plan.is_control_plane() {
        After::Serving("kube-apiserver".into())
    } else {
        After::Answered {
            url: format!("{}/livez", layout::api_server(plan.subnet)),
            kubeconfig: in_kubernetes("kubelet.conf").into(),
        }
    }
}

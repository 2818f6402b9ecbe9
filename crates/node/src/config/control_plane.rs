//! etcd, API server, controller manager and scheduler of k1.

use serde_json::json;

use crate::config::{NodePlan, go_memory, in_kubernetes};
use crate::layout::{API_PORT, CLUSTER_DOMAIN, SERVICE_RANGE, inside};
use crate::manifest::{After, Component, Ready};

pub(crate) fn components(plan: &NodePlan<'_>) -> Vec<Component> {
    vec![etcd(plan), api_server(plan), controller_manager(), scheduler()]
}

fn etcd(plan: &NodePlan<'_>) -> Component {
    let node = plan.name();
    let mut args = vec![
        format!("--name={node}"),
        "--data-dir=/var/lib/etcd".into(),
        "--listen-client-urls=https://127.0.0.1:2379".into(),
        "--advertise-client-urls=https://127.0.0.1:2379".into(),
        "--listen-peer-urls=https://127.0.0.1:2380".into(),
        "--initial-advertise-peer-urls=https://127.0.0.1:2380".into(),
        format!("--initial-cluster={node}=https://127.0.0.1:2380"),
        "--client-cert-auth=true".into(),
        "--peer-client-cert-auth=true".into(),
        "--log-level=warn".into(),
        "--logger=zap".into(),
        "--snapshot-count=10000".into(),
    ];
    for (flag, file) in [
        ("cert-file", "etcd.crt"),
        ("key-file", "etcd.key"),
        ("trusted-ca-file", "etcd-ca.crt"),
        ("peer-cert-file", "etcd.crt"),
        ("peer-key-file", "etcd.key"),
        ("peer-trusted-ca-file", "etcd-ca.crt"),
    ] {
        args.push(format!("--{flag}={}", in_kubernetes(file)));
    }
    if plan.tuning.throwaway {
        args.push("--unsafe-no-fsync=true".into());
    }
    Component {
        name: "etcd".into(),
        program: format!("{}/etcd", inside::BIN),
        args,
        env: go_memory(75, 200),
        after: Vec::new(),
        ready: vec![Ready::Notify],
        stop_seconds: 10,
    }
}

fn api_server(plan: &NodePlan<'_>) -> Component {
    let mut args: Vec<String> = vec![
        format!("--advertise-address={}", plan.address()),
        "--bind-address=0.0.0.0".into(),
        format!("--secure-port={API_PORT}"),
        "--etcd-servers=https://127.0.0.1:2379".into(),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        format!("--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}"),
        "--authorization-mode=Node,RBAC".into(),
        "--enable-admission-plugins=NodeRestriction".into(),
        "--anonymous-auth=false".into(),
        "--allow-privileged=true".into(),
        // Pods of a lost node begin elsewhere after half a minute; Kubernetes' own five are for big sites.
        "--default-not-ready-toleration-seconds=30".into(),
        "--default-unreachable-toleration-seconds=30".into(),
        // exec and logs go to the node's address: no name server knows its name.
        "--kubelet-preferred-address-types=InternalIP".into(),
        "--requestheader-allowed-names=front-proxy-client".into(),
        "--requestheader-username-headers=X-Remote-User".into(),
        "--requestheader-group-headers=X-Remote-Group".into(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
        "--profiling=false".into(),
        "--v=1".into(),
    ];
    for (flag, file) in [
        ("etcd-cafile", "etcd-ca.crt"),
        ("etcd-certfile", "apiserver-etcd-client.crt"),
        ("etcd-keyfile", "apiserver-etcd-client.key"),
        ("client-ca-file", "ca.crt"),
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("kubelet-client-key", "apiserver-kubelet-client.key"),
        ("service-account-key-file", "sa.pub"),
        ("service-account-signing-key-file", "sa.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("proxy-client-cert-file", "front-proxy-client.crt"),
        ("proxy-client-key-file", "front-proxy-client.key"),
    ] {
        args.push(format!("--{flag}={}", in_kubernetes(file)));
    }
    args.extend(plan.tuning.apiserver.iter().cloned());
    Component {
        name: "kube-apiserver".into(),
        program: format!("{}/kube-apiserver", inside::BIN),
        args,
        env: go_memory(50, 450),
        after: vec![After::Ready("etcd".into())],
        ready: vec![
            Ready::Notify,
            Ready::Http { url: format!("https://127.0.0.1:{API_PORT}/readyz"), kubeconfig: Some(probe()) },
        ],
        stop_seconds: 15,
    }
}

fn controller_manager() -> Component {
    let conf = in_kubernetes("controller-manager.conf");
    let mut args: Vec<String> = vec![
        format!("--kubeconfig={conf}"),
        format!("--authentication-kubeconfig={conf}"),
        format!("--authorization-kubeconfig={conf}"),
        "--bind-address=127.0.0.1".into(),
        // There is one of it: nobody to vote against.
        "--leader-elect=false".into(),
        "--use-service-account-credentials=true".into(),
        // Pod ranges follow from the nodes' numbers and are set with the network, not handed out here.
        "--allocate-node-cidrs=false".into(),
        "--cluster-name=landfall".into(),
        // Each controller makes itself an account at the start: by the default of 20 a second that takes seconds.
        "--kube-api-qps=300".into(),
        "--kube-api-burst=600".into(),
        "--profiling=false".into(),
        "--v=1".into(),
    ];
    for (flag, file) in [
        ("root-ca-file", "ca.crt"),
        ("client-ca-file", "ca.crt"),
        ("service-account-private-key-file", "sa.key"),
        ("cluster-signing-cert-file", "ca.crt"),
        ("cluster-signing-key-file", "ca.key"),
        ("tls-cert-file", "loopback-server.crt"),
        ("tls-private-key-file", "loopback-server.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
    ] {
        args.push(format!("--{flag}={}", in_kubernetes(file)));
    }
    Component {
        name: "kube-controller-manager".into(),
        program: format!("{}/kube-controller-manager", inside::BIN),
        args,
        env: go_memory(60, 200),
        after: vec![After::Ready("kube-apiserver".into())],
        ready: vec![Ready::Http { url: "https://127.0.0.1:10257/healthz".into(), kubeconfig: Some(probe()) }],
        stop_seconds: 10,
    }
}

pub(crate) fn scheduler_config() -> String {
    let config = json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": in_kubernetes("scheduler.conf")},
        "leaderElection": {"leaderElect": false},
        "enableProfiling": false,
    });
    format!("{config:#}\n")
}

fn scheduler() -> Component {
    let conf = in_kubernetes("scheduler.conf");
    Component {
        name: "kube-scheduler".into(),
        program: format!("{}/kube-scheduler", inside::BIN),
        args: vec![
            format!("--config={}", in_kubernetes("scheduler.yaml")),
            format!("--authentication-kubeconfig={conf}"),
            format!("--authorization-kubeconfig={conf}"),
            "--bind-address=127.0.0.1".into(),
            format!("--tls-cert-file={}", in_kubernetes("loopback-server.crt")),
            format!("--tls-private-key-file={}", in_kubernetes("loopback-server.key")),
            format!("--client-ca-file={}", in_kubernetes("ca.crt")),
            "--v=1".into(),
        ],
        env: go_memory(60, 120),
        after: vec![After::Ready("kube-apiserver".into())],
        ready: vec![Ready::Http { url: "https://127.0.0.1:10259/healthz".into(), kubeconfig: Some(probe()) }],
        stop_seconds: 5,
    }
}

/// Who the supervisor is when it asks for health: nobody else's credentials, and no right beyond the health paths.
fn probe() -> std::path::PathBuf {
    in_kubernetes("probe.conf").into()
}

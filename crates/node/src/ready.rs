//! Waiting until a cluster's nodes are Ready, by watching: the supervisors for their components, the API for its Nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::api::{Api, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use tokio::sync::watch;

use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::layout::{node_name, pod_network};
use crate::logs;
use crate::spec::ProgressSink;
use crate::supervisor::{NodeStatus, Phase, Request, connect};

/// A cold start on a slow machine takes a minute; beyond this something is wrong that waiting does not mend.
const LIMIT: Duration = Duration::from_mins(3);
/// A component that was started again so often while the cluster starts does not come.
const TOO_MANY_STARTS: u32 = 6;

/// Waits for every node. Of those in `fresh` only what they say since `begun` counts.
pub(crate) async fn wait(
    cluster: &Cluster,
    fresh: &[u32],
    begun: jiff::Timestamp,
    progress: &ProgressSink,
) -> Result<()> {
    let (api_ready, api) = watch::channel(false);
    let fresh: BTreeSet<String> = fresh.iter().map(|number| node_name(*number)).collect();
    let names = cluster.nodes();
    let components = futures::future::try_join_all(
        names.iter().map(|node| follow(cluster, node, (node == "k1").then_some(&api_ready), progress)),
    );
    let work = async {
        tokio::select! {
            // The supervisors' words end only with an error.
            failed = components => failed.map(|_: Vec<()>| ()),
            ready = nodes(cluster, &fresh, begun, api, progress) => ready,
        }
    };
    let Ok(outcome) = tokio::time::timeout(LIMIT, work).await else {
        let waiting = describe(&cluster.status().await);
        return Err(Error::NotReady { seconds: LIMIT.as_secs(), waiting });
    };
    outcome?;
    progress.tell("ready", format!("{0} of {0} nodes Ready, pods can be made", names.len()), true);
    Ok(())
}

fn describe(status: &crate::Status) -> String {
    let waiting: Vec<String> = status
        .nodes
        .iter()
        .flat_map(|node| {
            node.components
                .iter()
                .filter(|component| component.phase != Phase::Ready)
                .map(|component| format!("{} on {} is {:?}", component.name, node.name, component.phase))
        })
        .collect();
    if waiting.is_empty() {
        "every component runs, but a Node is not Ready".into()
    } else {
        waiting.join(", ")
    }
}

/// Reports what happens in a node. Ends only if the node or one of its components fails.
async fn follow(
    cluster: &Cluster,
    node: &str,
    api_ready: Option<&watch::Sender<bool>>,
    progress: &ProgressSink,
) -> Result<()> {
    let process = cluster.process(node)?;
    let died = || Error::NodeDied {
        node: node.to_owned(),
        log: logs::tail_of(&cluster.layout.node(node).supervisor_log()),
    };
    let mut answers = connect(process.pid, &Request::Watch).await.map_err(|_| died())?;
    let mut seen: BTreeMap<String, Phase> = BTreeMap::new();
    let mut first: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(NodeStatus { components, .. }) = answers.next().await {
        for component in components {
            let before = *first.entry(component.name.clone()).or_insert(component.restarts);
            let starts = component.restarts.saturating_sub(before);
            if starts >= TOO_MANY_STARTS {
                let log = cluster.layout.node(node).component_logs().join(format!("{}.log", component.name));
                return Err(Error::Component {
                    node: node.to_owned(),
                    component: component.name,
                    starts: starts + 1,
                    log: logs::tail_of(&log),
                });
            }
            if component.name == "kube-apiserver"
                && component.phase == Phase::Ready
                && let Some(api_ready) = api_ready
            {
                api_ready.send_replace(true);
            }
            if seen.insert(component.name.clone(), component.phase) != Some(component.phase) {
                let word = match component.phase {
                    Phase::Waiting => continue,
                    Phase::Starting => "starting",
                    Phase::Ready => "ready",
                    Phase::Pausing => "ended, will be started again",
                    Phase::Stopped => "stopped",
                };
                progress.tell(node, format!("{} {word}", component.name), false);
            }
        }
    }
    Err(died())
}

/// Watches the API's Nodes until all are Ready.
async fn nodes(
    cluster: &Cluster,
    fresh: &BTreeSet<String>,
    begun: jiff::Timestamp,
    mut api: watch::Receiver<bool>,
    progress: &ProgressSink,
) -> Result<()> {
    if api.wait_for(|ready| *ready).await.is_err() {
        // The other side tells why.
        return std::future::pending().await;
    }
    let client = client(cluster).await?;
    let nodes: Api<Node> = Api::all(client.clone());
    let mut waiting: BTreeSet<String> = cluster.nodes().into_iter().collect();
    let mut described: BTreeSet<String> = BTreeSet::new();
    let mut seen =
        watcher(nodes.clone(), watcher::Config::default()).default_backoff().applied_objects().boxed();
    while let Some(node) = seen.try_next().await.transpose() {
        // An error is retried by the watcher itself.
        let Ok(node) = node else { continue };
        let Some(name) = node.metadata.name.clone() else { continue };
        if described.insert(name.clone()) {
            describe_node(&nodes, &node, &name).await?;
        }
        if is_ready(&node, fresh.contains(&name).then_some(begun)) && waiting.remove(&name) {
            progress.tell(&name, "Ready", true);
        }
        if waiting.is_empty() {
            return pods_allowed(client).await;
        }
    }
    Err(Error::Api("the watch on Nodes ended".into()))
}

/// Waits for the service account that every pod needs: the controller manager makes it a moment after its start, and
/// until then the API refuses pods.
async fn pods_allowed(client: kube::Client) -> Result<()> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
    let config = watcher::Config::default().fields("metadata.name=default");
    let mut seen = watcher(accounts, config).default_backoff().applied_objects().boxed();
    while let Some(account) = seen.next().await {
        if account.is_ok() {
            return Ok(());
        }
    }
    Err(Error::Api("the watch on ServiceAccounts ended".into()))
}

/// Whether the kubelet calls itself ready, and has said so since the node was started.
fn is_ready(node: &Node, since: Option<jiff::Timestamp>) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| {
        let heard = condition.last_heartbeat_time.as_ref().map(|time| time.0.as_second());
        condition.type_ == "Ready"
            && condition.status == "True"
            && since.is_none_or(|since| heard.is_some_and(|heard| heard >= since.as_second()))
    })
}

/// Sets what a kubelet may not say of itself: its role, and the range of its pods.
async fn describe_node(nodes: &Api<Node>, node: &Node, name: &str) -> Result<()> {
    let Some(number) = name.strip_prefix('k').and_then(|number| number.parse::<u32>().ok()) else {
        return Ok(());
    };
    let mut patch = json!({});
    if node.spec.as_ref().is_none_or(|spec| spec.pod_cidr.is_none()) {
        let (network, prefix) = pod_network(number);
        let range = format!("{network}/{prefix}");
        patch["spec"] = json!({"podCIDR": range, "podCIDRs": [range]});
    }
    let labels = node.metadata.labels.as_ref();
    if number == 1 && labels.is_none_or(|labels| !labels.contains_key(CONTROL_PLANE)) {
        patch["metadata"] = json!({"labels": {CONTROL_PLANE: ""}});
    }
    if patch.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(());
    }
    nodes
        .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .map(drop)
        .map_err(|error| Error::Api(format!("describing node {name}: {error}")))
}

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

async fn client(cluster: &Cluster) -> Result<kube::Client> {
    let wrong = |error: &dyn std::fmt::Display| Error::Api(error.to_string());
    let file = Kubeconfig::read_from(cluster.kubeconfig()).map_err(|error| wrong(&error))?;
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| wrong(&error))?;
    // The nodes are on this machine, whatever proxy the way out may need.
    config.proxy_url = None;
    kube::Client::try_from(config).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn node(status: &str, heartbeat: &str) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": "k1"},
            "status": {"conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": status, "lastHeartbeatTime": heartbeat},
            ]},
        }))
        .unwrap()
    }

    #[test]
    fn what_a_node_said_before_it_was_started_again_does_not_count() {
        let begun: jiff::Timestamp = "2026-01-01T10:00:00.7Z".parse().unwrap();
        assert!(!is_ready(&node("True", "2026-01-01T09:59:59Z"), Some(begun)));
        assert!(is_ready(&node("True", "2026-01-01T10:00:00Z"), Some(begun)));
        assert!(is_ready(&node("True", "2026-01-01T09:59:59Z"), None));
        assert!(!is_ready(&node("False", "2026-01-01T10:00:05Z"), Some(begun)));
        assert!(!is_ready(&Node::default(), None));
    }
}

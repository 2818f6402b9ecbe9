//! A real cluster on this machine: made, used, killed, brought back, stopped and removed.
//!
//! Needs root and a bundle, and takes a minute: it runs with `--ignored`, or where LANDFALL_TEST_NODE is set. Its
//! cluster has a name, a subnet and a folder of its own, so one that is in use stays as it is.
#![allow(clippy::unwrap_used)]

mod host;
mod image;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use landfall_node::{Bundle, Cluster, NEEDED_BINARIES, Phase, ProgressSink, Spec, down, reexec, up};
use libtest_mimic::{Arguments, Failed, Trial};

const NAME: &str = "node-crate";
const SUBNET: &str = "10.93.0.0/24";

const OBJECTS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: near}
spec:
  nodeName: k1
  containers: [{name: c, image: "localhost/landfall/node-test:1", args: [-c, "while :; do sleep 1; done"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: far, labels: {app: far}}
spec:
  nodeName: k2
  containers:
  - {name: c, image: "localhost/landfall/node-test:1", args: [-c, "exec socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:'echo hello from far'"]}
---
apiVersion: v1
kind: Pod
metadata: {name: mounter}
spec:
  nodeName: k2
  containers:
  - name: c
    image: "localhost/landfall/node-test:1"
    args: [-c, "while :; do sleep 1; done"]
    securityContext: {privileged: true}
    volumeMounts: [{name: run, mountPath: /mnt, mountPropagation: Bidirectional}]
  volumes: [{name: run, hostPath: {path: /run/netns, type: DirectoryOrCreate}}]
---
apiVersion: v1
kind: Service
metadata: {name: far}
spec: {clusterIP: 10.96.77.7, selector: {app: far}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept}
data: {word: kept}
"#;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(code) = reexec(&args) {
        return code;
    }
    let wanted = std::env::var_os("LANDFALL_TEST_NODE").is_some();
    let trial = Trial::test("a_cluster_lives_dies_comes_back_and_leaves_nothing", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(whole_life()).map_err(|error| Failed::from(error.to_string()))
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial.with_ignored_flag(!wanted)]).exit_code()
}

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

async fn whole_life() -> Fallible<()> {
    let root = PathBuf::from("/var/tmp/landfall-node-test");
    let sink = ProgressSink::default();
    down(&root, NAME, &sink).await?;
    let before = host::Host::look(&bundle().node_tree)?;
    let mut spec = Spec::new(NAME, 2, bundle());
    spec.subnet = SUBNET.parse()?;
    spec.state_root = root.clone();
    let outcome = live(&spec, &sink).await;
    // Whatever went wrong, nothing stays behind for the next run to stumble over.
    let namespaces = Cluster::find(&root, NAME)?.map(|cluster| pids(&cluster)).unwrap_or_default();
    let namespaces = host::namespaces_of(&namespaces);
    down(&root, NAME, &sink).await?;
    outcome?;
    let after = host::Host::look(&spec.bundle.node_tree)?;
    let left = after.left_since(&before, NAME, &root, &namespaces);
    ensure(left.is_empty(), &format!("left behind: {left:#?}"))?;
    ensure(!root.exists(), "the state's folder is still there")?;
    ensure(!down(&root, NAME, &sink).await?, "a second down finds a cluster")
}

async fn live(spec: &Spec, sink: &ProgressSink) -> Fallible<()> {
    let cluster = up(spec, sink).await?;
    let first = pids(&cluster);
    all_ready(&cluster).await?;
    let again = up(spec, sink).await?;
    ensure(pids(&again) == first, "a second up started something anew")?;

    let tar = image::tar(&spec.bundle.node_tree)?;
    cluster.load_images(&cluster.nodes(), tar.as_slice()).await?;
    for node in cluster.nodes() {
        ensure(cluster.images(&node).await?.contains(image::NAME), "the image is not there")?;
    }
    kubectl(&cluster, &["apply", "-f", "-"], OBJECTS).await?;
    works(&cluster).await?;

    // Both supervisors die as a machine does that loses its power.
    for pid in first {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL)?;
    }
    let cluster = up(spec, sink).await?;
    works(&cluster).await?;

    cluster.stop(sink).await?;
    ensure(cluster.status().await.nodes.iter().all(|node| !node.running), "a stopped node runs")?;
    let cluster = up(spec, sink).await?;
    works(&cluster).await
}

/// The data is there, the pods run, and a service is reached from the other node's pod and from the node itself.
async fn works(cluster: &Cluster) -> Fallible<()> {
    all_ready(cluster).await?;
    let word = kubectl(cluster, &["get", "configmap", "kept", "-o", "jsonpath={.data.word}"], "").await?;
    ensure(word == "kept", &format!("the data is gone: {word:?}"))?;
    let address = "TCP:10.96.77.7:80,retry=100,interval=0.1";
    // A pod's last word may be older than its node's death: what counts is that it answers.
    let mut said = String::new();
    for _ in 0..100 {
        match kubectl(cluster, &["exec", "near", "--", "socat", "-", address], "").await {
            Ok(text) => said = text,
            Err(error) => {
                kubectl(cluster, &["wait", "pod", "--all", "--for=condition=Ready", "--timeout=1s"], "")
                    .await
                    .ok();
                said = error.to_string();
            }
        }
        if said.contains("hello") {
            break;
        }
    }
    ensure(said == "hello from far\n", &format!("from the pod: {said:?}"))?;
    for node in ["k1", "k2"] {
        let said = run(cluster, node, &["socat", "-", address], "").await?;
        ensure(said == "hello from far\n", &format!("from {node}: {said:?}"))?;
        let link = run(cluster, node, &["ip", "-oneline", "address", "show", "eth1"], "").await?;
        ensure(link.trim().is_empty(), &format!("{node}'s link for tunnels has an address: {link}"))?;
        let state = run(cluster, node, &["cat", "/sys/class/net/eth1/operstate"], "").await?;
        ensure(state.trim() == "up", &format!("{node}'s link for tunnels is {state}"))?;
    }
    kubectl(cluster, &["wait", "pod/mounter", "--for=condition=Ready", "--timeout=60s"], "").await.map(drop)
}

async fn all_ready(cluster: &Cluster) -> Fallible<()> {
    // Those that nobody waits for may still be starting.
    for _ in 0..100 {
        let status = cluster.status().await;
        if status.nodes.iter().all(landfall_node::NodeState::is_ready) {
            let restarted = status.nodes.iter().flat_map(|node| &node.components).find(|c| c.restarts > 0);
            return ensure(restarted.is_none(), &format!("{restarted:?}"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let unready: Vec<_> = cluster
        .status()
        .await
        .nodes
        .into_iter()
        .flat_map(|node| node.components.into_iter().map(move |c| (node.name.clone(), c.name, c.phase)))
        .filter(|(_, _, phase)| *phase != Phase::Ready)
        .collect();
    Err(format!("not ready: {unready:?}").into())
}

fn pids(cluster: &Cluster) -> Vec<u32> {
    cluster.pids()
}

async fn kubectl(cluster: &Cluster, args: &[&str], input: &str) -> Fallible<String> {
    let argv: Vec<&str> = ["kubectl"].iter().chain(args).copied().collect();
    run(cluster, "k1", &argv, input).await
}

async fn run(cluster: &Cluster, node: &str, argv: &[&str], input: &str) -> Fallible<String> {
    let mut command = cluster.enter(node, argv)?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait_with_output()
    })
    .await??;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("{argv:?} on {node}: {} {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

fn ensure(holds: bool, what: &str) -> Fallible<()> {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// The bundle of development, or the one that LANDFALL_TEST_BIN and LANDFALL_TEST_TREE name.
fn bundle() -> Bundle {
    let cache = std::env::var_os("LANDFALL_CACHE").map_or_else(
        || {
            let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
            Path::new(&home).join(".cache/landfall")
        },
        PathBuf::from,
    );
    let named =
        |name: &str, default: &str| std::env::var_os(name).map_or_else(|| cache.join(default), PathBuf::from);
    let dir = named("LANDFALL_TEST_BIN", "bin/dev");
    let bin = NEEDED_BINARIES.iter().map(|name| ((*name).to_owned(), dir.join(name))).collect();
    Bundle { bin, node_tree: named("LANDFALL_TEST_TREE", "trees/dev-node"), images: None }
}

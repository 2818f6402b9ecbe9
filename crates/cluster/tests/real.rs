//! The real side against a real cluster: `LANDFALL_TEST_KUBECONFIG=… cargo test -p landfall-cluster --test real -- --ignored`.
//! Works in a namespace of its own and removes it.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use landfall_cluster::api::{Access, Applied, Cluster, ClusterError, Gvk, Seen};
use landfall_cluster::lease::{LockError, RunLock};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn cluster() -> Arc<dyn Cluster> {
    let path = std::env::var("LANDFALL_TEST_KUBECONFIG").unwrap();
    landfall_cluster::connect(Some(Path::new(&path)), None).await.unwrap()
}

async fn home(cluster: &dyn Cluster, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    cluster.apply(&namespace, "test", true).await.unwrap();
}

async fn away(cluster: &dyn Cluster, name: &str) {
    assert!(cluster.delete(&Gvk::new("v1", "Namespace"), None, name, true).await.unwrap());
    assert!(cluster.get(&Gvk::new("v1", "Namespace"), None, name).await.unwrap().is_none());
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn applying_tells_created_changed_and_unchanged_and_whose_a_field_is() {
    let cluster = cluster().await;
    let ns = "landfall-test-apply";
    home(&*cluster, ns).await;
    let map = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": ns}, "data": {"k": value}});
    assert_eq!(cluster.apply(&map("1"), "helm", false).await.unwrap().0, Applied::Created);
    assert_eq!(cluster.apply(&map("1"), "helm", false).await.unwrap().0, Applied::Unchanged);
    assert_eq!(cluster.apply(&map("2"), "helm", false).await.unwrap().0, Applied::Changed);
    let conflict = cluster.apply(&map("3"), "another", false).await.unwrap_err();
    assert_eq!(conflict.to_string(), format!("ConfigMap/{ns}/a: field data.k belongs to helm"));
    assert_eq!(cluster.apply(&map("3"), "another", true).await.unwrap().0, Applied::Changed);
    let twice = cluster.create(&map("1")).await.unwrap_err();
    assert!(matches!(twice, ClusterError::Exists { .. }), "{twice}");
    let mut old = cluster.get(&Gvk::new("v1", "ConfigMap"), Some(ns), "a").await.unwrap().unwrap();
    old["metadata"]["resourceVersion"] = json!("1");
    let stale = cluster.replace(&old).await.unwrap_err();
    assert!(matches!(stale, ClusterError::Stale { .. }), "{stale}");
    let unknown = cluster.list(&Gvk::new("no.such/v1", "Thing"), None, "").await.unwrap_err();
    assert!(matches!(unknown, ClusterError::UnknownKind(_)), "{unknown}");
    let wrong = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": ns}, "spec": {"ports": []}});
    let invalid = cluster.apply(&wrong, "helm", false).await.unwrap_err();
    assert!(matches!(invalid, ClusterError::Invalid { .. }), "{invalid}");
    away(&*cluster, ns).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_watch_begins_with_a_listing_and_goes_on_with_changes() {
    let cluster = cluster().await;
    let ns = "landfall-test-watch";
    home(&*cluster, ns).await;
    let gvk = Gvk::new("v1", "ConfigMap");
    let mut seen = cluster.watch(&gvk, Some(ns), "mine=yes");
    assert!(matches!(seen.next().await.unwrap().unwrap(), Seen::Listed(all) if all.is_empty()));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w", "namespace": ns, "labels": {"mine": "yes"}}});
    cluster.create(&map).await.unwrap();
    match seen.next().await.unwrap().unwrap() {
        Seen::Applied(object) => assert_eq!(
            (object["kind"].as_str(), object["metadata"]["name"].as_str()),
            (Some("ConfigMap"), Some("w"))
        ),
        other => panic!("{other:?}"),
    }
    assert!(cluster.delete(&gvk, Some(ns), "w", true).await.unwrap());
    assert!(matches!(seen.next().await.unwrap().unwrap(), Seen::Deleted(_)));
    assert!(!cluster.delete(&gvk, Some(ns), "w", true).await.unwrap());
    away(&*cluster, ns).await;
}

/// In CoreDNS' pod, for it is in every cluster and serves HTTP on 8080.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn pods_are_reached_by_log_and_port() {
    let cluster = cluster().await;
    let pods = cluster.list(&Gvk::new("v1", "Pod"), Some("kube-system"), "k8s-app=kube-dns").await.unwrap();
    let pod = pods[0]["metadata"]["name"].as_str().unwrap();
    let log = cluster.logs("kube-system", pod, "coredns", 5, false).await.unwrap();
    assert!(!log.is_empty());
    let mut stream = cluster.forward("kube-system", pod, 8080).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let missing = cluster.logs("kube-system", "no-such-pod", "x", 5, false).await.unwrap_err();
    assert!(matches!(missing, ClusterError::NotFound { .. }), "{missing}");
}

/// Wherever there is a MariaDB, in whose image is a shell.
#[tokio::test]
#[ignore = "needs a cloud"]
async fn commands_run_with_their_output_input_and_exit_code() {
    let cluster = cluster().await;
    let shell = |text: &str| vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()];
    let run = async |text: &str, stdin: Option<&[u8]>| {
        cluster.exec("openstack", "mariadb-server-0", "mariadb", &shell(text), stdin).await.unwrap()
    };
    let output = run("echo out; echo err >&2; exit 7", None).await;
    assert_eq!((output.stdout.as_str(), output.stderr.as_str(), output.code), ("out\n", "err\n", 7));
    assert_eq!(run("cat", Some(b"told")).await.stdout, "told");
    let never =
        cluster.exec("openstack", "mariadb-server-0", "mariadb", &["/no/such".to_owned()], None).await;
    assert!(never.is_err() || never.is_ok_and(|o| o.code != 0));
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn two_holders_are_kept_apart_and_a_lease_given_back_is_free() {
    let cluster = cluster().await;
    let ns = "landfall-test-lease";
    home(&*cluster, ns).await;
    let held = RunLock::acquire(Arc::clone(&cluster), ns, "c", "kim@desk pid 1").await.unwrap();
    let refused = RunLock::acquire(Arc::clone(&cluster), ns, "c", "lee@desk pid 2").await.unwrap_err();
    assert!(matches!(&refused, LockError::Held { holder, .. } if holder == "kim@desk pid 1"), "{refused}");
    held.release().await;
    RunLock::acquire(Arc::clone(&cluster), ns, "c", "lee@desk pid 2").await.unwrap().release().await;
    away(&*cluster, ns).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_a_user_may_not_do_is_known_beforehand_and_named_when_refused() {
    let cluster = cluster().await;
    let (version, served) = cluster.version().await.unwrap();
    assert!(version.starts_with("v1."), "{version}");
    assert!(served.contains(&"apps/v1/Deployment".to_owned()) && served.contains(&"v1".to_owned()));
    let access = Access {
        verb: "patch".into(),
        group: "apps".into(),
        resource: "deployments".into(),
        namespace: None,
    };
    assert_eq!(cluster.denied(&[access]).await.unwrap(), []);
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_told() {
    let folder = std::env::temp_dir().join(format!("landfall-no-cluster-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config");
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: far\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         contexts: [{{name: far, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&file, config).unwrap();
    let cluster = landfall_cluster::connect(Some(&file), None).await.unwrap();
    let error = cluster.version().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the cluster far does not answer"), "{error}");
    let error = landfall_cluster::connect(Some(&file), Some("near")).await.unwrap_err();
    assert_eq!(error.to_string(), "the kubeconfig has no context near; it has: far");
    std::fs::remove_dir_all(&folder).unwrap();
}

//! What Ceph's toolbox says, read without its keys.

use std::collections::BTreeMap;

use landfall_cluster::api::Cluster;
use landfall_health::doctor::{Ceph, CephClient};
use landfall_health::{object, readiness};
use serde_json::Value;

use crate::cloud::gvk;
use crate::exit::Result;

/// Asks the toolbox in Rook's namespace. None where there is no such namespace at all.
pub(super) async fn look(cluster: &dyn Cluster, namespace: &str) -> Result<Option<Ceph>> {
    if cluster.get(&gvk("", "v1", "Namespace"), None, namespace).await?.is_none() {
        return Ok(None);
    }
    let unseen = |why: String| {
        Ok(Some(Ceph { namespace: namespace.to_owned(), unseen: Some(why), ..Ceph::default() }))
    };
    let pods = cluster.list(&gvk("", "v1", "Pod"), Some(namespace), "app=rook-ceph-tools").await?;
    let Some(pod) = pods.iter().find(|pod| readiness(pod).is_ready()).and_then(object::name) else {
        return unseen("no ready pod with the label app=rook-ceph-tools".to_owned());
    };
    let ask = async |words: &[&str]| {
        // A client whose monitors are away would wait for five minutes.
        let command: Vec<String> = ["ceph", "--connect-timeout", "10"]
            .iter()
            .chain(words)
            .chain(&["-f", "json"])
            .map(|word| (*word).to_owned())
            .collect();
        match cluster.exec(namespace, pod, "", &command, None).await {
            Ok(done) if done.code == 0 => {
                serde_json::from_str::<Value>(&done.stdout).map_err(|error| error.to_string())
            }
            Ok(done) => Err(done.stderr.lines().last().unwrap_or("no answer").to_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    match ask(&["status"]).await {
        Err(why) => unseen(why),
        Ok(status) => {
            let version = ask(&["version"]).await.unwrap_or_default();
            let users = ask(&["auth", "ls"]).await.unwrap_or_default();
            Ok(Some(read(namespace, &status, &version, &users)))
        }
    }
}

/// From `ceph status`, `ceph version` and `ceph auth ls`. Of users only names and caps are kept.
fn read(namespace: &str, status: &Value, version: &Value, users: &Value) -> Ceph {
    let count = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let complaints = status.pointer("/health/checks").and_then(Value::as_object);
    let caps = |user: &Value| -> BTreeMap<String, String> {
        let caps = user["caps"].as_object().into_iter().flatten();
        caps.filter_map(|(of, cap)| Some((of.clone(), cap.as_str()?.to_owned()))).collect()
    };
    Ceph {
        namespace: namespace.to_owned(),
        unseen: None,
        health: object::text(status, "/health/status").to_owned(),
        complaints: complaints
            .into_iter()
            .flatten()
            .map(|(code, check)| (code.clone(), object::text(check, "/summary/message").to_owned()))
            .collect(),
        // `ceph version 18.2.7 (…) reef (stable)`
        version: object::text(version, "/version")
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or_default()
            .to_owned(),
        osds: (count("/osdmap/num_up_osds"), count("/osdmap/num_osds")),
        monitors: (
            status.pointer("/quorum_names").and_then(Value::as_array).map_or(0, Vec::len) as u64,
            count("/monmap/num_mons"),
        ),
        clients: object::list(users, "/auth_dump")
            .iter()
            .filter_map(|user| {
                Some(CephClient { name: user["entity"].as_str()?.to_owned(), caps: caps(user) })
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ceph_is_read_without_its_keys() {
        let status = json!({
            "health": {"status": "HEALTH_WARN", "checks": {"OSD_DOWN": {"severity": "HEALTH_WARN", "summary": {"message": "1 osds down"}}}},
            "quorum_names": ["a", "b"], "monmap": {"num_mons": 3}, "osdmap": {"num_osds": 3, "num_up_osds": 2},
        });
        let version = json!({"version": "ceph version 18.2.7 (0123456789abcdef) reef (stable)"});
        let users = json!({"auth_dump": [{"entity": "client.glance", "key": "AQDkeyofaclient==", "caps": {"mon": "profile rbd"}}]});
        let ceph = read("rook-ceph", &status, &version, &users);
        assert_eq!((ceph.health.as_str(), ceph.version.as_str()), ("HEALTH_WARN", "18.2.7"));
        assert_eq!((ceph.osds, ceph.monitors), ((2, 3), (2, 3)));
        assert_eq!(ceph.complaints, [("OSD_DOWN".to_owned(), "1 osds down".to_owned())]);
        assert_eq!(ceph.clients[0].caps["mon"], "profile rbd");
        assert!(!format!("{ceph:?}").contains("keyofaclient"));
    }
}

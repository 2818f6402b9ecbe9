//! What Ceph's command line answers (`-f json`), read. Pure. No key is kept beyond the one that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{Error, Result};

/// Caps by daemon: `mon`, `osd`, `mgr`.
pub type Caps = BTreeMap<String, String>;

fn read(what: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text.trim())
        .map_err(|error| Error::Answer { what: what.to_owned(), message: error.to_string() })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Pools of `ceph osd pool ls detail`, with what each is for (`rbd`, `mgr`). One without a purpose is not done yet.
///
/// # Errors
/// Text that is no such answer.
pub fn pools(answer: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let read = read("ceph osd pool ls detail", answer)?;
    let purposes = |pool: &Value| {
        pool["application_metadata"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    Ok(items(&read).map(|pool| (text(&pool["pool_name"]), purposes(pool))).collect())
}

/// Users of `ceph auth ls`, by name without `client.`, and their caps.
///
/// # Errors
/// Text that is no such answer.
pub fn clients(answer: &str) -> Result<BTreeMap<String, Caps>> {
    let read = read("ceph auth ls", answer)?;
    let clients = items(&read["auth_dump"]).filter_map(|user| {
        let name = user["entity"].as_str()?.strip_prefix("client.")?;
        Some((name.to_owned(), caps(user)))
    });
    Ok(clients.collect())
}

fn caps(user: &Value) -> Caps {
    let each = user["caps"].as_object().into_iter().flatten();
    each.map(|(daemon, allowed)| (daemon.clone(), text(allowed))).collect()
}

/// Key and caps of `ceph auth get`.
///
/// # Errors
/// Text that is no such answer.
pub fn user(answer: &str) -> Result<(String, Caps)> {
    let what = "ceph auth get";
    // The answer holds a key: it is in no message.
    let read: Value = serde_json::from_str(answer.trim())
        .map_err(|_| Error::Answer { what: what.to_owned(), message: "no JSON".to_owned() })?;
    let user = &read[0];
    match user["key"].as_str() {
        Some(key) if !key.is_empty() => Ok((key.to_owned(), caps(user))),
        _ => Err(Error::Answer { what: what.to_owned(), message: "it holds no key".to_owned() }),
    }
}

/// How a Ceph is, with the lines that `ceph -s` would show of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// All of it is as it should be; `HEALTH_OK` alone is also what a Ceph says that has no disk yet.
    pub ok: bool,
    pub evidence: String,
}

/// From `ceph -s` and the names of its pools.
///
/// # Errors
/// Text that is no such answer.
pub fn health(answer: &str, pools: &[String]) -> Result<Health> {
    let read = read("ceph -s", answer)?;
    let number = |pointer: &str| read.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let status = text(&read["health"]["status"]);
    let quorum: Vec<String> = items(&read["quorum_names"]).map(text).collect();
    let mons = number("/monmap/num_mons");
    let manager = read["mgrmap"]["available"] == true;
    let (osds, up, within) =
        (number("/osdmap/num_osds"), number("/osdmap/num_up_osds"), number("/osdmap/num_in_osds"));
    let (groups, clean) = placement(&read);
    let mut lines = vec![
        format!("health: {status}"),
        format!("mon: {mons} daemons, quorum {}", quorum.join(",")),
        format!("mgr: {}", if manager { "active" } else { "none active" }),
        format!("osd: {osds} osds: {up} up, {within} in"),
        format!("pools: {}", pools.join(", ")),
        format!("pgs: {groups}"),
    ];
    for (check, detail) in read["health"]["checks"].as_object().into_iter().flatten() {
        lines.push(format!("{check}: {}", text(&detail["summary"]["message"])));
    }
    let whole = quorum.len() as u64 == mons && manager && up > 0 && up == within && clean;
    Ok(Health { ok: status == "HEALTH_OK" && whole, evidence: lines.join("\n") })
}

/// Placement groups by state, and whether all are clean.
fn placement(read: &Value) -> (String, bool) {
    let states: Vec<(String, u64)> = items(&read["pgmap"]["pgs_by_state"])
        .map(|state| (text(&state["state_name"]), state["count"].as_u64().unwrap_or_default()))
        .collect();
    let all = read["pgmap"]["num_pgs"].as_u64().unwrap_or_default();
    // Scrubbing reads what is clean.
    let clean: u64 =
        states.iter().filter(|(name, _)| name.starts_with("active+clean")).map(|(_, count)| count).sum();
    let shown: Vec<String> = states.iter().map(|(name, count)| format!("{count} {name}")).collect();
    (if shown.is_empty() { all.to_string() } else { shown.join(", ") }, all == clean)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn status() -> Value {
        json!({
            "health": {"status": "HEALTH_OK", "checks": {}},
            "quorum_names": ["a"],
            "monmap": {"num_mons": 1},
            "mgrmap": {"available": true},
            "osdmap": {"num_osds": 1, "num_up_osds": 1, "num_in_osds": 1},
            "pgmap": {"num_pgs": 9, "pgs_by_state": [
                {"state_name": "active+clean", "count": 8}, {"state_name": "active+clean+scrubbing", "count": 1}]},
        })
    }

    fn ok(change: impl FnOnce(&mut Value)) -> bool {
        let mut status = status();
        change(&mut status);
        health(&status.to_string(), &[]).unwrap().ok
    }

    #[test]
    fn health_ok_alone_is_not_believed() {
        assert!(ok(|_| {}));
        assert!(!ok(|s| s["mgrmap"]["available"] = json!(false)));
        assert!(!ok(|s| s["osdmap"]["num_up_osds"] = json!(0)));
        assert!(!ok(|s| s["monmap"]["num_mons"] = json!(3)));
        assert!(!ok(|s| s["pgmap"]["num_pgs"] = json!(17)));
        assert!(!ok(|s| s["health"]["status"] = json!("HEALTH_WARN")));
    }

    #[test]
    fn evidence_reads_like_ceph_s_and_names_what_is_wrong() {
        let mut status = status();
        status["health"] = json!({"status": "HEALTH_WARN", "checks":
            {"OSD_DOWN": {"severity": "HEALTH_WARN", "summary": {"message": "1 osds down"}}}});
        let health = health(&status.to_string(), &[".mgr".to_owned(), "replicapool".to_owned()]).unwrap();
        assert_eq!(
            health.evidence,
            "health: HEALTH_WARN\nmon: 1 daemons, quorum a\nmgr: active\nosd: 1 osds: 1 up, 1 in\n\
             pools: .mgr, replicapool\npgs: 8 active+clean, 1 active+clean+scrubbing\nOSD_DOWN: 1 osds down"
        );
    }

    #[test]
    fn pools_and_clients_are_read_without_keys() {
        let answer = json!([{"pool_name": "replicapool", "application_metadata": {"rbd": {}}},
            {"pool_name": "half", "application_metadata": {}}]);
        let pools = pools(&answer.to_string()).unwrap();
        assert!(pools["replicapool"].contains("rbd") && pools["half"].is_empty());
        let answer = json!({"auth_dump": [{"entity": "osd.0", "key": "k", "caps": {}},
            {"entity": "client.glance", "key": "secret", "caps": {"mon": "profile rbd"}}]});
        let clients = clients(&answer.to_string()).unwrap();
        assert_eq!(format!("{clients:?}"), r#"{"glance": {"mon": "profile rbd"}}"#);
    }

    #[test]
    fn a_user_without_a_key_is_an_error_that_shows_nothing() {
        let answer = json!([{"entity": "client.x", "key": "abc==", "caps": {"mon": "profile rbd"}}]);
        assert_eq!(user(&answer.to_string()).unwrap().0, "abc==");
        let error = user("key = abc==").unwrap_err().to_string();
        assert!(!error.contains("abc"), "{error}");
    }
}

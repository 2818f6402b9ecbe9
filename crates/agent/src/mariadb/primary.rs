//! Which server is the primary. Pure.

use landfall_health::object::{condition_is, is_terminating, name, text};
use serde_json::Value;

pub const LABEL: &str = "landfall.dev/mariadb-primary";

/// Labels to take away, then one to set; taken away first, so that there are never two.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Move {
    pub from: Vec<String>,
    pub to: Option<String>,
    /// Who it is after the move.
    pub primary: Option<String>,
}

/// The primary stays while it is ready; else the ready server with the lowest ordinal takes over. While
/// none is ready the label stays where it is: nothing answers anyway, and the same one may come back.
pub fn choose<'a>(pods: impl IntoIterator<Item = &'a Value>) -> Move {
    let mut pods: Vec<&Value> = pods.into_iter().collect();
    pods.sort_by_key(|p| (ordinal(p), name(p).unwrap_or_default().to_owned()));
    let labelled = |p: &&&Value| {
        p.pointer("/metadata/labels").and_then(|l| l.get(LABEL)).and_then(Value::as_str) == Some("true")
    };
    let ready = |p: &&&Value| condition_is(p, "Ready", "True") && !is_terminating(p);
    let holders: Vec<&&Value> = pods.iter().filter(labelled).collect();
    let named = |p: &Value| name(p).unwrap_or_default().to_owned();
    let keeps = holders.iter().find(|p| ready(p)).copied();
    let Some(chosen) = keeps.or_else(|| pods.iter().find(ready)) else {
        // Of several holders, none ready, only the first may keep it.
        return Move {
            from: holders.iter().skip(1).map(|p| named(p)).collect(),
            to: None,
            primary: holders.first().map(|p| named(p)),
        };
    };
    Move {
        from: holders.iter().filter(|p| name(p) != name(chosen)).map(|p| named(p)).collect(),
        to: keeps.is_none().then(|| named(chosen)),
        primary: Some(named(chosen)),
    }
}

fn ordinal(pod: &Value) -> u64 {
    text(pod, "/metadata/name").rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(n: u32, ready: bool, primary: bool) -> Value {
        let labels = if primary { json!({LABEL: "true"}) } else { json!({}) };
        json!({"metadata": {"name": format!("mariadb-server-{n}"), "labels": labels}, "status": {"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
    }

    fn moved(pods: &[Value]) -> (Vec<String>, Option<String>) {
        let m = choose(pods);
        (m.from, m.to)
    }

    fn server(n: u32) -> String {
        format!("mariadb-server-{n}")
    }

    #[test]
    fn the_lowest_ready_server_becomes_primary() {
        assert_eq!(
            moved(&[pod(10, true, false), pod(2, true, false), pod(0, false, false)]),
            (vec![], Some(server(2)))
        );
        assert_eq!(moved(&[]), (vec![], None));
        assert_eq!(moved(&[pod(0, false, false)]), (vec![], None));
    }

    #[test]
    fn the_primary_stays_while_it_is_ready() {
        assert_eq!(
            choose(&[pod(0, true, false), pod(1, true, true)]),
            Move { from: vec![], to: None, primary: Some(server(1)) }
        );
    }

    #[test]
    fn it_moves_when_the_primary_is_not_ready_or_goes() {
        assert_eq!(moved(&[pod(0, false, true), pod(1, true, false)]), (vec![server(0)], Some(server(1))));
        let mut going = pod(0, true, true);
        going["metadata"]["deletionTimestamp"] = json!("now");
        assert_eq!(moved(&[going, pod(1, true, false)]), (vec![server(0)], Some(server(1))));
    }

    #[test]
    fn two_holders_become_one() {
        assert_eq!(moved(&[pod(0, true, true), pod(1, true, true)]), (vec![server(1)], None));
        assert_eq!(moved(&[pod(0, false, true), pod(1, false, true)]), (vec![server(1)], None));
        assert_eq!(moved(&[pod(0, false, true), pod(1, true, true)]), (vec![server(0)], None));
    }

    #[test]
    fn while_none_is_ready_the_label_stays() {
        assert_eq!(moved(&[pod(0, false, true), pod(1, false, false)]), (vec![], None));
    }
}

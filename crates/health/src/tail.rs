//! Which containers' logs tell most, of several pods: what fails first, the newest of it at the top.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{self, field, is_terminating, list, number, text};

/// One container's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// The life before its last restart: what a container that crashes and waits said last.
    pub previous: bool,
    pub failing: bool,
    /// Which life of which container it is: another one begins anew.
    pub id: String,
    /// RFC 3339; when this life began.
    since: String,
}

/// The logs worth reading: of containers that run or failed; with `finished` also of those that ended
/// well. `container` narrows to one of that name.
pub fn sources(pods: &[Value], container: Option<&str>, finished: bool) -> Vec<Source> {
    let mut found: Vec<Source> = pods
        .iter()
        .flat_map(|pod| {
            let init = list(pod, "/status/initContainerStatuses").iter();
            let main = list(pod, "/status/containerStatuses").iter();
            init.map(move |status| (pod, status, true)).chain(main.map(move |status| (pod, status, false)))
        })
        .filter(|(_, status, _)| container.is_none_or(|name| text(status, "/name") == name))
        .filter_map(|(pod, status, init)| source(pod, status, init, finished))
        .collect();
    // Sorted by time as text: RFC 3339 in UTC.
    found.sort_by(|a, b| {
        (b.failing, &b.since, &a.pod, &a.container).cmp(&(a.failing, &a.since, &b.pod, &b.container))
    });
    found
}

fn source(pod: &Value, status: &Value, init: bool, finished: bool) -> Option<Source> {
    let restarts = number(status, "/restartCount").unwrap_or(0);
    let at = |pointer: &str| text(status, pointer).to_owned();
    let (previous, failing, since) = if field(status, "/state/running").is_some() {
        let ready = field(status, "/ready") == Some(&Value::Bool(true));
        // One that goes, or an init container at work, is not what fails.
        (false, !ready && !init && !is_terminating(pod), at("/state/running/startedAt"))
    } else if field(status, "/state/terminated").is_some() {
        let well = number(status, "/state/terminated/exitCode") == Some(0);
        if well && !finished {
            return None;
        }
        (false, !well, at("/state/terminated/startedAt"))
    } else if restarts > 0 && field(status, "/lastState/terminated").is_some() {
        (true, true, at("/lastState/terminated/startedAt"))
    } else {
        // Never ran: there is no log.
        return None;
    };
    let container = at("/name");
    Some(Source {
        namespace: object::namespace(pod).to_owned(),
        pod: object::name(pod)?.to_owned(),
        id: format!("{}/{container}/{restarts}", text(pod, "/metadata/uid")),
        container,
        previous,
        failing,
        since,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, init: Value, main: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": "openstack", "uid": name},
               "status": {"initContainerStatuses": init, "containerStatuses": main}})
    }

    fn running(name: &str, at: &str, ready: bool) -> Value {
        json!({"name": name, "ready": ready, "restartCount": 0, "state": {"running": {"startedAt": at}}})
    }

    fn ended(name: &str, code: i64, at: &str) -> Value {
        json!({"name": name, "restartCount": 0, "state": {"terminated": {"exitCode": code, "startedAt": at}}})
    }

    fn shown(sources: &[Source]) -> Vec<String> {
        let mark = |s: &Source| match (s.failing, s.previous) {
            (true, true) => " failing, before",
            (true, false) => " failing",
            _ => "",
        };
        sources.iter().map(|s| format!("{}/{}{}", s.pod, s.container, mark(s))).collect()
    }

    #[test]
    fn what_fails_comes_first_and_the_newest_of_it_at_the_top() {
        let crash = json!({"name": "api", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                           "lastState": {"terminated": {"exitCode": 1, "startedAt": "2026-01-01T00:03:00Z"}}});
        let pods = [
            pod("well", json!([]), json!([running("api", "2026-01-01T00:09:00Z", true)])),
            pod("old", json!([]), json!([running("api", "2026-01-01T00:01:00Z", false)])),
            pod("crashed", json!([ended("init", 0, "2026-01-01T00:00:00Z")]), json!([crash])),
            pod("job", json!([]), json!([ended("sync", 1, "2026-01-01T00:02:00Z")])),
        ];
        assert_eq!(
            shown(&sources(&pods, None, false)),
            ["crashed/api failing, before", "job/sync failing", "old/api failing", "well/api"]
        );
    }

    #[test]
    fn what_ended_well_is_shown_only_when_asked_for_and_what_never_ran_never() {
        let pods = [
            pod("done", json!([]), json!([ended("sync", 0, "2026-01-01T00:02:00Z")])),
            pod(
                "new",
                json!([running("init", "2026-01-01T00:03:00Z", false)]),
                json!([{"name": "api", "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}]),
            ),
        ];
        assert_eq!(shown(&sources(&pods, None, false)), ["new/init"]);
        assert_eq!(shown(&sources(&pods, None, true)), ["new/init", "done/sync"]);
        assert_eq!(shown(&sources(&pods, Some("sync"), true)), ["done/sync"]);
    }

    #[test]
    fn another_life_of_a_container_is_another_source() {
        let mut status = running("api", "2026-01-01T00:09:00Z", true);
        let first = sources(&[pod("a", json!([]), json!([status.clone()]))], None, false);
        status["restartCount"] = json!(1);
        let second = sources(&[pod("a", json!([]), json!([status]))], None, false);
        assert_ne!(first[0].id, second[0].id);
    }
}

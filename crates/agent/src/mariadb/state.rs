//! What members share: the ConfigMap's annotations and data as a value, and back. Pure.
//!
//! Upstream's names are kept (`openstackhelm.openstack.org/cluster.state`, `seqno.<member>`, …), so that
//! an existing cluster's ConfigMap is understood; ours add `data.<member>` and `phase.<member>`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const STATE: &str = "openstackhelm.openstack.org/cluster.state";
const LEADER: &str = "openstackhelm.openstack.org/leader.node";
const EXPIRY: &str = "openstackhelm.openstack.org/leader.expiry";
const REBOOT: &str = "openstackhelm.openstack.org/reboot.node";
/// A person names the member to go on with, whatever the others hold.
const OVERRIDE: &str = "landfall.dev/bootstrap-from";

/// Galera's position when it has none.
pub const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Nobody has made the database yet.
    New,
    /// The leader is making it.
    Init,
    Live,
    /// All members were lost; `reboot_node` brings the cluster back.
    Reboot,
}

impl ClusterState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Init => "init",
            Self::Live => "live",
            Self::Reboot => "reboot",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::New, Self::Init, Self::Live, Self::Reboot].into_iter().find(|s| s.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Deciding, or waiting for others.
    #[default]
    Waiting,
    /// The server is coming up.
    Starting,
    /// It answers (and is synced).
    Running,
    /// It was stopped in order.
    Stopped,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }

    fn parse(text: &str) -> Self {
        [Self::Starting, Self::Running, Self::Stopped]
            .into_iter()
            .find(|p| p.as_str() == text)
            .unwrap_or_default()
    }
}

/// What one member says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Its volume holds a database.
    pub data: bool,
    /// The database was last written without Galera, so that positions say nothing: it is the newest there is.
    pub alone: bool,
    pub uuid: Option<String>,
    /// None while it is not known (running, or not yet recovered).
    pub seqno: Option<i64>,
    pub safe_to_bootstrap: bool,
    pub phase: Phase,
    pub sampled: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    pub state: ClusterState,
    pub leader: String,
    pub leader_expiry: Option<Timestamp>,
    pub reboot_node: Option<String>,
    pub bootstrap_from: Option<String>,
    pub members: BTreeMap<String, Member>,
}

impl Shared {
    /// From a ConfigMap; an error names what is not understood.
    pub fn read(object: &Value) -> Result<Self, String> {
        let annotation = |name: &str| {
            object
                .pointer("/metadata/annotations")
                .and_then(|a| a.get(name))
                .and_then(Value::as_str)
                .filter(|v| !v.is_empty())
        };
        let word = annotation(STATE).ok_or_else(|| format!("it has no annotation {STATE}"))?;
        let state = ClusterState::parse(word)
            .ok_or_else(|| format!("its state is \"{word}\", which means nothing"))?;
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        for (key, value) in object.get("data").and_then(Value::as_object).into_iter().flatten() {
            let (Some((field, name)), Some(value)) = (key.split_once('.'), value.as_str()) else { continue };
            let member = members.entry(name.to_owned()).or_default();
            match field {
                "data" => {
                    member.alone = value == "alone";
                    member.data |= member.alone || value == "true";
                }
                // Upstream's members say only this; who has a uuid has data.
                "uuid" => {
                    member.uuid = Some(value.to_owned()).filter(|u| u != NO_UUID && !u.is_empty());
                    member.data |= member.uuid.is_some();
                }
                "seqno" => member.seqno = value.parse().ok().filter(|n| *n >= 0),
                "safe_to_bootstrap" => member.safe_to_bootstrap = value == "1",
                "phase" => member.phase = Phase::parse(value),
                "sample_time" => member.sampled = instant(value),
                _ => {}
            }
        }
        Ok(Self {
            state,
            leader: annotation(LEADER).unwrap_or_default().to_owned(),
            leader_expiry: annotation(EXPIRY).and_then(instant),
            reboot_node: annotation(REBOOT).map(str::to_owned),
            bootstrap_from: annotation(OVERRIDE).map(str::to_owned),
            members,
        })
    }

    /// The annotations to write.
    pub fn annotations(&self) -> Map<String, Value> {
        let expiry = self.leader_expiry.map(|t| t.to_string()).unwrap_or_default();
        Map::from_iter([
            (STATE.to_owned(), json!(self.state.as_str())),
            (LEADER.to_owned(), json!(self.leader)),
            (EXPIRY.to_owned(), json!(expiry)),
            (REBOOT.to_owned(), json!(self.reboot_node.as_deref().unwrap_or_default())),
        ])
    }
}

impl Member {
    /// The entries of `data` for the member of this name.
    pub fn entries(&self, name: &str) -> Map<String, Value> {
        let flag = |b: bool| if b { "1" } else { "0" };
        let fields = [
            ("data", if self.alone { "alone".to_owned() } else { self.data.to_string() }),
            ("uuid", self.uuid.clone().unwrap_or_else(|| NO_UUID.to_owned())),
            ("seqno", self.seqno.unwrap_or(-1).to_string()),
            ("safe_to_bootstrap", flag(self.safe_to_bootstrap).to_owned()),
            ("phase", self.phase.as_str().to_owned()),
            ("sample_time", self.sampled.map(|t| t.to_string()).unwrap_or_default()),
        ];
        fields.into_iter().map(|(field, value)| (format!("{field}.{name}"), Value::String(value))).collect()
    }
}

/// RFC 3339; upstream writes microseconds and a `Z`.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let member = Member {
            data: true,
            alone: true,
            uuid: Some("6c2b-1".into()),
            seqno: Some(42),
            safe_to_bootstrap: true,
            phase: Phase::Running,
            sampled: Some(now),
        };
        let shared = Shared {
            state: ClusterState::Reboot,
            leader: "mariadb-server-1".into(),
            leader_expiry: Some(now),
            reboot_node: Some("mariadb-server-1".into()),
            bootstrap_from: None,
            members: [("mariadb-server-1".to_owned(), member.clone())].into(),
        };
        let object = json!({"metadata": {"annotations": shared.annotations()}, "data": member.entries("mariadb-server-1")});
        assert_eq!(Shared::read(&object), Ok(shared));
    }

    #[test]
    fn a_config_map_of_upstream_is_understood() {
        let object = json!({"metadata": {"annotations": {"openstackhelm.openstack.org/cluster.state": "live",
                "openstackhelm.openstack.org/leader.node": "mariadb-server-0", "openstackhelm.openstack.org/leader.expiry": "2025-05-08T09:06:12.191000Z",
                "openstackhelm.openstack.org/reboot.node": ""}},
            "data": {"seqno.mariadb-server-0": "-1", "uuid.mariadb-server-0": "6c2b", "version.mariadb-server-0": "2.1",
                "safe_to_bootstrap.mariadb-server-0": "0", "sample_time.mariadb-server-0": "2025-05-08T09:05:12.191000Z"}});
        let shared = Shared::read(&object).unwrap();
        let member = &shared.members["mariadb-server-0"];
        assert_eq!(
            (shared.state, shared.reboot_node, member.data, member.seqno),
            (ClusterState::Live, None, true, None)
        );
        assert!(member.sampled.is_some() && shared.leader_expiry.is_some());
    }

    #[test]
    fn a_state_that_means_nothing_is_an_error() {
        assert!(Shared::read(&json!({"metadata": {}})).is_err());
        let odd =
            json!({"metadata": {"annotations": {"openstackhelm.openstack.org/cluster.state": "dancing"}}});
        assert!(Shared::read(&odd).unwrap_err().contains("dancing"));
    }
}

//! How a member starts, from what all members say. Pure; every write that it asks for is done with
//! optimistic locking, so of two members that claim the same at once one wins and the other decides anew.
//!
//! `new` -> (a member claims) `init` -> (its server answers) `live`; after the loss of all members
//! `live` -> (the one with the newest data claims) `reboot` -> (its server answers) `live`.
//!
//! Before a server is started its member has said so (`starting`), and whoever begins has written with the
//! version that it decided upon: a word or a claim from before is never acted on.
//!
//! What must never happen: two members begin a cluster each; a member begins one while another holds data
//! that is newer, or any data where it has none.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::state::{ClusterState, Member, Phase, Shared};

/// A member that has said nothing for so long counts as gone: five heartbeats.
pub const SILENT: SignedDuration = SignedDuration::from_secs(50);

/// A member may be outside the primary component for so long with nobody else running: by then Galera has mended what
/// it can.
pub const APART: SignedDuration = SignedDuration::from_secs(60);

/// All that a decision is made from. What this member holds is in `shared` too: it publishes first.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub me: &'a str,
    /// Names of all members, in their order.
    pub members: &'a [String],
    /// None where the ConfigMap is not there.
    pub shared: Option<&'a Shared>,
    /// What this member holds.
    pub own: &'a Member,
    /// Other members whose server answers on the network now.
    pub reachable: &'a BTreeSet<String>,
    /// The data does not outlive the pod, by wish.
    pub ephemeral: bool,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this state, with this leader, where it is still as seen; then decide again.
    Claim(ClusterState),
    /// Make the database and start as the first of it.
    Bootstrap,
    /// Start with the data that is there, without Galera.
    Single,
    /// Start with the data that is there as the first of the cluster.
    Found,
    /// Start and take the data from the others.
    Join,
    /// Find out the position of the data first.
    Recover,
    /// Look again when something changes.
    Wait(String),
    /// Only a person can decide.
    Refuse(String),
}

pub fn decide(view: &View<'_>) -> Decision {
    let Some(shared) = view.shared else {
        // The ConfigMap may have been lost while data lives on: then nothing is new.
        let lost = view.own.data || !view.reachable.is_empty();
        return Decision::Claim(if lost { ClusterState::Live } else { ClusterState::New });
    };
    match shared.state {
        ClusterState::New => new(view, shared),
        ClusterState::Init => init(view, shared),
        ClusterState::Live => live(view, shared),
        ClusterState::Reboot => reboot(view, shared),
    }
}

/// Whether a running member stops its server, so that all decide anew who goes first: it is outside the primary
/// component since a while, and no other member says that it runs. To Galera those that were lost still count, even
/// where they have come back as new members; so there is never a quorum again.
pub fn gives_up(me: &str, shared: &Shared, apart_since: Timestamp, now: Timestamp) -> bool {
    let runs = |member: &Member| member.phase == Phase::Running && is_fresh(member, now);
    let another_runs = shared.members.iter().any(|(name, member)| name != me && runs(member));
    !another_runs && now.duration_since(apart_since) >= APART
}

fn is_fresh(member: &Member, now: Timestamp) -> bool {
    member.sampled.is_some_and(|t| now.duration_since(t) <= SILENT)
}

impl View<'_> {
    fn is_single(&self) -> bool {
        self.members.len() <= 1
    }

    /// What a member says, if it said so lately; the own word is always at hand.
    fn fresh<'s>(&'s self, shared: &'s Shared, name: &str) -> Option<&'s Member> {
        if name == self.me {
            return Some(self.own);
        }
        shared.members.get(name).filter(|m| is_fresh(m, self.now))
    }

    /// Others that run and can be reached.
    fn active(&self, shared: &Shared) -> Vec<&str> {
        let runs = |name: &&String| self.fresh(shared, name).is_some_and(|m| m.phase == Phase::Running);
        self.members
            .iter()
            .filter(|n| *n != self.me)
            .filter(|n| self.reachable.contains(*n))
            .filter(runs)
            .map(String::as_str)
            .collect()
    }

    fn silent(&self, shared: &Shared) -> Vec<&str> {
        self.members.iter().filter(|n| self.fresh(shared, n).is_none()).map(String::as_str).collect()
    }

    /// What a member holds at rest. The word of one that was starting or running is out of date as soon as
    /// it is said: its server may have written more before it was lost.
    fn at_rest<'s>(&'s self, shared: &'s Shared, name: &str) -> Option<&'s Member> {
        self.fresh(shared, name).filter(|m| matches!(m.phase, Phase::Waiting | Phase::Stopped))
    }

    /// The first member, in order, that speaks: it acts where all could.
    fn first_speaking(&self, shared: &Shared) -> Option<&str> {
        self.members.iter().find(|n| self.fresh(shared, n).is_some()).map(String::as_str)
    }

    fn leads(&self, shared: &Shared) -> bool {
        shared.leader == self.me
    }

    fn leader_expired(&self, shared: &Shared) -> bool {
        shared.leader_expiry.is_none_or(|t| t < self.now)
    }
}

fn new(view: &View<'_>, shared: &Shared) -> Decision {
    let with_data: Vec<&str> = view
        .members
        .iter()
        .filter(|n| view.fresh(shared, n).is_some_and(|m| m.data))
        .map(String::as_str)
        .collect();
    if !with_data.is_empty() || shared.members.values().any(|m| m.data) {
        return Decision::Claim(ClusterState::Live);
    }
    let silent = view.silent(shared);
    if !silent.is_empty() {
        return Decision::Wait(format!("{} to say whether it holds data already", silent.join(", ")));
    }
    match view.first_speaking(shared) {
        Some(first) if first != view.me => Decision::Wait(format!("{first} to make the database")),
        _ => Decision::Claim(ClusterState::Init),
    }
}

fn init(view: &View<'_>, shared: &Shared) -> Decision {
    if view.leads(shared) {
        // It may have come as far as to have a database, and no further.
        return match (view.own.data, view.is_single()) {
            (false, _) => Decision::Bootstrap,
            (true, true) => Decision::Single,
            (true, false) => Decision::Found,
        };
    }
    let leader_speaks = view.fresh(shared, &shared.leader).is_some();
    if view.leader_expired(shared)
        && !leader_speaks
        && !view.own.data
        && view.first_speaking(shared) == Some(view.me)
    {
        return Decision::Claim(ClusterState::Init);
    }
    Decision::Wait(format!("{} to make the database", shared.leader))
}

fn live(view: &View<'_>, shared: &Shared) -> Decision {
    if view.is_single() {
        return match (view.own.data, view.ephemeral) {
            (true, _) => Decision::Single,
            (false, true) => Decision::Claim(ClusterState::Init),
            (false, false) => Decision::Refuse(format!(
                "the database was live, but the volume of {} is empty: restore its data, or, if it may begin anew, delete the state ConfigMap",
                view.me
            )),
        };
    }
    if !view.active(shared).is_empty() {
        return Decision::Join;
    }
    total_loss(view, shared)
}

/// Nobody runs: the member with the newest data goes first.
fn total_loss(view: &View<'_>, shared: &Shared) -> Decision {
    if view.own.data && view.own.seqno.is_none() && view.own.uuid.is_some() && !view.own.alone {
        return Decision::Recover;
    }
    if let Some(chosen) = &shared.bootstrap_from {
        return if chosen == view.me && view.own.data {
            Decision::Claim(ClusterState::Reboot)
        } else {
            Decision::Wait(format!("{chosen}, which a person chose to go on with"))
        };
    }
    // Galera itself vouches for the last one to leave; not for what was written without it since.
    let written_alone = shared.members.values().any(|m| m.alone);
    if view.own.data && view.own.safe_to_bootstrap && view.own.seqno.is_some() && !written_alone {
        return Decision::Claim(ClusterState::Reboot);
    }
    let silent: Vec<&str> =
        view.members.iter().filter(|n| view.at_rest(shared, n).is_none()).map(String::as_str).collect();
    if !silent.is_empty() {
        return Decision::Wait(format!(
            "{} to say how new its data is (all servers were lost)",
            silent.join(", ")
        ));
    }
    let all: Vec<(&str, &Member)> =
        view.members.iter().filter_map(|n| Some((n.as_str(), view.at_rest(shared, n)?))).collect();
    if all.iter().all(|(_, m)| !m.data) {
        return if view.ephemeral {
            Decision::Claim(ClusterState::New)
        } else {
            Decision::Refuse("the database was live, but every volume is empty: restore the data, or, if it may begin anew, delete the state ConfigMap".to_owned())
        };
    }
    if let Some((name, _)) =
        all.iter().find(|(_, m)| m.data && !m.alone && m.uuid.is_some() && m.seqno.is_none())
    {
        return Decision::Wait(format!("{name} to find out how new its data is"));
    }
    let clusters: BTreeSet<&str> = all.iter().filter_map(|(_, m)| m.uuid.as_deref()).collect();
    if clusters.len() > 1 && !written_alone {
        return Decision::Refuse(format!(
            "members hold the data of different clusters ({}): annotate the state ConfigMap with landfall.dev/bootstrap-from: MEMBER to choose",
            clusters.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    match newest(&all) {
        Some(best) if best == view.me => Decision::Claim(ClusterState::Reboot),
        Some(best) => Decision::Wait(format!("{best}, which holds the newest data, to start first")),
        None => Decision::Wait("a member with data".to_owned()),
    }
}

/// Of equals the first in order.
fn newest<'a>(all: &[(&'a str, &Member)]) -> Option<&'a str> {
    let mut best: Option<(&str, (bool, bool, i64))> = None;
    for (name, member) in all {
        let rank = (member.alone, member.uuid.is_some(), member.seqno.unwrap_or(-1));
        if member.data && best.is_none_or(|(_, b)| rank > b) {
            best = Some((name, rank));
        }
    }
    best.map(|(name, _)| name)
}

fn reboot(view: &View<'_>, shared: &Shared) -> Decision {
    if view.is_single() {
        return if view.own.data { Decision::Single } else { live(view, shared) };
    }
    if !view.active(shared).is_empty() {
        return Decision::Join;
    }
    let Some(node) = shared.reboot_node.as_deref() else {
        return total_loss(view, shared);
    };
    if node == view.me {
        return if view.own.data { Decision::Found } else { total_loss(view, shared) };
    }
    if let Some(chosen) = shared.bootstrap_from.as_deref().filter(|c| *c != node) {
        return if chosen == view.me && view.own.data {
            Decision::Claim(ClusterState::Reboot)
        } else {
            Decision::Wait(format!("{chosen}, which a person chose to go on with"))
        };
    }
    if view.fresh(shared, node).is_none() && view.leader_expired(shared) {
        // It claimed and is gone. Who holds the very same position loses nothing.
        let its = shared.members.get(node);
        let same = its.is_some_and(|m| {
            m.uuid.is_some() && m.uuid == view.own.uuid && m.seqno.is_some() && m.seqno == view.own.seqno
        });
        if same {
            return Decision::Claim(ClusterState::Reboot);
        }
        return Decision::Wait(format!(
            "{node}, which holds the newest data and is gone (to go on without it: annotate the state ConfigMap with landfall.dev/bootstrap-from: {})",
            view.me
        ));
    }
    Decision::Wait(format!("{node}, which holds the newest data, to start first"))
}

#[cfg(test)]
mod tests;

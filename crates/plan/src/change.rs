//! What a step would change, by the snapshot.

use landfall_catalog::blueprint::Prerequisite;
use landfall_health::readiness;
use serde_json::Value;

use crate::coredns;
use crate::error::PlanError;
use crate::model::{Change, ReleaseState, RenderedHook, RenderedRelease, Snapshot};
use crate::object::{covers, key, kind};

/// Annotation that tells for which digest a hook ran or a record was written.
pub const DIGEST_ANNOTATION: &str = "landfall.dev/digest";

pub fn state<'a>(release: &RenderedRelease, snapshot: &'a Snapshot) -> Option<&'a ReleaseState> {
    snapshot
        .releases
        .get(&format!("{}/{}", release.namespace, release.name))
        .filter(|state| state.status != "uninstalled" && state.status != "uninstalling")
}

/// Whether what comes is an upgrade in Helm's sense: something was once deployed.
pub fn is_upgrade(release: &RenderedRelease, snapshot: &Snapshot) -> bool {
    state(release, snapshot).is_some_and(|state| match state.status.as_str() {
        "pending-install" => false,
        "failed" => state.revision > 1,
        _ => true,
    })
}

/// Recorded as deployed with this very content.
pub fn is_deployed(release: &RenderedRelease, snapshot: &Snapshot) -> bool {
    state(release, snapshot).is_some_and(|s| s.status == "deployed" && s.digest == release.digest)
}

pub fn of_release(release: &RenderedRelease, snapshot: &Snapshot) -> Change {
    if state(release, snapshot).is_none() {
        return Change::Create;
    }
    let present = |object: &Value| snapshot.objects.contains_key(&key(object, &release.namespace));
    if is_deployed(release, snapshot) && release.objects.iter().all(present) {
        Change::None
    } else {
        Change::Update
    }
}

/// Jobs of the release (not hooks) whose template differs from the live one: they must be made anew.
pub fn jobs_to_replace(release: &RenderedRelease, snapshot: &Snapshot) -> Vec<String> {
    release
        .objects
        .iter()
        .filter(|o| kind(o) == "Job")
        .map(|o| (key(o, &release.namespace), o))
        .filter(|(key, wanted)| {
            snapshot
                .objects
                .get(key)
                .is_some_and(|live| !covers(&live["spec"]["template"], &wanted["spec"]["template"]))
        })
        .map(|(key, _)| key)
        .collect()
}

/// `release_change` is what the plan does with the release's objects.
pub fn of_hook(
    hook: &RenderedHook,
    release: &RenderedRelease,
    snapshot: &Snapshot,
    release_change: Change,
) -> Change {
    let live = snapshot.objects.get(&key(&hook.object, &release.namespace));
    let ours =
        live.is_some_and(|l| l["metadata"]["annotations"][DIGEST_ANNOTATION] == release.digest.as_str());
    let finished = live.is_some_and(|l| readiness(l).is_ready());
    let goes = hook.delete_policies.iter().any(|p| p == "hook-succeeded");
    if ours && finished {
        // A run that died between its end and its deletion left it.
        return if goes { Change::Update } else { Change::None };
    }
    // Deleted by its own policy, or run by real Helm for the same content.
    let accounted_for = finished || (live.is_none() && goes) || !matches!(kind(&hook.object), "Job" | "Pod");
    if release_change == Change::None && is_deployed(release, snapshot) && accounted_for {
        return Change::None;
    }
    match live {
        None => Change::Create,
        Some(live) if ours && !matches!(readiness(live), landfall_health::Readiness::Failed { .. }) => {
            Change::Update
        }
        Some(_) => Change::Replace,
    }
}

/// # Errors
/// Nodes that are named but not there.
pub fn of_prerequisite(prerequisite: &Prerequisite, snapshot: &Snapshot) -> Result<Change, PlanError> {
    Ok(match prerequisite {
        Prerequisite::Namespace { name, labels } => match snapshot.objects.get(&format!("Namespace//{name}"))
        {
            None => Change::Create,
            Some(live) if labels.iter().all(|(k, v)| live["metadata"]["labels"][k] == v.as_str()) => {
                Change::None
            }
            Some(_) => Change::Update,
        },
        Prerequisite::NodeLabel { key, value, nodes } => {
            let lacking = nodes_without(key, value, nodes, snapshot)?;
            if lacking.is_empty() { Change::None } else { Change::Update }
        }
        Prerequisite::CorednsRbac => of_coredns(snapshot),
        Prerequisite::Secret { namespace, name, keys } => {
            match snapshot.objects.get(&format!("Secret/{namespace}/{name}")) {
                None => Change::Create,
                Some(live) if keys.keys().all(|k| live["data"].get(k).is_some()) => Change::None,
                Some(_) => Change::Update,
            }
        }
        Prerequisite::Object { object, .. } => match snapshot.objects.get(&key(object, "")) {
            None => Change::Create,
            Some(live) if covers(live, object) => Change::None,
            // The API lets nobody change a class: whose it is, it stays, and the check point tells of it.
            Some(_) if kind(object) == "StorageClass" => Change::None,
            Some(_) => Change::Update,
        },
        Prerequisite::CephPool { name, .. } => match &snapshot.ceph {
            Some(ceph) if ceph.pools.contains(name) => Change::None,
            _ => Change::Create,
        },
        Prerequisite::CephKey { client, caps, namespace, secret, .. } => {
            let there = snapshot.objects.contains_key(&format!("Secret/{namespace}/{secret}"));
            match snapshot.ceph.as_ref().and_then(|ceph| ceph.clients.get(client)) {
                None => Change::Create,
                Some(held) if held == caps && there => Change::None,
                Some(_) => Change::Update,
            }
        }
        Prerequisite::CephConf { namespace, name, .. } => {
            let live = snapshot.objects.get(&format!("ConfigMap/{namespace}/{name}"));
            match (live, &snapshot.ceph) {
                (None, _) => Change::Create,
                (Some(live), Some(ceph)) if live["data"]["ceph.conf"] == ceph.conf.as_str() => Change::None,
                (Some(_), _) => Change::Update,
            }
        }
    })
}

/// Names of the nodes that are to carry `key=value` and do not.
///
/// # Errors
/// Nodes that are named but not there.
pub fn nodes_without(
    key: &str,
    value: &str,
    nodes: &[String],
    snapshot: &Snapshot,
) -> Result<Vec<String>, PlanError> {
    let present: Vec<(&str, &Value)> =
        snapshot.objects.iter().filter_map(|(k, node)| Some((k.strip_prefix("Node//")?, node))).collect();
    let all = nodes.iter().any(|n| n == "*");
    let missing: Vec<String> =
        nodes.iter().filter(|n| *n != "*" && !present.iter().any(|(name, _)| name == n)).cloned().collect();
    if !missing.is_empty() {
        let present = present.iter().map(|(name, _)| (*name).to_owned()).collect();
        return Err(PlanError::NoNode { missing, present });
    }
    Ok(present
        .iter()
        .filter(|(name, _)| all || nodes.iter().any(|n| n == name))
        .filter(|(_, node)| node["metadata"]["labels"][key] != value)
        .map(|(name, _)| (*name).to_owned())
        .collect())
}

fn of_coredns(snapshot: &Snapshot) -> Change {
    let Some((namespace, account)) = coredns_account(snapshot) else { return Change::None };
    let role = snapshot.objects.get("ClusterRole//coredns");
    let bound = snapshot
        .objects
        .get("ClusterRoleBinding//coredns")
        .is_some_and(|binding| coredns::is_bound(binding, &namespace, &account));
    match role {
        None => Change::Create,
        Some(role) if bound && coredns::lacking(coredns::rules(role)).is_empty() => Change::None,
        Some(_) => Change::Update,
    }
}

/// Namespace and service account of the Deployment `coredns`; none where the cluster has no such DNS.
pub fn coredns_account(snapshot: &Snapshot) -> Option<(String, String)> {
    let deployment = snapshot.objects.get("Deployment/kube-system/coredns")?;
    let account = deployment["spec"]["template"]["spec"]["serviceAccountName"].as_str().unwrap_or("default");
    Some(("kube-system".into(), account.into()))
}

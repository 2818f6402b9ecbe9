//! Keeps the primary's label on one ready server. A Lease sees to it that only one controller acts.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, sleep};

use super::primary::{self, LABEL};
use crate::pod::{self, Error, Result, say, status_code};

/// How long a controller that fell silent keeps the others waiting.
const LEASE: i32 = 15;
const RENEW: Duration = Duration::from_secs(5);

pub async fn run() -> Result<u8> {
    let client = pod::client().await?;
    let namespace = pod::var("POD_NAMESPACE").unwrap_or_else(pod::namespace);
    let selector =
        pod::var("MARIADB_POD_SELECTOR").unwrap_or_else(|| "application=mariadb,component=server".to_owned());
    let lease = Held {
        api: Api::namespaced(client.clone(), &namespace),
        name: pod::var("MARIADB_LEASE").unwrap_or_else(|| "mariadb-controller".to_owned()),
        me: pod::name(),
    };
    let mut term = signal(SignalKind::terminate()).map_err(Error::io("cannot listen to signals"))?;
    let done = tokio::select! {
        done = control(client, &namespace, &selector, &lease) => done,
        _ = term.recv() => Ok(()),
    };
    lease.release().await;
    done.map(|()| 0)
}

async fn control(client: Client, namespace: &str, selector: &str, lease: &Held) -> Result<()> {
    say(&format!("keeping {LABEL} on one ready server of {selector}"));
    wait_for_lease(lease).await?;
    let api: Api<Pod> = Api::namespaced(client, namespace);
    let pods = watcher::watcher(api.clone(), watcher::Config::default().labels(selector));
    pin_mut!(pods);
    let mut renew = interval(RENEW);
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    let mut listed = false;
    let mut told = None;
    loop {
        tokio::select! {
            _ = renew.tick() => {
                if !lease.renew().await? {
                    say("another controller took over; waiting for my turn");
                    wait_for_lease(lease).await?;
                }
            }
            Some(event) = pods.next() => match event {
                Ok(Event::Init) => { seen.clear(); listed = false; }
                Ok(Event::InitDone) => listed = true,
                Ok(Event::InitApply(p) | Event::Apply(p)) => { seen.insert(p.name_any(), plain(&p)); }
                Ok(Event::Delete(p)) => { seen.remove(&p.name_any()); }
                Err(watcher::Error::InitialListFailed(e) | watcher::Error::WatchStartFailed(e)) if status_code(&e) == Some(403) => {
                    return Err(Error::api("watch", "pods")(e));
                }
                Err(error) => {
                    say(&format!("the API does not answer: {error}"));
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
        if !listed {
            continue;
        }
        let change = primary::choose(seen.values());
        for name in &change.from {
            label(&api, name, None, &mut seen).await?;
        }
        if let Some(name) = &change.to {
            label(&api, name, Some("true"), &mut seen).await?;
        }
        if told != change.primary {
            match &change.primary {
                Some(name) => say(&format!("primary is {name}")),
                None => say("no server is ready; there is no primary"),
            }
            told = change.primary;
        }
    }
}

/// Sets or takes away the label, here and there; a pod that is gone needs neither.
async fn label(
    api: &Api<Pod>,
    name: &str,
    value: Option<&str>,
    seen: &mut BTreeMap<String, Value>,
) -> Result<()> {
    let patch = json!({"metadata": {"labels": {LABEL: value}}});
    match api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(pod) => {
            seen.insert(name.to_owned(), plain(&pod));
            Ok(())
        }
        Err(e) if status_code(&e) == Some(404) => {
            seen.remove(name);
            Ok(())
        }
        Err(e) => Err(Error::api("patch", format!("pod {name}"))(e)),
    }
}

fn plain(pod: &Pod) -> Value {
    serde_json::to_value(pod).unwrap_or_default()
}

async fn wait_for_lease(lease: &Held) -> Result<()> {
    let mut told = false;
    while !lease.renew().await? {
        if !told {
            say("another controller is at work; standing by");
            told = true;
        }
        sleep(RENEW).await;
    }
    Ok(())
}

/// The Lease and who we are in it.
struct Held {
    api: Api<Lease>,
    name: String,
    me: String,
}

impl Held {
    /// Takes or keeps the Lease; false where another holds it.
    async fn renew(&self) -> Result<bool> {
        let what = || format!("lease {}", self.name);
        let now = Timestamp::now();
        let found = self.api.get_opt(&self.name).await.map_err(Error::api("get", what()))?;
        let written = match found {
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(taken(None, &self.me, now)) };
                self.api.create(&PostParams::default(), &lease).await
            }
            Some(mut lease) => {
                if !free(lease.spec.as_ref(), &self.me, now) {
                    return Ok(false);
                }
                lease.spec = Some(taken(lease.spec.take(), &self.me, now));
                self.api.replace(&self.name, &PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(_) => Ok(true),
            Err(e) if status_code(&e) == Some(409) => Ok(false),
            Err(e) => Err(Error::api("update", what())(e)),
        }
    }

    /// Lets the next one begin at once.
    async fn release(&self) {
        if let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await
            && let Some(spec) = lease.spec.as_mut().filter(|s| s.holder_identity.as_deref() == Some(&self.me))
        {
            spec.holder_identity = None;
            let _ = self.api.replace(&self.name, &PostParams::default(), &lease).await;
        }
    }
}

fn free(spec: Option<&LeaseSpec>, me: &str, now: Timestamp) -> bool {
    let Some(spec) = spec else { return true };
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    let until = spec
        .renew_time
        .as_ref()
        .map(|t| t.0 + SignedDuration::from_secs(i64::from(spec.lease_duration_seconds.unwrap_or(LEASE))));
    holder.is_empty() || holder == me || until.is_none_or(|t| t < now)
}

fn taken(before: Option<LeaseSpec>, me: &str, now: Timestamp) -> LeaseSpec {
    let mut spec = before.unwrap_or_default();
    if spec.holder_identity.as_deref() != Some(me) {
        spec.acquire_time = Some(MicroTime(now));
        spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(-1) + 1);
    }
    spec.holder_identity = Some(me.to_owned());
    spec.lease_duration_seconds = Some(LEASE);
    spec.renew_time = Some(MicroTime(now));
    spec
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lease_is_free_when_its_holder_fell_silent_or_let_go() {
        let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        let spec = |holder: &str, ago: i64| LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            renew_time: Some(MicroTime(now - SignedDuration::from_secs(ago))),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        };
        assert!(!free(Some(&spec("other", 10)), "me", now));
        assert!(free(Some(&spec("other", 16)), "me", now));
        assert!(free(Some(&spec("me", 1)), "me", now));
        assert!(free(Some(&spec("", 1)), "me", now));
        assert!(free(None, "me", now));
    }

    #[test]
    fn taking_over_counts_as_a_transition_and_renewing_does_not() {
        let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        let mine = taken(None, "me", now);
        assert_eq!(mine.lease_transitions, Some(0));
        assert_eq!(taken(Some(mine.clone()), "me", now).lease_transitions, Some(0));
        assert_eq!(taken(Some(mine), "you", now).lease_transitions, Some(1));
    }
}

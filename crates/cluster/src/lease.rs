//! A Lease that keeps two runs apart: who holds it, since when; taken over when its holder died.
//!
//! A holder that shows a sign of life is respected at once; one that does not is waited for until its
//! time is over, so that a run after a killed one goes on by itself. Where the killed one was a process
//! of this very machine, either is seen without waiting.

mod process;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::{Cluster, ClusterError, Gvk, Seen};

/// Seconds without a sign after which a holder counts as dead.
pub const TTL: u64 = 15;
const RENEW: Duration = Duration::from_secs(3);
/// Which process holds it, for its own machine to tell whether it lives.
const PROCESS: &str = "landfall.dev/process";

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another run is at work on this cloud: {holder}, since {since}; wait for it to end, or stop it \
         (a dead one is taken over {ttl} s after its last sign)"
    )]
    Held { holder: String, since: String, ttl: u64 },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Held until dropped or [`released`](RunLock::release); renewed in the background.
#[derive(Debug)]
pub struct RunLock {
    cluster: Arc<dyn Cluster>,
    namespace: String,
    name: String,
    holder: String,
    lost: CancellationToken,
    renewing: JoinHandle<()>,
}

fn gvk() -> Gvk {
    Gvk::new("coordination.k8s.io/v1", "Lease")
}

impl RunLock {
    /// Takes the Lease `landfall-<cloud>` in `namespace`.
    ///
    /// # Errors
    /// [`LockError::Held`] while another holder renews it.
    pub async fn acquire(
        cluster: Arc<dyn Cluster>,
        namespace: &str,
        cloud: &str,
        holder: &str,
    ) -> Result<Self, LockError> {
        let name = format!("landfall-{cloud}");
        take(&*cluster, namespace, &name, holder).await?;
        let lost = CancellationToken::new();
        let renewing = tokio::spawn(renew(
            Arc::clone(&cluster),
            namespace.to_owned(),
            name.clone(),
            holder.to_owned(),
            lost.clone(),
        ));
        Ok(Self { cluster, namespace: namespace.into(), name, holder: holder.into(), lost, renewing })
    }

    /// Cancelled when another took the Lease over: this run must stop changing things.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives it back at once.
    pub async fn release(self) {
        self.renewing.abort();
        let held = self.cluster.get(&gvk(), Some(&self.namespace), &self.name).await;
        if let Ok(Some(lease)) = held
            && holder_of(&lease) == self.holder
        {
            let patch = json!({"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]},
                "spec": {"holderIdentity": null, "renewTime": null, "acquireTime": null}});
            // Left behind, it ends by itself.
            let _ = self.cluster.patch(&gvk(), Some(&self.namespace), &self.name, &patch).await;
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

fn holder_of(lease: &Value) -> &str {
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default()
}

/// Kubernetes' MicroTime.
fn micro(time: Timestamp) -> String {
    format!("{time:.6}")
}

fn spec(holder: &str, since: &str, now: Timestamp, transitions: i64) -> Value {
    json!({
        "holderIdentity": holder,
        "leaseDurationSeconds": TTL,
        "acquireTime": since,
        "renewTime": micro(now),
        "leaseTransitions": transitions,
    })
}

/// Whether a Lease still speaks for someone at `now`. Pure.
fn alive(lease: &Value, now: Timestamp) -> bool {
    if holder_of(lease).is_empty() {
        return false;
    }
    let ttl = lease["spec"]["leaseDurationSeconds"].as_i64().unwrap_or(TTL as i64);
    let renewed = lease["spec"]["renewTime"].as_str().and_then(|t| t.parse::<Timestamp>().ok());
    renewed.is_some_and(|renewed| now.as_second() - renewed.as_second() <= ttl)
}

async fn take(cluster: &dyn Cluster, namespace: &str, name: &str, holder: &str) -> Result<(), LockError> {
    let mark = process::mark();
    loop {
        let now = Timestamp::now();
        let Some(mut lease) = cluster.get(&gvk(), Some(namespace), name).await? else {
            let fresh = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": name, "namespace": namespace, "annotations": {PROCESS: mark}},
                "spec": spec(holder, &micro(now), now, 0),
            });
            match cluster.create(&fresh).await {
                Ok(_) => return Ok(()),
                // Another came between looking and taking: look again.
                Err(ClusterError::Exists { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
        };
        if alive(&lease, now) && holder_of(&lease) != holder {
            match lease["metadata"]["annotations"][PROCESS].as_str().and_then(process::lives) {
                Some(true) => return Err(held(&lease)),
                Some(false) => {}
                None => {
                    until_dead(cluster, namespace, name, &lease).await?;
                    continue;
                }
            }
        }
        let transitions = lease["spec"]["leaseTransitions"].as_i64().unwrap_or(0) + 1;
        lease["spec"] = spec(holder, &micro(now), now, transitions);
        lease["metadata"]["annotations"][PROCESS] = json!(mark);
        match cluster.replace(&lease).await {
            Ok(_) => return Ok(()),
            Err(ClusterError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn held(lease: &Value) -> LockError {
    LockError::Held {
        holder: holder_of(lease).to_owned(),
        since: lease["spec"]["acquireTime"].as_str().unwrap_or("an unknown time").to_owned(),
        ttl: TTL,
    }
}

/// Returns when the holder's time is over or the Lease was given back; an error at its first sign of life.
async fn until_dead(
    cluster: &dyn Cluster,
    namespace: &str,
    name: &str,
    lease: &Value,
) -> Result<(), LockError> {
    let renewed = &lease["spec"]["renewTime"];
    let mut seen = cluster.watch(&gvk(), Some(namespace), "");
    let over = tokio::time::sleep(Duration::from_secs(TTL + 1));
    tokio::pin!(over);
    loop {
        let news = tokio::select! {
            () = &mut over => return Ok(()),
            news = seen.next() => news,
        };
        let leases = match news {
            Some(Ok(Seen::Listed(all))) => all,
            Some(Ok(Seen::Applied(one))) => vec![one],
            Some(Ok(Seen::Deleted(one))) if one["metadata"]["name"] == name => return Ok(()),
            Some(Ok(Seen::Deleted(_))) => continue,
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(()),
        };
        for now in leases.iter().filter(|l| l["metadata"]["name"] == name) {
            if holder_of(now).is_empty() {
                return Ok(());
            }
            if now["spec"]["renewTime"] != *renewed {
                return Err(held(now));
            }
        }
    }
}

async fn renew(
    cluster: Arc<dyn Cluster>,
    namespace: String,
    name: String,
    holder: String,
    lost: CancellationToken,
) {
    let mut tick = tokio::time::interval(RENEW);
    tick.tick().await;
    loop {
        tick.tick().await;
        match cluster.get(&gvk(), Some(&namespace), &name).await {
            Ok(Some(mut lease)) if holder_of(&lease) == holder => {
                lease["spec"]["renewTime"] = json!(micro(Timestamp::now()));
                if let Err(error) = cluster.replace(&lease).await {
                    tracing::debug!(%error, "the lease was not renewed this time");
                }
            }
            Ok(other) => {
                tracing::warn!(holder = other.as_ref().map(holder_of), "the lease was taken over");
                lost.cancel();
                return;
            }
            Err(error) => tracing::debug!(%error, "the lease was not renewed this time"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lease(holder: &str, renewed: &str) -> Value {
        json!({"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 15}})
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_holder_is_dead_after_its_time_without_a_sign() {
        let lease = lease("a", "2026-01-01T00:00:00.000000Z");
        assert!(alive(&lease, at("2026-01-01T00:00:15Z")));
        assert!(!alive(&lease, at("2026-01-01T00:00:16Z")));
    }

    #[test]
    fn a_lease_given_back_speaks_for_nobody() {
        assert!(!alive(&json!({"spec": {"holderIdentity": null}}), at("2026-01-01T00:00:00Z")));
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        assert_eq!(micro(at("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00.000000Z");
    }
}

//! Prerequisites of Ceph: pools, users with their keys, the clients' `ceph.conf`. A Ceph that starts or
//! elects a leader is waited for; one that refuses fails at once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_catalog::blueprint::Prerequisite;
use landfall_ceph::{Ceph, Error};
use serde_json::json;
use tokio::time::Instant;

use super::{Acted, Shared, Stop};
use crate::event::Failure;
use crate::failure;

/// Between two tries; each asks the daemons, which can not be watched.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for a Ceph that is there and does not answer.
const PATIENCE: Duration = Duration::from_mins(3);

impl Shared {
    pub async fn ceph(&self, step: &str, prerequisite: &Prerequisite) -> Acted {
        let began = Instant::now();
        loop {
            let error = match self.ceph_once(prerequisite).await {
                Ok(changed) => return Ok(changed),
                Err(Tried::Stop(stop)) => return Err(stop),
                Err(Tried::Ceph(error)) => error,
            };
            if !error.is_transient() || began.elapsed() >= PATIENCE {
                return Err(told(&error, prerequisite).into());
            }
            self.emit.waiting(step, vec![error.to_string()]);
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            }
        }
    }

    async fn ceph_once(&self, prerequisite: &Prerequisite) -> Result<bool, Tried> {
        let cluster = &*self.cluster;
        match prerequisite {
            Prerequisite::CephPool { rook, name, replicas } => {
                Ok(Ceph::open(cluster, rook).await?.pool(name, *replicas).await?)
            }
            Prerequisite::CephKey { rook, client, caps, namespace, secret } => {
                let (key, changed) = Ceph::open(cluster, rook).await?.key(client, caps).await?;
                let data = json!({
                    "key": STANDARD.encode(&key),
                    "keyring": STANDARD.encode(format!("[client.{client}]\n\tkey = {key}\n")),
                });
                let wanted = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/rbd",
                    "metadata": {"name": secret, "namespace": namespace}, "data": data});
                Ok(self.put(&wanted, &format!("Secret/{namespace}/{secret}")).await? || changed)
            }
            Prerequisite::CephConf { rook, namespace, name } => {
                let conf = Ceph::open(cluster, rook).await?.conf().await?;
                let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": name, "namespace": namespace}, "data": {"ceph.conf": conf}});
                Ok(self.put(&wanted, &format!("ConfigMap/{namespace}/{name}")).await?)
            }
            _ => Ok(false),
        }
    }
}

enum Tried {
    Ceph(Error),
    Stop(Stop),
}

impl From<Error> for Tried {
    fn from(error: Error) -> Self {
        Self::Ceph(error)
    }
}

impl From<Stop> for Tried {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn told(error: &Error, prerequisite: &Prerequisite) -> Failure {
    let (rook, object) = match prerequisite {
        Prerequisite::CephPool { rook, name, .. } => (rook.as_str(), format!("pool {name}")),
        Prerequisite::CephKey { rook, client, .. } => (rook.as_str(), format!("client.{client}")),
        Prerequisite::CephConf { rook, namespace, name } => {
            (rook.as_str(), format!("ConfigMap/{namespace}/{name}"))
        }
        _ => ("rook-ceph", String::new()),
    };
    let (code, en, ko) = match error {
        Error::Cluster(error) => return failure::of_cluster(error, &object),
        Error::Absent { .. } | Error::NoToolbox { .. } => (
            "ceph-absent",
            format!(
                "bring up Rook with its toolbox (Deployment rook-ceph-tools) in namespace {rook}, or name its namespace in the cloud file: spec.storage.ceph.namespace"
            ),
            format!(
                "네임스페이스 {rook}에 Rook과 툴박스(Deployment rook-ceph-tools)를 설치하거나, 클라우드 파일의 spec.storage.ceph.namespace에 네임스페이스를 지정하세요"
            ),
        ),
        Error::NoMonitors { .. } | Error::NoQuorum { .. } => (
            "ceph-no-monitors",
            format!("see that the monitors run: `kubectl -n {rook} get pods -l app=rook-ceph-mon`"),
            format!("모니터가 동작하는지 확인하세요: `kubectl -n {rook} get pods -l app=rook-ceph-mon`"),
        ),
        Error::Resource { .. } => (
            "ceph-operator",
            format!(
                "the operator's log says why: `kubectl -n {rook} logs deploy/rook-ceph-operator`; then run `landfall up` again"
            ),
            format!(
                "오퍼레이터 로그에서 이유를 확인한 뒤(`kubectl -n {rook} logs deploy/rook-ceph-operator`) `landfall up`을 다시 실행하세요"
            ),
        ),
        Error::Command { .. } | Error::Answer { .. } => (
            "ceph-refused",
            format!(
                "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph -s` shows how Ceph is; correct what the message names, then run `landfall up` again"
            ),
            format!(
                "`kubectl -n {rook} exec deploy/rook-ceph-tools -- ceph -s`로 Ceph 상태를 확인하고 메시지가 가리키는 것을 고친 뒤 `landfall up`을 다시 실행하세요"
            ),
        ),
    };
    failure::plain(code, &object, error.to_string(), &en, &ko)
}

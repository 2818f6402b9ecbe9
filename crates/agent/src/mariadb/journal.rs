//! The ConfigMap that members share: read, claim with optimistic locking, publish, watch.

use futures::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::settings::Settings;
use super::state::{ClusterState, Member, Shared};
use crate::pod::{Error, Result, status_code};

const OVERRIDE: &str = "landfall.dev/bootstrap-from";

pub struct Journal {
    api: Api<ConfigMap>,
    name: String,
    me: String,
    ttl: SignedDuration,
}

/// What was read, and the version that a claim must still find.
pub struct Read {
    pub shared: Shared,
    version: String,
}

impl Journal {
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            api: Api::namespaced(client, &settings.namespace),
            name: settings.config_map.clone(),
            me: settings.me.clone(),
            ttl: SignedDuration::from_secs(settings.leader_ttl),
        }
    }

    fn what(&self) -> String {
        format!("configmap {}", self.name)
    }

    pub async fn read(&self) -> Result<Option<Read>> {
        let Some(found) = self.api.get_opt(&self.name).await.map_err(Error::api("get", self.what()))? else {
            return Ok(None);
        };
        let version = found.resource_version().unwrap_or_default();
        let object = serde_json::to_value(&found).unwrap_or_default();
        let shared = Shared::read(&object).map_err(|why| {
            Error::Failed(format!("{}: {why}; correct it, or delete it if no member holds data", self.what()))
        })?;
        Ok(Some(Read { shared, version }))
    }

    /// Moves the cluster into a state with this member as its leader. False where something changed meanwhile.
    pub async fn claim(
        &self,
        read: Option<&Read>,
        state: ClusterState,
        own: &Member,
        now: Timestamp,
    ) -> Result<bool> {
        let reboot_node = (state == ClusterState::Reboot).then(|| self.me.clone());
        self.write(read, state, &self.me, reboot_node, own, now).await
    }

    /// Says that the cluster is live, led by this member; wishes of people are fulfilled by then.
    pub async fn live(&self, read: &Read, own: &Member, now: Timestamp) -> Result<bool> {
        self.write(Some(read), ClusterState::Live, &self.me, None, own, now).await
    }

    /// Keeps or takes over the lead; the cluster's state stays.
    pub async fn lead(&self, read: &Read, own: &Member, now: Timestamp) -> Result<bool> {
        self.write(Some(read), read.shared.state, &self.me, read.shared.reboot_node.clone(), own, now).await
    }

    pub fn may_lead(&self, read: &Read, now: Timestamp) -> bool {
        read.shared.leader == self.me || read.shared.leader_expiry.is_none_or(|t| t < now)
    }

    async fn write(
        &self,
        read: Option<&Read>,
        state: ClusterState,
        leader: &str,
        reboot_node: Option<String>,
        own: &Member,
        now: Timestamp,
    ) -> Result<bool> {
        let shared = Shared {
            state,
            leader: leader.to_owned(),
            leader_expiry: now.checked_add(self.ttl).ok(),
            reboot_node,
            bootstrap_from: None,
            members: [].into(),
        };
        let mut annotations = shared.annotations();
        let done = match read {
            None => {
                let body = json!({"metadata": {"name": self.name, "annotations": annotations}, "data": own.entries(&self.me)});
                let body: ConfigMap =
                    serde_json::from_value(body).map_err(|e| Error::Failed(e.to_string()))?;
                self.api.create(&PostParams::default(), &body).await
            }
            Some(read) => {
                if state == ClusterState::Live {
                    annotations.insert(OVERRIDE.to_owned(), Value::Null);
                }
                let body = json!({"metadata": {"resourceVersion": read.version, "annotations": annotations}, "data": own.entries(&self.me)});
                self.patch(&body).await
            }
        };
        match done {
            Ok(_) => Ok(true),
            Err(e) if matches!(status_code(&e), Some(404 | 409)) => Ok(false),
            Err(e) => Err(Error::api("update", self.what())(e)),
        }
    }

    /// Says what this member holds; only its own entries are touched, so nothing can be lost. Without a
    /// ConfigMap there is nobody to tell.
    pub async fn publish(&self, own: &Member) -> Result<()> {
        match self.patch(&json!({"data": own.entries(&self.me)})).await {
            Ok(_) => Ok(()),
            Err(e) if status_code(&e) == Some(404) => Ok(()),
            Err(e) => Err(Error::api("patch", self.what())(e)),
        }
    }

    async fn patch(&self, body: &Value) -> std::result::Result<ConfigMap, kube::Error> {
        self.api.patch(&self.name, &PatchParams::default(), &Patch::Merge(body)).await
    }

    /// A tick for every change. Where watching is not allowed it ends, and the heartbeat must do.
    pub fn changes(&self) -> impl Stream<Item = ()> + use<> {
        let config = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        watcher::watcher(self.api.clone(), config)
            .take_while(|event| {
                let forbidden = match event {
                    Err(watcher::Error::InitialListFailed(e) | watcher::Error::WatchStartFailed(e)) => {
                        status_code(e) == Some(403)
                    }
                    _ => false,
                };
                std::future::ready(!forbidden)
            })
            .filter_map(|event| async move {
                match event {
                    Ok(watcher::Event::Init) => None,
                    Ok(_) => Some(()),
                    Err(_) => {
                        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
                        None
                    }
                }
            })
            .chain(stream::pending())
    }
}

//! Which resource a kind is, asked once a group and version, and again for a kind not known yet.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use kube::Client;
use kube::core::ApiResource;

use crate::api::Gvk;

#[derive(Debug, Clone)]
pub(super) struct Found {
    pub resource: ApiResource,
    pub namespaced: bool,
}

pub(super) enum Missing {
    Kind,
    Asking(Box<kube::Error>),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Discovery {
    known: Arc<RwLock<HashMap<Gvk, Found>>>,
}

impl Discovery {
    pub async fn resolve(&self, client: &Client, gvk: &Gvk) -> Result<Found, Missing> {
        if let Some(found) = self.lookup(gvk) {
            return Ok(found);
        }
        let listed = if gvk.group.is_empty() {
            client.list_core_api_resources(&gvk.version).await
        } else {
            client.list_api_group_resources(&gvk.api_version()).await
        };
        let listed = match listed {
            Ok(listed) => listed,
            Err(kube::Error::Api(status)) if status.code == 404 => return Err(Missing::Kind),
            Err(error) => return Err(Missing::Asking(Box::new(error))),
        };
        if let Ok(mut known) = self.known.write() {
            for resource in listed.resources.iter().filter(|r| !r.name.contains('/')) {
                let kind = Gvk { kind: resource.kind.clone(), ..gvk.clone() };
                let found = Found {
                    resource: ApiResource {
                        group: gvk.group.clone(),
                        version: gvk.version.clone(),
                        api_version: gvk.api_version(),
                        kind: resource.kind.clone(),
                        plural: resource.name.clone(),
                    },
                    namespaced: resource.namespaced,
                };
                known.insert(kind, found);
            }
        }
        self.lookup(gvk).ok_or(Missing::Kind)
    }

    fn lookup(&self, gvk: &Gvk) -> Option<Found> {
        self.known.read().ok()?.get(gvk).cloned()
    }

    /// All that the server serves: `apps/v1`, `apps/v1/Deployment`, sorted.
    pub async fn served(&self, client: &Client) -> Result<Vec<String>, kube::Error> {
        let (core, groups) = futures::try_join!(
            client.list_core_api_versions_aggregated(),
            client.list_api_groups_aggregated()
        )?;
        let mut served = Vec::new();
        for group in core.items.into_iter().chain(groups.items) {
            let name = group.metadata.and_then(|m| m.name).unwrap_or_default();
            for version in group.versions {
                let version_name = version.version.unwrap_or_default();
                let api = if name.is_empty() { version_name } else { format!("{name}/{version_name}") };
                let kinds = version.resources.into_iter().filter_map(|r| r.response_kind?.kind);
                served.extend(kinds.map(|kind| format!("{api}/{kind}")));
                served.push(api);
            }
        }
        served.sort();
        served.dedup();
        Ok(served)
    }
}

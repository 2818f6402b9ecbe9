//! Commands in the cloud's pods, and what Ceph's pools hold.

use std::collections::BTreeMap;

use landfall_ceph::Ceph;
use landfall_cluster::api::{ExecOutput, Gvk};
use landfall_health::ready_by_node;

use super::RealCloud;

/// Pods that carry out commands for the proof: their selector and container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pods {
    pub selector: &'static str,
    pub container: &'static str,
}

pub(super) const L3_AGENT: Pods =
    Pods { selector: "application=neutron,component=neutron-l3-agent", container: "neutron-l3-agent" };
pub(super) const SWITCH: Pods =
    Pods { selector: "application=openvswitch,component=server", container: "openvswitch-vswitchd" };
pub(super) const LIBVIRT: Pods =
    Pods { selector: "application=libvirt,component=libvirt", container: "libvirt" };

impl RealCloud {
    /// Ready pods by node.
    pub(super) async fn by_node(&self, pods: Pods) -> Result<BTreeMap<String, String>, String> {
        let found = self
            .setting
            .cluster
            .list(&Gvk::new("v1", "Pod"), Some(&self.setting.namespace), pods.selector)
            .await
            .map_err(|error| error.to_string())?;
        let by_node = ready_by_node(&found);
        if by_node.is_empty() {
            return Err(format!("no ready pod with {}", pods.selector));
        }
        Ok(by_node)
    }

    pub(super) async fn exec(&self, pods: Pods, pod: &str, command: &[&str]) -> Result<ExecOutput, String> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        self.setting
            .cluster
            .exec(&self.setting.namespace, pod, pods.container, &command, None)
            .await
            .map_err(|error| error.to_string())
    }

    /// The output of a command that must succeed.
    pub(super) async fn said(&self, pods: Pods, pod: &str, command: &[&str]) -> Result<String, String> {
        let output = self.exec(pods, pod, command).await?;
        if output.code == 0 {
            return Ok(output.stdout);
        }
        let said = if output.stderr.trim().is_empty() { output.stdout } else { output.stderr };
        Err(format!("{pod}: `{}`: {}", command.join(" "), said.trim()))
    }

    /// Names in all of Ceph's pools, by pool. None where Rook's resources alone lead to it, which tell nothing of them.
    pub(super) async fn blocks(&self) -> Result<Option<BTreeMap<String, Vec<String>>>, String> {
        let told = |error: landfall_ceph::Error| error.to_string();
        let ceph = Ceph::open(&*self.setting.cluster, &self.setting.rook).await.map_err(told)?;
        let mut found = BTreeMap::new();
        // Ceph's own pools begin with a dot.
        for pool in ceph.state().await.map_err(told)?.pools.iter().filter(|pool| !pool.starts_with('.')) {
            match ceph.images(pool).await {
                Ok(images) => found.insert(pool.clone(), images.into_iter().collect()),
                Err(landfall_ceph::Error::NoToolbox { .. }) => return Ok(None),
                Err(error) => return Err(error.to_string()),
            };
        }
        Ok(Some(found))
    }

    /// `in the pool X`, for the one whose name is meant.
    pub(super) async fn pool_of(&self, meant: &(dyn Fn(&str) -> bool + Sync)) -> Result<String, String> {
        let Some(pools) = self.blocks().await? else {
            return Ok(format!("pools not looked into: {} has no toolbox", self.setting.rook));
        };
        let found = pools
            .iter()
            .find_map(|(pool, names)| names.iter().find(|name| meant(name)).map(|name| (pool, name)));
        found.map(|(pool, name)| format!("`rbd ls {pool}` shows {name}")).ok_or_else(|| {
            format!("it is in none of the pools {}", pools.into_keys().collect::<Vec<_>>().join(", "))
        })
    }
}

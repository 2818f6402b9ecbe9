//! Compute API v2.1: as much of it as shows that servers can run.

use serde::Deserialize;

use crate::error::Error;
use crate::keystone::Token;
use crate::web::Web;

/// What `openstack compute service list` shows of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ComputeService {
    pub binary: String,
    pub host: String,
    pub zone: String,
    /// `enabled`, or `disabled` by an administrator or by the compute itself.
    pub status: String,
    /// `up` where it has reported lately, else `down`.
    pub state: String,
    #[serde(default)]
    pub disabled_reason: Option<String>,
}

/// A node as its hypervisor names it. Only those are listed that were mapped to a cell: others get no servers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hypervisor {
    #[serde(rename = "hypervisor_hostname")]
    pub name: String,
    #[serde(rename = "hypervisor_type")]
    pub kind: String,
    pub state: String,
    pub service: HypervisorService,
}

/// The compute that speaks for a hypervisor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HypervisorService {
    pub host: String,
}

/// Nova behind a name, with a token.
#[derive(Debug)]
pub struct Compute {
    web: Web,
    token: Token,
}

impl Compute {
    pub fn new(web: Web, token: Token) -> Self {
        Self { web, token }
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn services(&self) -> Result<Vec<ComputeService>, Error> {
        self.web.read(&self.token, "/v2.1/os-services", "services").await
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn hypervisors(&self) -> Result<Vec<Hypervisor>, Error> {
        self.web.read(&self.token, "/v2.1/os-hypervisors/detail", "hypervisors").await
    }

    /// Names of the servers, of whatever project, that Nova has on a host.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn servers_on(&self, host: &str) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let path = format!("/v2.1/servers?all_tenants=1&host={host}");
        let servers: Vec<Named> = self.web.read(&self.token, &path, "servers").await?;
        Ok(servers.into_iter().map(|server| server.name).collect())
    }
}

/// Placement behind a name, with a token.
#[derive(Debug)]
pub struct Placement {
    web: Web,
    token: Token,
}

/// Who has something to give to servers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Provider {
    pub uuid: String,
    pub name: String,
}

impl Placement {
    pub fn new(web: Web, token: Token) -> Self {
        Self { web, token }
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn providers(&self) -> Result<Vec<Provider>, Error> {
        self.web.read(&self.token, "/resource_providers", "resource_providers").await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn services_and_hypervisors_are_read_as_the_api_shows_them() {
        let service: Result<ComputeService, _> = serde_json::from_value(json!({
            "id": 7, "binary": "nova-compute", "host": "k2", "zone": "nova", "status": "enabled", "state": "up",
            "updated_at": "2026-01-01T00:00:00.000000", "disabled_reason": null,
        }));
        assert!(service.is_ok_and(|service| service.host == "k2" && service.disabled_reason.is_none()));
        let hypervisor: Result<Hypervisor, _> = serde_json::from_value(json!({
            "id": 1, "hypervisor_hostname": "k2.example", "hypervisor_type": "QEMU", "state": "up",
            "status": "enabled", "service": {"id": 7, "host": "k2", "disabled_reason": null}, "vcpus": 2,
        }));
        assert!(hypervisor.is_ok_and(|one| one.service.host == "k2" && one.name == "k2.example"));
    }
}

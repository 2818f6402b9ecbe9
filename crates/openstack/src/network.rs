//! Networking API v2.0: as much of it as proves that the cloud's networks work.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, gone};
use crate::keystone::Token;
use crate::web::Web;

/// What `openstack network agent list` shows of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Agent {
    pub id: String,
    pub agent_type: String,
    pub binary: String,
    pub host: String,
    #[serde(default)]
    pub availability_zone: Option<String>,
    /// Has reported lately.
    pub alive: bool,
    #[serde(rename = "admin_state_up")]
    pub up: bool,
}

/// Neutron behind a name, with a token.
#[derive(Debug)]
pub struct Network {
    web: Web,
    token: Token,
}

impl Network {
    pub fn new(web: Web, token: Token) -> Self {
        Self { web, token }
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn agents(&self) -> Result<Vec<Agent>, Error> {
        self.web.read(&self.token, "/v2.0/agents", "agents").await
    }

    /// Makes one of a kind (`network`, `subnet`, `port`, `router`) and gives it as it now is.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn create(&self, kind: &str, body: Value) -> Result<Value, Error> {
        let mut answer = self.call(Method::POST, &path(kind), Some(json!({ kind: body }))).await?;
        Ok(answer[kind].take())
    }

    /// Those of a kind that the administrator sees; `query` as in `name=x`, or empty.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn list(&self, kind: &str, query: &str) -> Result<Vec<Value>, Error> {
        let path = format!("{}?{query}", path(kind));
        let answer = self.call(Method::GET, &path, None).await?;
        Ok(answer[format!("{kind}s")].as_array().cloned().unwrap_or_default())
    }

    /// One that is gone already is no error.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn delete(&self, kind: &str, id: &str) -> Result<(), Error> {
        gone(self.call(Method::DELETE, &format!("{}/{id}", path(kind)), None).await)
    }

    /// Puts a router's leg into a subnet, or takes it out.
    ///
    /// # Errors
    /// Any of [`Error`]; where it is gone already, taking it out is no error.
    pub async fn router_interface(&self, router: &str, subnet: &str, there: bool) -> Result<(), Error> {
        let verb = if there { "add_router_interface" } else { "remove_router_interface" };
        let path = format!("/v2.0/routers/{router}/{verb}");
        match self.call(Method::PUT, &path, Some(json!({"subnet_id": subnet}))).await {
            Err(Error::Status { status: 404, .. }) if !there => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Error> {
        self.web.ask(&self.token, method, path, body.as_ref()).await
    }
}

fn path(kind: &str) -> String {
    format!("/v2.0/{kind}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_read_as_the_api_shows_it() {
        let agent: Result<Agent, _> = serde_json::from_value(json!({
            "id": "1", "agent_type": "DHCP agent", "binary": "neutron-dhcp-agent", "host": "k2",
            "availability_zone": "nova", "alive": true, "admin_state_up": true, "configurations": {},
        }));
        assert!(agent.is_ok_and(|agent| agent.alive && agent.up && agent.host == "k2"));
    }
}

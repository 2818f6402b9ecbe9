//! Identity API v3: version, token, service list.

use std::net::SocketAddr;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::web::{Answer, Web, parsed};

/// Who asks. `Debug` does not show the password.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub user_domain: Domain,
    /// Project and its domain; none asks for a token without a scope.
    pub project: Option<(String, Domain)>,
}

/// A domain by its name or its id. The default domain is known by its id: only its name may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    Name(String),
    Id(String),
}

impl Domain {
    /// `default` in any spelling is the id of the domain that Keystone makes by itself, as in
    /// OpenStack-Helm's values.
    pub fn named(name: &str) -> Self {
        if name.eq_ignore_ascii_case("default") {
            Self::Id("default".to_owned())
        } else {
            Self::Name(name.to_owned())
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Name(name) => json!({"name": name}),
            Self::Id(id) => json!({"id": id}),
        }
    }
}

impl Credentials {
    /// The administrator as Keystone's bootstrap makes it.
    pub fn admin(password: &str) -> Self {
        Self {
            user: "admin".into(),
            password: password.into(),
            user_domain: Domain::named("default"),
            project: Some(("admin".into(), Domain::named("default"))),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// An issued token. `Debug` does not show it.
#[derive(Clone)]
pub struct Token {
    pub id: String,
    /// RFC 3339.
    pub expires: String,
    pub user: String,
    /// Empty where it has no scope.
    pub project: String,
    /// Names of the roles.
    pub roles: Vec<String>,
    /// `(service name, type, interface, region, URL)` of the catalog.
    pub catalog: Vec<(String, String, String, String, String)>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires", &self.expires)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Service {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A Keystone behind a name.
#[derive(Debug, Clone)]
pub struct Keystone {
    pub(crate) web: Web,
}

impl Keystone {
    /// `host` is the name in the Host header; the connection goes to `address`.
    ///
    /// # Errors
    /// [`Error::Client`] where no client can be made.
    pub fn new(host: &str, address: SocketAddr) -> Result<Self, Error> {
        Ok(Self { web: Web::behind(host, address)? })
    }

    /// By its authentication URL, e.g. `http://keystone-api.openstack.svc.cluster.local:5000/v3`.
    ///
    /// # Errors
    /// [`Error::Client`] for what is no HTTP URL.
    pub fn at(url: &str) -> Result<Self, Error> {
        Ok(Self { web: Web::at(url)? })
    }

    /// A plain GET; any status is an answer.
    ///
    /// # Errors
    /// [`Error::NoAnswer`].
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.web.get(path).await
    }

    /// The id of the version that is served at `/v3`, e.g. `v3.14`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        let asked = self.web.asked(&Method::GET, "/v3");
        let answer = self.get("/v3").await?;
        if answer.status != 200 {
            return Err(Error::status(&asked, answer.status, &answer.body));
        }
        let json: Value = parsed(&answer.body, &asked)?;
        json["version"]["id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Error::Answer { asked, message: "no version.id".into() })
    }

    /// A token scoped to the project.
    ///
    /// # Errors
    /// Any of [`Error`]; a wrong password is a `Status` of 401.
    pub async fn token(&self, who: &Credentials) -> Result<Token, Error> {
        const PATH: &str = "/v3/auth/tokens";
        let asked = self.web.asked(&Method::POST, PATH);
        let user = json!({"name": who.user, "domain": who.user_domain.json(), "password": who.password});
        let scope = match &who.project {
            Some((name, domain)) => json!({"project": {"name": name, "domain": domain.json()}}),
            None => json!("unscoped"),
        };
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": scope,
        }});
        let response = self.web.good(self.web.request(Method::POST, PATH, None).json(&body), &asked).await?;
        let id = response.headers().get("x-subject-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = self.web.text(response, &asked).await?;
        let Some(id) = id else {
            return Err(Error::Answer { asked, message: "no X-Subject-Token header".into() });
        };
        let json: Value = parsed(&body, &asked)?;
        let token = &json["token"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let catalog = list(&token["catalog"])
            .iter()
            .flat_map(|service| {
                let (name, kind) = (word(&service["name"]), word(&service["type"]));
                list(&service["endpoints"]).into_iter().map(move |e| {
                    (name.clone(), kind.clone(), word(&e["interface"]), word(&e["region"]), word(&e["url"]))
                })
            })
            .collect();
        Ok(Token {
            id,
            expires: word(&token["expires_at"]),
            user: word(&token["user"]["name"]),
            project: word(&token["project"]["name"]),
            roles: list(&token["roles"]).iter().map(|r| word(&r["name"])).collect(),
            catalog,
        })
    }

    /// What `openstack service list` shows.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn services(&self, token: &Token) -> Result<Vec<Service>, Error> {
        #[derive(Deserialize)]
        struct Listed {
            services: Vec<Service>,
        }
        let asked = self.web.asked(&Method::GET, "/v3/services");
        let answer = self.web.ask(token, Method::GET, "/v3/services", None).await?;
        let listed: Listed =
            serde_json::from_value(answer).map_err(|e| Error::Answer { asked, message: e.to_string() })?;
        Ok(listed.services)
    }
}

#[cfg(test)]
mod tests;

//! Identity API v3: version, token, service list.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::HOST;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::json;

use crate::error::Error;

const CONNECT: Duration = Duration::from_secs(3);
/// A cold uwsgi worker takes some seconds for its first answer.
const WHOLE: Duration = Duration::from_secs(20);

/// Who asks. `Debug` does not show the password.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub project: String,
    pub domain: String,
}

impl Credentials {
    /// The administrator as Keystone's bootstrap makes it.
    pub fn admin(password: &str) -> Self {
        Self {
            user: "admin".into(),
            password: password.into(),
            project: "admin".into(),
            domain: "Default".into(),
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

/// Status and body of a plain GET.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A Keystone (or any web server) behind a name.
#[derive(Debug, Clone)]
pub struct Keystone {
    http: Client,
    host: String,
    address: SocketAddr,
}

impl Keystone {
    /// `host` is the name in the Host header; the connection goes to `address`.
    ///
    /// # Errors
    /// [`Error::Client`] where no client can be made.
    pub fn new(host: &str, address: SocketAddr) -> Result<Self, Error> {
        // Built together with crates that speak TLS, reqwest wants this choice even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .resolve(host, address)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .build()
            .map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { http, host: host.to_owned(), address })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.host, self.address.port())
    }

    fn shown(&self, verb: &str, path: &str) -> String {
        format!("{verb} http://{}{path}", self.host)
    }

    async fn send(&self, request: RequestBuilder, asked: &str) -> Result<reqwest::Response, Error> {
        // Without the port: the Ingress goes by the name alone.
        request.header(HOST, &self.host).send().await.map_err(|e| Error::NoAnswer {
            asked: asked.to_owned(),
            address: self.address.to_string(),
            message: told(&e),
        })
    }

    /// A plain GET; any status is an answer.
    ///
    /// # Errors
    /// [`Error::NoAnswer`].
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        let asked = self.shown("GET", path);
        let response = self.send(self.http.get(self.url(path)), &asked).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: text(response, &asked, self.address).await? })
    }

    /// The id of the version that is served at `/v3`, e.g. `v3.14`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        let asked = self.shown("GET", "/v3");
        let answer = self.get("/v3").await?;
        if answer.status != 200 {
            return Err(Error::status(&asked, answer.status, &answer.body));
        }
        let json: serde_json::Value = parsed(&answer.body, &asked)?;
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
        let asked = self.shown("POST", "/v3/auth/tokens");
        let domain = json!({"name": who.domain});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user":
                {"name": who.user, "domain": domain, "password": who.password}}},
            "scope": {"project": {"name": who.project, "domain": domain}},
        }});
        let response = self.send(self.http.post(self.url("/v3/auth/tokens")).json(&body), &asked).await?;
        let status = response.status().as_u16();
        let id = response.headers().get("x-subject-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = text(response, &asked, self.address).await?;
        if status != 201 {
            return Err(Error::status(&asked, status, &body));
        }
        let Some(id) = id else {
            return Err(Error::Answer { asked, message: "no X-Subject-Token header".into() });
        };
        let json: serde_json::Value = parsed(&body, &asked)?;
        let token = &json["token"];
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
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
        let asked = self.shown("GET", "/v3/services");
        let request = self.http.get(self.url("/v3/services")).header("x-auth-token", &token.id);
        let response = self.send(request, &asked).await?;
        let status = response.status().as_u16();
        let body = text(response, &asked, self.address).await?;
        if status != 200 {
            return Err(Error::status(&asked, status, &body));
        }
        let listed: Listed = parsed(&body, &asked)?;
        Ok(listed.services)
    }
}

async fn text(response: reqwest::Response, asked: &str, address: SocketAddr) -> Result<String, Error> {
    response.text().await.map_err(|e| Error::NoAnswer {
        asked: asked.to_owned(),
        address: address.to_string(),
        message: told(&e),
    })
}

fn parsed<T: serde::de::DeserializeOwned>(body: &str, asked: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|e| Error::Answer { asked: asked.to_owned(), message: e.to_string() })
}

/// The innermost cause says most; the outer ones repeat the address.
fn told(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests;

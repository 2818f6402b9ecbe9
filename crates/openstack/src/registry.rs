//! Keystone's registry: services, endpoints, accounts. Each call makes what is wanted so, and leaves
//! alone what already is; two that do so at once end in the same state.

use reqwest::Method;
use serde_json::{Value, json};

use crate::error::Error;
use crate::keystone::{Credentials, Domain, Keystone, Token};

/// What had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Kept,
    Made,
    Changed,
}

/// An endpoint as Keystone has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: String,
    /// `admin`, `internal` or `public`.
    pub interface: String,
    pub region: String,
    pub url: String,
    pub enabled: bool,
}

/// What brings the endpoints of one interface and region to one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAction {
    Make,
    Keep(String),
    Change(String),
    /// A second one of the same interface and region: clients would take either.
    Remove(String),
}

/// A service's account: in which domain and project, and with which roles on it.
#[derive(Clone)]
pub struct Account {
    pub name: String,
    pub password: String,
    /// Names of the domains; `default` is the one that Keystone makes.
    pub user_domain: String,
    pub project_domain: String,
    pub project: String,
    pub roles: Vec<String>,
    pub description: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What [`Registry::account`] did, in order, as words that may be shown.
pub type Steps = Vec<String>;

/// Keystone as its administrator sees it.
#[derive(Debug)]
pub struct Registry<'a> {
    keystone: &'a Keystone,
    token: &'a Token,
}

impl<'a> Registry<'a> {
    pub fn new(keystone: &'a Keystone, token: &'a Token) -> Self {
        Self { keystone, token }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Error> {
        self.keystone.web.ask(self.token, method, path, body.as_ref()).await
    }

    /// The id of the service of this name and type, made where there is none.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn service(&self, name: &str, kind: &str) -> Result<(String, Done), Error> {
        let found = self.find_service(name, kind).await?;
        if let Some((id, enabled)) = found {
            if enabled {
                return Ok((id, Done::Kept));
            }
            let body = json!({"service": {"enabled": true}});
            self.ask(Method::PATCH, &format!("/v3/services/{id}"), Some(body)).await?;
            return Ok((id, Done::Changed));
        }
        let body = json!({"service": {"name": name, "type": kind, "enabled": true}});
        let made = self.ask(Method::POST, "/v3/services", Some(body)).await?;
        Ok((word(&made["service"]["id"]), Done::Made))
    }

    /// The id of the service of this name and type, and whether it is enabled.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn find_service(&self, name: &str, kind: &str) -> Result<Option<(String, bool)>, Error> {
        let services = self.keystone.services(self.token).await?;
        Ok(services
            .into_iter()
            .find(|service| service.name == name && service.kind == kind)
            .map(|service| (service.id, service.enabled)))
    }

    /// Makes the endpoint of one interface in one region have this URL.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn endpoint(
        &self,
        service: &str,
        region: &str,
        interface: &str,
        url: &str,
    ) -> Result<Done, Error> {
        let listed = self.ask(Method::GET, &format!("/v3/endpoints?service_id={service}"), None).await?;
        let present: Vec<Endpoint> = list(&listed["endpoints"]).iter().map(endpoint).collect();
        let mut done = Done::Kept;
        for action in decide(&present, region, interface, url) {
            match action {
                EndpointAction::Keep(_) => {}
                EndpointAction::Make => {
                    let body = json!({"endpoint": {"service_id": service, "region_id": region,
                        "interface": interface, "url": url, "enabled": true}});
                    self.ask(Method::POST, "/v3/endpoints", Some(body)).await?;
                    done = Done::Made;
                }
                EndpointAction::Change(id) => {
                    let body = json!({"endpoint": {"url": url, "enabled": true}});
                    self.ask(Method::PATCH, &format!("/v3/endpoints/{id}"), Some(body)).await?;
                    done = Done::Changed;
                }
                EndpointAction::Remove(id) => {
                    self.ask(Method::DELETE, &format!("/v3/endpoints/{id}"), None).await?;
                    done = Done::Changed;
                }
            }
        }
        Ok(done)
    }

    /// Makes the account be there with its password and roles, and its domains and project before it.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn account(&self, account: &Account) -> Result<Steps, Error> {
        let mut steps = Steps::new();
        let project_domain = self.domain(&account.project_domain, &mut steps).await?;
        let user_domain = self.domain(&account.user_domain, &mut steps).await?;
        let project = json!({"name": account.project, "domain_id": project_domain, "enabled": true});
        let (project, made, _) =
            self.named("project", &account.project, Some(&project_domain), project).await?;
        steps.extend(made.then(|| format!("made the project {}", account.project)));
        let user = json!({"name": account.name, "domain_id": user_domain, "default_project_id": project,
            "password": account.password, "description": account.description, "enabled": true});
        let (user, made, enabled) = self.named("user", &account.name, Some(&user_domain), user).await?;
        if made {
            steps.push(format!("made the user {}", account.name));
        } else if !enabled || !self.opens(account, &user_domain).await? {
            // Only where it differs: each change of a password ends all tokens of its user.
            let body = json!({"user": {"password": account.password, "enabled": true}});
            self.ask(Method::PATCH, &format!("/v3/users/{user}"), Some(body)).await?;
            steps.push(format!("gave the user {} the password of its Secret", account.name));
        }
        for role in &account.roles {
            let body = json!({"name": role});
            let (id, made, _) = self.named("role", role, None, body).await?;
            steps.extend(made.then(|| format!("made the role {role}")));
            let grant = format!("/v3/projects/{project}/users/{user}/roles/{id}");
            let has = match self.ask(Method::HEAD, &grant, None).await {
                Ok(_) => true,
                Err(error) if error.code() == Some(404) => false,
                Err(error) => return Err(error),
            };
            if !has {
                self.ask(Method::PUT, &grant, None).await?;
                steps.push(format!("gave it the role {role} on {}", account.project));
            }
        }
        Ok(steps)
    }

    async fn domain(&self, name: &str, steps: &mut Steps) -> Result<String, Error> {
        if let Domain::Id(id) = Domain::named(name) {
            return Ok(id);
        }
        let (id, made, _) = self.named("domain", name, None, json!({"name": name, "enabled": true})).await?;
        steps.extend(made.then(|| format!("made the domain {name}")));
        Ok(id)
    }

    /// Whether the account's password is the one that Keystone knows.
    async fn opens(&self, account: &Account, domain: &str) -> Result<bool, Error> {
        let who = Credentials {
            user: account.name.clone(),
            password: account.password.clone(),
            user_domain: Domain::Id(domain.to_owned()),
            project: None,
        };
        match self.keystone.token(&who).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(401) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Id of the one of this name, whether it was made just now, and whether it is enabled.
    async fn named(
        &self,
        kind: &str,
        name: &str,
        domain: Option<&str>,
        body: Value,
    ) -> Result<(String, bool, bool), Error> {
        if let Some((id, enabled)) = self.find(kind, name, domain).await? {
            return Ok((id, false, enabled));
        }
        match self.ask(Method::POST, &format!("/v3/{kind}s"), Some(json!({kind: body}))).await {
            Ok(made) => Ok((word(&made[kind]["id"]), true, true)),
            // Another service's Job made it in between.
            Err(error) if error.code() == Some(409) => match self.find(kind, name, domain).await? {
                Some((id, enabled)) => Ok((id, false, enabled)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn find(
        &self,
        kind: &str,
        name: &str,
        domain: Option<&str>,
    ) -> Result<Option<(String, bool)>, Error> {
        let mut path = format!("/v3/{kind}s?name={}", percent(name));
        if let Some(domain) = domain {
            path.push_str(&format!("&domain_id={}", percent(domain)));
        }
        let listed = self.ask(Method::GET, &path, None).await?;
        Ok(list(&listed[format!("{kind}s")])
            .iter()
            // The database's comparison may not mind case.
            .find(|one| one["name"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name)))
            .map(|one| (word(&one["id"]), one["enabled"] != false)))
    }
}

/// What brings the endpoints that are there to one of this URL.
pub fn decide(present: &[Endpoint], region: &str, interface: &str, url: &str) -> Vec<EndpointAction> {
    let mut mine: Vec<&Endpoint> =
        present.iter().filter(|one| one.region == region && one.interface == interface).collect();
    // One that is right already is kept, whatever else there is.
    mine.sort_by_key(|one| (one.url != url || !one.enabled, one.id.clone()));
    let Some((first, more)) = mine.split_first() else { return vec![EndpointAction::Make] };
    let kept = if first.url == url && first.enabled {
        EndpointAction::Keep(first.id.clone())
    } else {
        EndpointAction::Change(first.id.clone())
    };
    std::iter::once(kept).chain(more.iter().map(|one| EndpointAction::Remove(one.id.clone()))).collect()
}

fn endpoint(json: &Value) -> Endpoint {
    let region = if json["region_id"].is_string() { &json["region_id"] } else { &json["region"] };
    Endpoint {
        id: word(&json["id"]),
        interface: word(&json["interface"]),
        region: word(region),
        url: word(&json["url"]),
        enabled: json["enabled"] != false,
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A value of a query, where all but the unreserved characters are escaped (RFC 3986).
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests;

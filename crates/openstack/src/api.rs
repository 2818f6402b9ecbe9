//! Any API that the catalog names, at its public endpoint: what checks ask that no client of its own is worth.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value;

use crate::error::{Error, gone};
use crate::keystone::Token;
use crate::web::Web;

/// Nova asks a compute, which may be at work on the same server, before it answers; its own limit is a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// One service's API, with the token of who asks. `Debug` does not show the token.
#[derive(Debug, Clone)]
pub struct Api {
    web: Web,
    token: Token,
    kind: String,
    /// The endpoint's path, without a slash at its end: `/v2.1`, `/v3/<project>`.
    prefix: String,
    /// `compute 2.79`
    version: Option<String>,
}

impl Api {
    /// The first of these types that the token's catalog has a public endpoint of; requests go to `address`.
    /// None where the cloud has no such service.
    ///
    /// # Errors
    /// [`Error::Client`] where the catalog's URL is none.
    pub fn open(
        token: &Token,
        kinds: &[&str],
        region: &str,
        address: SocketAddr,
    ) -> Result<Option<Self>, Error> {
        let found = kinds.iter().find_map(|kind| Some((*kind, endpoint(token, kind, region)?)));
        let Some((kind, url)) = found else { return Ok(None) };
        let bad = |why: &str| Error::Client(format!("{url}: {why}"));
        let parsed = Url::parse(url).map_err(|error| bad(&error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| bad("no host in it"))?;
        Ok(Some(Self {
            web: Web::behind(host, address)?,
            token: token.clone(),
            kind: kind.to_owned(),
            prefix: parsed.path().trim_end_matches('/').to_owned(),
            version: None,
        }))
    }

    /// With a microversion: the service's word and number, as in `compute 2.79`.
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// The type by which the catalog has it.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn web(&self) -> &Web {
        &self.web
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::GET, path, None).await
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Null is sent as no body at all: Keystone takes no other.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// One that is gone already is no error.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        gone(self.call(Method::DELETE, path, None).await)
    }

    /// Null for an empty answer.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let path = format!("{}{path}", self.prefix);
        let asked = self.web.asked(&method, &path);
        let mut request = self.web.request(method, &path, Some(&self.token)).timeout(PATIENCE);
        if let Some(version) = &self.version {
            request = request.header("OpenStack-API-Version", version);
        }
        if let Some(body) = body.filter(|body| !body.is_null()) {
            request = request.json(body);
        }
        self.web.json(request, &asked).await
    }
}

fn endpoint<'a>(token: &'a Token, kind: &str, region: &str) -> Option<&'a str> {
    let found = token
        .catalog
        .iter()
        .find(|(_, its, interface, r, _)| its == kind && interface == "public" && r == region);
    found.map(|(.., url)| url.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::loopback::serve;

    fn token(url: &str) -> Token {
        let entry = |kind: &str, interface: &str, url: &str| {
            ("nova".into(), kind.into(), interface.into(), "RegionOne".into(), url.into())
        };
        crate::loopback::token(
            "t",
            vec![entry("compute", "internal", "http://inside:1/"), entry("compute", "public", url)],
        )
    }

    #[tokio::test]
    async fn requests_go_below_the_public_endpoint_with_token_and_microversion() {
        let address = serve(|request| {
            let request = request.to_ascii_lowercase();
            let good = request.starts_with("get /v2.1/servers?name=a ")
                && request.contains("\r\nhost: nova.x.test\r\n")
                && request.contains("\r\nx-auth-token: t\r\n")
                && request.contains("\r\nopenstack-api-version: compute 2.79\r\n");
            (if good { 200 } else { 400 }, "", json!({"servers": []}).to_string())
        })
        .await;
        let token = token("http://nova.x.test/v2.1/");
        let api = Api::open(&token, &["compute"], "RegionOne", address).unwrap().unwrap();
        let answer = api.version("compute 2.79").get("/servers?name=a").await.unwrap();
        assert_eq!(answer, json!({"servers": []}));
    }

    #[tokio::test]
    async fn a_service_that_the_cloud_has_not_is_none_and_what_is_gone_is_deleted() {
        let address = serve(|_| (404, "", String::new())).await;
        let token = token("http://nova.x.test/v2.1");
        assert!(Api::open(&token, &["volumev3", "block-storage"], "RegionOne", address).unwrap().is_none());
        let api = Api::open(&token, &["compute"], "RegionOne", address).unwrap().unwrap();
        api.delete("/servers/1").await.unwrap();
        assert_eq!(api.get("/servers/1").await.unwrap_err().code(), Some(404));
    }
}

//! HTTP to one service of the cloud: by the name that the Ingress knows and an address, or by a URL.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::HOST;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::keystone::Token;

const CONNECT: Duration = Duration::from_secs(3);
/// A cold uwsgi worker takes some seconds for its first answer.
const WHOLE: Duration = Duration::from_secs(20);
/// What changes something ends in its own time on a busy machine, and giving it up would leave it half known.
const CHANGE: Duration = Duration::from_secs(90);

/// Status and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A web server behind a name.
#[derive(Debug, Clone)]
pub struct Web {
    http: Client,
    /// Where requests go, without a path: `http://keystone.citec.com:80`.
    base: String,
    /// The same as people write it.
    shown: String,
    /// In the Host header, where it is not the URL's.
    host: Option<String>,
    /// Where the connection goes, for errors.
    address: String,
}

impl Web {
    /// `host` is the name in the Host header; the connection goes to `address`.
    ///
    /// # Errors
    /// [`Error::Client`] where no client can be made.
    pub fn behind(host: &str, address: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            http: client(Client::builder().resolve(host, address))?,
            base: format!("http://{host}:{}", address.port()),
            shown: format!("http://{host}"),
            // Without the port: the Ingress goes by the name alone.
            host: Some(host.to_owned()),
            address: address.to_string(),
        })
    }

    /// By a URL whose name resolves, as it does inside the cluster; a path in it is left out.
    ///
    /// # Errors
    /// [`Error::Client`] for what is no HTTP URL.
    pub fn at(url: &str) -> Result<Self, Error> {
        let url = reqwest::Url::parse(url).map_err(|e| Error::Client(format!("{url}: {e}")))?;
        if url.scheme() != "http" {
            return Err(Error::Client(format!("{url}: only http is spoken inside of the cluster")));
        }
        let base = url.origin().ascii_serialization();
        let host = url.host_str().unwrap_or_default();
        let address = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
        Ok(Self { http: client(Client::builder())?, shown: base.clone(), base, host: None, address })
    }

    /// A plain GET; any status is an answer.
    ///
    /// # Errors
    /// [`Error::NoAnswer`].
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        let asked = self.asked(&Method::GET, path);
        let response = self.send(self.request(Method::GET, path, None), &asked).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: self.text(response, &asked).await? })
    }

    /// Asks an API of the cloud and gives the answer's JSON, null where it is empty.
    ///
    /// # Errors
    /// Any of [`Error`]; [`Error::Status`] for all but 2xx.
    pub async fn ask(
        &self,
        token: &Token,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let asked = self.asked(&method, path);
        let mut request = self.request(method, path, Some(token));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.json(request, &asked).await
    }

    /// Reads what an API gives under one key of its answer.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        token: &Token,
        path: &str,
        key: &str,
    ) -> Result<T, Error> {
        let mut answer = self.ask(token, Method::GET, path, None).await?;
        self.shaped(answer[key].take(), &Method::GET, path)
    }

    /// A piece of an answer in the shape that is wanted.
    pub(crate) fn shaped<T: DeserializeOwned>(
        &self,
        value: Value,
        method: &Method,
        path: &str,
    ) -> Result<T, Error> {
        serde_json::from_value(value)
            .map_err(|e| Error::Answer { asked: self.asked(method, path), message: e.to_string() })
    }

    /// The JSON of a good answer, null where it is empty.
    pub(crate) async fn json(&self, request: RequestBuilder, asked: &str) -> Result<Value, Error> {
        let response = self.good(request, asked).await?;
        let text = self.text(response, asked).await?;
        if text.trim().is_empty() { Ok(Value::Null) } else { parsed(&text, asked) }
    }

    pub(crate) fn asked(&self, method: &Method, path: &str) -> String {
        format!("{method} {}{path}", self.shown)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: Option<&Token>) -> RequestBuilder {
        let whole = if method.is_safe() { WHOLE } else { CHANGE };
        let mut request = self.http.request(method, format!("{}{path}", self.base)).timeout(whole);
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        match token {
            Some(token) => request.header("x-auth-token", &token.id),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder, asked: &str) -> Result<Response, Error> {
        request.send().await.map_err(|e| self.no_answer(asked, &e))
    }

    /// The response where its status is 2xx.
    pub(crate) async fn good(&self, request: RequestBuilder, asked: &str) -> Result<Response, Error> {
        let response = self.send(request, asked).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = self.text(response, asked).await?;
        Err(Error::status(asked, status, &body))
    }

    pub(crate) async fn text(&self, response: Response, asked: &str) -> Result<String, Error> {
        response.text().await.map_err(|e| self.no_answer(asked, &e))
    }

    pub(crate) fn no_answer(&self, asked: &str, error: &reqwest::Error) -> Error {
        Error::NoAnswer { asked: asked.to_owned(), address: self.address.clone(), message: told(error) }
    }
}

fn client(builder: reqwest::ClientBuilder) -> Result<Client, Error> {
    // Built together with crates that speak TLS, reqwest wants this choice even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()
        .map_err(|e| Error::Client(e.to_string()))
}

pub(crate) fn parsed<T: DeserializeOwned>(body: &str, asked: &str) -> Result<T, Error> {
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

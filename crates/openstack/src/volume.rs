//! Block Storage API v3: as much of it as proves that volumes can be made and kept.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, gone};
use crate::keystone::Token;
use crate::registry::percent;
use crate::web::Web;

/// What `openstack volume service list` shows of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VolumeService {
    pub binary: String,
    /// With the back end after an `@`, where it has one.
    pub host: String,
    /// `enabled` or `disabled`, as the administrator wants it.
    pub status: String,
    /// `up` or `down`: whether it has reported lately.
    pub state: String,
}

/// A volume as Cinder describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Volume {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    /// `creating`, `available`, `in-use`, `error`, …
    pub status: String,
    /// In GiB.
    pub size: u64,
    /// Name of its type.
    #[serde(default, rename = "volume_type")]
    pub kind: Option<String>,
    /// Service and pool that keep it; only the administrator is told.
    #[serde(default, rename = "os-vol-host-attr:host")]
    pub host: Option<String>,
}

/// Cinder behind a name, with a token.
#[derive(Debug)]
pub struct Volumes {
    web: Web,
    token: Token,
}

impl Volumes {
    pub fn new(web: Web, token: Token) -> Self {
        Self { web, token }
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn services(&self) -> Result<Vec<VolumeService>, Error> {
        self.web.read(&self.token, "/v3/os-services", "services").await
    }

    /// The project's volumes of this name.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn named(&self, name: &str) -> Result<Vec<Volume>, Error> {
        let path = format!("/v3/volumes/detail?name={}", percent(name));
        self.web.read(&self.token, &path, "volumes").await
    }

    /// An empty volume of the default type, of so many GiB.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn create(&self, name: &str, size: u64) -> Result<Volume, Error> {
        let (path, body) = ("/v3/volumes", json!({"volume": {"name": name, "size": size}}));
        let mut answer = self.web.ask(&self.token, Method::POST, path, Some(&body)).await?;
        self.web.shaped(answer["volume"].take(), &Method::POST, path)
    }

    /// None where there is no such volume any more.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn show(&self, id: &str) -> Result<Option<Volume>, Error> {
        match self.web.read(&self.token, &format!("/v3/volumes/{id}"), "volume").await {
            Ok(volume) => Ok(Some(volume)),
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for its removal, which then takes a moment; one that is gone already is as good.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        gone(self.web.ask(&self.token, Method::DELETE, &format!("/v3/volumes/{id}"), None).await)
    }

    /// What Cinder tells a user of a failure with this thing.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn messages(&self, id: &str) -> Result<Vec<String>, Error> {
        // The first microversion that can be asked for one thing's messages is 3.5; without a header it is 3.0.
        let path = format!("/v3/messages?resource_uuid={id}");
        let asked = self.web.asked(&Method::GET, &path);
        let request = self
            .web
            .request(Method::GET, &path, Some(&self.token))
            .header("openstack-api-version", "volume 3.5");
        let answer = self.web.json(request, &asked).await?;
        let told = answer["messages"].as_array().into_iter().flatten();
        Ok(told.filter_map(|message| message["user_message"].as_str().map(str::to_owned)).collect())
    }
}

#[cfg(test)]
mod tests;

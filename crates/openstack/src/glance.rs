//! Image API v2: what a check needs to see an image go in, lie there, come back and go.

use std::fmt::Write;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, gone};
use crate::keystone::Token;
use crate::registry::percent;
use crate::web::Web;

/// A store that writes slowly is waited for.
const UPLOAD: Duration = Duration::from_mins(3);

/// An image as Glance describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    pub name: String,
    /// `queued`, `saving`, `active`, …
    pub status: String,
    /// Bytes; none before the upload.
    pub size: Option<u64>,
    /// Names of the stores that hold it.
    pub stores: String,
}

/// Glance behind a name, with a token.
#[derive(Debug)]
pub struct Glance<'a> {
    web: &'a Web,
    token: &'a Token,
}

impl<'a> Glance<'a> {
    pub fn new(web: &'a Web, token: &'a Token) -> Self {
        Self { web, token }
    }

    /// The images of this name.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn named(&self, name: &str) -> Result<Vec<Image>, Error> {
        let path = format!("/v2/images?name={}&limit=100", percent(name));
        let listed = self.web.ask(self.token, Method::GET, &path, None).await?;
        Ok(listed["images"].as_array().into_iter().flatten().map(image).collect())
    }

    /// A raw image that only its project sees, without data yet.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn create(&self, name: &str) -> Result<Image, Error> {
        let body = json!({"name": name, "container_format": "bare", "disk_format": "raw",
            "visibility": "private"});
        self.create_as(body).await
    }

    /// An image of these properties, without data yet.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn create_as(&self, body: Value) -> Result<Image, Error> {
        Ok(image(&self.web.ask(self.token, Method::POST, "/v2/images", Some(&body)).await?))
    }

    /// Sends the data, in chunks as the `openstack` command does.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn upload(&self, id: &str, data: Vec<u8>) -> Result<(), Error> {
        const CHUNK: usize = 64 * 1024;
        let path = format!("/v2/images/{id}/file");
        let asked = self.web.asked(&Method::PUT, &path);
        let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
            data.chunks(CHUNK).map(|chunk| Ok(chunk.to_vec())).collect();
        let request = self
            .web
            .request(Method::PUT, &path, Some(self.token))
            .header("content-type", "application/octet-stream")
            .timeout(UPLOAD)
            .body(reqwest::Body::wrap_stream(futures::stream::iter(chunks)));
        self.web.good(request, &asked).await.map(drop)
    }

    /// # Errors
    /// Any of [`Error`].
    pub async fn show(&self, id: &str) -> Result<Image, Error> {
        Ok(image(&self.web.ask(self.token, Method::GET, &format!("/v2/images/{id}"), None).await?))
    }

    /// Reads the data; gives how many bytes there were and their SHA-256 in hex.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn download(&self, id: &str) -> Result<(u64, String), Error> {
        let path = format!("/v2/images/{id}/file");
        let asked = self.web.asked(&Method::GET, &path);
        let response = self.web.good(self.web.request(Method::GET, &path, Some(self.token)), &asked).await?;
        let mut pieces = response.bytes_stream();
        let (mut size, mut digest) = (0, Sha256::new());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.web.no_answer(&asked, &error))?;
            size += piece.len() as u64;
            digest.update(&piece);
        }
        Ok((size, hex(&digest.finalize())))
    }

    /// Removes an image and its data; one that is gone already is as good.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        gone(self.web.ask(self.token, Method::DELETE, &format!("/v2/images/{id}"), None).await)
    }
}

/// SHA-256 in lower-case hex.
pub fn sha256(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String can not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn image(json: &Value) -> Image {
    let word = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    Image {
        id: word("id"),
        name: word("name"),
        status: word("status"),
        size: json["size"].as_u64(),
        stores: word("stores"),
    }
}

#[cfg(test)]
mod tests;

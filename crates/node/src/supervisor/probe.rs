//! How the supervisor learns that a component is ready.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::PathAndQuery;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::UnixDatagram;

use crate::error::{Error, Result};
use crate::files::make_dir;
use crate::layout::inside;

/// Between two tries of a health endpoint that does not answer yet: there is nothing that would tell us.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(100);
const ONE_TRY: Duration = Duration::from_secs(5);

/// The socket on which a component says `READY=1`.
pub(crate) struct Notify {
    pub(crate) path: PathBuf,
    socket: UnixDatagram,
}

impl Notify {
    pub(crate) fn bind(component: &str) -> Result<Self> {
        let dir = Path::new(inside::RUN).join("notify");
        make_dir(&dir)?;
        let path = dir.join(component);
        // A new start must not hear what the last one said.
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).map_err(Error::file("listening on", &path))?;
        Ok(Self { path, socket })
    }

    pub(crate) async fn ready(&self) {
        let mut buffer = [0_u8; 4096];
        loop {
            match self.socket.recv(&mut buffer).await {
                Ok(length) if says_ready(&buffer[..length]) => return,
                Ok(_) => {}
                // Never expected; the component then simply does not become ready.
                Err(_) => std::future::pending::<()>().await,
            }
        }
    }
}

fn says_ready(message: &[u8]) -> bool {
    message.split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
}

/// Waits until the server at `url` answers at all.
pub(crate) async fn answered(url: &str, kubeconfig: &Path) -> Result<()> {
    let (client, path) = client(url, Some(kubeconfig)).await?;
    until(|| async {
        // Being refused is an answer too.
        matches!(client.request_text(get(&path)).await, Ok(_) | Err(kube::Error::Api(_)))
    })
    .await;
    Ok(())
}

/// Waits until a GET of `url` answers 200.
pub(crate) async fn http_ready(url: &str, kubeconfig: Option<&Path>) -> Result<()> {
    let (client, path) = client(url, kubeconfig).await?;
    until(|| async { client.request_text(get(&path)).await.is_ok() }).await;
    Ok(())
}

async fn until(holds: impl AsyncFn() -> bool) {
    let mut pause = SHORTEST;
    while !tokio::time::timeout(ONE_TRY, holds()).await.unwrap_or(false) {
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}

fn get(path: &PathAndQuery) -> http::Request<Vec<u8>> {
    let mut request = http::Request::new(Vec::new());
    *request.uri_mut() = path.clone().into();
    request
}

/// A client for the server of `url`, and the path to ask it for.
async fn client(url: &str, kubeconfig: Option<&Path>) -> Result<(kube::Client, PathAndQuery)> {
    let wrong = |error: &dyn std::fmt::Display| Error::Api(format!("{url}: {error}"));
    let mut server = url.parse::<http::Uri>().map_err(|error| wrong(&error))?.into_parts();
    let path = server.path_and_query.replace(PathAndQuery::from_static("/"));
    let server = http::Uri::from_parts(server).map_err(|error| wrong(&error))?;
    let mut config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| wrong(&error))?;
            kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .map_err(|error| wrong(&error))?
        }
        None => kube::Config::new(server.clone()),
    };
    config.cluster_url = server;
    config.proxy_url = None;
    let client = kube::Client::try_from(config).map_err(|error| wrong(&error))?;
    Ok((client, path.unwrap_or_else(|| PathAndQuery::from_static("/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ready_line_counts() {
        assert!(says_ready(b"STATUS=serving\nREADY=1\n"));
        assert!(says_ready(b"READY=1"));
        assert!(!says_ready(b"STOPPING=1"));
        assert!(!says_ready(b"READY=10"));
    }
}

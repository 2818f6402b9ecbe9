//! How the supervisor learns that a component is ready.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Waits until a server of another node takes connections.
pub(crate) async fn reached(address: SocketAddr) {
    let mut pause = SHORTEST;
    while !matches!(tokio::time::timeout(ONE_TRY, tokio::net::TcpStream::connect(address)).await, Ok(Ok(_))) {
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}

/// Waits until a GET of `url` answers 200.
pub(crate) async fn http_ready(url: &str, kubeconfig: Option<&Path>) -> Result<()> {
    let uri: http::Uri = url.parse().map_err(|error| Error::Api(format!("{url}: {error}")))?;
    let mut base = http::uri::Parts::default();
    base.scheme = uri.scheme().cloned();
    base.authority = uri.authority().cloned();
    base.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let base = http::Uri::from_parts(base).map_err(|error| Error::Api(format!("{url}: {error}")))?;
    let mut config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| Error::Api(error.to_string()))?;
            kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .map_err(|error| Error::Api(error.to_string()))?
        }
        None => kube::Config::new(base.clone()),
    };
    config.cluster_url = base;
    config.proxy_url = None;
    let client = kube::Client::try_from(config).map_err(|error| Error::Api(error.to_string()))?;
    let mut pause = SHORTEST;
    loop {
        let request = http::Request::get(uri.path())
            .body(Vec::new())
            .map_err(|error| Error::Api(format!("{url}: {error}")))?;
        if let Ok(Ok(_)) = tokio::time::timeout(ONE_TRY, client.request_text(request)).await {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    }
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

//! The supervisor's socket: a request in one line of JSON, answers in lines of JSON.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::error::{Error, Result};
use crate::layout::inside;
use crate::manifest::Route;
use crate::network;
use crate::supervisor::{NodeStatus, Shared};

/// What may be asked of a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// One answer, with the memory that each component takes.
    Status,
    /// An answer now and at every change, without memory.
    Watch,
    /// A node has joined: its lines in /etc/hosts, and the routes to all others' pods.
    Peers { routes: Vec<Route>, hosts: String },
}

pub(crate) async fn serve(shared: Rc<Shared>, listener: std::os::unix::net::UnixListener) {
    let Ok(listener) = UnixListener::from_std(listener) else {
        shared.note("error: the control socket cannot be used");
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            // Whoever asked may leave at any time.
            let _ = answer(&shared, stream).await;
        });
    }
}

async fn answer(shared: &Shared, stream: UnixStream) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).await?;
    match serde_json::from_str(&line)? {
        Request::Status => send(&mut writer, &shared.status(true)).await,
        Request::Watch => {
            let mut changed = shared.changed.subscribe();
            loop {
                changed.mark_unchanged();
                send(&mut writer, &shared.status(false)).await?;
                if changed.changed().await.is_err() {
                    return Ok(());
                }
            }
        }
        Request::Peers { routes, hosts } => {
            let outcome = peers(&routes, &hosts).await;
            if let Err(error) = &outcome {
                shared.note(&format!("error: {error}"));
            }
            send(&mut writer, &outcome.map_err(|error| error.to_string())).await
        }
    }
}

async fn peers(routes: &[Route], hosts: &str) -> Result<()> {
    let handle = network::connect()?;
    let index = network::find(&handle, "eth0").await?.ok_or_else(|| Error::Network {
        what: "looking for eth0".into(),
        reason: "it is not there".into(),
    })?;
    for route in routes {
        network::add_route(&handle, index, route).await?;
    }
    std::fs::write("/etc/hosts", hosts).map_err(Error::file("writing", "/etc/hosts"))
}

async fn send(
    writer: &mut (impl tokio::io::AsyncWrite + Unpin),
    answer: &impl Serialize,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// Lines of answers from a node's supervisor.
pub(crate) struct Answers(tokio::io::Lines<BufReader<UnixStream>>);

impl Answers {
    /// The next state of the node; None when the supervisor has ended.
    pub(crate) async fn next(&mut self) -> Option<NodeStatus> {
        let line = self.0.next_line().await.ok()??;
        serde_json::from_str(&line).ok()
    }

    /// The answer to `Peers`.
    pub(crate) async fn outcome(&mut self) -> Option<std::result::Result<(), String>> {
        let line = self.0.next_line().await.ok()??;
        serde_json::from_str(&line).ok()
    }
}

/// Asks the supervisor of the node whose PID 1 has this number on the host.
pub(crate) async fn connect(pid: u32, request: &Request) -> Result<Answers> {
    let path = PathBuf::from(format!("/proc/{pid}/root"))
        .join(Path::new(inside::CONTROL).strip_prefix("/").unwrap_or(Path::new(inside::CONTROL)));
    let mut stream =
        UnixStream::connect(&path).await.map_err(Error::file("asking the supervisor at", &path))?;
    let what = "asking the supervisor at";
    let mut line = serde_json::to_vec(request).map_err(|error| Error::file(what, &path)(error.into()))?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(Error::file(what, &path))?;
    Ok(Answers(BufReader::new(stream).lines()))
}

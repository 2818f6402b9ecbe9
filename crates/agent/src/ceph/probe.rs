//! The kubelet's questions, answered by the daemon's admin socket: no program is started for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::settings::RUN;
use super::{Probe, tools};
use crate::pod::{self, Error, Result, say};

/// A daemon that takes longer to answer is not well.
const PATIENCE: Duration = Duration::from_secs(3);
/// No answer is longer.
const LONGEST: u32 = 16 << 20;

pub async fn run(what: Probe) -> Result<u8> {
    let answer = match what {
        Probe::Mon => ask("mon", "mon_status").await.and_then(|status| quorum(&status)),
        Probe::Osd => ask("osd", "status").await.and_then(|status| state(&status)),
        Probe::Mgr => ask("mgr", "mgr_status").await.and_then(|status| initialized(&status)),
        Probe::Tools if Path::new(tools::KEYRING).exists() => Ok("configured".to_owned()),
        Probe::Tools => Err("not configured yet".to_owned()),
        Probe::Alive => ask_any("version").await.map(|version| version.to_string()),
    };
    match answer {
        Ok(told) => {
            say(&told);
            Ok(0)
        }
        Err(why) => Err(Error::Failed(why)),
    }
}

type Answer<T = String> = std::result::Result<T, String>;

fn quorum(status: &Value) -> Answer {
    let state = status["state"].as_str().unwrap_or("unknown");
    match state {
        "leader" | "peon" => Ok(format!("{state}, quorum {}", status["quorum"])),
        _ => Err(format!("{state}: not in a quorum")),
    }
}

fn state(status: &Value) -> Answer {
    match status["state"].as_str() {
        Some("active") => Ok("active".to_owned()),
        other => Err(format!("{}, not active yet", other.unwrap_or("unknown"))),
    }
}

fn initialized(status: &Value) -> Answer {
    if status["initialized"] == true { Ok("active".to_owned()) } else { Err("not active yet".to_owned()) }
}

async fn ask(kind: &str, command: &str) -> Answer<Value> {
    let id = pod::var("DAEMON_ID").ok_or("DAEMON_ID is not set")?;
    asked(Path::new(RUN).join(format!("ceph-{kind}.{id}.asok")), command).await
}

/// The one daemon of this pod.
async fn ask_any(command: &str) -> Answer<Value> {
    let entries = std::fs::read_dir(RUN).map_err(|error| format!("cannot read {RUN}: {error}"))?;
    let mut sockets = entries.flatten().map(|entry| entry.path());
    match sockets.find(|path| path.extension().is_some_and(|kind| kind == "asok")) {
        Some(path) => asked(path, command).await,
        None => Err("no daemon has begun".to_owned()),
    }
}

async fn asked(socket: PathBuf, command: &str) -> Answer<Value> {
    match tokio::time::timeout(PATIENCE, exchange(&socket, command)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("{}: {error}", socket.display())),
        Err(_) => Err(format!("{}: no answer in {} s", socket.display(), PATIENCE.as_secs())),
    }
}

/// The command as JSON ended by a zero; the answer with its length before it, big-endian.
async fn exchange(socket: &Path, command: &str) -> std::io::Result<Value> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut question = json!({"prefix": command, "format": "json"}).to_string().into_bytes();
    question.push(0);
    stream.write_all(&question).await?;
    let length = stream.read_u32().await?;
    if length > LONGEST {
        return Err(std::io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).await?;
    serde_json::from_slice(&answer).map_err(std::io::Error::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_part_of_the_quorum_is_ready() {
        assert!(quorum(&json!({"state": "leader", "quorum": [0]})).is_ok());
        assert!(quorum(&json!({"state": "peon", "quorum": [0, 1]})).is_ok());
        assert!(quorum(&json!({"state": "probing"})).is_err());
        assert!(state(&json!({"state": "booting"})).unwrap_err().contains("booting"));
        assert!(initialized(&json!({"mgrmap_epoch": 3})).is_err());
    }

    #[tokio::test]
    async fn a_socket_is_asked_as_ceph_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ceph-mon.a.asok");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = Vec::new();
            while question.last() != Some(&0) {
                question.push(stream.read_u8().await.unwrap());
            }
            let answer = b"{\"state\":\"leader\"}";
            stream.write_u32(answer.len() as u32).await.unwrap();
            stream.write_all(answer).await.unwrap();
            String::from_utf8(question).unwrap()
        });
        assert_eq!(asked(path, "mon_status").await.unwrap()["state"], "leader");
        assert!(server.await.unwrap().contains("\"prefix\":\"mon_status\""));
    }
}

//! The kubelet's questions, answered by the local socket.

use std::fs;

use super::Probe;
use super::settings::Places;
use super::{server, sql};
use crate::pod::{Error, Result, say};

pub async fn run(what: Probe) -> Result<u8> {
    let places = Places::from_environment()?;
    let answer = match what {
        Probe::Startup => started(&places),
        Probe::Ready => ready(&places).await,
        Probe::Live => live(&places).await,
    };
    match answer {
        Ok(told) => {
            say(&told);
            Ok(0)
        }
        Err(why) => Err(Error::Failed(why)),
    }
}

type Answer = std::result::Result<String, String>;

fn started(places: &Places) -> Answer {
    if places.ready().exists() { Ok("up".to_owned()) } else { Err(format!("{}, not up yet", phase(places))) }
}

fn phase(places: &Places) -> String {
    fs::read_to_string(places.phase()).unwrap_or_else(|_| "not begun".to_owned())
}

async fn ready(places: &Places) -> Answer {
    started(places)?;
    if places.replicas <= 1 {
        return server::sql(places, "SELECT 1;").await.map(|_| "answers".to_owned());
    }
    let answer = server::sql(places, sql::WSREP_STATUS).await?;
    sql::wsrep_trouble(&answer).map_or_else(|| Ok("synced".to_owned()), Err)
}

/// Alive is also who waits for others, or takes over a copy of the data.
async fn live(places: &Places) -> Answer {
    if !places.ready().exists() {
        return Ok(phase(places));
    }
    if places.data.join("sst_in_progress").exists() {
        return Ok("a state transfer is running".to_owned());
    }
    match server::sql(places, "SELECT 1;").await {
        Ok(_) => Ok("answers".to_owned()),
        // Outside the primary component a member refuses queries, and yet it lives.
        Err(why) if why.contains("ERROR 1047") => Ok(why),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn places(dir: &std::path::Path) -> Places {
        Places { data: dir.to_owned(), run: dir.to_owned(), replicas: 1 }
    }

    #[tokio::test]
    async fn who_waits_for_others_is_alive_but_not_started_nor_ready() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        fs::write(places.phase(), "waiting").unwrap();
        assert_eq!(live(&places).await, Ok("waiting".to_owned()));
        assert_eq!(started(&places), Err("waiting, not up yet".to_owned()));
        assert!(ready(&places).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_is_up_must_answer() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        fs::write(places.ready(), "").unwrap();
        assert!(started(&places).is_ok());
        assert!(live(&places).await.is_err(), "nothing listens on the socket");
        fs::write(places.data.join("sst_in_progress"), "").unwrap();
        assert!(live(&places).await.is_ok());
    }
}

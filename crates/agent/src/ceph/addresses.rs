//! Where the monitors are: the addresses of their Services, followed by a watch.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Service;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use landfall_ceph::monitors::Monitors;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::pod::{Error, Result, say, status_code};

const SELECTOR: &str = "app=rook-ceph-mon";
/// Rook's label with a monitor's letter.
const LETTER: &str = "mon";
const FIRST: u16 = 6789;
const SECOND: u16 = 3300;
/// Between two looks whether a monitor listens: there is nothing to watch for a port.
const LOOK: Duration = Duration::from_millis(100);

/// Addresses by the monitors' letters.
pub type Map = BTreeMap<String, String>;

/// What was seen last, and what comes.
#[derive(Debug)]
pub struct Addresses {
    seen: watch::Receiver<Map>,
    wanted: Vec<String>,
}

impl Addresses {
    /// Watches in the background for as long as this lives.
    pub fn follow(client: Client, namespace: &str, wanted: &[String]) -> Self {
        let (sender, seen) = watch::channel(Map::new());
        tokio::spawn(follow(Api::namespaced(client, namespace), sender));
        Self { seen, wanted: wanted.to_vec() }
    }

    /// Once all monitors have one.
    pub async fn all(&mut self) -> Result<Map> {
        self.until(|_| true).await
    }

    /// Once all monitors have one and these are not `before`.
    pub async fn other_than(&mut self, before: &Map) -> Result<Map> {
        self.until(|now| now != before).await
    }

    async fn until(&mut self, met: impl Fn(&Map) -> bool) -> Result<Map> {
        let wanted = self.wanted.clone();
        let whole = |all: &Map| wanted.iter().all(|id| all.contains_key(id));
        let now = self.seen.wait_for(|all| whole(all) && met(&only(all, &wanted))).await;
        match now {
            Ok(all) => Ok(only(&all, &wanted)),
            Err(_) => {
                Err(Error::Failed("the Services of the monitors can not be watched any more".to_owned()))
            }
        }
    }
}

fn only(all: &Map, wanted: &[String]) -> Map {
    all.iter().filter(|(id, _)| wanted.contains(id)).map(|(id, ip)| (id.clone(), ip.clone())).collect()
}

async fn follow(api: Api<Service>, sender: watch::Sender<Map>) {
    let stream = watcher::watcher(api, watcher::Config::default().labels(SELECTOR));
    pin_mut!(stream);
    let mut listing = Map::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(service)) => listing.extend(address(&service)),
            Ok(Event::InitDone) => drop(sender.send_replace(std::mem::take(&mut listing))),
            Ok(Event::Apply(service)) => sender.send_modify(|all| all.extend(address(&service))),
            // One that is made anew is somewhere else: until then the old address is the last known.
            Ok(Event::Delete(_)) => {}
            Err(watcher::Error::InitialListFailed(e) | watcher::Error::WatchStartFailed(e))
                if status_code(&e) == Some(403) =>
            {
                say(&format!(
                    "may not watch services: add that to the role of this pod's service account ({e})"
                ));
                return;
            }
            Err(error) => {
                tracing::debug!(%error, "watching services");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        if sender.is_closed() {
            return;
        }
    }
}

fn address(service: &Service) -> Option<(String, String)> {
    let id = service.labels().get(LETTER)?.clone();
    let ip = service.spec.as_ref()?.cluster_ip.clone().filter(|ip| !ip.is_empty() && ip != "None")?;
    Some((id, ip))
}

/// As Rook writes them down.
pub fn monitors(map: &Map) -> Monitors {
    Monitors(map.iter().map(|(id, ip)| (id.clone(), (bracketed(ip), FIRST))).collect())
}

/// Both messengers of one monitor, as maps have them.
pub fn pair(ip: &str) -> String {
    let host = bracketed(ip);
    format!("[v2:{host}:{SECOND}/0,v1:{host}:{FIRST}/0]")
}

fn bracketed(ip: &str) -> String {
    if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() }
}

/// Returns when a monitor listens. A client that finds none waits for seconds before it tries again.
pub async fn reachable(map: &Map) {
    loop {
        for ip in map.values() {
            let connecting = TcpStream::connect((ip.as_str(), SECOND));
            if matches!(tokio::time::timeout(Duration::from_secs(1), connecting).await, Ok(Ok(_))) {
                return;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_without_an_address_of_its_own_tells_nothing() {
        let service = |ip: &str| {
            serde_json::from_value(json!({"metadata": {"name": "rook-ceph-mon-a", "labels": {"mon": "a"}},
                "spec": {"clusterIP": ip}}))
            .unwrap()
        };
        assert_eq!(address(&service("10.96.0.7")), Some(("a".to_owned(), "10.96.0.7".to_owned())));
        assert_eq!(address(&service("None")), None);
        assert_eq!(address(&service("")), None);
    }

    #[test]
    fn addresses_are_written_as_ceph_and_rook_do() {
        assert_eq!(pair("10.96.0.7"), "[v2:10.96.0.7:3300/0,v1:10.96.0.7:6789/0]");
        assert_eq!(pair("fd00::7"), "[v2:[fd00::7]:3300/0,v1:[fd00::7]:6789/0]");
        assert_eq!(monitors(&Map::from([("a".into(), "10.96.0.7".into())])).data(), "a=10.96.0.7:6789");
    }
}

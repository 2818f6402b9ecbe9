//! A monitor: its store is made once, moved where its address changed, and run.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::process::Command;

use super::addresses::{self, Addresses, Map};
use super::daemon::{self, Ended, Stop};
use super::keys::{self, Identity};
use super::monmap::{self, Move};
use super::settings::{RUN, Settings};
use crate::pod::{self, Error, Result, say};

/// Where clients and Landfall read the monitors' addresses; Rook's name and form.
const ENDPOINTS: &str = "rook-ceph-mon-endpoints";
const WRITER: &str = "landfall-agent";

pub async fn run() -> Result<u8> {
    let settings = Settings::from_environment()?;
    let mut stop = Stop::listen()?;
    let client = pod::client().await?;
    let mut addresses = Addresses::follow(client.clone(), &settings.namespace, &settings.monitors);
    let known = async {
        let now = addresses.all().await?;
        Ok((now, keys::ensure(&client, &settings.namespace).await?))
    };
    let Some((mut now, identity)) = stop.or(known).await? else { return Ok(0) };
    let monitor = Monitor { data: settings.data("mon"), settings, client, identity };
    loop {
        if stop.or(monitor.prepare(&now)).await?.is_none() {
            return Ok(0);
        }
        let started = now.clone();
        let command = monitor.command(&now)?;
        let ended = daemon::keep(command, &mut stop, &mut addresses, now, async |next: &Map| {
            monitor.publish(next).await?;
            Ok(monmap::decide(&started, next, &monitor.settings.id) != Move::Stay)
        });
        match ended.await? {
            Ended::Exited(code) => return Ok(code),
            Ended::Moved(next) => now = next,
        }
    }
}

struct Monitor {
    settings: Settings,
    data: PathBuf,
    client: Client,
    identity: Identity,
}

impl Monitor {
    fn id(&self) -> &str {
        &self.settings.id
    }

    /// The store as it must be before the monitor runs.
    async fn prepare(&self, now: &Map) -> Result<()> {
        self.publish(now).await?;
        if self.data.exists() {
            daemon::check_owner(&self.data, &self.identity.fsid, keys::MONITORS)?;
            self.follow(now).await
        } else {
            self.make(now).await
        }
    }

    fn own<'a>(&self, at: &'a Map) -> Result<&'a str> {
        let own = at.get(self.id()).map(String::as_str);
        own.ok_or_else(|| Error::Failed(format!("monitor {} is not among MONITORS", self.id())))
    }

    fn command(&self, at: &Map) -> Result<Command> {
        let mut command = Command::new("ceph-mon");
        command
            .args(["-f", "-i", self.id(), "--fsid", &self.identity.fsid])
            .arg(format!("--mon-data={}", self.data.display()))
            .arg(format!("--mon-host={}", addresses::monitors(at).mon_host()))
            // Known by the Service's address, listening at the pod's.
            .arg(format!("--public-addr={}", self.own(at)?))
            .arg(format!("--public-bind-addr={}", self.settings.pod_ip));
        Ok(command)
    }

    /// Writes down where the monitors are, all of them the same.
    async fn publish(&self, at: &Map) -> Result<()> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.settings.namespace);
        let monitors = addresses::monitors(at);
        let hosts: Vec<String> = monitors.0.values().map(|(host, port)| format!("{host}:{port}")).collect();
        let wanted = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": ENDPOINTS, "namespace": self.settings.namespace},
            "data": {
                "data": monitors.data(),
                "mapping": json!({"node": {}}).to_string(),
                "maxMonId": (at.len().saturating_sub(1)).to_string(),
                "outOfQuorum": "",
                "externalMons": "",
                "csi-cluster-config-json": json!([{"clusterID": self.settings.namespace, "monitors": hosts}]).to_string(),
            },
        });
        let what = format!("configmap {ENDPOINTS} in namespace {}", self.settings.namespace);
        let params = PatchParams::apply(WRITER).force();
        api.patch(ENDPOINTS, &params, &Patch::Apply(&wanted)).await.map_err(Error::api("patch", what))?;
        Ok(())
    }

    /// Makes the store, with all first users in it.
    async fn make(&self, at: &Map) -> Result<()> {
        let map = Path::new(RUN).join("monmap").display().to_string();
        let mut arguments =
            vec!["--create".to_owned(), "--clobber".into(), "--fsid".into(), self.identity.fsid.clone()];
        arguments.extend(entries(at));
        arguments.push(map.clone());
        daemon::run("monmaptool", arguments).await?;
        let keyring = daemon::secret_file("bootstrap.keyring", &self.identity.keyring)?;
        let made = daemon::unfinished(&self.data)?;
        let arguments = [
            "--mkfs".to_owned(),
            "-i".into(),
            self.id().to_owned(),
            format!("--mon-data={}", made.display()),
            format!("--monmap={map}"),
            format!("--keyring={}", keyring.display()),
            format!("--fsid={}", self.identity.fsid),
        ];
        daemon::run("ceph-mon", arguments).await?;
        std::fs::remove_file(&keyring).map_err(Error::io("cannot remove the bootstrap keyring"))?;
        let owner = made.join(daemon::OWNER);
        std::fs::write(&owner, &self.identity.fsid)
            .map_err(Error::io(format!("cannot write {}", owner.display())))?;
        daemon::finish(&made, &self.data)?;
        say(&format!("made the store of monitor {} of the Ceph {}", self.id(), self.identity.fsid));
        Ok(())
    }

    /// Brings the store's map to where the monitors are now.
    async fn follow(&self, at: &Map) -> Result<()> {
        let path = Path::new(RUN).join("monmap").display().to_string();
        self.store(["--extract-monmap", &path]).await?;
        let stored = monmap::parse(&daemon::run("monmaptool", ["--print", &path]).await?);
        match monmap::decide(&stored, at, self.id()) {
            Move::Stay => return Ok(()),
            Move::ByQuorum => {
                say(&format!("moving to {}, by the quorum of the others", self.own(at)?));
                let others: Map = at
                    .iter()
                    .filter(|(id, _)| *id != self.id())
                    .map(|(id, ip)| (id.clone(), ip.clone()))
                    .collect();
                let keyring = self.data.join("keyring");
                let own = addresses::pair(self.own(at)?);
                daemon::ceph("mon.", &keyring, &others, &["mon", "set-addrs", self.id(), &own]).await?;
                daemon::ceph("mon.", &keyring, &others, &["mon", "getmap", "-o", &path]).await?;
            }
            Move::Whole => {
                say(&format!("moving to {}", self.own(at)?));
                // In two steps: one that removes and adds the same name is refused.
                let gone = stored.keys().flat_map(|id| ["--rm".to_owned(), id.clone()]);
                daemon::run("monmaptool", gone.chain([path.clone()])).await?;
                daemon::run("monmaptool", entries(at).into_iter().chain([path.clone()])).await?;
            }
        }
        self.store(["--inject-monmap", &path]).await
    }

    async fn store(&self, what: [&str; 2]) -> Result<()> {
        let data = format!("--mon-data={}", self.data.display());
        daemon::run("ceph-mon", ["-i", self.id(), &data].iter().chain(&what)).await.map(drop)
    }
}

/// `--addv` of every monitor, in order.
fn entries(at: &Map) -> Vec<String> {
    at.iter().flat_map(|(id, ip)| ["--addv".to_owned(), id.clone(), addresses::pair(ip)]).collect()
}

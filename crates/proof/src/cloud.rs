//! The steps upon a real cloud: by its APIs as its users speak to them, and by commands in its pods where only
//! those show what is so.

mod accounts;
mod compute;
mod image;
mod limits;
mod network;
mod pods;
mod reach;
mod removal;
mod suite;
mod traces;
mod vnc;
mod volumes;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use landfall_cluster::api::Cluster;
use landfall_openstack::{Credentials, Error, Keystone};
use serde_json::Value;
use tokio::sync::Mutex;

use self::accounts::Rights;
use self::compute::{Key, Server};
use self::traces::Traces;
use self::volumes::Volume;
use crate::schedule::{Cloud, Seen};
use crate::step::{PREFIX, Step};
use crate::wait::Waits;

/// A server, on a machine that emulates its processor, is up within a minute or two.
const PATIENCE: Duration = Duration::from_mins(4);

/// The guest that servers boot.
#[derive(Debug, Clone)]
pub struct GuestFiles {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub disk: PathBuf,
    /// What the disk begins with.
    pub begins: String,
}

/// Which cloud, and with what it is proven.
#[derive(Debug)]
pub struct Setting {
    pub cluster: Arc<dyn Cluster>,
    /// Of the cloud's pods.
    pub namespace: String,
    /// Of Rook's, or of its stand-in.
    pub rook: String,
    /// Keystone's public name.
    pub keystone: String,
    /// Where HTTP for the cloud's public names goes.
    pub address: SocketAddr,
    pub region: String,
    pub guest: GuestFiles,
    /// Name of an external network to use; none: one that is there, else one of the proof's own.
    pub external: Option<String>,
    /// The proof's own word in the names of all that it makes.
    pub word: String,
}

/// A cloud that is reached through its Ingress.
#[derive(Debug)]
pub struct RealCloud {
    setting: Setting,
    keystone: Keystone,
    admin: Rights,
    facts: Facts,
    traces: Traces,
    /// One volume at a time is attached to the second server: Nova's API waits for each, and answers nobody meanwhile.
    attaching: Mutex<()>,
}

/// What steps leave for those after them.
#[derive(Debug, Default)]
struct Facts {
    project: OnceLock<String>,
    member: OnceLock<Rights>,
    /// A member of another project.
    stranger: OnceLock<Rights>,
    flavor: OnceLock<String>,
    larger: OnceLock<String>,
    disk: OnceLock<String>,
    external: OnceLock<String>,
    network: OnceLock<String>,
    router: OnceLock<String>,
    group: OnceLock<String>,
    key: OnceLock<Key>,
    first: OnceLock<Server>,
    second: OnceLock<Server>,
    volume: OnceLock<Volume>,
    /// Of what the guest wrote into the volume.
    written: OnceLock<String>,
    snapshot: OnceLock<String>,
    backup: OnceLock<String>,
}

/// What an earlier step left.
fn known<T>(fact: &OnceLock<T>) -> Result<&T, String> {
    fact.get().ok_or_else(|| "the step before left nothing to work on".to_owned())
}

/// Steps are carried out once: a second value would be the same.
fn keep<T>(fact: &OnceLock<T>, value: T) {
    let _ = fact.set(value);
}

fn told(error: Error) -> String {
    error.to_string()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl RealCloud {
    /// Gets the administrator's token by this password; makes nothing.
    ///
    /// # Errors
    /// Why the cloud can not be spoken to.
    pub async fn open(setting: Setting, password: &str) -> Result<Self, String> {
        let keystone = Keystone::new(&setting.keystone, setting.address).map_err(told)?;
        let token = keystone.token(&Credentials::admin(password)).await.map_err(told)?;
        let admin = Rights::of(&token, &setting.region, setting.address)?;
        Ok(Self {
            setting,
            keystone,
            admin,
            facts: Facts::default(),
            traces: Traces::default(),
            attaching: Mutex::new(()),
        })
    }

    /// Name of something that this proof makes; the plain one for an empty `what`.
    fn name(&self, what: &str) -> String {
        let base = format!("{PREFIX}{}", self.setting.word);
        if what.is_empty() { base } else { format!("{base}-{what}") }
    }

    fn member(&self) -> Result<&Rights, String> {
        known(&self.facts.member)
    }
}

#[async_trait]
impl Cloud for RealCloud {
    async fn carry_out(&self, step: &Step, waits: Waits<'_>) -> Result<Seen, String> {
        let holds = match step.id {
            "proof/leftovers" => self.leftovers(waits).await,
            "proof/accounts" => self.accounts().await,
            "proof/flavor" => self.flavors().await,
            "proof/image" => self.image().await,
            "proof/external-network" => self.external_network().await,
            "proof/network" => self.network().await,
            "proof/security-group" => self.security_group().await,
            "proof/keypair" => self.keypair().await,
            "proof/server" => self.first_server(waits).await,
            "proof/second-server" => self.second_server(waits).await,
            "proof/address" => self.address(waits).await,
            "proof/metadata" => self.metadata(waits).await,
            "proof/user-data" => self.user_data(waits).await,
            "proof/router" => self.reached_from_router(waits).await,
            "proof/floating-ip" => self.floating_ip(waits).await,
            "proof/blocked-port" => self.blocked_port(waits).await,
            "proof/console" => self.console_url().await,
            "proof/isolation" => self.isolation().await,
            "proof/quota" => self.quota().await,
            "proof/hard-reboot" => self.hard_reboot(waits).await,
            "proof/migration" => return self.migration(waits).await,
            "proof/volume" => return self.volume(waits).await,
            "proof/volume-attached" => self.volume_attached(waits).await,
            "proof/volume-written" => self.volume_written(waits).await,
            "proof/volume-detached" => self.volume_detached(waits).await,
            "proof/snapshot" => self.snapshot(waits).await,
            "proof/volume-moved" => self.volume_moved(waits).await,
            "proof/snapshot-read" => self.snapshot_read(waits).await,
            "proof/backup" => self.backup(waits).await,
            "proof/restore" => self.restore(waits).await,
            "proof/boot-from-volume" => self.boot_from_volume(waits).await,
            "proof/servers-removed" => self.remove_servers(&self.own_projects().await?, waits).await,
            "proof/volumes-removed" => self.remove_volumes(&self.own_projects().await?, waits).await,
            "proof/network-removed" => self.remove_networks(&self.own_projects().await?, waits).await,
            "proof/images-removed" => self.remove_images(&self.own_projects().await?, waits).await,
            "proof/accounts-removed" => self.remove_accounts(&self.name("")).await,
            "proof/nothing-left" => self.nothing_left(waits).await,
            other => Err(format!("{other} is no step of the proof")),
        };
        holds.map(Seen::Holds)
    }
}

//! A disk: its file is made once, announced to the monitors with a key of its own, and run.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use super::addresses::{self, Addresses, Map};
use super::daemon::{self, Ended, Stop};
use super::keys::{self, Texts};
use super::settings::{Settings, needed};
use crate::pod::{self, Error, Result, say};

/// Left in the store once the monitors know it.
const ANNOUNCED: &str = "announced";
/// Where `ceph-osd --mkfs` writes the disk's own identity.
const DISK: &str = "fsid";
const KEYRING: &str = "keyring";

pub async fn run() -> Result<u8> {
    let settings = Settings::from_environment()?;
    let host = needed("CRUSH_HOST", "name of the node, by which copies are kept apart")?;
    let mut stop = Stop::listen()?;
    let client = pod::client().await?;
    let mut addresses = Addresses::follow(client.clone(), &settings.namespace, &settings.monitors);
    let made = async {
        let secret = keys::wait_for(&client, &settings.namespace, keys::DISKS).await?;
        let fsid = keys::text(&secret, keys::DISKS, "fsid")?;
        let disk = Disk { data: settings.data("osd"), fsid, settings };
        if disk.data.exists() {
            daemon::check_owner(&disk.data, &disk.fsid, keys::DISKS)?;
        } else {
            // Meanwhile the monitors come up.
            disk.make().await?;
        }
        Ok((secret, disk, addresses.all().await?))
    };
    let Some((secret, disk, mut now)) = stop.or(made).await? else { return Ok(0) };
    loop {
        let announced = async {
            disk.announce(&secret, &now).await?;
            addresses::reachable(&now).await;
            Ok(())
        };
        if stop.or(announced).await?.is_none() {
            return Ok(0);
        }
        let mut command = Command::new("ceph-osd");
        command
            .args(["-f", "-i", &disk.settings.id, "--fsid", &disk.fsid])
            .arg(format!("--osd-data={}", disk.data.display()))
            .arg(format!("--keyring={}", disk.data.join(KEYRING).display()))
            .arg(format!("--mon-host={}", addresses::monitors(&now).mon_host()))
            .arg(format!("--public-addr={}", disk.settings.pod_ip))
            .arg(format!("--cluster-addr={}", disk.settings.pod_ip))
            // The pod's name changes; copies are kept apart by nodes.
            .arg(format!("--crush-location=root=default host={host}"));
        let started = now.clone();
        let lost = async |next: &Map| Ok(daemon::is_lost(&started, next));
        match daemon::keep(command, &mut stop, &mut addresses, now, lost).await? {
            Ended::Exited(code) => return Ok(code),
            Ended::Moved(next) => now = next,
        }
    }
}

struct Disk {
    settings: Settings,
    data: PathBuf,
    fsid: String,
}

impl Disk {
    async fn make(&self) -> Result<()> {
        let made = daemon::unfinished(&self.data)?;
        let user = format!("osd.{}", self.settings.id);
        daemon::write_private(&made.join(KEYRING), &keys::entry(&user, &keys::key()?))?;
        let arguments = [
            "--mkfs".to_owned(),
            // The monitors need not be there.
            "--no-mon-config".into(),
            "-i".into(),
            self.settings.id.clone(),
            format!("--osd-data={}", made.display()),
            format!("--osd-uuid={}", keys::uuid()?),
            format!("--fsid={}", self.fsid),
            format!("--keyring={}", made.join(KEYRING).display()),
        ];
        daemon::run("ceph-osd", arguments).await?;
        daemon::finish(&made, &self.data)?;
        say(&format!("made the disk {user} of the Ceph {}", self.fsid));
        Ok(())
    }

    /// Tells the monitors of the disk and its key, once.
    async fn announce(&self, secret: &Texts, at: &Map) -> Result<()> {
        let mark = self.data.join(ANNOUNCED);
        if mark.exists() {
            return Ok(());
        }
        let disk = read(&self.data.join(DISK))?;
        let held = read(&self.data.join(KEYRING))?;
        let key = held.lines().find_map(|line| line.trim().strip_prefix("key = ")).unwrap_or_default();
        let keyring = daemon::secret_file("announce.keyring", &keys::text(secret, keys::DISKS, "keyring")?)?;
        let secrets = daemon::secret_file("announce.json", &json!({"cephx_secret": key}).to_string())?;
        let file = secrets.display().to_string();
        let words = ["osd", "new", disk.trim(), &self.settings.id, "-i", &file];
        daemon::ceph(keys::ANNOUNCER, &keyring, at, &words).await?;
        for gone in [&keyring, &secrets] {
            std::fs::remove_file(gone).map_err(Error::io(format!("cannot remove {}", gone.display())))?;
        }
        std::fs::write(&mark, "").map_err(Error::io(format!("cannot write {}", mark.display())))
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(format!("cannot read {}", path.display())))
}

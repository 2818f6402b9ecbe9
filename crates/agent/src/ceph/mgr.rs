//! The manager. It holds nothing but its key.

use std::path::Path;

use tokio::process::Command;

use super::addresses::{self, Addresses, Map};
use super::daemon::{self, Ended, Stop};
use super::keys;
use super::settings::Settings;
use crate::pod::{self, Error, Result};

pub async fn run() -> Result<u8> {
    let settings = Settings::from_environment()?;
    let mut stop = Stop::listen()?;
    let client = pod::client().await?;
    let mut addresses = Addresses::follow(client.clone(), &settings.namespace, &settings.monitors);
    let known = async {
        let now = addresses.all().await?;
        Ok((now, keys::wait_for(&client, &settings.namespace, keys::MANAGER).await?))
    };
    let Some((mut now, secret)) = stop.or(known).await? else { return Ok(0) };
    let home = Path::new("/var/lib/ceph/mgr").join(format!("ceph-{}", settings.id));
    std::fs::create_dir_all(&home).map_err(Error::io(format!("cannot make {}", home.display())))?;
    let keyring = home.join("keyring");
    daemon::write_private(&keyring, &keys::text(&secret, keys::MANAGER, "keyring")?)?;
    loop {
        let found = async {
            addresses::reachable(&now).await;
            Ok(())
        };
        if stop.or(found).await?.is_none() {
            return Ok(0);
        }
        let mut command = Command::new("ceph-mgr");
        command
            .args(["-f", "-i", &settings.id])
            .arg(format!("--mgr-data={}", home.display()))
            .arg(format!("--keyring={}", keyring.display()))
            .arg(format!("--mon-host={}", addresses::monitors(&now).mon_host()))
            .arg(format!("--public-addr={}", settings.pod_ip));
        let started = now.clone();
        let lost = async |next: &Map| Ok(daemon::is_lost(&started, next));
        match daemon::keep(command, &mut stop, &mut addresses, now, lost).await? {
            Ended::Exited(code) => return Ok(code),
            Ended::Moved(next) => now = next,
        }
    }
}

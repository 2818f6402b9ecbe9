//! The pod in which people and Landfall run `ceph`: its configuration follows the monitors.

use std::path::Path;

use super::addresses::{self, Addresses};
use super::settings::needed;
use super::{daemon, keys};
use crate::pod::{self, Result, say};

const ETC: &str = "/etc/ceph";
/// Where Rook's toolbox has it.
pub const KEYRING: &str = "/etc/ceph/keyring";

pub async fn run() -> Result<u8> {
    let namespace = pod::namespace();
    let letters = needed("MONITORS", "letters of the monitors: a or a,b,c")?;
    let letters: Vec<String> = letters.split(',').map(str::to_owned).collect();
    let mut stop = daemon::Stop::listen()?;
    let client = pod::client().await?;
    let mut addresses = Addresses::follow(client.clone(), &namespace, &letters);
    let working = async {
        let secret = keys::wait_for(&client, &namespace, keys::MONITORS).await?;
        let part = |name| keys::text(&secret, keys::MONITORS, name);
        let mut now = addresses.all().await?;
        loop {
            let monitors = addresses::monitors(&now);
            let conf = monitors.conf(&part("fsid")?) + &format!("\n[client.admin]\nkeyring = {KEYRING}\n");
            daemon::write_private(&Path::new(ETC).join("ceph.conf"), &conf)?;
            daemon::write_private(
                Path::new(KEYRING),
                &keys::entry(&part("ceph-username")?, &part("ceph-secret")?),
            )?;
            say(&format!("monitors: {}", monitors.data()));
            now = addresses.other_than(&now).await?;
        }
    };
    stop.or::<u8>(working).await.map(Option::unwrap_or_default)
}

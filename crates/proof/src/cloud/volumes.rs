//! Volumes: attached, written by a guest, read by another; snapshots, backups, and servers that boot from one.

use std::time::Duration;

use landfall_openstack::{Api, sha256};
use serde_json::{Value, json};

use super::compute::Server;
use super::{PATIENCE, RealCloud, keep, known, text, told};
use crate::schedule::Seen;
use crate::wait::{Look, Waits, refused, until};

/// GiB: the least that there is.
const SIZE: u64 = 1;
/// Bytes of a volume that the guest writes, and of which it tells the sum.
const BLOCK: usize = 4096;
const SECTORS: u64 = SIZE << 21;
/// A detached disk goes away when the guest has let go of it.
const SOON: Duration = Duration::from_mins(2);

/// A volume of the proof.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    pub id: String,
}

impl RealCloud {
    pub(super) async fn volume(&self, waits: Waits<'_>) -> Result<Seen, String> {
        if self.member()?.volume().is_err() {
            return Ok(Seen::NotApplicable(
                "the cloud has no volumes: `landfall up cinder` brings them".to_owned(),
            ));
        }
        let volume = self.new_volume("", json!({}), waits).await?;
        let place = self.pool_of(&|name| name.contains(&volume.id)).await?;
        let seen = format!("volume {} of {SIZE} GiB: available, {place}", volume.id);
        keep(&self.facts.volume, volume);
        Ok(Seen::Holds(seen))
    }

    pub(super) async fn volume_attached(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, volume) = (known(&self.facts.first)?, known(&self.facts.volume)?);
        let (name, _) = self.attach(server, volume, waits).await?;
        Ok(format!("volume {} is in use, and the guest sees it as {name}", volume.id))
    }

    pub(super) async fn volume_written(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, volume) = (known(&self.facts.first)?, known(&self.facts.volume)?);
        let sum = self
            .on_console(&server.id, waits, |console| Some(Ok(console.disk(&volume.id)?.wrote.clone()?)))
            .await?;
        let wanted = written(&server.write);
        if sum != wanted {
            return Err(format!("the guest reads back sha256 {sum}; what it was told to write has {wanted}"));
        }
        keep(&self.facts.written, sum.clone());
        Ok(format!("the guest wrote what its user data says, and reads back sha256 {sum}"))
    }

    pub(super) async fn volume_detached(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, volume) = (known(&self.facts.first)?, known(&self.facts.volume)?);
        let path = format!("/servers/{}/os-volume_attachments/{}", server.id, volume.id);
        self.member()?.compute()?.delete(&path).await.map_err(told)?;
        self.until_volume(&volume.id, "available", waits).await?;
        let name = until(waits, SOON, || async {
            let seen = self
                .on_console(&server.id, waits, |console| {
                    console.disk(&volume.id).map(|disk| Ok((disk.name.clone(), disk.gone)))
                })
                .await;
            match seen {
                Ok((name, true)) => Look::Is(name),
                Ok((name, false)) => Look::NotYet(format!("the guest still has {name}")),
                Err(why) => Look::Never(why),
            }
        })
        .await?;
        Ok(format!("volume {} is available again, and the guest says that {name} is gone", volume.id))
    }

    pub(super) async fn volume_moved(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, volume) = (known(&self.facts.second)?, known(&self.facts.volume)?);
        self.same_bytes(server, volume, waits).await
    }

    pub(super) async fn snapshot(&self, waits: Waits<'_>) -> Result<String, String> {
        let volume = known(&self.facts.volume)?;
        let body = json!({"snapshot": {"volume_id": volume.id, "name": self.name("")}});
        let made = self.member()?.volume()?.post("/snapshots", &body).await.map_err(told)?;
        let id = text(&made["snapshot"]["id"]);
        self.until_of("snapshot", &id, "available", waits).await?;
        keep(&self.facts.snapshot, id.clone());
        Ok(format!("snapshot {id} of volume {}: available", volume.id))
    }

    pub(super) async fn snapshot_read(&self, waits: Waits<'_>) -> Result<String, String> {
        let of = json!({"snapshot_id": known(&self.facts.snapshot)?});
        let volume = self.new_volume("of-snapshot", of, waits).await?;
        self.same_bytes(known(&self.facts.second)?, &volume, waits).await
    }

    /// Of the snapshot, so that the volume may be at work meanwhile.
    pub(super) async fn backup(&self, waits: Waits<'_>) -> Result<String, String> {
        let (volume, snapshot) = (known(&self.facts.volume)?, known(&self.facts.snapshot)?);
        let body =
            json!({"backup": {"volume_id": volume.id, "snapshot_id": snapshot, "name": self.name("")}});
        let made = self.member()?.volume()?.post("/backups", &body).await.map_err(told)?;
        let id = text(&made["backup"]["id"]);
        self.traces.block(&id);
        self.until_of("backup", &id, "available", waits).await?;
        let place = self
            .pool_of(&|name| name.contains(&id) || (name.contains(&volume.id) && name.contains("backup")))
            .await?;
        keep(&self.facts.backup, id.clone());
        Ok(format!("backup {id}: available, {place}"))
    }

    pub(super) async fn restore(&self, waits: Waits<'_>) -> Result<String, String> {
        let backup = known(&self.facts.backup)?;
        let body = json!({"restore": {"name": self.name("restored")}});
        let path = format!("/backups/{backup}/restore");
        let made = self.member()?.volume()?.post(&path, &body).await.map_err(told)?;
        let volume = Volume { id: text(&made["restore"]["volume_id"]) };
        self.traces.block(&volume.id);
        self.until_of("backup", backup, "available", waits).await?;
        self.until_volume(&volume.id, "available", waits).await?;
        self.same_bytes(known(&self.facts.second)?, &volume, waits).await
    }

    /// A volume of the image; a server without an image of its own, whose root disk is that volume.
    pub(super) async fn boot_from_volume(&self, waits: Waits<'_>) -> Result<String, String> {
        let of = json!({"imageRef": known(&self.facts.disk)?});
        let volume = self.new_volume("boot", of, waits).await?;
        let boots = json!({"imageRef": "", "block_device_mapping_v2": [{"boot_index": 0, "uuid": volume.id,
            "source_type": "volume", "destination_type": "volume", "delete_on_termination": false}]});
        let (server, seen) = self.server("of-volume", "", boots, waits).await?;
        let root = self.on_console(&server.id, waits, |console| console.root.clone().map(Ok)).await?;
        if root.serial.is_empty() || !volume.id.starts_with(&root.serial) {
            return Err(format!("its root disk is {:?}, not the volume {}", root.serial, volume.id));
        }
        if root.begins != self.setting.guest.begins || root.sectors != SECTORS {
            return Err(format!(
                "its root disk has {} sectors and begins with {:?}; the volume has {SECTORS}, the image begins with {:?}",
                root.sectors, root.begins, self.setting.guest.begins
            ));
        }
        Ok(format!(
            "{seen}\nits root disk is volume {}: {} sectors, begins with {:?}",
            volume.id, root.sectors, root.begins
        ))
    }

    /// The server's guest must read from the volume what the first one wrote.
    async fn same_bytes(&self, server: &Server, volume: &Volume, waits: Waits<'_>) -> Result<String, String> {
        let written = known(&self.facts.written)?;
        let (name, sum) = self.attach(server, volume, waits).await?;
        if sum == *written {
            Ok(format!("volume {} is {name} there, sha256 {sum} as written", volume.id))
        } else {
            Err(format!("volume {} is {name} there, with sha256 {sum}; written was {written}", volume.id))
        }
    }

    /// Name of the disk and the sum of its first block, once the guest says so.
    async fn attach(
        &self,
        server: &Server,
        volume: &Volume,
        waits: Waits<'_>,
    ) -> Result<(String, String), String> {
        let body = json!({"volumeAttachment": {"volumeId": volume.id}});
        let path = format!("/servers/{}/os-volume_attachments", server.id);
        let turn = self.attaching.lock().await;
        self.member()?.compute()?.post(&path, &body).await.map_err(told)?;
        self.until_volume(&volume.id, "in-use", waits).await?;
        drop(turn);
        let (name, sectors, sum) = self
            .on_console(&server.id, waits, |console| {
                console.disk(&volume.id).map(|disk| Ok((disk.name.clone(), disk.sectors, disk.sum.clone())))
            })
            .await?;
        if sectors == SECTORS {
            Ok((name, sum))
        } else {
            Err(format!("{name} has {sectors} sectors; the volume has {SECTORS}"))
        }
    }

    async fn new_volume(&self, what: &str, of: Value, waits: Waits<'_>) -> Result<Volume, String> {
        let mut body = json!({"name": self.name(what), "size": SIZE});
        if let (Some(body), Value::Object(of)) = (body.as_object_mut(), of) {
            body.extend(of);
        }
        let made = self.member()?.volume()?.post("/volumes", &json!({"volume": body})).await.map_err(told)?;
        let id = text(&made["volume"]["id"]);
        self.traces.block(&id);
        self.until_volume(&id, "available", waits).await?;
        Ok(Volume { id })
    }

    async fn until_volume(&self, id: &str, wanted: &str, waits: Waits<'_>) -> Result<Value, String> {
        self.until_of("volume", id, wanted, waits).await
    }

    async fn until_of(&self, kind: &str, id: &str, wanted: &str, waits: Waits<'_>) -> Result<Value, String> {
        let api: &Api = self.member()?.volume()?;
        let path = format!("/{kind}s/{id}");
        until(waits, PATIENCE, || async {
            match api.get(&path).await {
                Ok(mut shown) => judge(kind, shown[kind].take(), wanted),
                Err(error) => refused(&error),
            }
        })
        .await
    }
}

fn judge(kind: &str, shown: Value, wanted: &str) -> Look<Value> {
    let status = text(&shown["status"]);
    if status == wanted {
        return Look::Is(shown);
    }
    let seen = format!("the {kind} is {status}");
    if status.starts_with("error") {
        let why = text(&shown["fail_reason"]);
        return Look::Never(if why.is_empty() { seen } else { format!("{seen}: {why}") });
    }
    Look::NotYet(seen)
}

/// SHA-256 of a block that begins with this line.
fn written(line: &str) -> String {
    let mut block = format!("{line}\n").into_bytes();
    block.resize(BLOCK, 0);
    sha256(&block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_line_and_zeros() {
        // printf 'x\n' | dd bs=4096 conv=sync | sha256sum
        assert_eq!(written("x"), sha256(&[b"x\n".as_slice(), &[0; 4094]].concat()));
        assert_ne!(written("x"), written("y"));
    }

    #[test]
    fn an_error_ends_the_wait_with_its_reason() {
        let seen = |shown: Value| match judge("backup", shown, "available") {
            Look::Is(_) => "is".to_owned(),
            Look::NotYet(seen) => format!("not yet: {seen}"),
            Look::Never(seen) => format!("never: {seen}"),
        };
        assert_eq!(seen(json!({"status": "available"})), "is");
        assert_eq!(seen(json!({"status": "creating"})), "not yet: the backup is creating");
        let failed = json!({"status": "error", "fail_reason": "no pool"});
        assert_eq!(seen(failed), "never: the backup is error: no pool");
        assert_eq!(seen(json!({"status": "error_deleting"})), "never: the backup is error_deleting");
    }
}

//! The guest goes into Glance as its users would bring it: kernel, initrd, and a disk that names both.

use std::path::Path;

use landfall_openstack::{Api, Glance};
use serde_json::{Value, json};

use super::{RealCloud, keep, told};

/// Given to the kernel by the machine, since there is no boot loader to say it.
const COMMAND_LINE: &str = "console=ttyS0 panic=5 quiet";
/// Seconds that Nova waits for the guest to shut down: it has nobody who listens for that, and nothing to lose.
const SHUTDOWN: &str = "1";

impl RealCloud {
    pub(super) async fn image(&self) -> Result<String, String> {
        let parts = self.bring(&self.member()?.image, "private").await?;
        let mut lines = Vec::new();
        for (what, id, size) in &parts {
            let place = self.pool_of(&|name| name == id).await?;
            lines.push(format!("{what} {id}: active, {size} bytes, {place}"));
        }
        let [.., (_, disk, _)] = parts;
        keep(&self.facts.disk, disk);
        Ok(lines.join("\n"))
    }

    /// The administrator's, for all projects; its id.
    pub(super) async fn public_image(&self) -> Result<String, String> {
        let [.., (_, disk, _)] = self.bring(&self.admin.image, "public").await?;
        Ok(disk)
    }

    /// What each is, its id and size; the disk last.
    async fn bring(&self, api: &Api, visibility: &str) -> Result<[(&'static str, String, u64); 3], String> {
        let guest = &self.setting.guest;
        let part = |what: &str, format: &str| {
            json!({"name": self.name(what), "visibility": visibility, "container_format": format,
                "disk_format": format})
        };
        let (kernel, initrd) = tokio::try_join!(
            self.upload(api, part("kernel", "aki"), &guest.kernel),
            self.upload(api, part("initrd", "ari"), &guest.initrd),
        )?;
        let disk = json!({"name": self.name(""), "visibility": visibility, "container_format": "bare",
            "disk_format": "raw", "kernel_id": kernel.0, "ramdisk_id": initrd.0,
            "os_command_line": COMMAND_LINE, "os_shutdown_timeout": SHUTDOWN});
        let disk = self.upload(api, disk, &guest.disk).await?;
        Ok([("kernel", kernel.0, kernel.1), ("initrd", initrd.0, initrd.1), ("disk", disk.0, disk.1)])
    }

    /// Id and size, once Glance says that it is active and as large as what was sent.
    async fn upload(&self, api: &Api, body: Value, file: &Path) -> Result<(String, u64), String> {
        let glance = Glance::new(api.web(), api.token());
        let data = tokio::fs::read(file).await.map_err(|error| format!("{}: {error}", file.display()))?;
        let sent = data.len() as u64;
        let made = glance.create_as(body).await.map_err(told)?;
        self.traces.block(&made.id);
        glance.upload(&made.id, data).await.map_err(told)?;
        let image = glance.show(&made.id).await.map_err(told)?;
        if image.status == "active" && image.size == Some(sent) {
            return Ok((made.id, sent));
        }
        let size = image.size.unwrap_or_default();
        Err(format!("image {} is {} with {size} bytes, of {sent} that were sent", made.id, image.status))
    }
}

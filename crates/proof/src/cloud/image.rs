//! The guest goes into Glance as its users would bring it: kernel, initrd, and a disk that names both.

use std::path::Path;

use landfall_openstack::Glance;
use serde_json::{Value, json};

use super::{RealCloud, keep, told};

/// Given to the kernel by the machine, since there is no boot loader to say it.
const COMMAND_LINE: &str = "console=ttyS0 panic=5 quiet";

impl RealCloud {
    pub(super) async fn image(&self) -> Result<String, String> {
        let guest = &self.setting.guest;
        let part = |what: &'static str, format: &'static str| {
            json!({"name": self.name(what), "visibility": "private", "container_format": format,
                "disk_format": format})
        };
        let (kernel, initrd) = tokio::try_join!(
            self.upload(part("kernel", "aki"), &guest.kernel),
            self.upload(part("initrd", "ari"), &guest.initrd),
        )?;
        let disk = json!({"name": self.name(""), "visibility": "private", "container_format": "bare",
            "disk_format": "raw", "kernel_id": kernel.0, "ramdisk_id": initrd.0,
            "os_command_line": COMMAND_LINE});
        let disk = self.upload(disk, &guest.disk).await?;
        let mut lines = Vec::new();
        for (what, (id, size)) in [("kernel", &kernel), ("initrd", &initrd), ("disk", &disk)] {
            let place = self.pool_of(&|name| name == id).await?;
            lines.push(format!("{what} {id}: active, {size} bytes, {place}"));
        }
        keep(&self.facts.kernel, kernel.0);
        keep(&self.facts.initrd, initrd.0);
        keep(&self.facts.disk, disk.0);
        Ok(lines.join("\n"))
    }

    /// Id and size, once Glance says that it is active and as large as what was sent.
    async fn upload(&self, body: Value, file: &Path) -> Result<(String, u64), String> {
        let api = &self.member()?.image;
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

//! Images as one tar stream that `ctr images import -` takes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;

use tar::{Builder, EntryType, Header};

use crate::error::{IoContext, Result};
use crate::oci::{self, Descriptor, MANIFEST};
use crate::store::{ImageRef, Store};

impl Store {
    /// Each image under its stable name, under the one with its digest, and under its configuration's digest alone, by
    /// which CRI knows it; each blob once.
    pub fn export_tar(&self, images: &[ImageRef], out: &mut dyn Write) -> Result<()> {
        let mut tar = Builder::new(out);
        let mut manifests = Vec::new();
        // In order: configurations and layers of an image stay together, so that a reader can go on early.
        let mut blobs = Vec::new();
        let mut seen = BTreeSet::new();
        for image in images {
            let hex = image.digest.trim_start_matches("sha256:");
            let path = self.blobs().join(hex);
            let size = std::fs::metadata(&path).on("read", &path)?.len();
            let manifest = self.manifest(&image.digest)?;
            for name in [image.reference.clone(), image.pinned(), manifest.config.digest.clone()] {
                manifests.push(Descriptor::new(MANIFEST, hex, size).named(&name));
            }
            let all = [hex.to_owned()].into_iter().chain([manifest.config.hex().to_owned()]);
            for blob in all.chain(manifest.layers.iter().map(|l| l.hex().to_owned())) {
                if seen.insert(blob.clone()) {
                    blobs.push(blob);
                }
            }
        }
        let mut add = |name: &str, size: u64, data: &mut dyn std::io::Read| {
            let mut header = Header::new_gnu();
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_size(size);
            header.set_entry_type(EntryType::Regular);
            tar.append_data(&mut header, name, data)
        };
        let layout = oci::LAYOUT.as_bytes();
        let index = oci::index(&manifests).to_string();
        let dir = self.images_dir();
        add("oci-layout", layout.len() as u64, &mut &*layout).on("export from", &dir)?;
        add("index.json", index.len() as u64, &mut index.as_bytes()).on("export from", &dir)?;
        for blob in blobs {
            let path = self.blobs().join(&blob);
            let mut file = File::open(&path).on("read", &path)?;
            let size = file.metadata().on("read", &path)?.len();
            add(&format!("blobs/sha256/{blob}"), size, &mut file).on("export", &path)?;
        }
        tar.finish().on("export from", &dir)
    }
}

//! Makes a prepared set of images (see `prepared`): what an older set has is taken from it, the rest is imported and
//! unpacked by the bundle's own containerd, and its new layers move to where all sets share them.
//!
//! It is written aside and renamed last: a run that is killed leaves nothing that is taken for a set.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Instant;

use crate::bundle::Bundle;
use crate::containerd::Containerd;
use crate::error::{Error, IoContext, Result};
use crate::files::{self, TempDir};
use crate::prepared::{
    BLOBS, DATABASE, Kept, LAYERS, Prepared, SNAPSHOT_DATABASE, SNAPSHOTS, Set, TO_LAYERS,
};
use crate::progress::Progress;
use crate::store::{ImageRef, Store, remove_others};
use crate::{command, mounts};

const ITEM: &str = "images for nodes";

impl Store {
    /// Prepares the bundle's images for new nodes, unless that has been done, and gives the folder of the set. Needs
    /// root. Several processes may do it at once: one works, the others wait and find.
    pub fn prepare(&self, bundle: &Bundle, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf> {
        let set = self.set(bundle)?;
        let prepared = Prepared::of(self);
        if let Some(found) = prepared.find(&set)? {
            return Ok(found);
        }
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        progress(Progress::Planned { items: vec![ITEM.to_owned()] });
        let begun = Instant::now();
        progress(Progress::Started { item: ITEM.to_owned() });
        let stage =
            |stage, detail: &str| Progress::Stage { item: ITEM.to_owned(), stage, detail: detail.to_owned() };
        let lock = prepared.lock(|| progress(stage("wait", "for another process that prepares")))?;
        let mut bytes = 0;
        if prepared.find(&set)?.is_none() {
            let made = std::thread::scope(|scope| {
                let (sender, receiver) = channel();
                let work = scope.spawn(|| {
                    let sender = sender;
                    make(self, bundle, &prepared, &set, &|name: &'static str, detail: &str| {
                        let _ = sender.send(stage(name, detail));
                    })
                });
                for message in receiver {
                    progress(message);
                }
                work.join().map_err(|_| Error::Worker)?
            });
            match made {
                Ok(imported) => bytes = imported,
                Err(error) => {
                    progress(Progress::Failed { item: ITEM.to_owned() });
                    return Err(error);
                }
            }
        }
        drop(lock);
        progress(Progress::Finished { item: ITEM.to_owned(), took: begun.elapsed(), bytes });
        Ok(prepared.place(&set))
    }
}

/// Gives how many bytes of images were imported. The caller holds the lock.
fn make(
    store: &Store,
    bundle: &Bundle,
    prepared: &Prepared,
    set: &Set,
    stage: &dyn Fn(&'static str, &str),
) -> Result<u64> {
    let program = |name: &str| {
        let path = bundle.bin.get(name);
        path.ok_or_else(|| Error::NotBuilt { missing: vec![format!("program {name}")] })
    };
    let (containerd, ctr) = (program("containerd")?, program("ctr")?);
    files::remove_leftovers(&prepared.sets())?;
    let kept = prepared.kept()?;
    let base = set.nearest(&kept);
    let lacking = lacking(base, &bundle.images);
    let names = names(store, &bundle.images)?;
    let log = store.log(ITEM)?;
    std::fs::write(&log, "").on("write", &log)?;

    let place = prepared.place(set);
    let work = TempDir::beside(&place)?;
    let root = work.path().join("root");
    match base {
        Some(base) => copy(&base.dir.join("root"), &root, &log)?,
        None => std::fs::create_dir(&root).on("make", &root)?,
    }
    let list: Vec<&str> = lacking.iter().map(|image| image.name.as_str()).collect();
    stage("unpack", &list.join(", "));
    let shared = root.join(LAYERS);
    std::fs::create_dir_all(&shared).on("make", &shared)?;
    mounts::in_private(|| {
        mounts::bind_read_only(&prepared.layers(), &shared)?;
        let containerd = Containerd::start(containerd, ctr, &root, &log)?;
        if !lacking.is_empty() {
            containerd.import(|out| store.export_tar(&lacking, out))?;
        }
        let (there, gone): (BTreeSet<String>, BTreeSet<String>) =
            containerd.images()?.into_iter().partition(|name| names.contains(name));
        containerd.remove(&gone)?;
        if let Some(missing) = names.difference(&there).next() {
            let reason = format!("it lacks {missing} after everything was imported");
            return Err(Error::Damaged { path: root.clone(), reason });
        }
        containerd.stop()
    })?;
    stage("share", "");
    share_layers(&root, &prepared.layers(), &set.key())?;
    share_blobs(&root, &store.blobs());
    keep_only_what_nodes_take(&root)?;
    files::write_json(&work.path().join("set.json"), set)?;
    work.keep()?;
    prepared.prune(&place)?;
    imported(store, &lacking)
}

/// Images that the base does not hold with the same content.
fn lacking(base: Option<&Kept>, images: &[ImageRef]) -> Vec<ImageRef> {
    let has = |image: &ImageRef| {
        base.is_some_and(|base| base.set.images.get(&image.pinned()) == Some(&image.digest))
    };
    images.iter().filter(|image| !has(image)).cloned().collect()
}

/// All names by which a node may ask for the images: tag, tag with content, and the content's alone, as CRI has it.
fn names(store: &Store, images: &[ImageRef]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for image in images {
        let config = store.manifest(&image.digest)?.config.digest;
        names.extend([image.reference.clone(), image.pinned(), config]);
    }
    Ok(names)
}

/// Bytes of distinct blobs.
fn imported(store: &Store, images: &[ImageRef]) -> Result<u64> {
    let mut blobs = BTreeMap::new();
    for image in images {
        let manifest = store.manifest(&image.digest)?;
        blobs.extend(
            manifest.layers.into_iter().chain([manifest.config]).map(|blob| (blob.digest, blob.size)),
        );
    }
    Ok(blobs.into_values().sum())
}

/// A second root with the same blobs and layers. Only the databases are ever written to: they alone are copied.
fn copy(from: &Path, to: &Path, log: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.args(["--archive", "--link", "--"]).arg(from).arg(to);
    command::run("copying the prepared images", copy, log, &mut |_| {})?;
    for database in [DATABASE, SNAPSHOT_DATABASE] {
        let path = to.join(database);
        std::fs::remove_file(&path).on("remove", &path)?;
        std::fs::copy(from.join(database), &path).on("copy", &path)?;
    }
    Ok(())
}

/// Moves what was unpacked to where every set and node finds it, and leaves links in its place.
fn share_layers(root: &Path, layers: &Path, key: &str) -> Result<()> {
    let snapshots = root.join(SNAPSHOTS);
    for entry in std::fs::read_dir(&snapshots).on("read", &snapshots)?.flatten() {
        let path = entry.path();
        if !entry.file_type().on("look at", &path)?.is_dir() {
            continue;
        }
        // A set of the same key may have been made before, and a node may still use its layers.
        let layer = tempfile::Builder::new()
            .prefix(&format!("{}-", &key[..12.min(key.len())]))
            .rand_bytes(8)
            .tempdir_in(layers)
            .on("make a folder in", layers)?
            .keep();
        std::fs::rename(&path, &layer).on("rename to", &layer)?;
        let name = layer.file_name().unwrap_or_default();
        symlink(Path::new(TO_LAYERS).join(name), &path).on("make", &path)?;
    }
    Ok(())
}

/// The store has the same blobs: one file of each is enough. Where that is not to be had, there are two.
fn share_blobs(root: &Path, store: &Path) {
    let blobs = root.join(BLOBS);
    let Ok(entries) = std::fs::read_dir(&blobs) else { return };
    for entry in entries.flatten() {
        let (ours, theirs) = (entry.path(), store.join(entry.file_name()));
        let aside = files::temp_name(root, &entry.file_name().to_string_lossy());
        let (Ok(here), Ok(there)) = (ours.metadata(), theirs.metadata()) else { continue };
        if here.ino() != there.ino()
            && here.len() == there.len()
            && std::fs::hard_link(&theirs, &aside).is_ok()
            && std::fs::rename(&aside, &ours).is_err()
        {
            let _ = std::fs::remove_file(&aside);
        }
    }
}

fn keep_only_what_nodes_take(root: &Path) -> Result<()> {
    let kept = [SNAPSHOTS, DATABASE, BLOBS, LAYERS].iter().filter_map(|path| path.split('/').next());
    remove_others(root, &kept.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use super::*;

    fn image(name: &str, digest: char) -> ImageRef {
        ImageRef {
            name: name.to_owned(),
            reference: format!("localhost/landfall/{name}:1"),
            digest: format!("sha256:{}", digest.to_string().repeat(64)),
            size: 1,
        }
    }

    #[test]
    fn only_what_the_base_lacks_is_imported() {
        let (x, y, changed) = (image("x", '1'), image("y", '2'), image("y", '3'));
        let set = Set::of("c", &[x.clone(), y]);
        let base = Kept { dir: PathBuf::new(), made: SystemTime::now(), set };
        let wanted = [x.clone(), changed.clone()];
        assert_eq!(lacking(Some(&base), &wanted), [changed]);
        assert_eq!(lacking(None, &wanted), wanted);
    }

    #[test]
    fn layers_move_to_their_shared_place_and_links_lead_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let (root, layers) = (dir.path().join("root"), dir.path().join("root/layers"));
        let snapshots = root.join(SNAPSHOTS);
        std::fs::create_dir_all(snapshots.join("1/fs")).unwrap();
        std::fs::create_dir_all(layers.join("old/fs")).unwrap();
        std::fs::write(snapshots.join("1/fs/file"), "content").unwrap();
        symlink(Path::new(TO_LAYERS).join("old"), snapshots.join("2")).unwrap();
        share_layers(&root, &layers, "0123456789abcdef").unwrap();
        assert!(snapshots.join("1").is_symlink());
        assert_eq!(std::fs::read_to_string(snapshots.join("1/fs/file")).unwrap(), "content");
        assert_eq!(std::fs::read_link(snapshots.join("2")).unwrap(), Path::new(TO_LAYERS).join("old"));
        assert_eq!(std::fs::read_dir(&layers).unwrap().count(), 2);
        // A second set of the same key does not meet the layers of the first.
        std::fs::remove_file(snapshots.join("1")).unwrap();
        std::fs::create_dir_all(snapshots.join("1/fs")).unwrap();
        share_layers(&root, &layers, "0123456789abcdef").unwrap();
        assert_eq!(std::fs::read_dir(&layers).unwrap().count(), 3);
    }

    #[test]
    fn equal_blobs_become_one_file_and_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (root, store) = (dir.path().join("root"), dir.path().join("store"));
        std::fs::create_dir_all(root.join(BLOBS)).unwrap();
        std::fs::create_dir_all(&store).unwrap();
        for (name, ours, theirs) in [("a", "same", "same"), ("b", "short", "longer")] {
            std::fs::write(root.join(BLOBS).join(name), ours).unwrap();
            std::fs::write(store.join(name), theirs).unwrap();
        }
        share_blobs(&root, &store);
        let inode = |path: PathBuf| path.metadata().unwrap().ino();
        assert_eq!(inode(root.join(BLOBS).join("a")), inode(store.join("a")));
        assert_eq!(std::fs::read_to_string(root.join(BLOBS).join("b")).unwrap(), "short");
    }

    #[test]
    fn of_containerds_root_only_databases_blobs_and_layers_stay() {
        let dir = tempfile::tempdir().unwrap();
        for path in
            [SNAPSHOTS, "io.containerd.metadata.v1.bolt", BLOBS, LAYERS, "tmpmounts", "io.containerd.x"]
        {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        keep_only_what_nodes_take(dir.path()).unwrap();
        assert!([SNAPSHOTS, BLOBS, LAYERS].iter().all(|path| dir.path().join(path).is_dir()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4);
    }
}

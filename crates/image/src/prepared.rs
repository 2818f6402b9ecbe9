//! Prepared images: a containerd root for each set of images, so that a new node has them without importing any.
//!
//! ```text
//!     prepared/layers/<name>/fs     unpacked layers, shared by all sets and nodes, never changed
//!     prepared/sets/<key>/root/     a containerd root in which each layer is a symbolic link `../../../layers/<name>`
//!     prepared/sets/<key>/set.json  what is in it; written last
//!     prepared/users/<any>          a text: a folder outside the cache whose links name layers too
//!     prepared/lock                 held while a set is made
//!     prepared/users.lock           held while layers are removed; shared while a node takes its links
//! ```
//!
//! A node copies the two databases, links the blobs and the symbolic links, and sees `layers` as a read-only mount in
//! its own containerd root: that is some hundred system calls, however large the images are. The memory that holds a
//! layer's files is shared by all nodes as well.
//!
//! This file looks, names and cleans up; `prepare` makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::digest::Sha256;
use crate::error::{Error, IoContext, Result};
use crate::files;
use crate::store::{ImageRef, Store};

/// Another way of preparing is another key.
const VERSION: u32 = 1;
/// Sets that are kept: the present one and the one before.
const KEPT: usize = 2;

/// Where containerd keeps what, relative to its root.
pub(crate) const SNAPSHOTS: &str = "io.containerd.snapshotter.v1.overlayfs/snapshots";
pub(crate) const SNAPSHOT_DATABASE: &str = "io.containerd.snapshotter.v1.overlayfs/metadata.db";
pub(crate) const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";
pub(crate) const BLOBS: &str = "io.containerd.content.v1.content/blobs/sha256";
/// Where a node, and the containerd that prepares, see the layers.
pub(crate) const LAYERS: &str = "layers";
/// From a snapshot's place to a layer's, both in the root.
pub(crate) const TO_LAYERS: &str = "../../layers";

/// `set.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Set {
    pub version: u32,
    /// Key of the program whose databases these are.
    pub containerd: String,
    /// Names with their content to the manifest's digest.
    pub images: BTreeMap<String, String>,
}

impl Set {
    pub(crate) fn of(containerd: &str, images: &[ImageRef]) -> Self {
        let images = images.iter().map(|image| (image.pinned(), image.digest.clone())).collect();
        Self { version: VERSION, containerd: containerd.to_owned(), images }
    }

    pub(crate) fn key(&self) -> String {
        let mut hash = Sha256::new();
        hash.field(self.version.to_string());
        hash.field(&self.containerd);
        for (name, digest) in &self.images {
            hash.field(name);
            hash.field(digest);
        }
        hash.hex()
    }

    /// How many images another set has that this one wants; none if it is of another containerd.
    fn in_common(&self, other: &Self) -> usize {
        if (self.version, &self.containerd) != (other.version, &other.containerd) {
            return 0;
        }
        self.images.iter().filter(|(name, digest)| other.images.get(*name) == Some(*digest)).count()
    }

    /// The set that has most of what this one wants; the newest of those that have as much.
    pub(crate) fn nearest<'a>(&self, others: &'a [Kept]) -> Option<&'a Kept> {
        others
            .iter()
            .map(|other| (self.in_common(&other.set), other.made, other))
            .filter(|(common, ..)| *common > 0)
            .max_by_key(|(common, made, _)| (*common, *made))
            .map(|(.., other)| other)
    }
}

/// A set that lies in the cache.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub dir: PathBuf,
    pub made: SystemTime,
    pub set: Set,
}

/// The folder `prepared` of a cache.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    dir: PathBuf,
}

impl Store {
    /// The set that holds exactly the bundle's images, if it has been prepared.
    pub fn prepared(&self, bundle: &Bundle) -> Result<Option<PathBuf>> {
        let prepared = Prepared::of(self);
        prepared.find(&self.set(bundle)?)
    }

    pub(crate) fn set(&self, bundle: &Bundle) -> Result<Set> {
        let part = self
            .parts()
            .get("containerd")
            .ok_or_else(|| Error::UnknownImage { name: "containerd".to_owned(), nearest: None })?;
        Ok(Set::of(&self.parts().key(part)?, &bundle.images))
    }
}

impl Prepared {
    pub(crate) fn of(store: &Store) -> Self {
        Self { dir: store.cache().join("prepared") }
    }

    pub(crate) fn sets(&self) -> PathBuf {
        self.dir.join("sets")
    }

    pub(crate) fn layers(&self) -> PathBuf {
        self.dir.join("layers")
    }

    fn users(&self) -> PathBuf {
        self.dir.join("users")
    }

    pub(crate) fn place(&self, set: &Set) -> PathBuf {
        self.sets().join(set.key())
    }

    /// A set's folder, if it and all its layers are there.
    pub(crate) fn find(&self, set: &Set) -> Result<Option<PathBuf>> {
        let dir = self.place(set);
        if !dir.join("set.json").is_file() {
            return Ok(None);
        }
        let whole = layers_of(&dir)?.iter().all(|name| self.layers().join(name).is_dir());
        Ok(whole.then_some(dir))
    }

    /// Waits for whoever makes a set now; `waiting` is called if somebody does.
    pub(crate) fn lock(&self, waiting: impl FnOnce()) -> Result<File> {
        for dir in [self.sets(), self.layers(), self.users()] {
            std::fs::create_dir_all(&dir).on("make", &dir)?;
        }
        lock(&self.dir.join("lock"), waiting)
    }

    /// All sets that are whole, the newest first.
    pub(crate) fn kept(&self) -> Result<Vec<Kept>> {
        let dir = self.sets();
        let mut kept = Vec::new();
        for entry in std::fs::read_dir(&dir).on("read", &dir)?.flatten() {
            let path = entry.path().join("set.json");
            let Ok(text) = std::fs::read(&path) else { continue };
            let Ok(set) = serde_json::from_slice::<Set>(&text) else { continue };
            if self.find(&set)?.as_deref() != Some(&*entry.path()) {
                continue;
            }
            let made = path.metadata().and_then(|meta| meta.modified()).on("look at", &path)?;
            kept.push(Kept { dir: entry.path(), made, set });
        }
        kept.sort_by_key(|set| std::cmp::Reverse(set.made));
        Ok(kept)
    }

    /// Removes what killed runs left, older sets, and the layers that neither a set nor a node uses. The caller holds
    /// the lock; `present` stays whatever its age.
    pub(crate) fn prune(&self, present: &Path) -> Result<()> {
        let alone = lock(&self.dir.join("users.lock"), || {})?;
        let mut aside = Vec::new();
        let mut keep: BTreeSet<PathBuf> = BTreeSet::from([present.to_path_buf()]);
        for set in self.kept()? {
            if keep.len() < KEPT {
                keep.insert(set.dir);
            }
        }
        let sets = self.sets();
        for entry in std::fs::read_dir(&sets).on("read", &sets)?.flatten() {
            if !keep.contains(&entry.path()) {
                aside.push(move_aside(&entry.path())?);
            }
        }
        let mut used = BTreeSet::new();
        for set in keep.iter().filter(|set| set.exists()) {
            used.extend(layers_of(set)?);
        }
        used.extend(self.used_elsewhere()?);
        let layers = self.layers();
        for entry in std::fs::read_dir(&layers).on("read", &layers)?.flatten() {
            if !used.contains(&*entry.file_name().to_string_lossy()) {
                aside.push(move_aside(&entry.path())?);
            }
        }
        // Nobody finds them any more: that is no reason to keep nodes waiting.
        drop(alone);
        for path in aside {
            std::fs::remove_dir_all(&path).on("remove", &path)?;
        }
        Ok(())
    }

    /// The layers of nodes that exist; what tells of others is removed.
    fn used_elsewhere(&self) -> Result<BTreeSet<String>> {
        let mut used = BTreeSet::new();
        let users = self.users();
        for entry in std::fs::read_dir(&users).on("read", &users)?.flatten() {
            let path = entry.path();
            let folder = PathBuf::from(std::fs::read_to_string(&path).on("read", &path)?);
            if folder.is_dir() {
                used.extend(linked(&folder)?);
            } else {
                std::fs::remove_file(&path).on("remove", &path)?;
            }
        }
        Ok(used)
    }
}

fn layers_of(set: &Path) -> Result<BTreeSet<String>> {
    linked(&set.join("root").join(SNAPSHOTS))
}

/// The names of the layers that a folder's symbolic links point at.
fn linked(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).on("read", folder)?.flatten() {
        let Ok(target) = std::fs::read_link(entry.path()) else { continue };
        if target.parent() == Some(Path::new(TO_LAYERS))
            && let Some(name) = target.file_name()
        {
            names.insert(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn lock(path: &Path, waiting: impl FnOnce()) -> Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path).on("open", path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            waiting();
            file.lock().on("lock", path)?;
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(error).on("lock", path),
    }
    Ok(file)
}

/// Out of sight first: a folder that was removed in part must not be taken for a whole one.
fn move_aside(path: &Path) -> Result<PathBuf> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let aside = files::temp_name(parent, &path.file_name().unwrap_or_default().to_string_lossy());
    std::fs::rename(path, &aside).on("rename", path)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    fn set(containerd: &str, images: &[(&str, &str)]) -> Set {
        let images = images.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()));
        Set { version: VERSION, containerd: containerd.to_owned(), images: images.collect() }
    }

    fn kept(age: u64, set: Set) -> Kept {
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age);
        Kept { dir: PathBuf::from(set.key()), made, set }
    }

    /// A prepared set in the cache whose snapshots link to the named layers.
    fn lay(prepared: &Prepared, set: &Set, layers: &[&str]) -> PathBuf {
        let dir = prepared.place(set);
        let snapshots = dir.join("root").join(SNAPSHOTS);
        std::fs::create_dir_all(&snapshots).unwrap();
        for (number, layer) in layers.iter().enumerate() {
            std::fs::create_dir_all(prepared.layers().join(layer).join("fs")).unwrap();
            symlink(Path::new(TO_LAYERS).join(layer), snapshots.join(number.to_string())).unwrap();
        }
        files::write_json(&dir.join("set.json"), set).unwrap();
        dir
    }

    fn made(seconds: u64, set: &Path) {
        let file = File::options().append(true).open(set.join("set.json")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }

    fn names(dir: &Path) -> BTreeSet<String> {
        std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_key_follows_from_containerd_and_content_not_from_the_order() {
        let a = set("c1", &[("x", "1"), ("y", "2")]);
        assert_eq!(a.key(), set("c1", &[("y", "2"), ("x", "1")]).key());
        for other in [
            set("c2", &[("x", "1"), ("y", "2")]),
            set("c1", &[("x", "1")]),
            set("c1", &[("x", "1"), ("y", "3")]),
        ] {
            assert_ne!(a.key(), other.key());
        }
    }

    #[test]
    fn the_nearest_set_has_most_in_common_and_is_the_newest_of_those() {
        let wanted = set("c", &[("x", "1"), ("y", "2"), ("z", "3")]);
        let others = [
            kept(0, set("c", &[("x", "1"), ("y", "old")])),
            kept(5, set("c", &[("x", "1"), ("y", "2"), ("gone", "9")])),
            kept(3, set("c", &[("x", "1"), ("z", "3")])),
            kept(0, set("other", &[("x", "1"), ("y", "2"), ("z", "3")])),
        ];
        assert_eq!(wanted.nearest(&others).unwrap().set, others[2].set);
        assert!(set("c", &[("x", "2")]).nearest(&others).is_none());
    }

    #[test]
    fn two_sets_are_kept_and_the_layers_of_sets_and_nodes() {
        let cache = tempfile::tempdir().unwrap();
        let prepared = Prepared { dir: cache.path().join("prepared") };
        drop(prepared.lock(|| {}).unwrap());
        let sets: Vec<Set> = ["1", "2", "3"].map(|digest| set("c", &[("x", digest)])).into();
        let oldest = lay(&prepared, &sets[0], &["base", "one", "of-a-node"]);
        let before = lay(&prepared, &sets[1], &["base", "two"]);
        let present = lay(&prepared, &sets[2], &["base", "three"]);
        for (seconds, dir) in [(1, &oldest), (2, &before), (3, &present)] {
            made(seconds, dir);
        }
        std::fs::create_dir(prepared.layers().join("orphan")).unwrap();
        // One node lives, another has gone.
        let node = cache.path().join("node");
        std::fs::create_dir(&node).unwrap();
        symlink(Path::new(TO_LAYERS).join("of-a-node"), node.join("7")).unwrap();
        std::fs::write(prepared.users().join("a"), node.display().to_string()).unwrap();
        std::fs::write(prepared.users().join("b"), "/nonexistent/node").unwrap();

        prepared.prune(&present).unwrap();

        assert!(prepared.find(&sets[0]).unwrap().is_none());
        assert_eq!(prepared.find(&sets[1]).unwrap(), Some(before));
        assert_eq!(prepared.find(&sets[2]).unwrap(), Some(present));
        assert_eq!(
            names(&prepared.layers()),
            ["base", "of-a-node", "three", "two"].map(str::to_owned).into()
        );
        assert_eq!(names(&prepared.users()), BTreeSet::from(["a".to_owned()]));
    }

    #[test]
    fn a_set_without_one_of_its_layers_is_not_there() {
        let cache = tempfile::tempdir().unwrap();
        let prepared = Prepared { dir: cache.path().join("prepared") };
        drop(prepared.lock(|| {}).unwrap());
        let set = set("c", &[("x", "1")]);
        let dir = lay(&prepared, &set, &["base", "one"]);
        assert_eq!(prepared.find(&set).unwrap(), Some(dir));
        std::fs::remove_dir_all(prepared.layers().join("one")).unwrap();
        assert!(prepared.find(&set).unwrap().is_none() && prepared.kept().unwrap().is_empty());
    }

    #[test]
    fn the_second_to_lock_is_told_and_waits() {
        let cache = tempfile::tempdir().unwrap();
        let prepared = Prepared { dir: cache.path().join("prepared") };
        let first = prepared.lock(|| panic!("nobody else is here")).unwrap();
        let (sender, told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| prepared.lock(|| sender.send(()).unwrap()).map(drop));
            told.recv().unwrap();
            drop(first);
            second.join().unwrap().unwrap();
        });
    }
}

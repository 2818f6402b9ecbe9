//! A new node's images, without importing any: its containerd root is taken from a prepared set.
//!
//! A set is a folder `…/sets/<key>` of the cache with a containerd root in it, in which every unpacked layer is a
//! symbolic link `../../layers/<name>`. The node gets copies of the databases, the same blobs and the same links, and
//! sees `…/layers` as a read-only mount in its own root. So a layer is one folder for all nodes of this machine, no pod
//! can change it, and removing a node removes links only.
//!
//! A node says in `…/users` that it is there, so that nobody removes its layers from the cache.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::files::write_public;
use crate::layout::NodeDir;

/// The mount of the layers in a node.
pub(crate) const LAYERS: &str = "/var/lib/containerd/layers";

/// Where the unpacked layers are, relative to containerd's root.
const SNAPSHOTS: &str = "io.containerd.snapshotter.v1.overlayfs/snapshots";
const TO_LAYERS: &str = "../../layers";

impl NodeDir {
    fn containerd(&self) -> PathBuf {
        self.var_lib().join("containerd")
    }

    /// A link to the folder of the layers that this node's root was made with.
    fn layers_link(&self) -> PathBuf {
        self.path().join("image-layers")
    }
}

/// The folder that the node must see at [`LAYERS`]; None if its images were imported.
pub(crate) fn layers(dir: &NodeDir) -> Option<PathBuf> {
    std::fs::read_link(dir.layers_link()).ok()
}

/// Gives a node that is about to start a containerd root of `set`, unless it has one. True if its images are there
/// now without having been imported.
///
/// A root whose layers have gone with the cache is of no use any more: it is made anew, or left to be.
pub(crate) fn settle(dir: &NodeDir, set: Option<&Path>) -> Result<bool> {
    let root = dir.containerd();
    if let Some(layers) = layers(dir) {
        if whole(&root, &layers) {
            return Ok(true);
        }
        remove_dir(&root)?;
        let link = dir.layers_link();
        std::fs::remove_file(&link).map_err(Error::file("removing", &link))?;
    }
    match set {
        Some(set) if !root.exists() => take(dir, set),
        _ => Ok(false),
    }
}

/// Whether every layer that the root links to is there.
fn whole(root: &Path, layers: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(root.join(SNAPSHOTS)) else { return false };
    let mut links = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    links.all(|link| match link.strip_prefix(TO_LAYERS) {
        Ok(name) => layers.join(name).is_dir(),
        Err(_) => true,
    })
}

/// Makes the root aside and renames it last. False if the set has been removed meanwhile.
fn take(dir: &NodeDir, set: &Path) -> Result<bool> {
    let Some(prepared) = set.parent().and_then(Path::parent) else { return Ok(false) };
    let _lock = share(&prepared.join("users.lock"))?;
    if !set.join("set.json").is_file() {
        return Ok(false);
    }
    let (root, fresh) = (dir.containerd(), dir.var_lib().join("containerd.new"));
    remove_dir(&fresh)?;
    mirror(&set.join("root"), &fresh)?;
    let user = root.join(SNAPSHOTS).display().to_string();
    let name = Sha256::digest(&user).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    write_public(&prepared.join("users").join(name), user.as_bytes())?;
    let link = dir.layers_link();
    symlink(prepared.join("layers"), &link).map_err(Error::file("linking", &link))?;
    std::fs::rename(&fresh, &root).map_err(Error::file("renaming", &fresh))?;
    Ok(true)
}

/// Layers are not removed while this is held.
fn share(path: &Path) -> Result<Flock<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::file("opening", path))?;
    Flock::lock(file, FlockArg::LockShared).map_err(|(_, errno)| Error::file("locking", path)(errno.into()))
}

/// The same folders and symbolic links, and the same files: databases as copies, since containerd writes to them; the
/// rest, which it never changes, as hard links where the file system allows it.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    let mode = from.metadata().map_err(Error::file("looking at", from))?.mode();
    std::fs::create_dir(to).map_err(Error::file("making the folder", to))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode & 0o7777))
        .map_err(Error::file("setting the mode", to))?;
    for entry in std::fs::read_dir(from).map_err(Error::file("reading", from))? {
        let entry = entry.map_err(Error::file("reading", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::file("looking at", &source))?;
        if kind.is_dir() {
            mirror(&source, &target)?;
        } else if kind.is_symlink() {
            std::fs::read_link(&source)
                .and_then(|link| symlink(link, &target))
                .map_err(Error::file("linking", &target))?;
        } else if source.extension().is_some_and(|kind| kind == "db")
            || std::fs::hard_link(&source, &target).is_err()
        {
            std::fs::copy(&source, &target).map_err(Error::file("copying", &source))?;
        }
    }
    Ok(())
}

fn remove_dir(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("removing", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::layout::Layout;

    const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";
    const BLOB: &str = "io.containerd.content.v1.content/blobs/sha256/b";

    struct Place {
        _dir: tempfile::TempDir,
        prepared: PathBuf,
        set: PathBuf,
        node: NodeDir,
    }

    /// A cache with one set of one layer, and a node that has not started yet.
    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let prepared = dir.path().join("cache/prepared");
        let set = prepared.join("sets/key");
        for (path, text) in [(DATABASE, "database"), (BLOB, "blob")] {
            let path = set.join("root").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(set.join("root").join(SNAPSHOTS)).unwrap();
        std::fs::create_dir(set.join("root/layers")).unwrap();
        std::fs::create_dir(prepared.join("users")).unwrap();
        std::fs::create_dir_all(prepared.join("layers/one/fs")).unwrap();
        std::fs::write(prepared.join("layers/one/fs/file"), "layer").unwrap();
        symlink(Path::new(TO_LAYERS).join("one"), set.join("root").join(SNAPSHOTS).join("1")).unwrap();
        std::fs::write(set.join("set.json"), "{}").unwrap();
        let node = Layout::new(&dir.path().join("state"), "c").node("k1");
        std::fs::create_dir_all(node.var_lib()).unwrap();
        Place { _dir: dir, prepared, set, node }
    }

    fn inode(path: &Path) -> u64 {
        path.metadata().unwrap().ino()
    }

    #[test]
    fn a_new_node_shares_blobs_and_layers_and_has_databases_of_its_own() {
        let place = place();
        assert!(settle(&place.node, Some(&place.set)).unwrap());
        let (root, source) = (place.node.containerd(), place.set.join("root"));
        assert_eq!(inode(&root.join(BLOB)), inode(&source.join(BLOB)));
        assert_ne!(inode(&root.join(DATABASE)), inode(&source.join(DATABASE)));
        assert_eq!(
            std::fs::read_link(root.join(SNAPSHOTS).join("1")).unwrap(),
            Path::new("../../layers/one")
        );
        assert_eq!(layers(&place.node), Some(place.prepared.join("layers")));
        let users: Vec<_> = std::fs::read_dir(place.prepared.join("users")).unwrap().flatten().collect();
        assert_eq!(users.len(), 1);
        let said = std::fs::read_to_string(users[0].path()).unwrap();
        assert_eq!(PathBuf::from(said), root.join(SNAPSHOTS));
        // Once more changes nothing, whatever is prepared by then.
        std::fs::write(root.join(DATABASE), "the node's own").unwrap();
        assert!(settle(&place.node, None).unwrap());
        assert_eq!(std::fs::read_to_string(root.join(DATABASE)).unwrap(), "the node's own");
    }

    #[test]
    fn removing_a_node_leaves_the_cache_as_it_was() {
        let place = place();
        settle(&place.node, Some(&place.set)).unwrap();
        std::fs::remove_dir_all(place.node.path()).unwrap();
        assert_eq!(std::fs::read_to_string(place.prepared.join("layers/one/fs/file")).unwrap(), "layer");
        assert_eq!(std::fs::read_to_string(place.set.join("root").join(BLOB)).unwrap(), "blob");
        assert_eq!(place.set.join("root").join(BLOB).metadata().unwrap().nlink(), 1);
    }

    #[test]
    fn a_node_whose_images_were_imported_keeps_them() {
        let place = place();
        std::fs::create_dir(place.node.containerd()).unwrap();
        assert!(!settle(&place.node, Some(&place.set)).unwrap());
        assert_eq!(std::fs::read_dir(place.node.containerd()).unwrap().count(), 0);
        assert!(layers(&place.node).is_none());
    }

    #[test]
    fn a_root_whose_layers_went_with_the_cache_is_made_anew_or_left_to_be_imported() {
        let first = place();
        settle(&first.node, Some(&first.set)).unwrap();
        std::fs::remove_dir_all(first.prepared.join("layers/one")).unwrap();
        assert!(!settle(&first.node, None).unwrap());
        assert!(!first.node.containerd().exists() && layers(&first.node).is_none());

        std::fs::create_dir_all(first.prepared.join("layers/one/fs")).unwrap();
        assert!(settle(&first.node, Some(&first.set)).unwrap());
        assert!(whole(&first.node.containerd(), &layers(&first.node).unwrap()));
    }

    #[test]
    fn a_set_that_was_removed_meanwhile_and_a_killed_run_are_no_harm() {
        let place = place();
        std::fs::create_dir_all(place.node.var_lib().join("containerd.new/half")).unwrap();
        assert!(settle(&place.node, Some(&place.set)).unwrap());
        assert!(!place.node.containerd().join("half").exists());
        std::fs::remove_dir_all(place.node.path()).unwrap();
        std::fs::create_dir_all(place.node.var_lib()).unwrap();
        std::fs::remove_dir_all(&place.set).unwrap();
        assert!(!settle(&place.node, Some(&place.set)).unwrap());
        assert!(!place.node.containerd().exists());
    }
}

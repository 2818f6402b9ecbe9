//! What callers ask for: build images, build or find the whole bundle, build twice and compare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::builder::Builder;
use crate::error::{Error, IoContext, Result};
use crate::guest::Guest;
use crate::layer;
use crate::parts::{Group, Part};
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::store::{ImageRef, Store};

/// The root of a node of the embedded cluster.
const NODE: &str = "node";
/// What the proof of a cloud boots.
const GUEST: &str = "guest";

/// Everything that the embedded cluster and a cloud on it need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// Go programs by name, applets too.
    pub bin: BTreeMap<String, PathBuf>,
    pub node_tree: PathBuf,
    pub guest: Guest,
    pub images: Vec<ImageRef>,
}

impl Bundle {
    /// What is built already; an error lists what is not.
    pub fn find(store: &Store) -> Result<Self> {
        let mut missing = Vec::new();
        let mut bin = BTreeMap::new();
        for part in shipped(store) {
            match store.parts().path(part).ok().filter(|path| path.exists()) {
                None => missing.push(format!("program {}", part.name)),
                Some(path) => {
                    for applet in &part.applets {
                        bin.insert(applet.clone(), path.with_file_name(applet));
                    }
                    bin.insert(part.name.clone(), path);
                }
            }
        }
        let mut images = Vec::new();
        for info in store.list()? {
            match info.built {
                None => missing.push(format!("image {}", info.name)),
                Some(image) => images.push(image),
            }
        }
        match (store.tree(NODE), store.guest(GUEST)) {
            (Some(node_tree), Some(guest)) if missing.is_empty() => {
                Ok(Self { bin, node_tree, guest, images })
            }
            (tree, guest) => {
                if tree.is_none() {
                    missing.push(format!("tree {NODE}"));
                }
                if guest.is_none() {
                    missing.push(format!("files of {GUEST}"));
                }
                Err(Error::NotBuilt { missing })
            }
        }
    }
}

fn shipped(store: &Store) -> impl Iterator<Item = &Part> {
    store.parts().iter().filter(|part| matches!(part.group, Group::Node | Group::Image))
}

/// Of building a recipe twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: String,
    pub first: String,
    pub second: String,
    /// Entries that differ; empty when both digests are the same.
    pub differences: Vec<String>,
}

impl Check {
    pub fn same(&self) -> bool {
        self.first == self.second
    }
}

impl Store {
    /// Builds the named images (all if none is named) that are missing, and gives those named.
    pub fn build(&self, names: &[&str], progress: &mut dyn FnMut(Progress)) -> Result<Vec<ImageRef>> {
        let every: Vec<&str> = self.recipes().iter().map(|recipe| recipe.name.as_str()).collect();
        let names = if names.is_empty() { &every } else { names };
        let _lock = self.lock()?;
        Builder::new(self, self.images_dir().join("apt"))?.build(names, &[], progress)?;
        let mut images = Vec::new();
        for name in names {
            images.extend(self.built(name)?);
        }
        Ok(images)
    }

    /// Builds all that is missing of the bundle.
    pub fn bundle(&self, progress: &mut dyn FnMut(Progress)) -> Result<Bundle> {
        // The usual case is found without waiting for another build's lock.
        match Bundle::find(self) {
            Err(Error::NotBuilt { .. }) => {}
            found => return found,
        }
        let names: Vec<&str> =
            (self.recipes().iter().filter(|r| r.kind != Kind::Layer)).map(|r| r.name.as_str()).collect();
        let parts: Vec<&Part> = shipped(self).collect();
        let lock = self.lock()?;
        Builder::new(self, self.images_dir().join("apt"))?.build(&names, &parts, progress)?;
        drop(lock);
        Bundle::find(self)
    }

    /// What the proof of a cloud boots as servers, built where it is missing.
    pub fn servers_guest(&self, progress: &mut dyn FnMut(Progress)) -> Result<Guest> {
        if let Some(guest) = self.guest(GUEST) {
            return Ok(guest);
        }
        let lock = self.lock()?;
        Builder::new(self, self.images_dir().join("apt"))?.build(&[GUEST], &[], progress)?;
        drop(lock);
        self.guest(GUEST).ok_or(Error::Worker)
    }

    /// Builds one program of `embedded/parts.toml`, whatever its group.
    pub fn program(&self, name: &str, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf> {
        let part = self
            .parts()
            .get(name)
            .ok_or_else(|| Error::UnknownImage { name: name.to_owned(), nearest: None })?;
        let lock = self.lock()?;
        Builder::new(self, self.images_dir().join("apt"))?.build(&[], &[part], progress)?;
        drop(lock);
        self.parts().path(part)
    }

    /// Builds a recipe and all that it stands on twice, in empty stores beside this one, and compares.
    pub fn check(&self, name: &str, progress: &mut dyn FnMut(Progress)) -> Result<Check> {
        let recipe = self.recipes().get(name)?;
        let lock = self.lock()?;
        let scratch = tempfile::Builder::new()
            .prefix(".landfall-tmp-check-")
            .tempdir_in(self.images_dir())
            .on("make a folder in", &self.images_dir())?;
        let mut results: Vec<(String, Vec<PathBuf>)> = Vec::new();
        for turn in ["first", "second"] {
            let store = self.elsewhere(&scratch.path().join(turn))?;
            let _lock = store.lock()?;
            Builder::new(&store, self.images_dir().join("apt"))?.build(&[name], &[], progress)?;
            results.push(match recipe.kind {
                Kind::Image => {
                    let digest = store.built(name)?.ok_or(Error::Worker)?.digest;
                    let layers = store.manifest(&digest)?.layers;
                    (digest, layers.iter().map(|l| store.blobs().join(l.hex())).collect())
                }
                Kind::Layer => {
                    let (_, kept) = store.kept_layer(name)?.ok_or(Error::Worker)?;
                    (format!("sha256:{}", kept.blob.digest), vec![store.blobs().join(kept.blob.digest)])
                }
                Kind::Tree => {
                    let tree = store.tree(name).ok_or(Error::Worker)?;
                    let blob = layer::pack(&tree, &[], &store.blobs())?;
                    (format!("sha256:{}", blob.digest), vec![store.blobs().join(blob.digest)])
                }
                Kind::Guest => {
                    let guest = store.guest(name).ok_or(Error::Worker)?;
                    // Which of its files differ is in the digest itself.
                    let each = guest.digests.iter().map(|(name, digest)| format!("{name} {digest}"));
                    (each.collect::<Vec<_>>().join(", "), Vec::new())
                }
            });
        }
        drop(lock);
        let mut differences = Vec::new();
        if let [(a, first), (b, second)] = results.as_slice()
            && a != b
        {
            for (one, other) in
                first.iter().zip(second).filter(|(one, other)| one.file_name() != other.file_name())
            {
                differences.extend(layer::differences(one, other)?);
            }
        }
        let mut digests = results.into_iter().map(|(digest, _)| digest);
        Ok(Check {
            name: name.to_owned(),
            first: digests.next().unwrap_or_default(),
            second: digests.next().unwrap_or_default(),
            differences,
        })
    }

    /// Unpacks a built image into `root`, as a container runtime would.
    pub fn unpack(&self, image: &ImageRef, root: &Path) -> Result<()> {
        for layer in self.manifest(&image.digest)?.layers {
            layer::unpack(&self.blobs().join(layer.hex()), root)?;
        }
        Ok(())
    }
}

//! The store: images as one OCI layout, the layers that others stand on, and the lock
//! file that says of which recipe and packages each was made.
//!
//! ```text
//!     images/oci-layout index.json blobs/sha256/   what export and push read
//!     images/images.lock.json                      what is built
//!     images/layers/<key>/                         unpacked layers, for builds only
//!     images/apt/                                  package lists and files
//!     trees/<key>/                                 roots of nodes
//!     guests/<key>/                                kernel, initrd and disk of a server
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::files;
use crate::guest::{self, Guest};
use crate::layer::LayerBlob;
use crate::oci::{self, Descriptor, MANIFEST, Manifest, PREFIX};
use crate::parts::Parts;
use crate::recipe::{Kind, Recipe};
use crate::recipes::Recipes;

/// The one program of the Rust build that images carry.
const AGENT: &str = "landfall-agent";

#[derive(Debug)]
pub struct Store {
    cache: PathBuf,
    recipes: Recipes,
    parts: Parts,
    mirror: Option<String>,
    agent: Option<PathBuf>,
    agent_digest: OnceLock<Option<String>>,
}

/// An image that is built: what `ctr`, kubelet and charts call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRef {
    pub name: String,
    /// `localhost/landfall/<name>:<tag>`.
    pub reference: String,
    /// Of the manifest, with `sha256:`.
    pub digest: String,
    /// Bytes in the store; layers shared with other images are counted in each.
    pub size: u64,
}

impl ImageRef {
    /// A name that changes with the content: `…:<tag>-<first 12 of the digest>`.
    pub fn pinned(&self) -> String {
        let hex = self.digest.trim_start_matches("sha256:");
        format!("{}-{}", self.reference, &hex[..hex.len().min(12)])
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct ImageInfo {
    pub name: String,
    pub reference: String,
    pub description: String,
    pub upstream: Vec<String>,
    /// Present when the image of the current recipe is in the store.
    pub built: Option<ImageRef>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lock {
    version: u32,
    pub images: BTreeMap<String, Locked>,
    /// Of the recipe before: two versions of landfall, or of a recipe being written,
    /// would otherwise undo each other's work again and again.
    #[serde(default)]
    pub previous: BTreeMap<String, Locked>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Locked {
    pub tag: String,
    /// Of the recipe.
    pub key: String,
    /// Of the manifest, with `sha256:`.
    pub digest: String,
    pub manifest_size: u64,
    pub size: u64,
    pub unpacked: u64,
    pub packages: BTreeMap<String, String>,
}

/// `layer.json` beside an unpacked layer: written last, so its presence means whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptLayer {
    pub recipe: String,
    pub blob: LayerBlob,
    pub packages: BTreeMap<String, String>,
}

impl Store {
    /// `cache` is `~/.cache/landfall`, or what the user set instead. Reads and writes nothing yet.
    pub fn open(cache: &Path) -> Result<Self> {
        Ok(Self {
            cache: cache.to_path_buf(),
            recipes: Recipes::bundled()?,
            parts: Parts::bundled(cache)?,
            mirror: None,
            agent: None,
            agent_digest: OnceLock::new(),
        })
    }

    /// Debian's archive to use instead of the host's own.
    #[must_use]
    pub fn with_mirror(mut self, mirror: Option<String>) -> Self {
        self.mirror = mirror;
        self
    }

    /// `landfall-agent`, if it is not beside the running program.
    #[must_use]
    pub fn with_agent(mut self, agent: Option<PathBuf>) -> Self {
        self.agent = agent;
        self
    }

    #[must_use]
    pub fn with_recipes(mut self, recipes: Recipes) -> Self {
        self.recipes = recipes;
        self
    }

    pub fn recipes(&self) -> &Recipes {
        &self.recipes
    }

    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The same recipes and programs in another folder, for building twice.
    pub(crate) fn elsewhere(&self, cache: &Path) -> Result<Self> {
        Ok(Self {
            cache: cache.to_path_buf(),
            recipes: self.recipes.clone(),
            // Programs are not built again.
            parts: Parts::bundled(&self.cache)?,
            mirror: self.mirror.clone(),
            agent: Some(self.agent_path()),
            agent_digest: OnceLock::new(),
        })
    }

    pub(crate) fn mirror(&self) -> Option<String> {
        self.mirror.clone()
    }

    pub(crate) fn images_dir(&self) -> PathBuf {
        self.cache.join("images")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.images_dir().join("blobs/sha256")
    }

    pub(crate) fn layers(&self) -> PathBuf {
        self.images_dir().join("layers")
    }

    pub(crate) fn guests(&self) -> PathBuf {
        self.cache.join("guests")
    }

    pub(crate) fn trees(&self) -> PathBuf {
        self.cache.join("trees")
    }

    pub(crate) fn log(&self, item: &str) -> Result<PathBuf> {
        let dir = self.cache.join("logs");
        std::fs::create_dir_all(&dir).on("make", &dir)?;
        Ok(dir.join(format!("build-{}.log", item.replace(' ', "-"))))
    }

    /// Only one build at a time: held until the guard is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        for dir in [self.blobs(), self.layers(), self.trees(), self.guests(), self.images_dir().join("apt")] {
            std::fs::create_dir_all(&dir).on("make", &dir)?;
        }
        let path = self.images_dir().join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).on("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Busy { path }),
            Err(std::fs::TryLockError::Error(e)) => return Err(e).on("lock", &path),
        }
        for dir in [
            self.images_dir(),
            self.blobs(),
            self.layers(),
            self.trees(),
            self.guests(),
            self.cache.join("bin"),
            self.cache.join("src"),
        ] {
            files::remove_leftovers(&dir)?;
        }
        Ok(file)
    }

    fn agent_path(&self) -> PathBuf {
        if let Some(agent) = &self.agent {
            return agent.clone();
        }
        let program = std::env::current_exe().unwrap_or_default();
        let mut dir = program.parent().unwrap_or(Path::new("."));
        // Tests and examples run from a folder below.
        if dir.ends_with("deps") || dir.ends_with("examples") {
            dir = dir.parent().unwrap_or(dir);
        }
        dir.join(AGENT)
    }

    /// Where a program of a recipe is, or will be after `Parts::build`.
    pub(crate) fn binary_path(&self, image: &str, name: &str) -> Result<PathBuf> {
        if name == AGENT {
            return Ok(self.agent_path());
        }
        match self.parts.get(name) {
            Some(part) => self.parts.path(part),
            None => Err(Error::NoBinary {
                image: image.to_owned(),
                file: name.to_owned(),
                remedy: "it is neither in embedded/parts.toml nor landfall-agent".to_owned(),
            }),
        }
    }

    /// What a recipe's key takes in of a program.
    fn identity(&self, name: &str) -> Result<String> {
        if name == AGENT {
            let path = self.agent_path();
            let digest = self.agent_digest.get_or_init(|| File::open(&path).and_then(digest::of_reader).ok());
            return digest.clone().ok_or_else(|| Error::NoBinary {
                image: "agent".to_owned(),
                file: path.display().to_string(),
                remedy: "build it with `cargo build -p landfall-agent`; it must lie beside landfall"
                    .to_owned(),
            });
        }
        match self.parts.get(name) {
            Some(part) => self.parts.key(part),
            None => self.binary_path("", name).map(|_| String::new()),
        }
    }

    pub fn key(&self, name: &str) -> Result<String> {
        self.recipes.key(name, &|program| self.identity(program))
    }

    pub(crate) fn reference(recipe: &Recipe) -> String {
        format!("{PREFIX}/{}:{}", recipe.name, recipe.tag)
    }

    pub(crate) fn read_lock(&self) -> Result<Lock> {
        let path = self.images_dir().join("images.lock.json");
        let Ok(text) = std::fs::read(&path) else {
            return Ok(Lock { version: 1, images: BTreeMap::new(), previous: BTreeMap::new() });
        };
        serde_json::from_slice(&text).map_err(|e| Error::Damaged { path, reason: e.to_string() })
    }

    /// The image of the current recipe, if all of it is in the store.
    pub fn built(&self, name: &str) -> Result<Option<ImageRef>> {
        let recipe = self.recipes.get(name)?;
        let Ok(key) = self.key(name) else { return Ok(None) };
        let lock = self.read_lock()?;
        let known = [lock.images.get(name), lock.previous.get(name)];
        let Some(locked) = known.into_iter().flatten().find(|locked| locked.key == key) else {
            return Ok(None);
        };
        let Ok(manifest) = self.manifest(&locked.digest) else { return Ok(None) };
        let whole = manifest
            .layers
            .iter()
            .chain([&manifest.config])
            .all(|d| std::fs::metadata(self.blobs().join(d.hex())).is_ok_and(|m| m.len() == d.size));
        Ok(whole.then(|| ImageRef {
            name: name.to_owned(),
            reference: Self::reference(recipe),
            digest: locked.digest.clone(),
            size: locked.size,
        }))
    }

    pub(crate) fn manifest(&self, digest: &str) -> Result<Manifest> {
        let path = self.blobs().join(digest.trim_start_matches("sha256:"));
        let text = std::fs::read(&path).on("read", &path)?;
        serde_json::from_slice(&text).map_err(|e| Error::Damaged { path, reason: e.to_string() })
    }

    /// Every image, built or not, by name.
    pub fn list(&self) -> Result<Vec<ImageInfo>> {
        (self.recipes.iter().filter(|recipe| recipe.kind == Kind::Image))
            .map(|recipe| {
                Ok(ImageInfo {
                    name: recipe.name.clone(),
                    reference: Self::reference(recipe),
                    description: recipe.description.clone(),
                    upstream: recipe.upstream.clone(),
                    built: self.built(&recipe.name)?,
                })
            })
            .collect()
    }

    /// The root of a node, if the tree of the current recipe is there.
    pub fn tree(&self, name: &str) -> Option<PathBuf> {
        let path = self.trees().join(self.key(name).ok()?);
        path.is_dir().then_some(path)
    }

    /// The guest of the current recipe, if it is there.
    pub fn guest(&self, name: &str) -> Option<Guest> {
        guest::find(&self.guests().join(self.key(name).ok()?))
    }

    pub(crate) fn kept_layer(&self, name: &str) -> Result<Option<(PathBuf, KeptLayer)>> {
        let dir = self.layers().join(self.key(name)?);
        let path = dir.join("layer.json");
        let Ok(text) = std::fs::read(&path) else { return Ok(None) };
        let kept: KeptLayer = serde_json::from_slice(&text)
            .map_err(|e| Error::Damaged { path: path.clone(), reason: e.to_string() })?;
        let blob = self.blobs().join(&kept.blob.digest);
        let whole = std::fs::metadata(blob).is_ok_and(|m| m.len() == kept.blob.size);
        Ok(whole.then(|| (dir.join("tree"), kept)))
    }

    pub(crate) fn write_blob(&self, bytes: &[u8]) -> Result<Descriptor> {
        let hex = digest::of_bytes(bytes);
        files::write_atomic(&self.blobs().join(&hex), bytes)?;
        Ok(Descriptor::new("", &hex, bytes.len() as u64))
    }

    /// Enters a built image into lock file and index.
    pub(crate) fn record(&self, name: &str, locked: Locked) -> Result<()> {
        let mut lock = self.read_lock()?;
        let key = locked.key.clone();
        if let Some(before) = lock.images.insert(name.to_owned(), locked).filter(|before| before.key != key) {
            lock.previous.insert(name.to_owned(), before);
        }
        for images in [&mut lock.images, &mut lock.previous] {
            images.retain(|name, _| self.recipes.get(name).is_ok());
        }
        let dir = self.images_dir();
        let manifests: Vec<_> = lock
            .images
            .iter()
            .map(|(name, l)| {
                let hex = l.digest.trim_start_matches("sha256:");
                Descriptor::new(MANIFEST, hex, l.manifest_size).named(&format!("{PREFIX}/{name}:{}", l.tag))
            })
            .collect();
        files::write_atomic(&dir.join("oci-layout"), oci::LAYOUT.as_bytes())?;
        files::write_json(&dir.join("index.json"), &oci::index(&manifests))?;
        files::write_json(&dir.join("images.lock.json"), &lock)
    }

    /// Removes blobs and unpacked layers that neither the current images and layers nor
    /// those before them use; not trees, which may be the root of a running node. The
    /// caller holds the lock.
    pub(crate) fn prune(&self) -> Result<()> {
        let mut blobs = BTreeSet::new();
        let lock = self.read_lock()?;
        for locked in lock.images.values().chain(lock.previous.values()) {
            // One of them may be damaged; the current ones are checked where they are used.
            let Ok(manifest) = self.manifest(&locked.digest) else { continue };
            blobs.insert(locked.digest.trim_start_matches("sha256:").to_owned());
            blobs.extend(manifest.layers.iter().chain([&manifest.config]).map(|d| d.hex().to_owned()));
        }
        let mut layers = BTreeSet::new();
        for (key, kept) in self.newest_layers()? {
            layers.insert(key);
            blobs.insert(kept.blob.digest);
        }
        remove_others(&self.blobs(), &blobs)?;
        remove_others(&self.layers(), &layers)
    }

    /// Of each recipe the two unpacked layers that were made last.
    fn newest_layers(&self) -> Result<Vec<(String, KeptLayer)>> {
        let mut found: BTreeMap<String, Vec<(SystemTime, String, KeptLayer)>> = BTreeMap::new();
        let dir = self.layers();
        for entry in std::fs::read_dir(&dir).on("read", &dir)?.flatten() {
            let path = entry.path().join("layer.json");
            let Ok(text) = std::fs::read(&path) else { continue };
            let Ok(kept) = serde_json::from_slice::<KeptLayer>(&text) else { continue };
            let made = path.metadata().and_then(|m| m.modified()).on("look at", &path)?;
            let key = entry.file_name().to_string_lossy().into_owned();
            found.entry(kept.recipe.clone()).or_default().push((made, key, kept));
        }
        let newest = found.into_values().flat_map(|mut layers| {
            layers.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
            layers.into_iter().take(2).map(|(_, key, kept)| (key, kept))
        });
        Ok(newest.collect())
    }
}

/// Removes what is in a folder but for these names.
pub(crate) fn remove_others(dir: &Path, keep: &BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(dir).on("read", dir)?.flatten() {
        if !keep.contains(&*entry.file_name().to_string_lossy()) {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                std::fs::remove_dir_all(&path).on("remove", &path)?;
            } else {
                std::fs::remove_file(&path).on("remove", &path)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn locked(key: &str) -> Locked {
        Locked {
            tag: "latest".to_owned(),
            key: key.to_owned(),
            digest: format!("sha256:{key}"),
            manifest_size: 1,
            size: 1,
            unpacked: 1,
            packages: BTreeMap::new(),
        }
    }

    #[test]
    fn the_image_before_is_kept_and_the_one_before_that_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        drop(store.lock().unwrap());
        for key in ["a", "b", "b", "c"] {
            store.record("pause", locked(key)).unwrap();
        }
        let lock = store.read_lock().unwrap();
        assert_eq!((&*lock.images["pause"].key, &*lock.previous["pause"].key), ("c", "b"));
    }

    #[test]
    fn a_second_build_at_once_is_told_to_wait() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let held = store.lock().unwrap();
        assert!(matches!(store.lock(), Err(Error::Busy { .. })));
        drop(held);
        assert!(store.lock().is_ok());
    }

    #[test]
    fn what_is_missing_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let said = crate::Bundle::find(&store).unwrap_err().to_string();
        assert!(said.contains("image keystone") && said.contains("tree node"), "{said}");
        assert!(said.contains("landfall images build"), "{said}");
        assert!(store.list().unwrap().iter().all(|image| image.built.is_none()));
    }
}

//! Builds what is missing: Go programs in one lane, images in others, each as soon as
//! what it stands on is there. The first failure stops the rest from starting.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Instant;

use crate::apt::Apt;
use crate::assemble::Assembly;
use crate::error::{Error, IoContext, Result};
use crate::files::{self, TempDir};
use crate::guest;
use crate::layer::{self, LayerBlob};
use crate::oci;
use crate::parts::Part;
use crate::progress::Progress;
use crate::recipe::{Kind, Recipe};
use crate::requirements::requirements;
use crate::store::{KeptLayer, Locked, Store};

/// Images that are built side by side: unpacking is half waiting for the disk.
const IMAGE_LANES: usize = 2;

#[derive(Debug)]
enum What {
    Part(Part),
    Recipe(Box<Recipe>),
}

#[derive(Debug)]
struct Job {
    item: String,
    what: What,
    /// Indices of jobs that come before.
    needs: Vec<usize>,
}

/// Ready, running and done jobs, shared by the lanes.
#[derive(Debug)]
struct Board {
    taken: Vec<bool>,
    done: Vec<bool>,
    failed: Option<Error>,
}

pub(crate) struct Builder<'a> {
    store: &'a Store,
    apt: Apt,
    updated: OnceLock<()>,
    updating: Mutex<()>,
    /// The lock file is read, changed and written.
    recording: Mutex<()>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(store: &'a Store, apt_dir: PathBuf) -> Result<Self> {
        Ok(Self {
            store,
            apt: Apt::new(apt_dir, store.mirror())?,
            updated: OnceLock::new(),
            updating: Mutex::new(()),
            recording: Mutex::new(()),
        })
    }

    /// Builds recipes and programs that are not there yet. The caller holds the store's lock.
    pub(crate) fn build(
        &self,
        names: &[&str],
        parts: &[&Part],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let jobs = self.plan(names, parts)?;
        progress(Progress::Planned { items: jobs.iter().map(|job| job.item.clone()).collect() });
        if jobs.is_empty() {
            return Ok(());
        }
        if jobs.iter().any(|job| matches!(job.what, What::Recipe(_))) {
            preflight()?;
        }
        let board =
            Mutex::new(Board { taken: vec![false; jobs.len()], done: vec![false; jobs.len()], failed: None });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            for lane in 0..=IMAGE_LANES {
                let sender = sender.clone();
                let (jobs, board, changed) = (&jobs, &board, &changed);
                scope.spawn(move || self.work(jobs, lane == 0, board, changed, &sender));
            }
            drop(sender);
            for message in receiver {
                progress(message);
            }
        });
        let board = board.into_inner().map_err(|_| Error::Worker)?;
        match board.failed {
            Some(error) => Err(error),
            None if board.done.iter().all(|done| *done) => self.store.prune(),
            None => Err(Error::Worker),
        }
    }

    /// Jobs in an order in which each comes after what it needs.
    fn plan(&self, names: &[&str], parts: &[&Part]) -> Result<Vec<Job>> {
        let mut jobs: Vec<Job> = Vec::new();
        let position = |jobs: &[Job], item: &str| jobs.iter().position(|job| job.item == item);
        let recipes = self.store.recipes().closure(names)?;
        let wanted: Vec<&Recipe> = recipes.into_iter().filter(|r| !self.is_there(r)).collect();
        let of_recipes =
            wanted.iter().flat_map(|r| &r.binaries).filter_map(|b| self.store.parts().get(&b.name));
        for part in parts.iter().copied().chain(of_recipes) {
            let item = format!("program {}", part.name);
            if position(&jobs, &item).is_none() && !self.store.parts().path(part)?.exists() {
                jobs.push(Job { item, what: What::Part(part.clone()), needs: Vec::new() });
            }
        }
        for recipe in wanted {
            let before = recipe.binaries.iter().map(|b| format!("program {}", b.name));
            let parent = self.store.recipes().get(&recipe.from).map(item_of).unwrap_or_default();
            let needs = before.chain([parent]).filter_map(|item| position(&jobs, &item)).collect();
            // A key that cannot be told now (an agent that is not built) is better told before an hour's work.
            self.store.key(&recipe.name)?;
            jobs.push(Job { item: item_of(recipe), what: What::Recipe(Box::new(recipe.clone())), needs });
        }
        Ok(jobs)
    }

    fn is_there(&self, recipe: &Recipe) -> bool {
        match recipe.kind {
            Kind::Image => self.store.built(&recipe.name).is_ok_and(|built| built.is_some()),
            Kind::Layer => self.store.kept_layer(&recipe.name).is_ok_and(|kept| kept.is_some()),
            Kind::Tree => self.store.tree(&recipe.name).is_some(),
            Kind::Guest => self.store.guest(&recipe.name).is_some(),
        }
    }

    fn work(
        &self,
        jobs: &[Job],
        programs: bool,
        board: &Mutex<Board>,
        changed: &Condvar,
        sender: &Sender<Progress>,
    ) {
        let Ok(mut state) = board.lock() else { return };
        loop {
            if state.failed.is_some() {
                return;
            }
            let mine = |i: &usize| matches!(jobs[*i].what, What::Part(_)) == programs && !state.taken[*i];
            let ready = |i: &usize| jobs[*i].needs.iter().all(|need| state.done[*need]);
            let waiting: Vec<usize> = (0..jobs.len()).filter(mine).collect();
            if waiting.is_empty() {
                return;
            }
            let Some(next) = waiting.into_iter().find(ready) else {
                match changed.wait(state) {
                    Ok(next) => state = next,
                    Err(_) => return,
                }
                continue;
            };
            state.taken[next] = true;
            drop(state);
            let result = self.one(&jobs[next], sender);
            match board.lock() {
                Ok(next) => state = next,
                Err(_) => return,
            }
            match result {
                Ok(()) => state.done[next] = true,
                Err(error) => {
                    let _ = sender.send(Progress::Failed { item: jobs[next].item.clone() });
                    state.failed.get_or_insert(error);
                }
            }
            changed.notify_all();
        }
    }

    fn one(&self, job: &Job, sender: &Sender<Progress>) -> Result<()> {
        let item = job.item.clone();
        let begin = Instant::now();
        let _ = sender.send(Progress::Started { item: item.clone() });
        let log = self.store.log(&item)?;
        std::fs::write(&log, "").on("write", &log)?;
        // Senders are not shared between threads, lines come from one at a time.
        let tell = Mutex::new(sender.clone());
        let stage = |stage: &'static str, detail: &str| {
            if let Ok(sender) = tell.lock() {
                let _ = sender.send(Progress::Stage { item: item.clone(), stage, detail: detail.to_owned() });
            }
        };
        let bytes = match &job.what {
            What::Part(part) => {
                let path = self.store.parts().build(part, &log, &mut |line| stage("compile", line))?;
                std::fs::metadata(&path).on("look at", &path)?.len()
            }
            What::Recipe(recipe) => self.recipe(recipe, &log, &stage)?,
        };
        let _ = sender.send(Progress::Finished { item, took: begin.elapsed(), bytes });
        Ok(())
    }

    fn update_lists(&self, log: &std::path::Path) -> Result<()> {
        let _turn = self.updating.lock();
        if self.updated.get().is_none() {
            self.apt.update(log)?;
            let _ = self.updated.set(());
        }
        Ok(())
    }

    fn recipe(
        &self,
        recipe: &Recipe,
        log: &std::path::Path,
        stage: &(dyn Fn(&'static str, &str) + Sync),
    ) -> Result<u64> {
        let store = self.store;
        let key = store.key(&recipe.name)?;
        let mut layers: Vec<(String, LayerBlob)> = Vec::new();
        let mut parents = Vec::new();
        for parent in store.recipes().parents(&recipe.name)? {
            let (tree, kept) = store.kept_layer(&parent.name)?.ok_or(Error::Worker)?;
            parents.push(tree);
            layers.push((parent.name.clone(), kept.blob));
        }
        let mut binaries = BTreeMap::new();
        for program in &recipe.binaries {
            binaries.insert(program.name.clone(), store.binary_path(&recipe.name, &program.name)?);
        }
        if !parents.is_empty() && !recipe.packages.is_empty() {
            self.update_lists(log)?;
        }

        let work = TempDir::beside(&store.layers().join(&key))?;
        let whole = match recipe.kind {
            Kind::Tree => Some(TempDir::beside(&store.trees().join(&key))?),
            Kind::Image | Kind::Layer | Kind::Guest => None,
        };
        let assembly = Assembly {
            recipe,
            parents: &parents,
            binaries,
            apt: &self.apt,
            work: work.path(),
            log,
            whole: whole.as_ref().map(TempDir::path),
        };
        let packages = assembly.run(stage)?;
        if let Some(whole) = whole {
            whole.keep()?;
            return Ok(0);
        }

        stage("pack", "");
        if recipe.kind == Kind::Guest {
            let made = TempDir::beside(&store.guests().join(&key))?;
            let size = guest::make(recipe, &work.path().join("tree"), packages, made.path())?;
            made.keep()?;
            return Ok(size);
        }
        let blob = layer::pack(&work.path().join("tree"), &parents, &store.blobs())?;
        let size = blob.size;
        if recipe.kind == Kind::Layer {
            for scratch in ["overlay", "merged", "apt"] {
                let _ = std::fs::remove_dir_all(work.path().join(scratch));
            }
            let kept = KeptLayer { recipe: recipe.name.clone(), blob, packages };
            files::write_json(&work.path().join("layer.json"), &kept)?;
            work.keep()?;
            return Ok(size);
        }
        layers.push((recipe.name.clone(), blob));
        self.image(recipe, key, &layers, packages)
    }

    fn image(
        &self,
        recipe: &Recipe,
        key: String,
        layers: &[(String, LayerBlob)],
        packages: BTreeMap<String, String>,
    ) -> Result<u64> {
        let store = self.store;
        let config = store.write_blob(&oci::config(recipe, layers))?;
        let manifest = oci::manifest(config.hex(), config.size, layers);
        let bytes = serde_json::to_vec(&manifest)
            .map_err(std::io::Error::from)
            .on("write the manifest into", &store.blobs())?;
        let manifest = store.write_blob(&bytes)?;
        let size = layers.iter().map(|(_, l)| l.size).sum::<u64>() + config.size + manifest.size;
        let _turn = self.recording.lock();
        store.record(
            &recipe.name,
            Locked {
                tag: recipe.tag.clone(),
                key,
                digest: manifest.digest.clone(),
                manifest_size: manifest.size,
                size,
                unpacked: layers.iter().map(|(_, l)| l.unpacked).sum(),
                packages,
            },
        )?;
        Ok(size)
    }
}

fn item_of(recipe: &Recipe) -> String {
    let kind = match recipe.kind {
        Kind::Image => "image",
        Kind::Layer => "layer",
        Kind::Tree => "tree",
        Kind::Guest => "files of",
    };
    format!("{kind} {}", recipe.name)
}

fn preflight() -> Result<()> {
    let missing = requirements();
    if !missing.is_empty() {
        let mut packages: Vec<_> = missing.iter().map(|m| m.debian_package.to_owned()).collect();
        packages.dedup();
        return Err(Error::HostPackages { missing: packages });
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    Ok(())
}

//! `helm dependency build|update|list`: fills a chart's `charts/` with what its `Chart.yaml` asks for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;

use super::download::write;
use super::registry::is_oci;
use super::{Downloader, Lock, Repository, RepositoryError, Result, Say};
use crate::chart::{Chart, Dependency};
use crate::semver::{Constraints, Version};

/// Works on the dependencies of the chart in a folder.
#[derive(Debug)]
pub struct Manager<'a> {
    pub chart: PathBuf,
    pub downloader: &'a Downloader,
    /// Indices that are there already are taken as they are.
    pub skip_refresh: bool,
    /// The time, as `Chart.lock` notes it, and in seconds since 1970.
    pub now: (String, u64),
}

impl Manager<'_> {
    /// Brings what `Chart.lock` names; without one, as [`Manager::update`].
    pub async fn build(&self, say: &mut Say<'_>) -> Result<()> {
        let chart = self.load()?;
        let Some(lock) = &chart.lock else { return self.update(say).await };
        let lock = Lock::read(lock).map_err(|why| RepositoryError::told(format!("Chart.lock: {why}")))?;
        let asked = self.with_addresses(&chart.metadata.dependencies)?;
        if !lock.fits(&asked) && !lock.fits(&chart.metadata.dependencies) {
            return Err(RepositoryError::told(
                "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update \
                 the dependencies with 'helm dependency update'",
            ));
        }
        if !self.skip_refresh {
            self.refresh(&lock.dependencies, say).await?;
        }
        self.bring_all(&lock.dependencies, say).await.map(drop)
    }

    /// Finds the newest versions that `Chart.yaml` allows, brings them, and writes `Chart.lock`.
    pub async fn update(&self, say: &mut Say<'_>) -> Result<()> {
        let chart = self.load()?;
        if chart.metadata.dependencies.is_empty() {
            return Ok(());
        }
        let asked = self.with_addresses(&chart.metadata.dependencies)?;
        if !self.skip_refresh {
            self.refresh(&asked, say).await?;
        }
        let resolved = self.resolve(&asked).await?;
        let brought = self.bring_all(&resolved, say).await?;
        let lock = Lock::new(&asked, brought, self.now.0.clone());
        let old = chart.lock.as_ref().and_then(|old| Lock::read(old).ok());
        if old.is_some_and(|old| old.digest == lock.digest) {
            return Ok(());
        }
        let v1 = chart.metadata.api_version == "v1";
        let path = self.chart.join(if v1 { "requirements.lock" } else { "Chart.lock" });
        if path.is_symlink() {
            return Err(RepositoryError::told(format!(
                "{} is a symlink; nothing was written",
                path.display()
            )));
        }
        write(&path, lock.to_yaml().as_bytes())
    }

    fn load(&self) -> Result<Chart> {
        if self.chart.is_file() {
            return Err(RepositoryError::told("only unpacked charts can be updated"));
        }
        Ok(Chart::load_alone(&self.chart)?)
    }

    /// Names of repositories (`@name`) become their addresses.
    fn with_addresses(&self, asked: &[Dependency]) -> Result<Vec<Dependency>> {
        let known = self.downloader.repositories()?;
        let mut missing = Vec::new();
        let mut all = asked.to_vec();
        for dependency in &mut all {
            let address = &dependency.repository;
            if address.is_empty() || is_oci(address) {
                continue;
            }
            if address.starts_with("file://") {
                self.local(address)?;
            } else if let Some(repository) = known.find(address) {
                // An address stays as the chart writes it.
                if address.starts_with('@') || address.starts_with("alias:") {
                    dependency.repository.clone_from(&repository.url);
                }
            } else if !address.contains("://") {
                missing.push(address.clone());
            }
        }
        if missing.is_empty() {
            return Ok(all);
        }
        Err(RepositoryError::told(format!(
            "no repository definition for {}. Please add them via 'helm repo add'\nNote that repositories must be \
             URLs or aliases: \"https://charts.example.com/\" or \"@example\"",
            missing.join(", ")
        )))
    }

    fn local(&self, address: &str) -> Result<PathBuf> {
        let relative = address.trim_start_matches("file://");
        let path =
            if relative.starts_with('/') { PathBuf::from(relative) } else { self.chart.join(relative) };
        if path.is_dir() {
            return Ok(path);
        }
        Err(RepositoryError::told(format!("directory {} not found", path.display())))
    }

    /// Fetches the indices of all repositories that are asked, side by side.
    async fn refresh(&self, asked: &[Dependency], say: &mut Say<'_>) -> Result<()> {
        let mut addresses = BTreeSet::new();
        for dependency in asked {
            let address = dependency.repository.trim_end_matches('/');
            if !address.is_empty() && !is_oci(address) && !address.starts_with("file://") {
                addresses.insert(address.to_owned());
            }
        }
        let repositories: Vec<Repository> =
            addresses.iter().map(|address| self.downloader.of_address(address)).collect::<Result<_>>()?;
        if repositories.is_empty() {
            return Ok(());
        }
        say("Hang tight while we grab the latest from your chart repositories...");
        let fetched = join_all(repositories.iter().map(|repository| async {
            let path = self.downloader.index_path(repository);
            self.downloader.fetch_index(repository, Some(&path)).await
        }))
        .await;
        for (repository, outcome) in repositories.iter().zip(fetched) {
            let name = if repository.name.is_empty() { &repository.url } else { &repository.name };
            match outcome {
                Ok(_) => say(&format!("...Successfully got an update from the {name:?} chart repository")),
                Err(error) => {
                    say(&format!(
                        "...Unable to get an update from the {name:?} chart repository:\n\t{error}"
                    ));
                }
            }
        }
        say("Update Complete. ⎈Happy Helming!⎈");
        Ok(())
    }

    async fn resolve(&self, asked: &[Dependency]) -> Result<Vec<Dependency>> {
        let (mut resolved, mut missing) = (Vec::new(), Vec::new());
        for dependency in asked {
            let (name, wanted, address) = (&dependency.name, &dependency.version, &dependency.repository);
            Constraints::parse(wanted).map_err(|error| {
                RepositoryError::told(format!(
                    "dependency {name:?} has an invalid version/constraint format: {error}"
                ))
            })?;
            let found = if address.is_empty() {
                let folder = self.chart.join("charts").join(name);
                if !folder.is_dir() {
                    return Err(RepositoryError::told(format!("directory {} not found", folder.display())));
                }
                Ok(wanted.clone())
            } else if address.starts_with("file://") {
                let found = Chart::load_alone(self.local(address)?)?.metadata.version;
                if fits(wanted, &found) { Ok(found) } else { Err(()) }
            } else {
                let repository = self.downloader.of_address(address)?;
                match self.downloader.version(&repository, name, wanted).await {
                    Ok(version) => Ok(version),
                    // The index is there, but no version of it fits.
                    Err(RepositoryError::Told(why)) if why.starts_with("no chart version found") => Err(()),
                    Err(error) => return Err(error),
                }
            };
            match found {
                Ok(version) => resolved.push(Dependency {
                    name: name.clone(),
                    repository: address.clone(),
                    version,
                    ..Dependency::default()
                }),
                Err(()) => missing.push(format!("{name:?} (repository {address:?}, version {wanted:?})")),
            }
        }
        if missing.is_empty() {
            return Ok(resolved);
        }
        Err(RepositoryError::told(format!(
            "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or \
             change the version constraint in Chart.yaml",
            missing.len(),
            missing.join(", ")
        )))
    }

    /// Brings all, and only then changes `charts/`. Gives the dependencies with the versions that were brought.
    async fn bring_all(&self, wanted: &[Dependency], say: &mut Say<'_>) -> Result<Vec<Dependency>> {
        let folder = self.chart.join("charts");
        say(&format!("Saving {} charts", wanted.len()));
        let mut brought: Vec<(String, Vec<u8>)> = Vec::new();
        let mut done = wanted.to_vec();
        for dependency in &mut done {
            let (name, address) = (&dependency.name, &dependency.repository);
            if address.is_empty() {
                say(&format!(
                    "Dependency {name} did not declare a repository. Assuming it exists in the charts directory"
                ));
                let found = Chart::load_alone(folder.join(name))?.metadata.version;
                if !fits(&dependency.version, &found) {
                    return Err(RepositoryError::told(format!(
                        "dependency {name} at version {found} does not satisfy the constraint {}",
                        dependency.version
                    )));
                }
                continue;
            }
            if address.starts_with("file://") {
                let chart = Chart::load_alone(self.local(address)?)?;
                if !fits(&dependency.version, &chart.metadata.version) {
                    return Err(RepositoryError::told(format!(
                        "can't get a valid version for dependency {name}"
                    )));
                }
                brought.push((chart.package_name(), chart.pack(self.now.1)?));
                dependency.version.clone_from(&chart.metadata.version);
                continue;
            }
            let repository = self.downloader.of_address(address)?;
            say(&format!("Downloading {name} from repo {address}"));
            let chart = self.downloader.bring_version(&repository, name, &dependency.version).await.map_err(
                |error| match error {
                    RepositoryError::Provenance { .. } => error,
                    error => RepositoryError::told(format!("could not download {name}: {error}")),
                },
            )?;
            if let Some(why) = &chart.unsigned {
                say(&format!("WARNING: Verification not found for {}: {why}", chart.file));
            }
            // Nothing is moved into the chart that is no chart itself.
            Chart::load_package(&chart.chart, &chart.file)?;
            brought.push((chart.file, chart.chart));
        }
        std::fs::create_dir_all(&folder).map_err(RepositoryError::io(&folder))?;
        for (file, bytes) in &brought {
            write(&folder.join(file), bytes)?;
        }
        say("Deleting outdated charts");
        Self::delete_outdated(&folder, wanted, &brought)?;
        Ok(done)
    }

    /// Packed charts in `charts/` that were not brought, but those that live there.
    fn delete_outdated(folder: &Path, wanted: &[Dependency], brought: &[(String, Vec<u8>)]) -> Result<()> {
        for entry in std::fs::read_dir(folder).map_err(RepositoryError::io(folder))?.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() || brought.iter().any(|(file, _)| *file == name) {
                continue;
            }
            let Ok(chart) = Chart::load(&path) else { continue };
            if !wanted.iter().any(|one| one.repository.is_empty() && one.name == chart.name()) {
                std::fs::remove_file(&path).map_err(RepositoryError::io(&path))?;
            }
        }
        Ok(())
    }
}

fn fits(wanted: &str, version: &str) -> bool {
    let (wanted, version) = (Constraints::parse(wanted), Version::parse(version));
    matches!((wanted, version), (Ok(wanted), Ok(version)) if wanted.check(&version))
}

/// What `helm dependency list` prints: each dependency with its state, then what is there unasked.
///
/// # Errors
/// Where there is no chart.
pub fn list(chart: &Path, widest: usize) -> Result<String> {
    let loaded = Chart::load_alone(chart)?;
    let wanted = &loaded.metadata.dependencies;
    if wanted.is_empty() {
        return Ok(format!("WARNING: no dependencies at {}\n", chart.join("charts").display()));
    }
    let mut rows = vec![["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned)];
    for one in wanted {
        let state = state(chart, one, &loaded);
        rows.push([one.name.clone(), one.version.clone(), one.repository.clone(), state.to_owned()]);
    }
    let mut text = table(&rows, widest);
    text.push('\n');
    for path in sorted(&chart.join("charts")) {
        if !path.is_dir() && path.extension().is_none_or(|kind| kind != "tgz") {
            continue;
        }
        let shown = path.display().to_string();
        match Chart::load_alone(&path) {
            Err(_) => text.push_str(&format!("WARNING: {shown:?} is not a chart.\n")),
            Ok(found) if !wanted.iter().any(|one| one.name == found.name()) => {
                text.push_str(&format!("WARNING: {shown:?} is not in Chart.yaml.\n"));
            }
            Ok(_) => {}
        }
    }
    Ok(text)
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn state(folder: &Path, wanted: &Dependency, parent: &Chart) -> &'static str {
    let prefix = format!("{}-", wanted.name);
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut archives: Vec<PathBuf> = sorted(&folder.join("charts"))
        .into_iter()
        .filter(|path| name(path).starts_with(&prefix) && path.extension().is_some_and(|e| e == "tgz"))
        .collect();
    if archives.len() > 1 {
        // `web-api-1.0.0.tgz` is none of `web`.
        archives.retain(|path| {
            let version = name(path);
            let version = version.trim_start_matches(&prefix).trim_end_matches(".tgz");
            version.split('.').count() >= 3 && Version::parse(version).is_ok()
        });
        if archives.len() > 1 {
            return "too many matches";
        }
    }
    let judge = |found: &str, good: &'static str| {
        if found == wanted.version {
            return good;
        }
        match (Constraints::parse(&wanted.version), Version::parse(found)) {
            (Ok(range), Ok(version)) if range.check(&version) => good,
            (Ok(_), Ok(_)) => "wrong version",
            _ => "invalid version",
        }
    };
    if let Some(archive) = archives.first() {
        return match Chart::load_alone(archive) {
            Err(_) => "corrupt",
            Ok(chart) if chart.name() != wanted.name => "misnamed",
            Ok(chart) => judge(&chart.metadata.version, "ok"),
        };
    }
    match parent.dependencies.iter().rev().find(|have| have.name() == wanted.name) {
        None => "missing",
        Some(chart) => judge(&chart.metadata.version, "unpacked"),
    }
}

/// Columns as Helm lays them out: padded to the widest cell, with a tab between.
fn table(rows: &[[String; 4]], widest: usize) -> String {
    let cut = |text: &str| -> String {
        if text.chars().count() <= widest {
            return text.to_owned();
        }
        text.chars().take(widest.saturating_sub(3)).chain("...".chars()).collect()
    };
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| cut(text)).collect()).collect();
    let width = |at: usize| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        padded.join("\t") + "\n"
    };
    cells.iter().map(line).collect()
}

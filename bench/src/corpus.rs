//! Folders of public charts, made ready for rendering: a copy with links to the same files, whose dependencies are put
//! into `charts/` where they lie in the same folders, and the values that come along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use landfall_helm::{semver, yaml};
use serde_json::Value;
use walkdir::WalkDir;

use crate::Result;

/// A chart as it lies in a corpus.
pub struct Found {
    /// Path below its corpus, for tables.
    pub name: String,
    pub corpus: usize,
    path: PathBuf,
    chart: String,
    version: String,
    library: bool,
    dependencies: Vec<Value>,
}

/// Charts of all corpora.
pub struct Corpora {
    pub roots: Vec<PathBuf>,
    pub charts: Vec<Found>,
    by_name: BTreeMap<String, Vec<usize>>,
    work: tempfile::TempDir,
}

/// A chart that can be rendered.
pub struct Ready {
    pub path: PathBuf,
    /// Dependencies that are nowhere.
    pub missing: Vec<String>,
}

impl Corpora {
    /// Finds the charts below these folders, but not those within other charts.
    pub fn find(roots: &[PathBuf]) -> Result<Self> {
        let mut charts = Vec::new();
        for (corpus, root) in roots.iter().enumerate() {
            let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
            while let Some(entry) = walk.next() {
                let entry = entry.map_err(|error| error.to_string())?;
                if entry.file_type().is_dir() && entry.path().join("Chart.yaml").is_file() {
                    charts.extend(Found::read(corpus, root, entry.path()));
                    walk.skip_current_dir();
                }
            }
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, found) in charts.iter().enumerate() {
            by_name.entry(found.chart.clone()).or_default().push(at);
        }
        let work = tempfile::Builder::new()
            .prefix("charts-")
            .tempdir_in(roots.first().and_then(|root| root.parent()).unwrap_or(Path::new(".")))
            .or_else(|_| tempfile::tempdir())
            .map_err(|error| error.to_string())?;
        Ok(Self { roots: roots.to_vec(), charts, by_name, work })
    }

    /// Charts that are rendered: library charts only lend their partials.
    pub fn rendered(&self) -> impl Iterator<Item = usize> {
        (0..self.charts.len()).filter(|at| !self.charts[*at].library)
    }

    /// A copy of a chart with its dependencies.
    pub fn prepare(&self, at: usize) -> Result<Ready> {
        let path = self.work.path().join(at.to_string()).join(&self.charts[at].chart);
        let mut missing = Vec::new();
        self.copy(at, &path, &mut vec![at], &mut missing)?;
        Ok(Ready { path, missing })
    }

    fn copy(&self, at: usize, into: &Path, within: &mut Vec<usize>, missing: &mut Vec<String>) -> Result<()> {
        let found = &self.charts[at];
        link_tree(&found.path, into)?;
        let there: BTreeSet<String> = std::fs::read_dir(into.join("charts"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        for dependency in &found.dependencies {
            let text = |key: &str| dependency[key].as_str().unwrap_or_default();
            let name = text("name");
            let packed = format!("{name}-");
            if there.iter().any(|have| have == name || have.starts_with(&packed)) {
                continue;
            }
            match self.dependency(found, name, text("version"), text("repository")) {
                Some(other) if !within.contains(&other) => {
                    within.push(other);
                    self.copy(other, &into.join("charts").join(name), within, missing)?;
                    within.pop();
                }
                _ => missing.push(format!("{name} {}", text("version"))),
            }
        }
        Ok(())
    }

    /// By its path, else the newest that fits: of the same corpus first.
    fn dependency(&self, of: &Found, name: &str, version: &str, repository: &str) -> Option<usize> {
        if let Some(relative) = repository.strip_prefix("file://") {
            let path = of.path.join(relative).canonicalize().ok()?;
            return self.charts.iter().position(|found| found.path == path);
        }
        let mut fitting: Vec<usize> = self.by_name.get(name)?.clone();
        fitting.retain(|at| semver::is_compatible(version, &self.charts[*at].version));
        fitting.into_iter().min_by_key(|at| self.charts[*at].corpus != of.corpus)
    }

    /// Lists of values files to render a chart with: none, each that comes along, and OpenStack-Helm's overrides all
    /// together in both orders.
    pub fn variants(&self, at: usize) -> Vec<Vec<PathBuf>> {
        let found = &self.charts[at];
        let mut variants = vec![Vec::new()];
        let in_ci = files(&found.path.join("ci"), &|name| name.ends_with("values.yaml"));
        let beside =
            files(&found.path, &|name| name.starts_with("values-") || name.ends_with("-values.yaml"));
        variants.extend(in_ci.into_iter().chain(beside).map(|file| vec![file]));
        let central = self.roots[found.corpus].join("values_overrides").join(&found.chart);
        let mut overrides = files(&found.path.join("values_overrides"), &|_| true);
        overrides.extend(files(&central, &|_| true));
        variants.extend(overrides.iter().map(|file| vec![file.clone()]));
        // One that is no YAML before a script has filled it in would hide all others.
        overrides.retain(|file| std::fs::read_to_string(file).is_ok_and(|text| yaml::parse(&text).is_ok()));
        if overrides.len() > 1 {
            variants.push(overrides.clone());
            overrides.reverse();
            variants.push(overrides);
        }
        variants
    }
}

impl Found {
    fn read(corpus: usize, root: &Path, path: &Path) -> Option<Self> {
        let read = |name: &str| -> Option<Value> {
            yaml::parse(&std::fs::read_to_string(path.join(name)).ok()?).ok()
        };
        let chart = read("Chart.yaml")?;
        let mut dependencies = chart["dependencies"].as_array().cloned().unwrap_or_default();
        if let Some(Value::Array(more)) =
            read("requirements.yaml").map(|mut file| file["dependencies"].take())
        {
            dependencies.extend(more);
        }
        let name = path.strip_prefix(root).ok()?.display().to_string();
        Some(Self {
            name,
            corpus,
            path: path.canonicalize().ok()?,
            chart: chart["name"].as_str()?.to_owned(),
            version: chart["version"].as_str().unwrap_or_default().to_owned(),
            library: chart["type"] == "library",
            dependencies,
        })
    }
}

fn files(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml") && path.is_file())
        .filter(|path| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy())))
        .collect();
    files.sort();
    files
}

/// Folders are made anew, files are linked where the file system can; links within a chart become what they lead to.
fn link_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from).follow_links(true) {
        // A link that leads nowhere is both engines' to complain of.
        let Ok(entry) = entry else { continue };
        let target = to.join(entry.path().strip_prefix(from).map_err(|error| error.to_string())?);
        let done = if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)
        } else {
            let source = entry.path().canonicalize().unwrap_or_else(|_| entry.path().to_owned());
            std::fs::hard_link(&source, &target).or_else(|_| std::fs::copy(&source, &target).map(drop))
        };
        done.map_err(|error| format!("{}: {error}", target.display()))?;
    }
    Ok(())
}

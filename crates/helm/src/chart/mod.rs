//! Charts as they are on disk or embedded: metadata, default values, templates, files and subcharts.
//! What values make of a chart (disabled subcharts, imported values) is in `values`.

mod contents;
mod embedded;
mod folder;
mod ignore;
mod load;
mod metadata;
mod package;
mod save;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use metadata::{Dependency, Maintainer, Metadata};

use crate::HelmError;

/// A file of a chart, named by its path in the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub data: Arc<[u8]>,
}

impl File {
    /// The content as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        // Much quicker than the replacing itself, which goes byte by byte.
        std::str::from_utf8(&self.data).map_or_else(|_| String::from_utf8_lossy(&self.data), Cow::Borrowed)
    }
}

/// A chart with its subcharts. Cheap to clone: file contents are shared.
#[derive(Debug, Clone)]
pub struct Chart {
    pub metadata: Metadata,
    /// `Chart.lock` or `requirements.lock`.
    pub lock: Option<Value>,
    /// `values.yaml`, numbers as floats.
    pub values: Arc<Map<String, Value>>,
    /// `values.yaml` as it was written.
    pub values_text: Option<Arc<[u8]>>,
    /// `values.schema.json`.
    pub schema: Option<Arc<[u8]>>,
    pub templates: Vec<File>,
    /// What is neither template nor one of the files with a meaning: `.Files`, `crds/`.
    pub files: Vec<File>,
    pub dependencies: Vec<Chart>,
}

/// A file of `crds/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crd {
    /// Path as Helm names it: `chart/crds/x.yaml`.
    pub source: String,
    pub data: Arc<[u8]>,
}

impl Chart {
    /// A chart from a folder or a packed `.tgz`. `file://` dependencies that `charts/` lacks are read
    /// from where they are.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, HelmError> {
        let path = path.as_ref();
        let kind =
            std::fs::metadata(path).map_err(|source| HelmError::Io { path: path.to_owned(), source })?;
        if kind.is_dir() {
            load::load_tree(&folder::Folder::new(path))
        } else {
            let bytes =
                std::fs::read(path).map_err(|source| HelmError::Io { path: path.to_owned(), source })?;
            Self::load_package(&bytes, &path.display().to_string())
        }
    }

    /// A chart with no more than its own folder or archive holds: what it asks for may be missing.
    pub fn load_alone(path: impl AsRef<Path>) -> Result<Self, HelmError> {
        let path = path.as_ref();
        if path.is_dir() {
            let folder = folder::Folder::new(path);
            load::load_files(load::Tree::files(&folder)?, &load::Tree::label(&folder))
        } else {
            Self::load(path)
        }
    }

    /// A chart from the bytes of a `.tgz`; `name` is for messages.
    pub fn load_package(bytes: &[u8], name: &str) -> Result<Self, HelmError> {
        load::load_files(package::unpack(bytes, name)?, name)
    }

    /// Unpacks a `.tgz` into a folder of the chart's name below `into`; gives that name.
    pub fn unpack(bytes: &[u8], name: &str, into: &Path) -> Result<String, HelmError> {
        let files = package::unpack(bytes, name)?;
        let chart = load::load_files(files.clone(), name)?;
        let folder = into.join(chart.name());
        for file in files {
            let path = folder.join(&file.name);
            let failed = |source| HelmError::Io { path: path.clone(), source };
            std::fs::create_dir_all(path.parent().unwrap_or(into)).map_err(failed)?;
            std::fs::write(&path, &file.data).map_err(failed)?;
        }
        Ok(chart.name().to_owned())
    }

    /// The chart in folder `name` of an embedded folder of charts.
    pub fn load_embedded(charts: &include_dir::Dir<'_>, name: &str) -> Result<Self, HelmError> {
        load::load_tree(&embedded::Embedded::new(charts, name)?)
    }

    /// A chart from files that are at hand.
    pub fn from_files(files: Vec<File>) -> Result<Self, HelmError> {
        load::load_files(files, "chart")
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Library charts only lend their partials.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// What the chart asks for and does not hold.
    pub fn missing_dependencies(&self) -> Vec<&str> {
        let wanted = self.metadata.dependencies.iter().map(|wanted| wanted.name.as_str());
        wanted.filter(|name| !self.dependencies.iter().any(|have| have.name() == *name)).collect()
    }

    /// The custom resource definitions of the chart and its subcharts.
    pub fn crds(&self) -> Vec<&File> {
        self.own_crds().chain(self.dependencies.iter().flat_map(Chart::crds)).collect()
    }

    /// The chart's own custom resource definitions; [`crate::Rendered::crds`] has those of subcharts too.
    pub(crate) fn own_crds(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            let extension = Path::new(&file.name).extension().and_then(|e| e.to_str()).unwrap_or("");
            file.name.starts_with("crds/")
                && ["yaml", "yml", "json"].iter().any(|e| extension.eq_ignore_ascii_case(e))
        })
    }
}

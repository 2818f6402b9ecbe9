//! Charts in folders of the file system.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::File;
use super::contents::shared;
use super::ignore::Rules;
use super::load::Tree;
use crate::HelmError;

/// The most that all files of a chart may hold together, as in Helm.
const MAX_CHART: u64 = 100 * 1024 * 1024;

/// A folder with a `Chart.yaml`.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Tree for Folder {
    fn label(&self) -> String {
        self.path.display().to_string()
    }

    fn files(&self) -> Result<Vec<File>, HelmError> {
        let ignore = self.path.join(".helmignore");
        let rules = match std::fs::read_to_string(&ignore) {
            Ok(text) => Rules::parse(&text)
                .map_err(|message| HelmError::chart(self.label(), format!(".helmignore: {message}")))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Rules::default(),
            Err(source) => return Err(HelmError::Io { path: ignore, source }),
        };
        let mut walk = Walk { rules: rules.with_defaults(), files: Vec::new(), budget: MAX_CHART };
        walk.folder(&self.path, "", 0)?;
        Ok(walk.files)
    }

    fn beside(&self, relative: &str) -> Option<Box<dyn Tree>> {
        let path = if Path::new(relative).is_absolute() {
            PathBuf::from(relative)
        } else {
            self.path.join(relative)
        };
        path.is_dir().then(|| Box::new(Folder { path }) as Box<dyn Tree>)
    }
}

struct Walk {
    rules: Rules,
    files: Vec<File>,
    budget: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), HelmError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| HelmError::Io { path, source }
        };
        if depth > 64 {
            return Err(HelmError::chart(folder.display().to_string(), "folders are nested too deeply"));
        }
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io(folder))? {
            let entry = entry.map_err(io(folder))?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push((name, entry));
            }
        }
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (name, entry) in entries {
            let path = entry.path();
            let inner = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let mut kind = entry.file_type().map_err(io(&path))?;
            if kind.is_symlink() {
                // Links are followed, as Helm does.
                kind = std::fs::metadata(&path).map_err(io(&path))?.file_type();
            }
            if self.rules.ignores(&inner, kind.is_dir()) {
                continue;
            }
            if kind.is_dir() {
                self.folder(&path, &inner, depth + 1)?;
                continue;
            }
            if !kind.is_file() {
                return Err(HelmError::chart(
                    path.display().to_string(),
                    "cannot load an irregular file (a device, socket or pipe)",
                ));
            }
            let read = self.read(&path)?;
            let content = read.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&read);
            self.files.push(File { name: inner, data: shared(content) });
        }
        Ok(())
    }

    /// A file's bytes with few calls to the system, since charts have hundreds of small files: its length is only where
    /// reading begins with room, as some file systems do not tell it.
    fn read(&mut self, path: &Path) -> Result<Vec<u8>, HelmError> {
        let io = |source| HelmError::Io { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len().min(self.budget);
        let mut data = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(self.budget + 1).read_to_end(&mut data).map_err(io)?;
        let Some(left) = self.budget.checked_sub(data.len() as u64) else {
            return Err(HelmError::chart_hint(
                path.display().to_string(),
                format!("the chart is larger than {} MiB", MAX_CHART >> 20),
                "leave files that it does not need out by .helmignore",
            ));
        };
        self.budget = left;
        Ok(data)
    }
}

//! Charts in folders of the file system.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, open, openat, statat};

use super::File;
use super::contents::{Identity, shared};
use super::ignore::Rules;
use super::load::Tree;
use crate::HelmError;

/// The most that all files of a chart may hold together, as in Helm.
const MAX_CHART: u64 = 100 * 1024 * 1024;

/// Files are seldom larger, in bytes.
const LARGE: usize = 64 * 1024;

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
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut walk = Walk {
            rules: rules.with_defaults(),
            files: Vec::new(),
            budget: MAX_CHART,
            content: Vec::new(),
            now: now.cast_signed(),
        };
        let folder = open(&self.path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        walk.folder(folder.map_err(|error| io(&self.path, error))?, &self.path, "", 0)?;
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
    /// Of the file read last.
    content: Vec<u8>,
    /// When it began, in seconds since 1970.
    now: i64,
}

impl Walk {
    /// Files are opened from their folder: the system does not go the whole path for each.
    fn folder(&mut self, folder: OwnedFd, path: &Path, prefix: &str, depth: usize) -> Result<(), HelmError> {
        if depth > 64 {
            return Err(HelmError::chart(path.display().to_string(), "folders are nested too deeply"));
        }
        let mut entries = Vec::new();
        let mut folder = Dir::new(folder).map_err(|error| io(path, error))?;
        while let Some(entry) = folder.read() {
            let entry = entry.map_err(|error| io(path, error))?;
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => entries.push((name.to_owned(), entry.file_type())),
            }
        }
        let folder = folder.fd().map_err(|error| io(path, error))?;
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (name, mut kind) in entries {
            let inner = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let mut status = None;
            if !kind.is_dir() {
                // Links are followed, as Helm does.
                let found = statat(folder, &name, AtFlags::empty());
                let found = found.map_err(|error| io(&path.join(&name), error))?;
                kind = FileType::from_raw_mode(found.st_mode);
                status = Some(found);
            }
            if self.rules.ignores(&inner, kind.is_dir()) {
                continue;
            }
            let path = || path.join(&name);
            let open = || {
                let opened = openat(folder, &name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
                opened.map_err(|error| io(&path(), error))
            };
            if kind.is_dir() {
                self.folder(open()?, &path(), &inner, depth + 1)?;
                continue;
            }
            if !kind.is_file() {
                return Err(HelmError::chart(
                    path().display().to_string(),
                    "cannot load an irregular file (a device, socket or pipe)",
                ));
            }
            let identity = status.and_then(|status| Identity::of(&status, self.now));
            if let Some(data) = identity.as_ref().and_then(Identity::content) {
                self.spend(data.len(), path)?;
                self.files.push(File { name: inner, data });
                continue;
            }
            self.read(open()?.into(), path)?;
            let content = self.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.content);
            let data = shared(content);
            if let Some(identity) = identity.filter(|identity| identity.has_length(self.content.len())) {
                identity.keep(&data);
            }
            self.files.push(File { name: inner, data });
        }
        Ok(())
    }

    fn read(&mut self, file: std::fs::File, path: impl Fn() -> PathBuf) -> Result<(), HelmError> {
        self.content.clear();
        self.content.reserve(LARGE);
        file.take(self.budget + 1).read_to_end(&mut self.content).map_err(|error| io(&path(), error))?;
        self.spend(self.content.len(), path)
    }

    /// Counts what a file holds.
    fn spend(&mut self, bytes: usize, path: impl Fn() -> PathBuf) -> Result<(), HelmError> {
        let Some(left) = self.budget.checked_sub(bytes as u64) else {
            return Err(HelmError::chart_hint(
                path().display().to_string(),
                format!("the chart is larger than {} MiB", MAX_CHART >> 20),
                "leave files that it does not need out by .helmignore",
            ));
        };
        self.budget = left;
        Ok(())
    }
}

fn io(path: &Path, error: impl Into<std::io::Error>) -> HelmError {
    HelmError::Io { path: path.to_owned(), source: error.into() }
}

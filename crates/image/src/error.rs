//! What can go wrong, with what the user can do about it.

use std::path::{Path, PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },

    #[error("recipe {file}: {reason}")]
    Recipe { file: String, reason: String },

    #[error("there is no image called `{name}`{}", hint(nearest.as_ref()))]
    UnknownImage { name: String, nearest: Option<String> },

    #[error("building images needs root: run it as root or with sudo")]
    NotRoot,

    #[error("this machine's apt names no Debian archive: set LANDFALL_MIRROR to the URL of one")]
    NoMirror,

    #[error("the host lacks {}: `sudo apt-get install {}`", missing.join(", "), missing.join(" "))]
    HostPackages { missing: Vec<String> },

    #[error("`{program}` is not installed or not in PATH: {remedy}")]
    NoProgram { program: &'static str, remedy: &'static str },

    #[error(
        "go {found} is too old for {module}, which needs {needs} or newer: install it from https://go.dev/dl/"
    )]
    OldGo { found: String, needs: String, module: String },

    #[error("{what} failed ({status})\n{tail}\nfull output: {log}", log = log.display())]
    Command { what: String, status: String, tail: String, log: PathBuf },

    #[error("cannot mount {what} at {path}: {source}", path = path.display())]
    Mount { what: &'static str, path: PathBuf, source: std::io::Error },

    #[error("the image `{image}` needs {file}, which is not there: {remedy}")]
    NoBinary { image: String, file: String, remedy: String },

    #[error("not built yet: {}; `landfall images build` makes them", missing.join(", "))]
    NotBuilt { missing: Vec<String> },

    #[error("another build holds {path}: wait until it is done", path = path.display())]
    Busy { path: PathBuf },

    #[error("{path} is damaged: {reason}; remove it and build again", path = path.display())]
    Damaged { path: PathBuf, reason: String },

    #[error("the tree of `{image}` holds a secret at {path}: add it to `remove` in the recipe")]
    Secret { image: String, path: String },

    #[error("registry {registry}: {reason}")]
    Registry { registry: String, reason: String },

    #[error("a build worker ended early; this is a defect in landfall")]
    Worker,
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

/// Adds what was being done to an I/O error, and to which path.
pub(crate) trait IoContext<T> {
    fn on(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<std::io::Error>> IoContext<T> for std::result::Result<T, E> {
    fn on(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|e| Error::Io { action, path: path.to_path_buf(), source: e.into() })
    }
}

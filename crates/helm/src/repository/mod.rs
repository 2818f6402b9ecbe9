//! Where charts come from: repositories with an `index.yaml`, registries that speak OCI, folders. Downloads are checked
//! by their digests. Nothing here reads the environment or writes to a terminal.

mod config;
mod dependencies;
mod download;
mod index;
mod lock;
mod registry;
mod transport;

pub use config::{Repositories, Repository};
pub use dependencies::{Manager, list};
pub use download::{Downloaded, Downloader, Places, Source, Vouching};
pub use index::{Entry, Index};
pub use lock::Lock;
pub use transport::{Access, Login};

/// What a step of a longer work has to say: Helm's own lines.
pub type Say<'a> = dyn FnMut(&str) + Send + 'a;

/// What can go wrong on the way to a chart.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    #[error("{0}")]
    Told(String),
    #[error("{url}: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("failed to fetch {url} : {status}{}", hint(*status))]
    Refused { url: String, status: u16 },
    #[error(
        "{what} is not what was promised: its SHA-256 is {found}, where {wanted} is named\n  hint: try again; if it \
             stays, whoever keeps the repository has changed a released chart"
    )]
    Digest { what: String, wanted: String, found: String },
    #[error("{}: {source}", path.display())]
    Io { path: std::path::PathBuf, source: std::io::Error },
    #[error("{file}: {error}")]
    Provenance { file: String, error: crate::provenance::ProvenanceError },
    #[error(transparent)]
    Chart(#[from] crate::HelmError),
}

impl RepositoryError {
    pub(crate) fn told(text: impl Into<String>) -> Self {
        Self::Told(text.into())
    }

    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "\n  hint: --username and --password, or `helm repo add` with them, log in",
        404 => "\n  hint: the repository's index names a file that is not there, or the address is wrong",
        _ => "",
    }
}

pub(crate) type Result<T> = std::result::Result<T, RepositoryError>;

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    crate::functions::hex(&sha2::Sha256::digest(bytes))
}

//! Finds the chart that a reference means, and brings it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::{Index, newest_first, range};
use super::registry::{Place, is_oci};
use super::transport::{Access, Login, index_address, parse, resolve};
use super::{Repositories, Repository, RepositoryError, Result, digest};
use crate::provenance::{Keyring, ProvenanceError, Verified};
use crate::semver::Version;

/// Where what Helm remembers lies.
#[derive(Debug, Clone)]
pub struct Places {
    /// `repositories.yaml`; it need not be there.
    pub repositories: PathBuf,
    /// Indices that were fetched: `NAME-index.yaml`.
    pub indices: PathBuf,
    /// Charts by their digests.
    pub content: PathBuf,
}

/// Which chart.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// `repository/name`, an address, `oci://…`, or a name where `repo` is given.
    pub reference: String,
    /// The address of a repository.
    pub repo: Option<String>,
    /// A version or a range; empty for the newest release.
    pub version: String,
}

/// A chart that was brought.
#[derive(Debug, Clone)]
pub struct Downloaded {
    /// `name-1.2.3.tgz`
    pub file: String,
    pub chart: Vec<u8>,
    pub provenance: Option<Vec<u8>>,
    /// Who has signed it, where that was looked at.
    pub verified: Option<Verified>,
    /// Why there is no provenance file, where one was asked for and need not be there.
    pub unsigned: Option<String>,
}

/// What is done about provenance files.
#[derive(Debug, Clone, Default)]
pub enum Vouching {
    #[default]
    NotAsked,
    /// They come along where they are, unread.
    Brought,
    /// They have to hold where they are.
    WhereThere(Arc<Keyring>),
    /// A chart that nobody in the keyring has signed is refused.
    Demanded(Arc<Keyring>),
}

/// The logins of registries by host, as `docker login` left them.
pub type Logins = Arc<dyn Fn(&str) -> Option<Login> + Send + Sync>;

/// Brings charts.
#[derive(Clone)]
pub struct Downloader {
    pub places: Places,
    /// What the command line says of access; it wins over what a repository's entry says.
    pub access: Access,
    pub logins: Logins,
    pub vouching: Vouching,
}

impl std::fmt::Debug for Downloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Downloader").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Downloader {
    /// The repositories that are known by name.
    pub fn repositories(&self) -> Result<Repositories> {
        match std::fs::read_to_string(&self.places.repositories) {
            Ok(text) => Repositories::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Repositories::default()),
            Err(error) => Err(RepositoryError::io(&self.places.repositories)(error)),
        }
    }

    /// Finds a chart and brings it.
    pub async fn bring(&self, source: &Source) -> Result<Downloaded> {
        if is_oci(&source.reference) {
            return self.bring_oci(&source.reference, &source.version).await;
        }
        if let Some(url) = &source.repo {
            let repository = self.of_address(url)?;
            let index = self.fetch_index(&repository, None).await?;
            return self.bring_from(&repository, &index, &source.reference, &source.version).await;
        }
        if source.reference.contains("://") {
            let known = self.repositories()?;
            let home =
                known.0.iter().find(|known| source.reference.starts_with(known.url.trim_end_matches('/')));
            let repository = match home {
                Some(known) => self.with_flags(known.clone()),
                None => self.of_address(&source.reference)?,
            };
            return self.fetch(&repository, &source.reference, "").await;
        }
        let Some((name, chart)) = source.reference.split_once('/') else {
            return Err(RepositoryError::told(format!(
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: {}",
                source.reference
            )));
        };
        let repository = self.repositories()?.by_name(name).cloned();
        let repository = repository.ok_or_else(|| RepositoryError::told(format!("repo {name} not found")))?;
        let repository = self.with_flags(repository);
        let index = self.index(&repository).await?;
        self.bring_from(&repository, &index, chart, &source.version).await
    }

    /// The newest version of a chart that fits; for a registry the tags decide.
    pub(super) async fn version(&self, repository: &Repository, name: &str, wanted: &str) -> Result<String> {
        if is_oci(&repository.url) {
            let place = format!("{}/{name}", repository.url.trim_end_matches('/'));
            return self.oci_version(&place, wanted).await;
        }
        Ok(self.index(repository).await?.get(name, wanted)?.version.clone())
    }

    /// A chart of a repository or registry by its exact version or a range.
    pub(super) async fn bring_version(
        &self,
        repository: &Repository,
        name: &str,
        wanted: &str,
    ) -> Result<Downloaded> {
        if is_oci(&repository.url) {
            return self.bring_oci(&format!("{}/{name}", repository.url.trim_end_matches('/')), wanted).await;
        }
        let index = self.index(repository).await?;
        self.bring_from(repository, &index, name, wanted).await
    }

    /// A repository that is known, else one by its address alone.
    pub(super) fn of_address(&self, url: &str) -> Result<Repository> {
        let known = self.repositories()?.find(url).cloned();
        let unknown = || Repository { name: String::new(), url: url.to_owned(), access: Access::default() };
        Ok(self.with_flags(known.unwrap_or_else(unknown)))
    }

    fn with_flags(&self, mut repository: Repository) -> Repository {
        let (flags, access) = (&self.access, &mut repository.access);
        access.login = flags.login.clone().or_else(|| access.login.take());
        access.ca_file = flags.ca_file.clone().or_else(|| access.ca_file.take());
        access.cert_file = flags.cert_file.clone().or_else(|| access.cert_file.take());
        access.key_file = flags.key_file.clone().or_else(|| access.key_file.take());
        access.insecure |= flags.insecure;
        access.pass_credentials |= flags.pass_credentials;
        repository
    }

    async fn bring_from(
        &self,
        repository: &Repository,
        index: &Index,
        name: &str,
        version: &str,
    ) -> Result<Downloaded> {
        let entry = index.get(name, version).map_err(|error| {
            RepositoryError::told(format!(
                "chart {name:?} matching {version:?} not found in {}: {error}",
                repository.url
            ))
        })?;
        let Some(url) = entry.urls.first() else {
            return Err(RepositoryError::told(format!("chart {name:?} has no downloadable URLs")));
        };
        let wanted = entry.digest.trim_start_matches("sha256:").to_lowercase();
        if is_oci(url) {
            return self.bring_oci(url, &entry.version).await;
        }
        self.fetch(repository, &resolve(&repository.url, url)?, &wanted).await
    }

    /// A file, from the content cache where its digest is known and it is there.
    async fn fetch(&self, repository: &Repository, address: &str, wanted: &str) -> Result<Downloaded> {
        let url = parse(address)?;
        let file = url.path().rsplit('/').next().unwrap_or_default().to_owned();
        if file.is_empty() {
            return Err(RepositoryError::told(format!("{address} names no file")));
        }
        let cached = self.cached(wanted, "chart");
        let chart = match cached.as_ref().and_then(|path| std::fs::read(path).ok()) {
            // What lies on the disk may have been damaged.
            Some(bytes) if digest(&bytes) == wanted => bytes,
            _ => {
                let bytes = repository.access.get(address, &repository.url).await?;
                let found = digest(&bytes);
                if !wanted.is_empty() && found != wanted {
                    let (what, wanted) = (address.to_owned(), wanted.to_owned());
                    return Err(RepositoryError::Digest { what, wanted, found });
                }
                if let Some(path) = cached {
                    write(&path, &bytes)?;
                }
                bytes
            }
        };
        let provenance = if self.asks_for_provenance() {
            let mut beside = url.clone();
            beside.set_path(&format!("{}.prov", url.path()));
            Some(repository.access.get(beside.as_str(), &repository.url).await)
        } else {
            None
        };
        self.vouched(file, chart, provenance)
    }

    fn asks_for_provenance(&self) -> bool {
        !matches!(self.vouching, Vouching::NotAsked)
    }

    /// What has come, if it is signed as is asked for.
    fn vouched(
        &self,
        file: String,
        chart: Vec<u8>,
        provenance: Option<Result<Vec<u8>>>,
    ) -> Result<Downloaded> {
        let refused = |error| RepositoryError::Provenance { file: file.clone(), error };
        let (mut verified, mut unsigned) = (None, None);
        let provenance = match (provenance, &self.vouching) {
            (Some(Ok(text)), Vouching::WhereThere(keyring) | Vouching::Demanded(keyring)) => {
                verified = Some(keyring.verify(&text, &chart, &file).map_err(refused)?);
                Some(text)
            }
            (Some(Err(error)), Vouching::Demanded(_)) => {
                return Err(refused(ProvenanceError::Missing(error.to_string())));
            }
            (Some(Err(error)), _) => {
                unsigned = Some(error.to_string());
                None
            }
            (provenance, _) => provenance.transpose()?,
        };
        Ok(Downloaded { file, chart, provenance, verified, unsigned })
    }

    fn cached(&self, wanted: &str, kind: &str) -> Option<PathBuf> {
        let proper = wanted.len() == 64 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        proper.then(|| self.places.content.join(&wanted[..2]).join(format!("{wanted}.{kind}")))
    }

    async fn bring_oci(&self, reference: &str, version: &str) -> Result<Downloaded> {
        // A `:` behind the last `/` begins a tag; one before it, a port.
        let (place, tag) = match reference.rsplit_once(':') {
            Some((place, tag)) if !tag.contains('/') => (place, tag),
            _ => (reference, ""),
        };
        if !tag.is_empty() && !version.is_empty() && tag != version {
            return Err(RepositoryError::told(format!(
                "chart reference and version mismatch: {version} is not {tag}"
            )));
        }
        let wanted = if tag.is_empty() { version } else { tag };
        let version = self.oci_version(place, wanted).await?;
        let access = self.oci_access(place);
        let pulled = Place { name: place, access: &access }.pull(&version).await?;
        let name = place.rsplit('/').next().unwrap_or_default();
        let provenance = self.asks_for_provenance().then(|| {
            pulled
                .provenance
                .ok_or_else(|| RepositoryError::told(format!("{place}:{version} has no layer for it")))
        });
        self.vouched(format!("{name}-{version}.tgz"), pulled.chart, provenance)
    }

    async fn oci_version(&self, place: &str, wanted: &str) -> Result<String> {
        if Version::parse(wanted).is_ok() {
            return Ok(wanted.to_owned());
        }
        let access = self.oci_access(place);
        let mut tags = Place { name: place, access: &access }.versions().await?;
        tags.retain(|tag| Version::parse(tag).is_ok());
        tags.sort_by(|a, b| newest_first(a, b));
        let fits = range(wanted)?;
        tags.into_iter().find(|tag| Version::parse(tag).is_ok_and(|version| fits.check(&version))).ok_or_else(
            || {
                RepositoryError::told(format!(
                    "could not locate a version matching provided version string {wanted} in {place}"
                ))
            },
        )
    }

    fn oci_access(&self, place: &str) -> Access {
        let host = place.trim_start_matches("oci://").split('/').next().unwrap_or_default();
        let mut access = self.access.clone();
        access.login = access.login.or_else(|| (self.logins)(host));
        access
    }

    /// The index of a repository: what was fetched before, else fetched now.
    pub(super) async fn index(&self, repository: &Repository) -> Result<Index> {
        let path = self.index_path(repository);
        match std::fs::read_to_string(&path) {
            Ok(text) => Index::parse(&text),
            Err(_) => self.fetch_index(repository, Some(&path)).await,
        }
    }

    /// Fetches an index, and keeps it where it is told.
    pub(super) async fn fetch_index(&self, repository: &Repository, keep: Option<&Path>) -> Result<Index> {
        let address = index_address(&repository.url)?;
        let bytes = repository.access.get(&address, &repository.url).await.map_err(|error| {
            RepositoryError::told(format!(
                "looks like {:?} is not a valid chart repository or cannot be reached: {error}",
                repository.url
            ))
        })?;
        let index = Index::parse(&String::from_utf8_lossy(&bytes))?;
        if let Some(path) = keep {
            write(path, &bytes)?;
        }
        Ok(index)
    }

    /// Repositories without a name are kept as Helm names them: by the digest of their address.
    pub(super) fn index_path(&self, repository: &Repository) -> PathBuf {
        let name = if repository.name.is_empty() {
            format!("helm-manager-{}", digest(repository.url.as_bytes()))
        } else {
            repository.name.clone()
        };
        self.places.indices.join(format!("{}-index.yaml", name.replace(['/', '\\'], "-")))
    }
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(RepositoryError::io(folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = folder.join(format!(".{name}.{}", std::process::id()));
    std::fs::write(&unfinished, bytes).map_err(RepositoryError::io(&unfinished))?;
    std::fs::rename(&unfinished, path).map_err(RepositoryError::io(path))
}

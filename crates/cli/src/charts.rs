//! What the verbs of the Helm engine share: flags that say where charts come from and which values they get, and Helm's
//! own folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use landfall_helm::repository::{
    Access, Downloaded, Downloader, Login, Places, RepositoryError, Source, Vouching,
};
use landfall_helm::{Chart, HelmError, KubeVersion, ValueSources, Values};

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::provenance::{Signed, unverified};

/// How to reach repositories and registries.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Reach {
    /// Trust this authority too (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Show this certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// Do not check certificates
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// A registry without TLS
    #[arg(long)]
    plain_http: bool,
    #[arg(long, value_name = "NAME", requires = "password")]
    username: Option<String>,
    #[arg(long, value_name = "PASSWORD", env = "LANDFALL_REPOSITORY_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Helm's list of repositories
    #[arg(long, value_name = "FILE")]
    repository_config: Option<PathBuf>,
    /// Helm's copies of indices
    #[arg(long, value_name = "DIR")]
    repository_cache: Option<PathBuf>,
    /// Helm's copies of charts
    #[arg(long, value_name = "DIR")]
    content_cache: Option<PathBuf>,
    /// Helm's logins of registries
    #[arg(long, value_name = "FILE")]
    registry_config: Option<PathBuf>,
}

/// Which chart, where it is not on this machine.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wanted {
    /// The address of the chart's repository
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// A version or a range of versions; the newest release where it is not given
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Versions before a release, too
    #[arg(long)]
    devel: bool,
    /// Give the login to every host that the index names
    #[arg(long)]
    pass_credentials: bool,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    reach: Reach,
}

/// Values from the command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ValueFlags {
    /// Values files, later ones over earlier ones
    #[arg(long, short = 'f', value_name = "FILE", value_delimiter = ',')]
    values: Vec<PathBuf>,
    /// Single values: a.b=c
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Single values that stay text
    #[arg(long, value_name = "KEY=VALUE")]
    set_string: Vec<String>,
    /// Single values as JSON
    #[arg(long, value_name = "KEY=JSON")]
    set_json: Vec<String>,
    /// Single values from files
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// Single values taken letter by letter
    #[arg(long, value_name = "KEY=TEXT")]
    set_literal: Vec<String>,
}

impl ValueFlags {
    pub(crate) fn merge(self) -> Result<Values> {
        Ok(Values::merge(&ValueSources {
            files: self.values,
            set_json: self.set_json,
            set: self.set,
            set_string: self.set_string,
            set_file: self.set_file,
            set_literal: self.set_literal,
        })?)
    }
}

impl Reach {
    pub(crate) fn downloader(self, session: &Session) -> Downloader {
        let helm = &session.environment.helm;
        let login = self.username.zip(self.password).map(|(user, password)| Login { user, password });
        let registries = [
            self.registry_config.unwrap_or_else(|| helm.registries.clone()),
            session.environment.home.join(".docker/config.json"),
        ];
        Downloader {
            places: Places {
                repositories: self.repository_config.unwrap_or_else(|| helm.repositories.clone()),
                indices: self.repository_cache.unwrap_or_else(|| helm.indices.clone()),
                content: self.content_cache.unwrap_or_else(|| helm.content.clone()),
            },
            access: Access {
                login,
                pass_credentials: false,
                ca_file: self.ca_file,
                cert_file: self.cert_file,
                key_file: self.key_file,
                insecure: self.insecure_skip_tls_verify,
                plain_http: self.plain_http,
            },
            logins: Arc::new(move |host| {
                let found = registries
                    .iter()
                    .find_map(|file| landfall_image::docker_login(file, host).ok().flatten());
                found.map(|(user, password)| Login { user, password })
            }),
            vouching: Vouching::NotAsked,
        }
    }
}

impl Wanted {
    /// Brings a chart that is not on this machine; its provenance file comes along where it is asked for.
    pub(crate) async fn bring(
        self,
        session: &Session,
        reference: &str,
        provenance: bool,
    ) -> Result<Downloaded> {
        let version = match self.version {
            Some(version) => version,
            None if self.devel => ">0.0.0-0".to_owned(),
            None => String::new(),
        };
        let mut downloader = self.reach.downloader(session);
        downloader.access.pass_credentials = self.pass_credentials;
        downloader.vouching = match self.signed.keyring(session)? {
            Some(keyring) => Vouching::Demanded(keyring),
            None if provenance => Vouching::Brought,
            None => Vouching::NotAsked,
        };
        let source = Source { reference: reference.to_owned(), repo: self.repo, version };
        Ok(downloader.bring(&source).await?)
    }

    /// A chart by its path where there is something, else from afar.
    pub(crate) async fn chart(self, session: &Session, reference: &str) -> Result<Chart> {
        if self.repo.is_none() && Path::new(reference).exists() {
            return match self.signed.archive(session, Path::new(reference))? {
                Some(chart) => Ok(chart),
                None => Ok(Chart::load_alone(reference)?),
            };
        }
        let brought = self.bring(session, reference, false).await?;
        Ok(Chart::load_package(&brought.chart, &brought.file)?)
    }
}

pub(crate) fn kube_version(text: Option<&String>) -> Result<Option<KubeVersion>> {
    let Some(text) = text else { return Ok(None) };
    let read = KubeVersion::parse(text).ok_or_else(|| {
        Failure::told(
            Exit::BadValue,
            format!("--kube-version {text:?} is no version"),
            format!("--kube-version {text:?}은(는) 버전이 아닙니다"),
        )
        .hint("as in v1.36.3", "예: v1.36.3")
    })?;
    Ok(Some(read))
}

/// Now, in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl From<HelmError> for Failure {
    fn from(error: HelmError) -> Self {
        let exit = match &error {
            HelmError::Io { .. } => Exit::Unreadable,
            HelmError::Set { .. } => Exit::BadValue,
            _ => Exit::Chart,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        let exit = match error {
            RepositoryError::Chart(error) => return error.into(),
            RepositoryError::Provenance { file, error } => return unverified(&file, error),
            RepositoryError::Io { .. } => Exit::Unreadable,
            RepositoryError::Unreachable { .. } | RepositoryError::Refused { .. } => Exit::Unreachable,
            RepositoryError::Told(_) | RepositoryError::Digest { .. } => Exit::Chart,
        };
        Self::new(exit, error.to_string())
    }
}

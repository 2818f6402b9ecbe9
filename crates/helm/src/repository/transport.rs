//! HTTP: one file from one address, with the login and the certificates that its repository asks for.

use std::path::PathBuf;

use reqwest::{Certificate, Client, Identity, Url};

use super::{RepositoryError, Result};

/// More than any index or chart has; what is larger would only fill the memory.
const LARGEST: usize = 512 << 20;

/// How to reach a repository.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub login: Option<Login>,
    /// The login is for whatever host the repository's index names, not for the repository's own alone.
    pub pass_credentials: bool,
    /// An authority to trust beside the machine's own (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who we are (PEM), with its key.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// Certificates are not checked.
    pub insecure: bool,
    /// A registry without TLS.
    pub plain_http: bool,
}

/// A name with its password, which is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Access {
    fn client(&self) -> Result<Client> {
        // Without a process-wide choice the TLS library would refuse to start; a choice already made stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bad = |what: &str| {
            let what = what.to_owned();
            move |error: reqwest::Error| RepositoryError::told(format!("{what}: {error}"))
        };
        let read = |path: &PathBuf| std::fs::read(path).map_err(RepositoryError::io(path));
        let mut builder = Client::builder().user_agent(concat!("landfall/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.ca_file {
            let shown = path.display().to_string();
            let trusted = Certificate::from_pem_bundle(&read(path)?).map_err(bad(&shown))?;
            builder = builder.tls_certs_merge(trusted);
        }
        if let (Some(cert), Some(key)) = (&self.cert_file, &self.key_file) {
            let mut pem = read(cert)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            let shown = cert.display().to_string();
            builder = builder.identity(Identity::from_pem(&pem).map_err(bad(&shown))?);
        }
        if self.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        builder.build().map_err(bad("no HTTP client"))
    }

    /// The bytes at an address. `home` is the repository that named it: only its host is given the login.
    pub(super) async fn get(&self, address: &str, home: &str) -> Result<Vec<u8>> {
        let url = parse(address)?;
        let failed = |error: reqwest::Error| RepositoryError::Unreachable {
            url: address.to_owned(),
            reason: chain(&error.without_url()),
        };
        let mut request = self.client()?.get(url.clone());
        if let Some(login) = &self.login
            && (self.pass_credentials || same_place(&url, &parse(home)?))
        {
            request = request.basic_auth(&login.user, Some(&login.password));
        }
        let mut response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(RepositoryError::Refused {
                url: address.to_owned(),
                status: response.status().as_u16(),
            });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > LARGEST {
                return Err(RepositoryError::told(format!(
                    "{address}: more than {} MiB; that is no chart",
                    LARGEST >> 20
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

pub(super) fn parse(address: &str) -> Result<Url> {
    Url::parse(address)
        .map_err(|error| RepositoryError::told(format!("invalid chart URL format: {address}: {error}")))
}

fn same_place(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// An address that an index names, which may be relative to the repository's own.
pub(super) fn resolve(repository: &str, reference: &str) -> Result<String> {
    if let Ok(absolute) = Url::parse(reference) {
        return Ok(absolute.into());
    }
    let mut base = parse(repository)?;
    // A repository is a folder, whether its address ends so or not.
    if !base.path().ends_with('/') {
        let path = format!("{}/", base.path());
        base.set_path(&path);
    }
    let query = base.query().map(str::to_owned);
    let mut joined = base
        .join(reference)
        .map_err(|error| RepositoryError::told(format!("invalid chart URL format: {reference}: {error}")))?;
    joined.set_query(query.as_deref());
    Ok(joined.into())
}

/// The index of a repository.
pub(super) fn index_address(repository: &str) -> Result<String> {
    let mut url = parse(repository)?;
    let path = format!("{}/index.yaml", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url.into())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_in_an_index_may_be_relative() {
        for (repository, reference, whole) in [
            ("https://a.example/charts", "web-1.tgz", "https://a.example/charts/web-1.tgz"),
            ("https://a.example/charts/", "../web-1.tgz", "https://a.example/web-1.tgz"),
            ("https://a.example/charts?key=x", "web-1.tgz", "https://a.example/charts/web-1.tgz?key=x"),
            ("https://a.example/charts", "https://b.example/w.tgz", "https://b.example/w.tgz"),
        ] {
            assert_eq!(resolve(repository, reference).unwrap(), whole);
        }
        assert_eq!(index_address("https://a.example/x/?t=1").unwrap(), "https://a.example/x/index.yaml?t=1");
        assert!(parse("no address").is_err());
    }

    #[test]
    fn a_login_is_for_its_own_host() {
        let url = |text: &str| parse(text).unwrap();
        assert!(same_place(&url("https://a.example/x"), &url("https://a.example:443/y")));
        for other in ["http://a.example/", "https://b.example/", "https://a.example:8443/"] {
            assert!(!same_place(&url("https://a.example/"), &url(other)), "{other}");
        }
    }
}

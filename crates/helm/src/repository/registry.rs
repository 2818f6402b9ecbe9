//! Charts in OCI registries: a chart is a manifest whose layer is the packed chart.

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use super::transport::Access;
use super::{RepositoryError, Result, digest};

const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const OLD_CHART: &str = "application/tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
const SCHEME: &str = "oci://";
/// The tags of a page of a registry's list.
const PAGE: usize = 1_000;

pub(super) fn is_oci(reference: &str) -> bool {
    reference.starts_with(SCHEME)
}

/// A place in a registry, and how to reach it.
pub(super) struct Place<'a> {
    /// `host[:port]/path/name`, without a version.
    pub name: &'a str,
    pub access: &'a Access,
}

/// What lies there.
pub(super) struct Pulled {
    pub chart: Vec<u8>,
    pub provenance: Option<Vec<u8>>,
}

impl Place<'_> {
    fn client(&self) -> Result<Client> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut trusted = Vec::new();
        if let Some(path) = &self.access.ca_file {
            let data = std::fs::read(path).map_err(RepositoryError::io(path))?;
            trusted.push(Certificate { encoding: CertificateEncoding::Pem, data });
        }
        Ok(Client::new(ClientConfig {
            protocol: if self.access.plain_http { ClientProtocol::Http } else { ClientProtocol::Https },
            accept_invalid_certificates: self.access.insecure,
            extra_root_certificates: trusted,
            ..ClientConfig::default()
        }))
    }

    fn auth(&self) -> RegistryAuth {
        match &self.access.login {
            Some(login) => RegistryAuth::Basic(login.user.clone(), login.password.clone()),
            None => RegistryAuth::Anonymous,
        }
    }

    fn reference(&self, tag: &str) -> Result<Reference> {
        let name = self.name.trim_start_matches(SCHEME);
        // A tag can hold no `+`; Helm writes `_` for it.
        let text = format!("{name}:{}", tag.replace('+', "_"));
        text.parse().map_err(|error| {
            RepositoryError::told(format!("improperly formatted oci chart reference: {text}: {error}"))
        })
    }

    fn failed(&self) -> impl Fn(OciDistributionError) -> RepositoryError {
        let url = self.name.to_owned();
        move |error| {
            let reason = error.to_string();
            let refused = matches!(
                error,
                OciDistributionError::UnauthorizedError { .. }
                    | OciDistributionError::AuthenticationFailure(_)
            );
            let login = refused || ["401", "denied"].iter().any(|word| reason.contains(word));
            let hint =
                if login { "\n  hint: log in with `docker login` or `helm registry login`" } else { "" };
            RepositoryError::Unreachable { url: url.clone(), reason: format!("{reason}{hint}") }
        }
    }

    /// The versions that are there.
    pub async fn versions(&self) -> Result<Vec<String>> {
        let (client, reference) = (self.client()?, self.reference("latest")?);
        let (mut tags, mut last) = (Vec::new(), None);
        loop {
            let page = client
                .list_tags(&reference, &self.auth(), Some(PAGE), last.as_deref())
                .await
                .map_err(self.failed())?
                .tags;
            let whole = page.len() >= PAGE;
            last = page.last().cloned();
            tags.extend(page);
            if !whole {
                return Ok(tags.into_iter().map(|tag| tag.replace('_', "+")).collect());
            }
        }
    }

    /// The chart of a version; its digest is that of the manifest.
    pub async fn pull(&self, version: &str) -> Result<Pulled> {
        let (client, reference) = (self.client()?, self.reference(version)?);
        let failed = self.failed();
        client.auth(&reference, &self.auth(), RegistryOperation::Pull).await.map_err(&failed)?;
        let (manifest, _) = client.pull_image_manifest(&reference, &self.auth()).await.map_err(&failed)?;
        let find =
            |kinds: &[&str]| manifest.layers.iter().find(|layer| kinds.contains(&layer.media_type.as_str()));
        let Some(layer) = find(&[CHART, OLD_CHART]) else {
            return Err(RepositoryError::told(format!("{}:{version} is no Helm chart", self.name)));
        };
        let mut chart = Vec::new();
        client.pull_blob(&reference, layer, &mut chart).await.map_err(&failed)?;
        let found = digest(&chart);
        if layer.digest.trim_start_matches("sha256:") != found {
            let what = format!("{}:{version}", self.name);
            return Err(RepositoryError::Digest { what, wanted: layer.digest.clone(), found });
        }
        let provenance = match find(&[PROVENANCE]) {
            None => None,
            Some(layer) => {
                let mut text = Vec::new();
                client.pull_blob(&reference, layer, &mut text).await.map_err(&failed)?;
                Some(text)
            }
        };
        Ok(Pulled { chart, provenance })
    }
}

//! Certificates and keys of a cluster, by rcgen.
//!
//! The authorities and the service account key are made once and kept; everything that they sign is issued
//! anew whenever a node starts, so nothing runs out in a cluster that is used.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};

use crate::error::{Error, Result};
use crate::files::{write_public, write_secret};
use crate::layout::{CLUSTER_DOMAIN, FIRST_SERVICE};

const AUTHORITY_YEARS: i16 = 10;
const LEAF_YEARS: i16 = 2;

/// A certificate and its key, in PEM. The key never shows in debug output.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("cert", &self.cert).finish_non_exhaustive()
    }
}

/// Something that signs: the certificate in PEM and what rcgen needs to issue by it.
pub(crate) struct Authority {
    pub(crate) pair: Pair,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("cert", &self.pair.cert).finish_non_exhaustive()
    }
}

/// What a certificate is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) common_name: String,
    pub(crate) organization: Option<&'static str>,
    pub(crate) dns: Vec<String>,
    pub(crate) ips: Vec<Ipv4Addr>,
    pub(crate) server: bool,
    pub(crate) client: bool,
}

impl Subject {
    pub(crate) fn client(common_name: impl Into<String>, organization: Option<&'static str>) -> Self {
        Self { common_name: common_name.into(), organization, client: true, ..Self::default() }
    }

    pub(crate) fn server(common_name: impl Into<String>, dns: &[&str], ips: &[Ipv4Addr]) -> Self {
        Self {
            common_name: common_name.into(),
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            ips: ips.to_vec(),
            server: true,
            ..Self::default()
        }
    }

    pub(crate) fn and_client(mut self) -> Self {
        self.client = true;
        self
    }
}

impl Authority {
    /// Reads the authority from `dir`, or makes it there.
    pub(crate) fn open_or_make(dir: &Path, name: &str, common_name: &str) -> Result<Self> {
        let (cert_path, key_path) = files(dir, name);
        if let (Ok(cert), Ok(key)) = (std::fs::read_to_string(&cert_path), std::fs::read_to_string(&key_path))
        {
            return Self::from_pair(Pair { cert, key });
        }
        let pair = Self::make(common_name)?;
        write_secret(&key_path, pair.key.as_bytes())?;
        write_public(&cert_path, pair.cert.as_bytes())?;
        Self::from_pair(pair)
    }

    fn make(common_name: &str) -> Result<Pair> {
        let key = KeyPair::generate().map_err(certificate)?;
        let mut params = params(common_name, None, AUTHORITY_YEARS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert = params.self_signed(&key).map_err(certificate)?;
        Ok(Pair { cert: cert.pem(), key: key.serialize_pem() })
    }

    fn from_pair(pair: Pair) -> Result<Self> {
        let key = KeyPair::from_pem(&pair.key).map_err(certificate)?;
        let issuer = Issuer::from_ca_cert_pem(&pair.cert, key).map_err(certificate)?;
        Ok(Self { pair, issuer })
    }

    pub(crate) fn issue(&self, subject: &Subject) -> Result<Pair> {
        let key = KeyPair::generate().map_err(certificate)?;
        let mut params = params(&subject.common_name, subject.organization, LEAF_YEARS)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if subject.server {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if subject.client {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        for name in &subject.dns {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into().map_err(certificate)?));
        }
        for ip in &subject.ips {
            params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(*ip)));
        }
        let cert = params.signed_by(&key, &self.issuer).map_err(certificate)?;
        Ok(Pair { cert: cert.pem(), key: key.serialize_pem() })
    }

    /// Issues into `dir` as `<name>.crt` and `<name>.key`.
    pub(crate) fn issue_into(&self, dir: &Path, name: &str, subject: &Subject) -> Result<()> {
        let pair = self.issue(subject)?;
        let (cert_path, key_path) = files(dir, name);
        write_secret(&key_path, pair.key.as_bytes())?;
        write_public(&cert_path, pair.cert.as_bytes())
    }
}

/// The key that signs service account tokens (ECDSA P-256), made once.
pub(crate) fn service_account_key(dir: &Path) -> Result<(String, String)> {
    let (key_path, public_path) = (dir.join("sa.key"), dir.join("sa.pub"));
    if let (Ok(key), Ok(public)) = (std::fs::read_to_string(&key_path), std::fs::read_to_string(&public_path))
    {
        return Ok((key, public));
    }
    let key = KeyPair::generate().map_err(certificate)?;
    let (private, public) = (key.serialize_pem(), key.public_key_pem());
    write_secret(&key_path, private.as_bytes())?;
    write_public(&public_path, public.as_bytes())?;
    Ok((private, public))
}

/// What the API server may be called.
pub(crate) fn api_server_subject(node: &str, address: Ipv4Addr) -> Subject {
    Subject::server(
        "kube-apiserver",
        &[
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            &format!("kubernetes.default.svc.{CLUSTER_DOMAIN}"),
            "localhost",
            node,
        ],
        &[FIRST_SERVICE, address, Ipv4Addr::LOCALHOST],
    )
}

fn params(common_name: &str, organization: Option<&str>, years: i16) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(certificate)?;
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    // A day back: a clock that is set right later must not make the certificate one of the future.
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let yesterday = today.yesterday().map_err(|error| Error::Certificate(error.to_string()))?;
    let day = |date: jiff::civil::Date, years: i16| {
        // 29 February has no counterpart in most years.
        rcgen::date_time_ymd(i32::from(date.year() + years), date.month() as u8, date.day().min(28) as u8)
    };
    params.not_before = day(yesterday, 0);
    params.not_after = day(today, years);
    Ok(params)
}

fn files(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    (dir.join(format!("{name}.crt")), dir.join(format!("{name}.key")))
}

fn certificate(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}

#[cfg(test)]
mod tests;

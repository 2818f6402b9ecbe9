//! Certificates as Go's `x509.CreateCertificate` lays them out for Sprig: the same fields and extensions in
//! the same order.

use std::net::IpAddr;

use jiff::{Timestamp, Zoned, tz::TimeZone};
use sha2::{Digest, Sha256};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::X509Certificate;

use super::der::{self, element, group, oid, sequence};
use super::key::PrivateKey;
use super::pem;

const KEY_USAGE: &[u32] = &[2, 5, 29, 15];
const EXTENDED_KEY_USAGE: &[u32] = &[2, 5, 29, 37];
const BASIC_CONSTRAINTS: &[u32] = &[2, 5, 29, 19];
const SUBJECT_KEY_ID: &[u32] = &[2, 5, 29, 14];
const AUTHORITY_KEY_ID: &[u32] = &[2, 5, 29, 35];
const ALTERNATIVE_NAMES: &[u32] = &[2, 5, 29, 17];
const COMMON_NAME: &[u32] = &[2, 5, 4, 3];
const SERVER: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];
const CLIENT: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];

/// What a certificate is to say.
#[derive(Debug, Clone)]
pub struct Request {
    pub common_name: String,
    pub addresses: Vec<IpAddr>,
    pub names: Vec<String>,
    pub days: i64,
    pub is_authority: bool,
}

/// Who signs: a certificate with its key.
#[derive(Debug)]
pub struct Issuer {
    subject: Vec<u8>,
    key_id: Option<Vec<u8>>,
    public: Vec<u8>,
}

impl Issuer {
    /// Of a certificate in DER.
    ///
    /// # Errors
    /// Where it is none. The words are our own.
    pub fn of(content: &[u8]) -> Result<Self, String> {
        let certificate = parse(content)?;
        let key_id =
            certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            });
        Ok(Self {
            subject: certificate.subject().as_raw().to_vec(),
            key_id,
            public: certificate.public_key().subject_public_key.data.to_vec(),
        })
    }
}

/// Reads a certificate in DER.
pub fn parse(content: &[u8]) -> Result<X509Certificate<'_>, String> {
    match x509_parser::parse_x509_certificate(content) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err("x509: trailing data".to_owned()),
        Err(_) => Err("x509: malformed certificate".to_owned()),
    }
}

/// Writes a certificate for `key` in PEM, signed by `signer`; without an issuer it signs itself.
///
/// # Errors
/// In the words of Go's `x509`.
pub fn create(
    request: &Request,
    key: &PrivateKey,
    issuer: Option<&Issuer>,
    signer: &PrivateKey,
) -> Result<String, String> {
    let no_signer = "x509: certificate private key does not implement crypto.Signer";
    let algorithm = signer.signature_algorithm().ok_or(no_signer)?;
    let (key_algorithm, public) = key.public().ok_or("x509: unsupported public key type: *dsa.PublicKey")?;
    if let Some(issuer) = issuer
        && signer.public().is_none_or(|(_, public)| public != issuer.public)
    {
        return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
    }
    let subject = name(&request.common_name);
    let issued_by = issuer.map_or(&subject, |issuer| &issuer.subject);
    let authority =
        issuer.filter(|issuer| issuer.subject != subject).and_then(|issuer| issuer.key_id.as_deref());
    let serial: [u8; 16] = rand::random();
    let now = Timestamp::now();
    let valid = request.days.wrapping_mul(24 * 3_600 * 1_000_000_000);
    let until = now
        .checked_add(jiff::SignedDuration::from_nanos(valid))
        .map_err(|_| "asn1: structure error: cannot represent time as GeneralizedTime")?;
    let body = sequence([
        group(der::explicit(0), [der::integer(&[2])]),
        der::integer(&serial),
        algorithm.clone(),
        issued_by.clone(),
        sequence([time(now), time(until)]),
        subject.clone(),
        sequence([key_algorithm, der::bits(&public)]),
        group(der::explicit(3), [sequence(extensions(request, &public, authority)?)]),
    ]);
    let signature = signer.sign(&body).ok_or("the key cannot sign")?;
    Ok(pem::encode("CERTIFICATE", &sequence([body, algorithm, der::bits(&signature)])))
}

fn extensions(request: &Request, public: &[u8], authority: Option<&[u8]>) -> Result<Vec<Vec<u8>>, String> {
    let extension = |id: &[u32], critical: bool, value: Vec<u8>| {
        let mut parts = vec![oid(id)];
        if critical {
            parts.push(element(0x01, &[0xff]));
        }
        parts.push(element(der::OCTET_STRING, &value));
        sequence(parts)
    };
    // Digital signature, key encipherment; an authority signs certificates too.
    let usage: &[u8] = if request.is_authority { &[2, 0xa4] } else { &[5, 0xa0] };
    let constraints = if request.is_authority { vec![element(0x01, &[0xff])] } else { Vec::new() };
    let mut all = vec![
        extension(KEY_USAGE, true, element(der::BIT_STRING, usage)),
        extension(EXTENDED_KEY_USAGE, false, sequence([oid(SERVER), oid(CLIENT)])),
        extension(BASIC_CONSTRAINTS, true, sequence(constraints)),
    ];
    if request.is_authority {
        let id = element(der::OCTET_STRING, &Sha256::digest(public)[..20]);
        all.push(extension(SUBJECT_KEY_ID, false, id));
    }
    if let Some(authority) = authority {
        all.push(extension(AUTHORITY_KEY_ID, false, sequence([element(0x80, authority)])));
    }
    let mut names = Vec::new();
    for name in &request.names {
        if !name.is_ascii() {
            return Err(format!("x509: {} cannot be encoded as an IA5String", gotmpl::quote(name)));
        }
        names.push(element(0x82, name.as_bytes()));
    }
    for address in &request.addresses {
        names.push(match address.to_canonical() {
            IpAddr::V4(address) => element(0x87, &address.octets()),
            IpAddr::V6(address) => element(0x87, &address.octets()),
        });
    }
    if !names.is_empty() {
        all.push(extension(ALTERNATIVE_NAMES, request.common_name.is_empty(), sequence(names)));
    }
    Ok(all)
}

/// A distinguished name of nothing but the common name.
fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence::<&[u8]>([]);
    }
    let printable = common.bytes().all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b));
    let tag = if printable { der::PRINTABLE_STRING } else { der::UTF8_STRING };
    sequence([group(der::SET, [sequence([oid(COMMON_NAME), element(tag, common.as_bytes())])])])
}

fn time(at: Timestamp) -> Vec<u8> {
    let at: Zoned = at.to_zoned(TimeZone::UTC);
    if (1950..2050).contains(&at.year()) {
        element(der::UTC_TIME, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
    } else {
        element(der::GENERALIZED_TIME, at.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
    }
}

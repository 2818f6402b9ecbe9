//! Private keys: made, read from PEM, written to PEM, and used to sign.

use dsa::{Components, KeySize};
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use sha2::{Digest, Sha256};

use super::curve::Curve;
use super::der::{self, Reader};
use super::pem;

const RSA: &[u32] = &[1, 2, 840, 113_549, 1, 1, 1];
const RSA_SHA256: &[u32] = &[1, 2, 840, 113_549, 1, 1, 11];
const EC: &[u32] = &[1, 2, 840, 10_045, 2, 1];
const ED25519: &[u32] = &[1, 3, 101, 112];
/// What stands before a digest of SHA-256 that RSA signs.
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// A private key. Shows nothing of itself.
pub enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    Ec {
        curve: Curve,
        secret: Vec<u8>,
        public: Vec<u8>,
    },
    Ed25519([u8; 32]),
    /// Only kept: DSA signs no certificates. The numbers are p, q, g, y and x.
    Dsa([Vec<u8>; 5]),
}

impl PrivateKey {
    /// A new key by Sprig's name of its kind; `bits` is for RSA. None for an unknown kind.
    ///
    /// # Errors
    /// In Sprig's words.
    pub fn generate(kind: &str, bits: usize) -> Option<Result<Self, String>> {
        let failed = |error: &dyn std::fmt::Display| format!("failed to generate private key: {error}");
        Some(match kind {
            "" | "rsa" => rsa::PrivateKey::new(&mut rand::rng(), bits)
                .map(|key| PrivateKey::Rsa(Box::new(key)))
                .map_err(|error| failed(&error)),
            "ecdsa" => loop {
                // Hardly any secret is beyond the order of the curve.
                let secret: [u8; 32] = rand::random();
                if let Some(public) = Curve::P256.public(&secret) {
                    break Ok(PrivateKey::Ec { curve: Curve::P256, secret: secret.to_vec(), public });
                }
            },
            "ed25519" => Ok(PrivateKey::Ed25519(rand::random())),
            "dsa" => dsa_key().map_err(|error| failed(&error)),
            _ => return None,
        })
    }

    /// Reads the first key of PEM text.
    ///
    /// # Errors
    /// In Sprig's words; where the content is broken, what follows them is our own.
    pub fn from_pem(text: &[u8]) -> Result<Self, String> {
        let Some(block) = pem::decode(text) else { return Err("no PEM data in input".to_owned()) };
        if block.kind == "PRIVATE KEY" {
            return from_pkcs8(&block.content).map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        let Some(kind) = block.kind.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {}", block.kind));
        };
        let failed = |error: String| format!("parsing {kind} private key from PEM: {error}");
        match kind {
            "RSA" => from_pkcs1(&block.content).map_err(failed),
            "EC" => from_sec1(None, &block.content).map_err(failed),
            "DSA" => from_dsa(&block.content).map_err(failed),
            _ => Err(format!("invalid private key type {}", block.kind)),
        }
    }

    /// PEM in the form that Go gives each kind.
    ///
    /// # Errors
    /// Where the key cannot be written; keys that were read or made always can.
    pub fn to_pem(&self) -> Result<String, String> {
        Ok(match self {
            PrivateKey::Rsa(key) => {
                let content = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                pem::encode("RSA PRIVATE KEY", content.as_bytes())
            }
            PrivateKey::Ec { curve, secret, public } => {
                let content = der::sequence([
                    der::integer(&[1]),
                    der::element(der::OCTET_STRING, secret),
                    der::group(der::explicit(0), [curve.oid()]),
                    der::group(der::explicit(1), [der::bits(public)]),
                ]);
                pem::encode("EC PRIVATE KEY", &content)
            }
            PrivateKey::Ed25519(seed) => {
                let content = der::sequence([
                    der::integer(&[0]),
                    der::sequence([der::oid(ED25519)]),
                    der::element(der::OCTET_STRING, &der::element(der::OCTET_STRING, seed)),
                ]);
                pem::encode("PRIVATE KEY", &content)
            }
            PrivateKey::Dsa(numbers) => {
                let numbers = numbers.iter().map(|number| der::integer(number));
                let content = der::sequence(std::iter::once(der::integer(&[0])).chain(numbers));
                pem::encode("DSA PRIVATE KEY", &content)
            }
        })
    }

    /// The algorithm of the public key, and its bits. None for DSA.
    pub fn public(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        Some(match self {
            PrivateKey::Rsa(key) => {
                let algorithm = der::sequence([der::oid(RSA), der::element(der::NULL, &[])]);
                (algorithm, key.to_public_key().to_pkcs1_der().ok()?.as_bytes().to_vec())
            }
            PrivateKey::Ec { curve, public, .. } => {
                (der::sequence([der::oid(EC), curve.oid()]), public.clone())
            }
            PrivateKey::Ed25519(seed) => {
                use ring::signature::KeyPair as _;
                let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
                (der::sequence([der::oid(ED25519)]), pair.public_key().as_ref().to_vec())
            }
            PrivateKey::Dsa(_) => return None,
        })
    }

    /// The algorithm that the key signs with.
    pub fn signature_algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            PrivateKey::Rsa(_) => der::sequence([der::oid(RSA_SHA256), der::element(der::NULL, &[])]),
            PrivateKey::Ec { curve, .. } => der::sequence([curve.signature()]),
            PrivateKey::Ed25519(_) => der::sequence([der::oid(ED25519)]),
            PrivateKey::Dsa(_) => return None,
        })
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            PrivateKey::Rsa(key) => {
                let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: Box::new(SHA256_INFO) };
                key.sign_with_rng(&mut rand::rng(), scheme, &Sha256::digest(message)).ok()
            }
            PrivateKey::Ec { curve, secret, .. } => curve.sign(secret, message),
            PrivateKey::Ed25519(seed) => {
                let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
                Some(pair.sign(message).as_ref().to_vec())
            }
            PrivateKey::Dsa(_) => None,
        }
    }
}

fn dsa_key() -> Result<PrivateKey, dsa::signature::Error> {
    let mut random = rand::rng();
    let failed = |_| dsa::signature::Error::new();
    let components = Components::try_generate_from_rng_with_key_size(&mut random, KeySize::DSA_2048_256)
        .map_err(failed)?;
    let key = dsa::SigningKey::try_generate_from_rng_with_components(&mut random, components)
        .map_err(|_| dsa::signature::Error::new())?;
    let public = key.verifying_key();
    let common = public.components();
    Ok(PrivateKey::Dsa([
        common.p().to_be_bytes().to_vec(),
        common.q().to_be_bytes().to_vec(),
        common.g().to_be_bytes().to_vec(),
        public.y().to_be_bytes().to_vec(),
        key.x().to_be_bytes().to_vec(),
    ]))
}

fn from_pkcs1(content: &[u8]) -> Result<PrivateKey, String> {
    if let Some(other) = other_format(content, "ParsePKCS1PrivateKey") {
        return Err(other);
    }
    let mut outside = Reader::new(content);
    if outside.next().is_some() && !outside.is_empty() {
        return Err("asn1: syntax error: trailing data".to_owned());
    }
    let key = rsa::PrivateKey::from_pkcs1_der(content).map_err(|error| error.to_string())?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

fn from_sec1(curve: Option<Curve>, content: &[u8]) -> Result<PrivateKey, String> {
    if let Some(other) = other_format(content, "ParseECPrivateKey") {
        return Err(other);
    }
    let broken = || "x509: failed to parse EC private key: asn1: structure error".to_owned();
    let mut fields = Reader::new(content).within(der::SEQUENCE).ok_or_else(broken)?;
    let version = fields.expect(der::INTEGER).ok_or_else(broken)?;
    if version != [1] {
        let version = version.last().copied().unwrap_or(0);
        return Err(format!("x509: unknown EC private key version {version}"));
    }
    let mut secret = fields.expect(der::OCTET_STRING).ok_or_else(broken)?;
    let named = fields.within(der::explicit(0)).and_then(|mut inner| inner.expect(der::OID));
    let named = Curve::ALL.into_iter().find(|curve| Some(&curve.oid()[2..]) == named);
    let curve = curve.or(named).ok_or("x509: unknown elliptic curve")?;
    while secret.len() > curve.size() {
        if secret[0] != 0 {
            return Err("x509: invalid private key length".to_owned());
        }
        secret = &secret[1..];
    }
    let padded = [vec![0; curve.size() - secret.len()], secret.to_vec()].concat();
    let public = curve.public(&padded).ok_or("x509: invalid elliptic curve private key value")?;
    Ok(PrivateKey::Ec { curve, secret: padded, public })
}

fn from_pkcs8(content: &[u8]) -> Result<PrivateKey, String> {
    if let Some(other) = other_format(content, "ParsePKCS8PrivateKey") {
        return Err(other);
    }
    let broken = || "asn1: structure error".to_owned();
    let mut fields = Reader::new(content).within(der::SEQUENCE).ok_or_else(broken)?;
    fields.expect(der::INTEGER).ok_or_else(broken)?;
    let mut algorithm = fields.within(der::SEQUENCE).ok_or_else(broken)?;
    let name = algorithm.expect(der::OID).ok_or_else(broken)?;
    let key = fields.expect(der::OCTET_STRING).ok_or_else(broken)?;
    let is = |oid: &[u32]| der::oid(oid)[2..] == *name;
    if is(RSA) {
        from_pkcs1(key)
            .map_err(|error| format!("x509: failed to parse RSA private key embedded in PKCS#8: {error}"))
    } else if is(EC) {
        let curve = algorithm.expect(der::OID);
        let curve = Curve::ALL.into_iter().find(|known| Some(&known.oid()[2..]) == curve);
        from_sec1(curve, key)
            .map_err(|error| format!("x509: failed to parse EC private key embedded in PKCS#8: {error}"))
    } else if is(ED25519) {
        let seed = Reader::new(key)
            .expect(der::OCTET_STRING)
            .ok_or("x509: invalid Ed25519 private key: asn1: structure error")?;
        <[u8; 32]>::try_from(seed)
            .map(PrivateKey::Ed25519)
            .map_err(|_| format!("x509: invalid Ed25519 private key length: {}", seed.len()))
    } else {
        Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned())
    }
}

fn from_dsa(content: &[u8]) -> Result<PrivateKey, String> {
    let broken = || "asn1: structure error".to_owned();
    let mut fields = Reader::new(content).within(der::SEQUENCE).ok_or_else(broken)?;
    fields.expect(der::INTEGER).ok_or_else(broken)?;
    let mut number = || fields.expect(der::INTEGER).map(<[u8]>::to_vec).ok_or_else(broken);
    Ok(PrivateKey::Dsa([number()?, number()?, number()?, number()?, number()?]))
}

/// Go's advice where a key is of another format than its PEM says.
fn other_format(content: &[u8], wanted: &str) -> Option<String> {
    let mut fields = Reader::new(content).within(der::SEQUENCE)?;
    fields.expect(der::INTEGER)?;
    let found = match fields.peek()? {
        der::INTEGER => "ParsePKCS1PrivateKey",
        der::OCTET_STRING => "ParseECPrivateKey",
        der::SEQUENCE => "ParsePKCS8PrivateKey",
        _ => return None,
    };
    (found != wanted)
        .then(|| format!("x509: failed to parse private key (use {found} instead for this key format)"))
}

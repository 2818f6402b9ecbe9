//! Provenance files (`NAME-VERSION.tgz.prov`): who vouches for a packed chart. A file is the chart's metadata and the
//! SHA-256 of its archive, clear-signed with OpenPGP. Pure: bytes in, a judgement or a text out.

mod key;
mod keyring;
mod sign;
mod verify;

use crate::HelmError;

pub use keyring::Keyring;
pub use sign::Signer;

/// Metadata is small; what is larger is no provenance file.
const LARGEST: usize = 8 << 20;
/// More than any keyring that people trust has.
const LARGEST_KEYRING: usize = 64 << 20;

/// A chart is what somebody known has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The user-ids of the key: `Name (comment) <mail>`.
    pub users: Vec<String>,
    /// Of the primary key, in hexadecimal.
    pub fingerprint: String,
    /// `sha256:…`
    pub hash: String,
}

/// Helm's own lines.
impl std::fmt::Display for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for user in &self.users {
            writeln!(f, "Signed by: {user}")?;
        }
        writeln!(f, "Using Key With Fingerprint: {}", self.fingerprint)?;
        writeln!(f, "Chart Hash Verified: {}", self.hash)
    }
}

/// Why a chart is not vouched for, or cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    #[error("{what} has {size} bytes, more than {limit}")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    #[error("the keyring cannot be read: {0}")]
    Keyring(String),
    #[error("the keyring holds no OpenPGP key that can be used")]
    NoKeys,

    #[error("there is no provenance file: {0}")]
    Missing(String),
    #[error("the provenance file is not clear-signed: {0}")]
    NotSigned(String),
    #[error("signed by {0}, which the keyring does not hold as a key that may sign")]
    UnknownSigner(String),
    #[error("the signature of {0} does not hold: the provenance file was changed, or damaged")]
    BadSignature(String),
    #[error("the key of {0} is revoked")]
    Revoked(String),
    #[error("the key of {0} has expired")]
    KeyExpired(String),
    #[error("the signature of {0} has expired, or is of the future")]
    SignatureExpired(String),
    #[error("the provenance file does not say what it vouches for: {0}")]
    NoSums(String),
    #[error("the provenance file does not name {file}, but {}", named.join(", "))]
    OtherFile { file: String, named: Vec<String> },
    #[error("the archive is not what was signed: it has {found}, where {named} is named")]
    OtherHash { named: String, found: String },

    #[error("no key of the keyring is named {0:?}")]
    NoSuchKey(String),
    #[error("more than one key is named {name:?}: {}", users.join(", "))]
    Ambiguous { name: String, users: Vec<String> },
    #[error("the keyring holds only the public part of the key of {0}")]
    NoSecret(String),
    #[error("the key of {0} may not sign")]
    MayNotSign(String),
    #[error("the passphrase does not open the key of {0}")]
    Passphrase(String),
    #[error("the key of {user} does not sign: {reason}")]
    Unsigned { user: String, reason: String },
    #[error(transparent)]
    Chart(#[from] HelmError),
}

type Result<T> = std::result::Result<T, ProvenanceError>;

fn within(what: &'static str, bytes: &[u8], limit: usize) -> Result<()> {
    if bytes.len() <= limit {
        return Ok(());
    }
    Err(ProvenanceError::TooLarge { what, size: bytes.len(), limit })
}

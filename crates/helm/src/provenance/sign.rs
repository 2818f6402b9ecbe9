//! Signs a packed chart.

use pgp::composed::{ArmorOptions, CleartextSignedMessage};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SecretKey, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails as _, KeyVersion, Password, Timestamp};
use serde_json::json;

use super::key::Key;
use super::{Keyring, ProvenanceError, Result};
use crate::repository::digest;
use crate::{Chart, yaml};

/// A secret key that has been chosen.
pub struct Signer<'a> {
    key: &'a Key,
    secret: &'a SecretKey,
    now: u32,
}

impl std::fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.user()).finish()
    }
}

impl Keyring {
    /// The key with this user-id or fingerprint, else the only one whose user-id holds this text.
    ///
    /// # Errors
    /// Where there is none, or more than one, or it cannot sign.
    pub fn signer(&self, name: &str) -> Result<Signer<'_>> {
        let same = |key: &&Key| {
            key.users().iter().any(|user| user == name) || key.fingerprint() == name.to_uppercase()
        };
        let like = |key: &&Key| key.users().iter().any(|user| user.contains(name));
        let mut found: Vec<&Key> = self.keys.iter().filter(same).take(1).collect();
        if found.is_empty() {
            found = self.keys.iter().filter(like).collect();
        }
        let key = match found[..] {
            [] => return Err(ProvenanceError::NoSuchKey(name.to_owned())),
            [key] => key,
            _ => {
                let users = found.iter().map(|key| format!("{} {}", key.fingerprint(), key.name())).collect();
                return Err(ProvenanceError::Ambiguous { name: name.to_owned(), users });
            }
        };
        let secret = key.secret.as_ref().ok_or_else(|| ProvenanceError::NoSecret(key.name()))?;
        // What it signs nobody would accept.
        if !key.may_sign() {
            return Err(ProvenanceError::MayNotSign(key.name()));
        }
        key.stands(None, self.now)?;
        Ok(Signer { key, secret, now: self.now })
    }
}

impl Signer<'_> {
    /// For the question for the passphrase.
    pub fn user(&self) -> String {
        self.key.name()
    }

    /// Whether a passphrase is needed.
    pub fn is_locked(&self) -> bool {
        self.secret.secret_params().is_encrypted()
    }

    /// The provenance file of an archive that will be found by the name `file`.
    ///
    /// # Errors
    /// Where the archive is no chart, or the passphrase is another.
    pub fn sign(&self, archive: &[u8], file: &str, passphrase: &str) -> Result<String> {
        let sums = json!({"files": {file: format!("sha256:{}", digest(archive))}});
        let metadata = Chart::load_package(archive, file)?.metadata_yaml();
        let text = format!("{metadata}\n...\n{}", yaml::write(&sums));
        // White space at the end of a line is not part of what is signed.
        let text: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
        self.clear_signed(&text.join("\n"), &Password::from(passphrase)).map_err(|error| {
            let user = self.user();
            if self.is_locked() {
                return ProvenanceError::Passphrase(user);
            }
            ProvenanceError::Unsigned { user, reason: error.to_string() }
        })
    }

    fn clear_signed(&self, text: &str, passphrase: &Password) -> pgp::errors::Result<String> {
        let (kind, hash, algorithm) = (SignatureType::Text, HashAlgorithm::Sha512, self.secret.algorithm());
        let mut config = if self.secret.version() == KeyVersion::V6 {
            // As long as the standard wants it for this hash.
            SignatureConfig::v6_with_salt(kind, algorithm, hash, rand::random::<[u8; 32]>().to_vec())
        } else {
            let issuer = SubpacketData::IssuerKeyId(self.secret.legacy_key_id());
            let mut config = SignatureConfig::v4(kind, algorithm, hash);
            config.unhashed_subpackets = vec![Subpacket::regular(issuer)?];
            config
        };
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(self.now)))?,
            Subpacket::regular(SubpacketData::IssuerFingerprint(self.secret.fingerprint()))?,
        ];
        CleartextSignedMessage::new(text, config, self.secret, passphrase)?
            .to_armored_string(ArmorOptions { headers: None, include_checksum: false })
    }
}

//! What a key's own signatures say of it: its users, its subkeys, whether it may sign, until when it is valid. Only
//! signatures that hold are listened to. The rules are those of Helm's OpenPGP library.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    PublicKey, PublicSubkey, SecretKey, Signature, SignatureType, SignatureVersion, SubpacketData,
};
use pgp::types::{KeyDetails, KeyVersion, SignedUser, Tag};

use super::{ProvenanceError, Result};

#[derive(Clone)]
pub(super) struct Key {
    pub primary: PublicKey,
    pub secret: Option<SecretKey>,
    users: Vec<User>,
    /// The newest signature that says what the primary key is for.
    says: Signature,
    pub subkeys: Vec<Subkey>,
    revoked: bool,
}

#[derive(Clone)]
struct User {
    name: String,
    says: Signature,
    revoked: bool,
}

#[derive(Clone)]
pub(super) struct Subkey {
    pub key: PublicSubkey,
    says: Signature,
    revoked: bool,
}

impl Key {
    /// None where nothing that holds says what the key is for.
    pub fn new(key: SignedPublicKey) -> Option<Self> {
        let (primary, details) = (key.primary_key, key.details);
        let users: Vec<User> =
            details.users.into_iter().filter_map(|user| User::new(user, &primary)).collect();
        let user =
            users.iter().max_by_key(|user| (!user.revoked, user.says.is_primary(), user.says.created()));
        let (says, disowned) = if primary.version() == KeyVersion::V6 {
            let own = |says: &Signature| {
                understood(says)
                    && says.typ() == Some(SignatureType::Key)
                    && says.verify_key(&primary).is_ok()
            };
            (details.direct_signatures.into_iter().filter(own).max_by_key(Signature::created)?, false)
        } else {
            user.map(|user| (user.says.clone(), user.revoked))?
        };
        let subkeys =
            key.public_subkeys.into_iter().filter_map(|subkey| Subkey::new(subkey, &primary)).collect();
        // Whoever else may revoke a key cannot be asked here: it is not trusted either.
        let revoked = disowned || !details.revocation_signatures.is_empty();
        Some(Self { primary, secret: None, users, says, subkeys, revoked })
    }

    /// Its user-ids, but those that it has revoked.
    pub fn users(&self) -> Vec<String> {
        self.users.iter().filter(|user| !user.revoked).map(|user| user.name.clone()).collect()
    }

    /// For messages: a user, else the fingerprint.
    pub fn name(&self) -> String {
        self.users().into_iter().next().unwrap_or_else(|| self.fingerprint())
    }

    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    /// Whether the primary key may sign.
    pub fn may_sign(&self) -> bool {
        self.says.key_flags().sign()
    }

    /// Whether the key is valid now, and the subkey where it is one that signed.
    pub fn stands(&self, subkey: Option<&Subkey>, now: u32) -> Result<()> {
        if self.revoked || subkey.is_some_and(|subkey| subkey.revoked) {
            return Err(ProvenanceError::Revoked(self.name()));
        }
        let over = subkey.is_some_and(|subkey| key_expired(&subkey.key, &subkey.says, now));
        if over || key_expired(&self.primary, &self.says, now) {
            return Err(ProvenanceError::KeyExpired(self.name()));
        }
        let mut says = vec![&self.says];
        if let Some(subkey) = subkey {
            says.push(&subkey.says);
            says.extend(subkey.says.embedded_signature());
        }
        if says.iter().any(|says| expired(says, now)) {
            return Err(ProvenanceError::SignatureExpired(self.name()));
        }
        Ok(())
    }
}

impl User {
    fn new(user: SignedUser, primary: &PublicKey) -> Option<Self> {
        let mut own = user.signatures;
        own.retain(|says| {
            understood(says)
                && is_issuer(primary, says)
                && says.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        });
        let revokes = |says: &Signature| says.typ() == Some(SignatureType::CertRevocation);
        let revoked = own.iter().any(revokes);
        let says = own.into_iter().filter(|says| !revokes(says)).max_by_key(Signature::created)?;
        Some(Self { name: String::from_utf8_lossy(user.id.id()).into_owned(), says, revoked })
    }
}

impl Subkey {
    fn new(subkey: SignedPublicSubKey, primary: &PublicKey) -> Option<Self> {
        let (key, mut own) = (subkey.key, subkey.signatures);
        own.retain(|says| understood(says) && says.verify_subkey_binding(primary, &key).is_ok());
        let revokes = |says: &Signature| says.typ() == Some(SignatureType::SubkeyRevocation);
        let revoked = own.iter().any(revokes);
        let says = own.into_iter().filter(|says| !revokes(says)).max_by_key(Signature::created)?;
        Some(Self { key, says, revoked })
    }

    /// Whether it may sign; it has to own to its primary key, lest somebody adopts another's subkey.
    pub fn may_sign(&self, primary: &PublicKey) -> bool {
        self.says.key_flags().sign()
            && self.says.embedded_signature().is_some_and(|back| {
                understood(back) && back.verify_primary_key_binding(&self.key, primary).is_ok()
            })
    }
}

/// Whether a signature says that it is by this key; one that says nothing is nobody's.
pub(super) fn is_issuer(key: &impl KeyDetails, signature: &Signature) -> bool {
    signature.issuer_key_id().contains(&&key.legacy_key_id())
        || signature.issuer_fingerprint().contains(&&key.fingerprint())
}

/// Whether all that is critical in a signature is understood, and its hash is one that is worth something.
pub(super) fn understood(signature: &Signature) -> bool {
    use SubpacketData::{Experimental, Notation, Other};
    let Some(config) = signature.config() else { return false };
    let unknown = config.hashed_subpackets().any(|packet| {
        packet.is_critical && matches!(packet.data, Experimental(..) | Notation(..) | Other(..))
    });
    !unknown
        && matches!(config.version(), SignatureVersion::V4 | SignatureVersion::V6)
        && !matches!(config.hash_alg, HashAlgorithm::Md5 | HashAlgorithm::Ripemd160)
}

fn key_expired(key: &impl KeyDetails, says: &Signature, now: u32) -> bool {
    let created = key.created_at().as_secs();
    created > now || over(created, says.key_expiration_time(), now)
}

pub(super) fn expired(signature: &Signature, now: u32) -> bool {
    let created = signature.created().map_or(0, pgp::types::Timestamp::as_secs);
    created > now || over(created, signature.signature_expiration_time(), now)
}

/// No duration, and one of zero, is for ever.
fn over(from: u32, lasting: Option<pgp::types::Duration>, now: u32) -> bool {
    lasting
        .map_or(0, pgp::types::Duration::as_secs)
        .checked_add(from)
        .is_some_and(|end| end > from && now > end)
}

//! Keys of nobody: made anew for each test, the same ones each time, and written to no repository.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

use std::time::{SystemTime, UNIX_EPOCH};

use pgp::composed::{KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, Password, Tag, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

pub const ALICE: &str = "Alice (charts) <alice@example.com>";
pub const BOB: &str = "Bob <bob@example.com>";

/// A key's fingerprint depends on it.
const CREATED: u32 = 1_700_000_000;

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A key that is some years old.
pub fn key(user: &str) -> SignedSecretKey {
    locked(user, None)
}

/// A key with a passphrase.
pub fn locked(user: &str, passphrase: Option<&str>) -> SignedSecretKey {
    made(user, passphrase, true)
}

/// A key that may not sign.
pub fn mute(user: &str) -> SignedSecretKey {
    made(user, None, false)
}

fn made(user: &str, passphrase: Option<&str>, can_sign: bool) -> SignedSecretKey {
    let seed = user.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    SecretKeyParamsBuilder::default()
        .key_type(KeyType::Ed25519Legacy)
        .can_certify(true)
        .can_sign(can_sign)
        .created_at(Timestamp::from_secs(CREATED))
        .primary_user_id(user.to_owned())
        .passphrase(passphrase.map(str::to_owned))
        .build()
        .unwrap()
        .generate(ChaCha8Rng::seed_from_u64(seed))
        .unwrap()
}

/// The same key, valid for a minute from its creation on.
pub fn short_lived(mut key: SignedSecretKey) -> SignedSecretKey {
    let lasting = SubpacketData::KeyExpirationTime(Duration::from_secs(60));
    let user = &mut key.details.users[0];
    let mut config = user.signatures[0].config().unwrap().clone();
    config.hashed_subpackets.push(Subpacket::regular(lasting).unwrap());
    let (primary, id) = (&key.primary_key, &user.id);
    user.signatures = vec![
        config
            .sign_certification(primary, primary.public_key(), &Password::empty(), Tag::UserId, id)
            .unwrap(),
    ];
    key
}

/// The same key, with its own revocation.
pub fn revoked(mut key: SignedSecretKey) -> SignedSecretKey {
    let primary = &key.primary_key;
    let mut config =
        SignatureConfig::v4(SignatureType::KeyRevocation, primary.algorithm(), HashAlgorithm::Sha256);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(CREATED))).unwrap(),
        Subpacket::regular(SubpacketData::IssuerFingerprint(primary.fingerprint())).unwrap(),
    ];
    let revocation = config.sign_key(primary, &Password::empty(), primary.public_key()).unwrap();
    key.details.revocation_signatures.push(revocation);
    key
}

/// As `gpg --export-secret-keys` writes it.
pub fn secret(keys: &[&SignedSecretKey]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.to_bytes().unwrap()).collect()
}

/// As `gpg --export` writes it.
pub fn public(keys: &[&SignedSecretKey]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.to_public_key().to_bytes().unwrap()).collect()
}

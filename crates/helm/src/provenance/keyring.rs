//! Reads keyrings in the three forms that Helm reads: OpenPGP packets (`gpg --export`), the same in ASCII armor, one
//! block or several, and GnuPG's keybox (`pubring.kbx`).

use std::borrow::Cow;
use std::io::Read as _;

use pgp::armor::{BlockType, Dearmor};
use pgp::composed::{Deserializable as _, SignedPublicKey};
use pgp::packet::{Packet, PacketParser, SecretKey};
use pgp::types::KeyDetails as _;

use super::key::Key;
use super::{LARGEST_KEYRING, ProvenanceError, Result, within};

const ARMOR: &str = "-----BEGIN PGP";

/// Keys that are trusted, as they stand at a point in time.
#[derive(Clone)]
pub struct Keyring {
    pub(super) keys: Vec<Key>,
    /// Seconds since 1970.
    pub(super) now: u32,
}

/// Names alone: a keyring may hold secrets.
impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(Key::name)).finish()
    }
}

impl Keyring {
    /// Reads a keyring of public keys, secret keys or both; `now` (seconds since 1970) is the time at which keys and
    /// signatures have to be valid. Keys that are not understood are left out.
    ///
    /// # Errors
    /// Where these bytes are no keyring, or hold no key that can be used.
    pub fn read(bytes: &[u8], now: u64) -> Result<Self> {
        within("the keyring", bytes, LARGEST_KEYRING)?;
        let bytes = if is_keybox(bytes) {
            keyblocks(bytes)?.into()
        } else if bytes.trim_ascii_start().starts_with(ARMOR.as_bytes()) {
            unarmored(bytes)?.into()
        } else {
            Cow::Borrowed(bytes)
        };
        let mut secrets: Vec<SecretKey> = Vec::new();
        let packets: Vec<_> = PacketParser::new(&*bytes)
            .flatten()
            .filter_map(|packet| match packet {
                Packet::SecretKey(key) => {
                    let public = key.public_key().clone();
                    secrets.push(key);
                    Some(Packet::PublicKey(public))
                }
                Packet::SecretSubkey(key) => Some(Packet::PublicSubkey(key.public_key().clone())),
                // GnuPG writes its own notes between the packets of a key.
                Packet::Trust(_) | Packet::Marker(_) | Packet::Padding(_) => None,
                other => Some(other),
            })
            .map(Ok)
            .collect();
        let read = SignedPublicKey::from_packets(packets.into_iter().peekable());
        let mut keys: Vec<Key> = read.flatten().filter_map(Key::new).collect();
        for key in &mut keys {
            let own = |secret: &&SecretKey| secret.fingerprint() == key.primary.fingerprint();
            key.secret = secrets.iter().find(own).cloned();
        }
        if keys.is_empty() {
            return Err(ProvenanceError::NoKeys);
        }
        Ok(Self { keys, now: u32::try_from(now).unwrap_or(u32::MAX) })
    }
}

/// Every block; keys that were exported one by one may stand one behind the other.
fn unarmored(bytes: &[u8]) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut packets = Vec::new();
    for block in text.split(ARMOR).skip(1) {
        let block = format!("{ARMOR}{block}");
        let mut block = Dearmor::new(block.as_bytes());
        let failed = |error: &dyn std::fmt::Display| ProvenanceError::Keyring(error.to_string());
        block.read_header().map_err(|error| failed(&error))?;
        match block.typ {
            Some(BlockType::PublicKey | BlockType::PrivateKey) => {}
            _ => return Err(failed(&"it holds something else than keys")),
        }
        block.read_to_end(&mut packets).map_err(|error| failed(&error))?;
    }
    Ok(packets)
}

/// The first blob of a keybox is its header (type 1) with a magic word.
fn is_keybox(bytes: &[u8]) -> bool {
    bytes.get(4) == Some(&1) && bytes.get(8..12) == Some(b"KBXf")
}

/// The OpenPGP keys within a keybox: blobs that begin with their length (4 bytes, big endian), type, version and
/// flags (2 bytes). Those of type 2 go on with the place and the length of a key. After GnuPG's `kbx/keybox-blob.c`.
fn keyblocks(bytes: &[u8]) -> Result<Vec<u8>> {
    const OPENPGP: u8 = 2;
    const EPHEMERAL: u8 = 2;
    let broken = || ProvenanceError::Keyring("the keybox is broken".to_owned());
    let number = |bytes: &[u8], at: usize| -> Option<usize> {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(four)).ok()
    };
    let (mut rest, mut keys) = (bytes, Vec::new());
    while !rest.is_empty() {
        let length = number(rest, 0).filter(|length| *length > 4).ok_or_else(broken)?;
        let (blob, behind) = rest.split_at_checked(length).ok_or_else(broken)?;
        rest = behind;
        if blob[4] != OPENPGP {
            continue;
        }
        let (at, length) = number(blob, 8).zip(number(blob, 12)).ok_or_else(broken)?;
        let key = blob.get(at..at.saturating_add(length)).ok_or_else(broken)?;
        // GnuPG itself does not count ephemeral ones among its keys.
        if blob[7] & EPHEMERAL == 0 {
            keys.extend_from_slice(key);
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_keyring_is_told_without_a_panic() {
        for bytes in [&b""[..], b"\xff\xff\xff\xff\xff", b"SQLite format 3\0", &[0x99; 40]] {
            assert!(matches!(Keyring::read(bytes, 0), Err(ProvenanceError::NoKeys)), "{bytes:?}");
        }
        let armored = b"-----BEGIN PGP MESSAGE-----\n\naGk=\n-----END PGP MESSAGE-----\n";
        assert!(matches!(Keyring::read(armored, 0), Err(ProvenanceError::Keyring(_))));
    }

    #[test]
    fn a_keybox_gives_the_keys_within_its_blobs() {
        let header = [0, 0, 0, 12, 1, 1, 0, 0, b'K', b'B', b'X', b'f'];
        let blob = |flags: u8, key: &[u8]| {
            let length = u8::try_from(16 + key.len()).unwrap();
            let mut blob = vec![0, 0, 0, length, 2, 1, 0, flags, 0, 0, 0, 16, 0, 0, 0, length - 16];
            blob.extend(key);
            blob
        };
        let whole = [&header[..], &blob(0, b"one"), &blob(2, b"passing"), &blob(0, b"two")].concat();
        assert!(is_keybox(&whole));
        assert_eq!(keyblocks(&whole).unwrap(), b"onetwo");
        for cut in [13, 20, whole.len() - 1] {
            assert!(keyblocks(&whole[..cut]).is_err(), "{cut}");
        }
    }
}

//! Keys by which computes log in to one another: ECDSA on the curve P-256, which OpenSSH reads as PKCS #8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};

/// RFC 5656, 3.1: the type of such a key, and the curve within it.
const TYPE: &str = "ecdsa-sha2-nistp256";
const CURVE: &str = "nistp256";

/// The private key that 32 random bytes are, as PEM. None for the few that are no number of the curve.
pub fn private_key(bytes: &[u8; 32]) -> Option<String> {
    let key = SecretKey::from_slice(bytes).ok()?;
    Some(key.to_pkcs8_pem(LineEnding::LF).ok()?.to_string())
}

/// What belongs to it in `authorized_keys` and `known_hosts`: type and key. None where it is no such key.
pub fn public_key(private: &str) -> Option<String> {
    let point = SecretKey::from_pkcs8_pem(private).ok()?.public_key().to_sec1_bytes();
    let mut wire = Vec::new();
    for part in [TYPE.as_bytes(), CURVE.as_bytes(), &*point] {
        wire.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        wire.extend(part);
    }
    Some(format!("{TYPE} {}", STANDARD.encode(wire)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public half, as `ssh-keygen -y` of OpenSSH 9.2 gave it for this key.
    #[test]
    fn the_public_half_is_openssh_s() {
        let private = private_key(&[7; 32]);
        assert!(private.as_ref().is_some_and(|text| text.starts_with("-----BEGIN PRIVATE KEY-----\n")));
        let public = private.as_deref().and_then(public_key);
        assert_eq!(
            public.as_deref(),
            Some(
                "ecdsa-sha2-nistp256 \
                AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBB4YUy/UdUwC8wQdnHXOszuD/9gax85P6ILMscmLxYlu\
                pGwxHE4v9A3ZajZT5uRURdMt/khuztdcepDGoYiBwKM="
            )
        );
    }

    #[test]
    fn what_is_no_key_has_no_public_half() {
        assert_eq!(private_key(&[0; 32]), None);
        assert_eq!(public_key("secret"), None);
    }
}

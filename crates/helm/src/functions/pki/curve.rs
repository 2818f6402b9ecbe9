//! The elliptic curves of keys: their names in certificates, points and signatures.

use rsa::signature::Signer;

use super::der;

/// A curve that keys may be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    pub fn oid(self) -> Vec<u8> {
        der::oid(match self {
            Curve::P256 => &[1, 2, 840, 10_045, 3, 1, 7],
            Curve::P384 => &[1, 3, 132, 0, 34],
            Curve::P521 => &[1, 3, 132, 0, 35],
        })
    }

    /// ECDSA with the digest that fits the curve.
    pub fn signature(self) -> Vec<u8> {
        let last = match self {
            Curve::P256 => 2,
            Curve::P384 => 3,
            Curve::P521 => 4,
        };
        der::oid(&[1, 2, 840, 10_045, 4, 3, last])
    }

    /// Bytes of a secret.
    pub fn size(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    /// The point that belongs to a secret, uncompressed. None for a secret that is none.
    pub fn public(self, secret: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Curve::P256 => p256::SecretKey::from_slice(secret).ok()?.public_key().to_sec1_bytes().into_vec(),
            Curve::P384 => p384::SecretKey::from_slice(secret).ok()?.public_key().to_sec1_bytes().into_vec(),
            Curve::P521 => p521::SecretKey::from_slice(secret).ok()?.public_key().to_sec1_bytes().into_vec(),
        })
    }

    /// An ECDSA signature in DER.
    pub fn sign(self, secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Curve::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(secret).ok()?;
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Curve::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(secret).ok()?;
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Curve::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(secret).ok()?;
                let signature: p521::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
        })
    }
}

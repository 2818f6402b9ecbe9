//! Verifies an archive by its provenance file.

use pgp::composed::CleartextSignedMessage;
use pgp::packet::{Signature, SignatureType};
use pgp::types::VerifyingKey;
use serde_json::Value;

use super::key::{Key, expired, is_issuer, understood};
use super::{Keyring, LARGEST, ProvenanceError, Result, Verified, within};
use crate::repository::digest;
use crate::yaml;

impl Keyring {
    /// Verifies that a key of this ring has signed the archive; `file` is the archive's name, by which the provenance
    /// file knows it.
    ///
    /// # Errors
    /// Where nobody known has signed it, or something else.
    pub fn verify(&self, provenance: &[u8], archive: &[u8], file: &str) -> Result<Verified> {
        within("the provenance file", provenance, LARGEST)?;
        let text =
            std::str::from_utf8(provenance).map_err(|error| ProvenanceError::NotSigned(error.to_string()))?;
        let (message, _) = CleartextSignedMessage::from_string(text)
            .map_err(|error| ProvenanceError::NotSigned(error.to_string()))?;
        // From here on only what is signed is looked at.
        let signed = message.signed_text();
        let signer = self.signer_of(message.signatures(), &signed)?;
        let named = promised(&signed.replace("\r\n", "\n"), file)?;
        let hash = format!("sha256:{}", digest(archive));
        if named != hash {
            return Err(ProvenanceError::OtherHash { named, found: hash });
        }
        Ok(Verified { users: signer.users(), fingerprint: signer.fingerprint(), hash })
    }

    /// The first signature by a key that is known decides, as in Helm.
    fn signer_of(&self, signatures: &[Signature], text: &str) -> Result<&Key> {
        let mut strangers = Vec::new();
        for signature in signatures {
            let mut known = None;
            for key in &self.keys {
                if is_issuer(&key.primary, signature) && key.may_sign() {
                    known = Some(key);
                    if holds(signature, &key.primary, text) {
                        key.stands(None, self.now)?;
                        return self.fresh(key, signature);
                    }
                }
                for subkey in &key.subkeys {
                    if is_issuer(&subkey.key, signature) && subkey.may_sign(&key.primary) {
                        known = Some(key);
                        if holds(signature, &subkey.key, text) {
                            key.stands(Some(subkey), self.now)?;
                            return self.fresh(key, signature);
                        }
                    }
                }
            }
            if let Some(key) = known {
                return Err(ProvenanceError::BadSignature(key.name()));
            }
            strangers.extend(signature.issuer_fingerprint().iter().map(|print| format!("{print:X}")));
            strangers.extend(signature.issuer_key_id().iter().map(|id| id.to_string().to_uppercase()));
        }
        let stranger = strangers.into_iter().next().unwrap_or_else(|| "nobody".to_owned());
        Err(ProvenanceError::UnknownSigner(stranger))
    }

    fn fresh<'a>(&self, key: &'a Key, signature: &Signature) -> Result<&'a Key> {
        if expired(signature, self.now) {
            return Err(ProvenanceError::SignatureExpired(key.name()));
        }
        Ok(key)
    }
}

fn holds(signature: &Signature, key: &impl VerifyingKey, text: &str) -> bool {
    understood(signature)
        && matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary))
        && signature.verify(key, text.as_bytes()).is_ok()
}

/// The hash that the signed text names for a file: it stands in the second of the YAML documents.
fn promised(text: &str, file: &str) -> Result<String> {
    let no_sums = |why: String| ProvenanceError::NoSums(why);
    let Some((_, sums)) = text.split_once("\n...\n") else {
        return Err(no_sums("it holds one part, where two are wanted".to_owned()));
    };
    let sums = sums.split("\n...\n").next().unwrap_or_default();
    let sums = yaml::parse(sums).map_err(|error| no_sums(error.to_string()))?;
    let Value::Object(files) = &sums["files"] else {
        return Err(no_sums("it has no list of files".to_owned()));
    };
    match files.get(file) {
        Some(Value::String(hash)) => Ok(hash.clone()),
        _ => {
            Err(ProvenanceError::OtherFile { file: file.to_owned(), named: files.keys().cloned().collect() })
        }
    }
}

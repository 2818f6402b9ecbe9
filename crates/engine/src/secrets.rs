//! Passwords and keys: made once from the operating system's random numbers, kept in the Secret
//! `landfall-secrets`, read back on later runs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_catalog::blueprint::{Prerequisite, Secrets};
use landfall_catalog::{SecretKind, SecretSpec, ssh};
use landfall_cluster::api::{Cluster, Gvk};
use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::{Value, json};

use crate::again::again;
use crate::error::{EngineError, Result};

/// Name of the Secret in the OpenStack namespace.
pub const NAME: &str = "landfall-secrets";
/// Letters and digits only: passwords go into URLs, INI files and shell words. 32 of them are 190 bits.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH: usize = 32;

/// What the cluster holds, completed for `wanted`: those absent are made, not yet written (the run
/// writes them, before any release, in the step `secrets/landfall-secrets`).
///
/// # Errors
/// When the cluster does not answer or the Secret may not be read.
pub async fn load(cluster: &dyn Cluster, namespace: &str, wanted: &[SecretSpec]) -> Result<Secrets> {
    let mut secrets = stored(cluster, namespace).await?;
    for one in wanted {
        if !secrets.0.contains_key(&one.name) {
            let made = match one.kind {
                SecretKind::Password | SecretKind::Key => password()?,
                SecretKind::PrivateKey => private_key()?,
            };
            secrets.0.insert(one.name.clone(), made);
        }
    }
    Ok(secrets)
}

/// What the cluster holds; empty before the first run.
///
/// # Errors
/// As [`load`].
pub async fn stored(cluster: &dyn Cluster, namespace: &str) -> Result<Secrets> {
    let gvk = Gvk::new("v1", "Secret");
    let found = again(|| cluster.get(&gvk, Some(namespace), NAME)).await?;
    Ok(Secrets(found.map(|secret| decoded(&secret)).unwrap_or_default()))
}

/// The prerequisite that keeps them.
pub(crate) fn prerequisite(namespace: &str, secrets: &Secrets) -> Prerequisite {
    Prerequisite::Secret {
        namespace: namespace.to_owned(),
        name: NAME.to_owned(),
        keys: secrets.0.keys().map(|key| (key.clone(), key.clone())).collect(),
    }
}

/// The values of a Secret object.
pub(crate) fn decoded(secret: &Value) -> BTreeMap<String, String> {
    let data = secret["data"].as_object().into_iter().flatten();
    data.filter_map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        Some((key.clone(), String::from_utf8(bytes).ok()?))
    })
    .collect()
}

/// An Opaque Secret with these keys of `secrets`; `keys` is data key to name.
pub(crate) fn object(
    namespace: &str,
    name: &str,
    keys: &BTreeMap<String, String>,
    secrets: &Secrets,
) -> Value {
    let data: BTreeMap<&String, String> = keys
        .iter()
        .filter_map(|(key, from)| secrets.0.get(from).map(|value| (key, STANDARD.encode(value))))
        .collect();
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": name, "namespace": namespace}, "data": data})
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|e| EngineError::Random(e.to_string()))?;
    Ok(bytes)
}

fn private_key() -> Result<String> {
    loop {
        // One in 2^32 is no key of the curve.
        if let Some(key) = ssh::private_key(&random()?) {
            return Ok(key);
        }
    }
}

fn password() -> Result<String> {
    let mut word = String::with_capacity(LENGTH);
    while word.len() < LENGTH {
        let bytes: [u8; 64] = random()?;
        // 248 is the largest multiple of 62: above it some letters would be likelier.
        let letters = bytes.iter().filter(|b| **b < 248).map(|b| char::from(ALPHABET[usize::from(*b % 62)]));
        word.extend(letters.take(LENGTH - word.len()));
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn passwords_are_long_and_never_twice_the_same() {
        let (a, b) = (password().unwrap(), password().unwrap());
        assert_eq!(a.len(), LENGTH);
        assert!(a.bytes().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(a, b);
    }

    #[test]
    fn private_keys_have_a_public_half_and_are_never_twice_the_same() {
        let (a, b) = (private_key().unwrap(), private_key().unwrap());
        assert_ne!(ssh::public_key(&a).unwrap(), ssh::public_key(&b).unwrap());
    }

    #[test]
    fn a_secret_survives_its_object() {
        let secrets = Secrets(BTreeMap::from([("a".to_owned(), "x".to_owned())]));
        let keys = BTreeMap::from([("a".to_owned(), "a".to_owned())]);
        assert_eq!(decoded(&object("ns", "n", &keys, &secrets)), secrets.0);
    }
}

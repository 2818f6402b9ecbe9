//! The cluster's identity and the keys of its daemons, made once and kept in Secrets under Rook's names.
//! No key reaches a log or a command line.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::runtime::wait::await_condition;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::pod::{Error, Result, status_code};

/// Identity, the monitors' key, the administrator's.
pub const MONITORS: &str = "rook-ceph-mon";
/// The manager's keyring.
pub const MANAGER: &str = "rook-ceph-mgr-a-keyring";
/// Identity, and a keyring that may announce new disks and nothing else.
pub const DISKS: &str = "rook-ceph-osd-bootstrap";
/// The name in that keyring.
pub const ANNOUNCER: &str = "client.bootstrap-osd";
/// Rook's own type, so that its operator would know them.
const TYPE: &str = "kubernetes.io/rook";
const ADMINISTRATOR: &str = "client.admin";

/// Text of a Secret by key.
pub type Texts = BTreeMap<String, String>;

/// What the monitors are born with.
pub struct Identity {
    pub fsid: String,
    /// Users with their keys and caps; the first monitors take them over.
    pub keyring: String,
}

/// Reads the Secrets, and makes those that are not there. Several may do so at once: the first wins.
pub async fn ensure(client: &Client, namespace: &str) -> Result<Identity> {
    let store = Store { api: Api::namespaced(client.clone(), namespace), namespace };
    let mut fresh = Texts::new();
    for (name, value) in [
        ("fsid", uuid()?),
        ("mon-secret", key()?),
        ("ceph-username", ADMINISTRATOR.to_owned()),
        ("ceph-secret", key()?),
    ] {
        fresh.insert(name.to_owned(), value);
    }
    let monitors = store.get_or_create(MONITORS, fresh).await?;
    let fsid = text(&monitors, MONITORS, "fsid")?;
    let manager = Texts::from([("keyring".to_owned(), entry("mgr.a", &key()?))]);
    let manager = store.get_or_create(MANAGER, manager).await?;
    let disks =
        Texts::from([("fsid".to_owned(), fsid.clone()), ("keyring".to_owned(), entry(ANNOUNCER, &key()?))]);
    let disks = store.get_or_create(DISKS, disks).await?;
    let keyring = [
        entry("mon.", &text(&monitors, MONITORS, "mon-secret")?) + &caps(&[("mon", "allow *")]),
        entry(ADMINISTRATOR, &text(&monitors, MONITORS, "ceph-secret")?)
            + &caps(&[("mon", "allow *"), ("osd", "allow *"), ("mgr", "allow *"), ("mds", "allow *")]),
        text(&manager, MANAGER, "keyring")?
            + &caps(&[("mon", "allow profile mgr"), ("osd", "allow *"), ("mds", "allow *")]),
        text(&disks, DISKS, "keyring")? + &caps(&[("mon", "allow profile bootstrap-osd")]),
    ];
    Ok(Identity { fsid, keyring: keyring.concat() })
}

/// The texts of a Secret, as soon as it is there.
pub async fn wait_for(client: &Client, namespace: &str, name: &str) -> Result<Texts> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let there = |secret: Option<&Secret>| secret.is_some_and(|secret| secret.data.is_some());
    let found = await_condition(api, name, there).await.map_err(|error| {
        Error::Failed(format!("cannot wait for secret {name} in namespace {namespace}: {error}"))
    })?;
    Ok(found.map(texts).unwrap_or_default())
}

/// One of the texts; an empty one is as good as none.
pub fn text(texts: &Texts, secret: &str, name: &str) -> Result<String> {
    let found = texts.get(name).filter(|text| !text.trim().is_empty()).cloned();
    found.ok_or_else(|| {
        Error::Failed(format!(
            "secret {secret} has no {name}: restore it, or delete the secret if no data is to be kept"
        ))
    })
}

/// A user of a keyring file.
pub fn entry(user: &str, key: &str) -> String {
    format!("[{user}]\n\tkey = {key}\n")
}

fn caps(caps: &[(&str, &str)]) -> String {
    let lines: Vec<String> =
        caps.iter().map(|(daemon, allowed)| format!("\tcaps {daemon} = \"{allowed}\"\n")).collect();
    lines.concat()
}

/// A key in Ceph's form: kind 1 (AES), when it was made, its length, 16 random bytes; little-endian, base64.
pub fn key() -> Result<String> {
    let now = u32::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(28);
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(now.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(random()?);
    Ok(STANDARD.encode(bytes))
}

/// A random UUID (RFC 9562, version 4).
pub fn uuid() -> Result<String> {
    let mut bytes = random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

fn random() -> Result<[u8; 16]> {
    let mut bytes = [0u8; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(|e| Error::Failed(format!("no random numbers: {e}")))?;
    Ok(bytes)
}

fn texts(secret: Secret) -> Texts {
    let data = secret.data.unwrap_or_default();
    data.into_iter().filter_map(|(name, bytes)| Some((name, String::from_utf8(bytes.0).ok()?))).collect()
}

struct Store<'a> {
    api: Api<Secret>,
    namespace: &'a str,
}

impl Store<'_> {
    async fn get_or_create(&self, name: &str, fresh: Texts) -> Result<Texts> {
        let what = || format!("secret {name} in namespace {}", self.namespace);
        if let Some(found) = self.api.get_opt(name).await.map_err(Error::api("get", what()))? {
            return Ok(texts(found));
        }
        let data = fresh.iter().map(|(name, text)| (name.clone(), ByteString(text.clone().into_bytes())));
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            type_: Some(TYPE.to_owned()),
            data: Some(data.collect()),
            ..Secret::default()
        };
        match self.api.create(&PostParams::default(), &secret).await {
            Ok(_) => Ok(fresh),
            Err(error) if status_code(&error) == Some(409) => {
                self.api.get(name).await.map(texts).map_err(Error::api("get", what()))
            }
            Err(error) => Err(Error::api("create", what())(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_have_cephs_form_and_are_never_twice_the_same() {
        let (a, b) = (key().unwrap(), key().unwrap());
        let bytes = STANDARD.decode(&a).unwrap();
        assert_eq!((bytes.len(), &bytes[..2], &bytes[10..12]), (28, &[1, 0][..], &[16, 0][..]));
        assert_ne!(a, b);
    }

    #[test]
    fn an_identity_is_a_uuid() {
        let uuid = uuid().unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "4");
    }

    #[test]
    fn a_keyring_reads_as_ceph_writes_it() {
        assert_eq!(
            entry("mon.", "K==") + &caps(&[("mon", "allow *")]),
            "[mon.]\n\tkey = K==\n\tcaps mon = \"allow *\"\n"
        );
    }
}

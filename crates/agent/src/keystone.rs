//! What Jobs do for Keystone: its key repositories, kept in the Secrets `keystone-fernet-keys` and
//! `keystone-credential-keys`, and other services' entries in it. No key or password reaches a log.

mod keys;
mod migrate;
mod register;

use std::collections::BTreeMap;

use clap::Subcommand;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, PostParams};

use crate::pod::{self, Error, Result, say, status_code};
use keys::{Keys, Setup};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Make the keys that tokens are signed with, where there are none
    FernetSetup,
    /// Make the staged key primary, stage a new one, prune the oldest
    FernetRotate,
    /// Make the keys that credentials are encrypted with, where there are none
    CredentialSetup,
    /// Rotate them, and encrypt all credentials anew
    CredentialRotate,
    /// Make a service be in the catalog, by name and type
    RegisterService,
    /// Make its admin, internal and public endpoints have their URLs
    RegisterEndpoints,
    /// Make its account be there, with its password and roles
    RegisterUser,
}

impl Command {
    fn is_credential(self) -> bool {
        matches!(self, Self::CredentialSetup | Self::CredentialRotate)
    }
}

/// Lost races are tried again this often.
const TRIES: u32 = 8;

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::RegisterService => register::run(register::What::Service).await,
        Command::RegisterEndpoints => register::run(register::What::Endpoints).await,
        Command::RegisterUser => register::run(register::What::User).await,
        keys => keep(keys).await,
    }
}

/// Sets up or rotates keys.
async fn keep(command: Command) -> Result<u8> {
    let (secret, most) =
        if command.is_credential() { ("keystone-credential-keys", 3) } else { ("keystone-fernet-keys", 7) };
    let store = Store {
        name: pod::var("SECRET_NAME").unwrap_or_else(|| secret.to_owned()),
        namespace: pod::namespace(),
        client: pod::client().await?,
    };
    let most: usize = pod::parsed("MAX_ACTIVE_KEYS", most, "a number of keys")?;
    match command {
        Command::FernetRotate => {
            rotate(&store, most).await?;
        }
        Command::CredentialRotate => {
            let repository = migrate::Repository::from_environment();
            // Only when everything is encrypted with the present primary key may an older one go.
            let (present, _) = store.read().await?;
            repository.migrate(&present.ok_or_else(|| store.absent())?).await.map_err(|e| {
                Error::Failed(format!(
                    "nothing was rotated, because credentials may still need the oldest key: {e}"
                ))
            })?;
            let fresh = rotate(&store, most).await?;
            repository.migrate(&fresh).await?;
            say("all credentials are encrypted with the new primary key");
        }
        _ => setup(&store).await?,
    }
    Ok(0)
}

async fn setup(store: &Store) -> Result<()> {
    for _ in 0..TRIES {
        let (present, version) = store.read().await?;
        match keys::setup(present.as_ref(), keys::generate) {
            Setup::Kept => {
                say(&format!("secret {} holds keys already; nothing to do", store.name));
                return Ok(());
            }
            Setup::Made(keys) => {
                if store.write(&keys, version).await? {
                    say(&format!("secret {} now holds keys {}", store.name, keys.names()));
                    return Ok(());
                }
            }
        }
    }
    Err(store.contended())
}

async fn rotate(store: &Store, most: usize) -> Result<Keys> {
    for _ in 0..TRIES {
        let (present, version) = store.read().await?;
        let present = present.ok_or_else(|| store.absent())?;
        let rotated = keys::rotate(&present, most, keys::generate)
            .map_err(|e| Error::Failed(format!("secret {}: {e}", store.name)))?;
        if store.write(&rotated.keys, version).await? {
            let pruned = if rotated.pruned.is_empty() {
                String::new()
            } else {
                format!(", pruned {}", join(&rotated.pruned))
            };
            say(&format!(
                "secret {}: primary key is now {}{pruned}; keys {}",
                store.name,
                rotated.primary,
                rotated.keys.names()
            ));
            return Ok(rotated.keys);
        }
    }
    Err(store.contended())
}

fn join(indices: &[u64]) -> String {
    indices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The Secret that holds the keys.
struct Store {
    name: String,
    namespace: String,
    client: Client,
}

/// What must be sent back to overwrite only what was read.
type Read = Option<Secret>;

impl Store {
    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn what(&self) -> String {
        format!("secret {} in namespace {}", self.name, self.namespace)
    }

    /// The keys, none where the Secret is absent or empty; and the Secret as it was.
    async fn read(&self) -> Result<(Option<Keys>, Read)> {
        let found = self.api().get_opt(&self.name).await.map_err(Error::api("get", self.what()))?;
        let data = found.as_ref().and_then(|s| s.data.clone()).unwrap_or_default();
        let keys = Keys::read(data.into_iter().map(|(k, v)| (k, v.0)))
            .map_err(|e| Error::Failed(format!("{}: {e}", self.what())))?;
        Ok((keys, found))
    }

    /// False where somebody else was faster.
    async fn write(&self, keys: &Keys, read: Read) -> Result<bool> {
        let own: BTreeMap<String, ByteString> = keys.entries().map(|(k, v)| (k, ByteString(v))).collect();
        let written = match read {
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let secret = Secret {
                    metadata,
                    data: Some(own),
                    type_: Some("Opaque".to_owned()),
                    ..Secret::default()
                };
                self.api().create(&PostParams::default(), &secret).await
            }
            Some(mut secret) => {
                // Entries that are no keys are somebody else's and stay.
                let mut data = secret.data.take().unwrap_or_default();
                data.retain(|name, _| name.parse::<u64>().is_err());
                data.extend(own);
                secret.data = Some(data);
                self.api().replace(&self.name, &PostParams::default(), &secret).await
            }
        };
        match written {
            Ok(_) => Ok(true),
            Err(e) if status_code(&e) == Some(409) => Ok(false),
            Err(e) => Err(Error::api("update", self.what())(e)),
        }
    }

    fn absent(&self) -> Error {
        Error::Failed(format!("{} holds no keys yet: run the setup job first", self.what()))
    }

    fn contended(&self) -> Error {
        Error::Failed(format!("{} is changed by somebody else all the time; try again", self.what()))
    }
}

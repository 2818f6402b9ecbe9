//! A key repository as Keystone defines it, without files: `0` is the staged key, the highest number the
//! primary, all between still decrypt. Pure; what is random comes in from outside.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use rand::Rng;

const STAGED: u64 = 0;

/// A fernet key: 32 bytes in URL-safe base64. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A new key from the system's randomness.
pub fn generate() -> Key {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Key(URL_SAFE.encode(bytes))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(BTreeMap<u64, Key>);

/// What is wrong with a repository.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "entry {0} is not a fernet key (32 bytes in URL-safe base64): remove it, or restore the Secret from a backup"
    )]
    NotAKey(u64),
    #[error(
        "there is no staged key (entry 0): restore the Secret from a backup, or delete it and run the setup job (which invalidates what the old keys protect)"
    )]
    NoStaged,
    #[error("there is no primary key (only entry 0): delete the Secret and run the setup job")]
    NoPrimary,
}

impl Keys {
    /// From a Secret's entries; those that are no numbers are not keys. None where there is no key at all.
    pub fn read(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Option<Self>, KeyError> {
        let mut keys = BTreeMap::new();
        for (name, value) in entries {
            // `01` is not how Keystone names a key.
            let Some(index) = name.parse::<u64>().ok().filter(|i| i.to_string() == name) else { continue };
            let text = String::from_utf8(value).map_err(|_| KeyError::NotAKey(index))?;
            let valid = URL_SAFE.decode(text.trim_end()).is_ok_and(|bytes| bytes.len() == 32);
            if !valid {
                return Err(KeyError::NotAKey(index));
            }
            keys.insert(index, Key(text.trim_end().to_owned()));
        }
        Ok((!keys.is_empty()).then_some(Self(keys)))
    }

    pub fn entries(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        self.0.iter().map(|(index, key)| (index.to_string(), key.0.clone().into_bytes()))
    }

    pub fn names(&self) -> String {
        self.0.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Setup {
    /// There are keys: they are never overwritten.
    Kept,
    Made(Keys),
}

/// The first staged and the first primary key, where there is none.
pub fn setup(present: Option<&Keys>, mut new: impl FnMut() -> Key) -> Setup {
    match present {
        Some(_) => Setup::Kept,
        None => Setup::Made(Keys(BTreeMap::from([(STAGED, new()), (1, new())]))),
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Rotated {
    pub keys: Keys,
    pub primary: u64,
    pub pruned: Vec<u64>,
}

/// The staged key becomes the new primary, a new one is staged, and of the old ones the oldest go until
/// `most` are left in all (staged included; less than 1 counts as 1, as in Keystone, and the primary always stays).
pub fn rotate(present: &Keys, most: usize, mut new: impl FnMut() -> Key) -> Result<Rotated, KeyError> {
    let mut keys = present.0.clone();
    let staged = keys.remove(&STAGED).ok_or(KeyError::NoStaged)?;
    let primary = keys.keys().next_back().ok_or(KeyError::NoPrimary)? + 1;
    keys.insert(primary, staged);
    let mut pruned = Vec::new();
    while keys.len() > most.max(2) - 1 {
        let Some((oldest, _)) = keys.pop_first() else { break };
        pruned.push(oldest);
    }
    keys.insert(STAGED, new());
    Ok(Rotated { keys: Keys(keys), primary, pruned })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Keys that can be told apart.
    fn counter() -> impl FnMut() -> Key {
        let mut n = 0_u8;
        move || {
            n += 1;
            Key(URL_SAFE.encode([n; 32]))
        }
    }

    fn made(new: &mut impl FnMut() -> Key) -> Keys {
        let Setup::Made(keys) = setup(None, new) else { unreachable!() };
        keys
    }

    #[test]
    fn setup_makes_a_staged_and_a_primary_key_once() {
        let keys = made(&mut counter());
        assert_eq!(keys.names(), "0, 1");
        assert_eq!(setup(Some(&keys), counter()), Setup::Kept);
    }

    #[test]
    fn the_staged_key_becomes_primary_and_the_oldest_goes() {
        let mut new = counter();
        let first = made(&mut new);
        let second = rotate(&first, 3, &mut new).unwrap();
        assert_eq!((second.primary, second.keys.names().as_str(), second.pruned.len()), (2, "0, 1, 2", 0));
        assert_eq!(second.keys.0[&2], first.0[&0], "what was staged");
        assert_ne!(second.keys.0[&0], first.0[&0], "a new one is staged");
        let third = rotate(&second.keys, 3, &mut new).unwrap();
        assert_eq!((third.primary, third.keys.names().as_str(), third.pruned), (3, "0, 2, 3", vec![1]));
    }

    #[test]
    fn lowering_the_limit_prunes_several_and_never_the_primary() {
        let mut new = counter();
        let mut keys = made(&mut new);
        for _ in 0..5 {
            keys = rotate(&keys, 9, &mut new).unwrap().keys;
        }
        assert_eq!(keys.names(), "0, 1, 2, 3, 4, 5, 6");
        let few = rotate(&keys, 3, &mut new).unwrap();
        assert_eq!((few.keys.names().as_str(), few.pruned), ("0, 6, 7", vec![1, 2, 3, 4, 5]));
        for most in [0, 1, 2] {
            assert_eq!(rotate(&keys, most, &mut new).unwrap().keys.names(), "0, 7", "at most {most}");
        }
    }

    /// Whatever was issued under a primary key can be read for `most - 2` more rotations, and everyone who
    /// missed one rotation can still read what is issued after it.
    #[test]
    fn tokens_outlive_as_many_rotations_as_the_limit_promises() {
        for most in 3..9 {
            let mut new = counter();
            let mut history = vec![made(&mut new)];
            for _ in 0..20 {
                history.push(rotate(history.last().unwrap(), most, &mut new).unwrap().keys);
            }
            for (at, keys) in history.iter().enumerate() {
                let issued_with = keys.0.values().next_back().unwrap();
                for (later, then) in history.iter().enumerate().skip(at) {
                    let readable = then.0.values().any(|k| k == issued_with);
                    let rotations = later - at;
                    if rotations <= most - 2 {
                        assert!(readable, "most {most}: key of {at} must live after {rotations} rotations");
                    } else {
                        assert!(
                            !readable,
                            "most {most}: key of {at} must be gone after {rotations} rotations"
                        );
                    }
                }
                if let Some(next) = history.get(at + 1) {
                    let primary = next.0.values().next_back().unwrap();
                    assert!(keys.0.values().any(|k| k == primary), "the next primary was staged before");
                }
            }
        }
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        let key = |n: u8| URL_SAFE.encode([n; 32]).into_bytes();
        let read = |entries: &[(&str, Vec<u8>)]| {
            Keys::read(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())))
        };
        assert_eq!(read(&[("ca.crt", b"x".to_vec())]), Ok(None));
        assert_eq!(read(&[("0", b"short".to_vec())]), Err(KeyError::NotAKey(0)));
        assert_eq!(read(&[("3", vec![0xff, 0xfe])]), Err(KeyError::NotAKey(3)));
        let mut with_newline = key(1);
        with_newline.push(b'\n');
        assert_eq!(
            read(&[("0", with_newline), ("01", key(2)), ("2", key(3))]).unwrap().unwrap().names(),
            "0, 2"
        );
        let only = |index: &str| read(&[(index, key(1))]).unwrap().unwrap();
        assert_eq!(rotate(&only("1"), 3, counter()).unwrap_err(), KeyError::NoStaged);
        assert_eq!(rotate(&only("0"), 3, counter()).unwrap_err(), KeyError::NoPrimary);
    }

    #[test]
    fn generated_keys_are_fernet_keys_and_stay_out_of_logs() {
        let (a, b) = (generate(), generate());
        assert_ne!(a, b);
        assert_eq!((a.0.len(), URL_SAFE.decode(&a.0).unwrap().len()), (44, 32));
        assert!(!format!("{:?}", made(&mut generate)).contains(&a.0[..4]));
        assert_eq!(format!("{a:?}"), "Key(…)");
    }
}

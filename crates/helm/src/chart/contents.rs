//! Contents of files, each held once while it is in use: charts, and subcharts within them, bring the same library
//! charts. Who meets the same content again knows it by its address. A file that was read before, by whatever path, is not
//! read again: charts of one repository have their library beside them, by links or `file://`.

use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock, Mutex};

use foldhash::quality::RandomState;
use rustix::fs::Stat;

use crate::generations::{GENERATION, Generations, locked};

/// Larger contents are not worth remembering.
const LARGEST: usize = GENERATION / 4;

/// What is looked at of a content to find it: its end, in bytes.
const SAMPLE: usize = 256;

/// Contents by the hash of a sample. Of two with the same one the newer is kept: the other is only not shared.
type Contents = Generations<u64, Arc<[u8]>>;

static KEPT: LazyLock<Mutex<Contents>> = LazyLock::new(Mutex::default);
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The content, as others hold it already.
pub fn shared(content: &[u8]) -> Arc<[u8]> {
    if content.len() > LARGEST {
        return content.into();
    }
    let sample = &content[content.len().saturating_sub(SAMPLE)..];
    let key = HASHES.hash_one((content.len(), sample));
    let mut kept = locked(&KEPT);
    kept.get(&key).filter(|data| **data == *content).unwrap_or_else(|| {
        let data: Arc<[u8]> = content.into();
        kept.keep(key, Arc::clone(&data), data.len());
        data
    })
}

/// What tells a file with its content from all others, as Git's index has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    file: (u64, u64),
    bytes: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Seconds within which a change may leave the times of a file as they are.
const UNSETTLED: i64 = 2;

static KNOWN: LazyLock<Mutex<Generations<Identity, Arc<[u8]>>>> = LazyLock::new(Mutex::default);

impl Identity {
    /// None where it is not settled: the file was changed a moment before `now`, in seconds since 1970.
    pub fn of(status: &Stat, now: i64) -> Option<Self> {
        let identity = Self {
            file: (status.st_dev, status.st_ino),
            bytes: status.st_size,
            modified: (status.st_mtime, status.st_mtime_nsec as i64),
            changed: (status.st_ctime, status.st_ctime_nsec as i64),
        };
        (status.st_ctime + UNSETTLED <= now).then_some(identity)
    }

    /// Whether so many bytes were read: some file systems tell no true lengths, and then perhaps no true times.
    pub fn has_length(&self, bytes: usize) -> bool {
        i64::try_from(bytes).is_ok_and(|bytes| bytes == self.bytes)
    }

    /// The content, if the file was read before.
    pub fn content(&self) -> Option<Arc<[u8]>> {
        locked(&KNOWN).get(self)
    }

    /// Keeps the content for the next time.
    pub fn keep(self, content: &Arc<[u8]>) {
        if content.len() <= LARGEST {
            locked(&KNOWN).keep(self, Arc::clone(content), content.len());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_known_until_it_changes_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "a").unwrap();
        let first = rustix::fs::stat(&file).unwrap();
        let settled = first.st_ctime + UNSETTLED;
        assert_eq!(Identity::of(&first, settled - 1), None);
        let content = shared(b"a");
        let identity = Identity::of(&first, settled).unwrap();
        assert!(identity.has_length(1) && !identity.has_length(0));
        identity.keep(&content);

        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let again = Identity::of(&rustix::fs::stat(&link).unwrap(), settled).unwrap();
        assert!(Arc::ptr_eq(&again.content().unwrap(), &content));
        std::fs::write(&file, "ab").unwrap();
        let changed = rustix::fs::stat(&link).unwrap();
        assert_eq!(Identity::of(&changed, changed.st_ctime + UNSETTLED).unwrap().content(), None);
    }

    #[test]
    fn equal_contents_are_one_and_are_forgotten_in_the_end() {
        let first = shared(b"a template");
        assert!(Arc::ptr_eq(&first, &shared(b"a template")));
        for number in 0..9_u8 {
            shared(&vec![number; LARGEST]);
        }
        assert!(!Arc::ptr_eq(&first, &shared(b"a template")));
    }
}

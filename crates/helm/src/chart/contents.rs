//! Contents of files, each held once while it is in use: charts, and subcharts within them, bring the same library
//! charts. Who meets the same content again knows it by its address.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;

/// Bytes after which a generation is old. A chart of OpenStack-Helm has 50,000, its library 300,000.
const GENERATION: usize = 1 << 20;

/// Larger contents are not worth remembering.
const LARGEST: usize = GENERATION / 4;

/// Two generations: what is not asked for while a whole one comes to be is forgotten.
#[derive(Default)]
struct Kept {
    young: HashSet<Arc<[u8]>, RandomState>,
    old: HashSet<Arc<[u8]>, RandomState>,
    /// Of the young.
    bytes: usize,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The content, as others hold it already.
pub fn shared(content: &[u8]) -> Arc<[u8]> {
    if content.len() > LARGEST {
        return content.into();
    }
    // A thread that panicked here has left nothing half done.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.young.get(content) {
        return Arc::clone(known);
    }
    let known = kept.old.take(content).unwrap_or_else(|| content.into());
    if kept.bytes + known.len() > GENERATION {
        kept.old = std::mem::take(&mut kept.young);
        kept.bytes = 0;
    }
    kept.bytes += known.len();
    kept.young.insert(Arc::clone(&known));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

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

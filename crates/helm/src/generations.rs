//! What is kept for whoever asks next, bounded without counting who asks how often.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

/// Bytes after which a generation is old. A chart of OpenStack-Helm has 50,000, its library 300,000.
pub const GENERATION: usize = 1 << 20;

/// Two generations: what is not asked for while a whole one comes to be is forgotten.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, Kept<V>, RandomState>,
    old: HashMap<K, Kept<V>, RandomState>,
    /// Of the young.
    bytes: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: usize,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), bytes: 0 }
    }
}

impl<K: Eq + Hash, V: Clone> Generations<K, V> {
    /// What is kept by this key.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some(kept) = self.young.get(key) {
            return Some(kept.value.clone());
        }
        let (key, kept) = self.old.remove_entry(key)?;
        let value = kept.value.clone();
        self.keep(key, kept.value, kept.bytes);
        Some(value)
    }

    /// Keeps a value that takes so many bytes.
    pub fn keep(&mut self, key: K, value: V, bytes: usize) {
        if self.bytes + bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        // Two threads may have made the same.
        if self.young.insert(key, Kept { value, bytes }).is_none() {
            self.bytes += bytes;
        }
    }
}

/// For one thread at a time; a thread that panicked with it has left nothing half done.
pub fn locked<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_all_else_is_forgotten() {
        let mut kept = Generations::default();
        kept.keep("asked", 1, 10);
        kept.keep("not", 2, 10);
        for number in 0..20 {
            kept.keep("large", number, GENERATION / 2 + 1);
            assert_eq!(kept.get("asked"), Some(1));
        }
        assert_eq!(kept.get("not"), None);
    }
}

//! Which records of a release are kept.

use super::Status;

/// A record of the history, by what its labels say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub version: i64,
    pub status: Status,
}

/// The versions to delete so that at most `keep` are left, oldest first. The deployed revision stays,
/// however old it is. `keep` 0 keeps all.
pub fn prune(history: &[Entry], keep: usize) -> Vec<i64> {
    if keep == 0 || history.len() <= keep {
        return Vec::new();
    }
    let mut history = history.to_vec();
    history.sort_by_key(|entry| entry.version);
    let deployed =
        history.iter().rev().find(|entry| entry.status == Status::Deployed).map(|entry| entry.version);
    let surplus = history.len() - keep;
    history
        .iter()
        .map(|entry| entry.version)
        .filter(|version| Some(*version) != deployed)
        .take(surplus)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_but_never_the_deployed_one() {
        let mut history: Vec<Entry> =
            (1..=12).map(|version| Entry { version, status: Status::Superseded }).collect();
        assert_eq!(prune(&history, 10), [1, 2]);
        history[0].status = Status::Deployed;
        assert_eq!(prune(&history, 10), [2, 3]);
        assert!(prune(&history[..10], 10).is_empty());
        assert!(prune(&history, 0).is_empty());
    }
}

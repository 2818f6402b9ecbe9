//! What a monitor must do when addresses are not those of its map. Pure.

use super::addresses::Map;

/// How a monitor comes to the addresses of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It stays; others that moved tell the quorum themselves.
    Stay,
    /// The others are a quorum where they always were: they are told of this one's new address.
    ByQuorum,
    /// No quorum can be found at the old addresses: every monitor writes the whole map anew, all the same.
    Whole,
}

/// `stored` is what the map says, `now` what is true; `own` is this monitor's letter.
pub fn decide(stored: &Map, now: &Map, own: &str) -> Move {
    let majority = now.len() / 2 + 1;
    let same = |id: &str| stored.get(id).is_some() && stored.get(id) == now.get(id);
    let others = now.keys().filter(|id| *id != own && same(id)).count();
    match same(own) {
        true if others + 1 >= majority => Move::Stay,
        false if others >= majority => Move::ByQuorum,
        _ => Move::Whole,
    }
}

/// Addresses of `monmaptool --print`: lines such as `0: [v2:10.96.0.5:3300/0,v1:10.96.0.5:6789/0] mon.a`.
pub fn parse(printed: &str) -> Map {
    printed.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<(String, String)> {
    let (rank, rest) = line.split_once(": ")?;
    rank.trim().parse::<u32>().ok()?;
    let (addresses, name) = rest.rsplit_once(" mon.")?;
    let first = addresses.trim().trim_matches(['[', ']']).split(',').next()?;
    let address = first.trim_start_matches("v2:").trim_start_matches("v1:").split('/').next()?;
    let (ip, _port) = address.rsplit_once(':')?;
    Some((name.trim().to_owned(), ip.trim_matches(['[', ']']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Map {
        text.split(' ').filter_map(|item| item.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
    }

    fn decided(stored: &str, now: &str) -> Move {
        decide(&map(stored), &map(now), "a")
    }

    #[test]
    fn a_single_monitor_moves_by_itself() {
        assert_eq!(decided("a=1", "a=1"), Move::Stay);
        assert_eq!(decided("a=1", "a=2"), Move::Whole);
    }

    #[test]
    fn one_of_three_moves_by_the_quorum_of_the_others() {
        assert_eq!(decided("a=1 b=1 c=1", "a=2 b=1 c=1"), Move::ByQuorum);
        assert_eq!(decided("a=1 b=1 c=1", "a=1 b=2 c=1"), Move::Stay);
    }

    #[test]
    fn without_a_quorum_at_the_old_places_all_write_the_map_anew() {
        assert_eq!(decided("a=1 b=1 c=1", "a=2 b=2 c=1"), Move::Whole);
        assert_eq!(decided("a=1 b=1 c=1", "a=1 b=2 c=2"), Move::Whole);
        assert_eq!(decided("a=1 b=1 c=1", "a=2 b=2 c=2"), Move::Whole);
    }

    #[test]
    fn a_printed_map_is_read() {
        let printed = "monmaptool: monmap file /x\nepoch 1\nfsid 224dbf5c\nlast_changed 2026\nmin_mon_release 18 (reef)\n\
                       election_strategy: 1\n0: [v2:10.96.0.5:3300/0,v1:10.96.0.5:6789/0] mon.a\n\
                       1: v1:10.96.0.6:6789/0 mon.b\n2: [v2:[fd00::7]:3300/0,v1:[fd00::7]:6789/0] mon.c\n";
        assert_eq!(parse(printed), map("a=10.96.0.5 b=10.96.0.6 c=fd00::7"));
    }
}

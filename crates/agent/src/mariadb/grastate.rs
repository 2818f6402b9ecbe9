//! Galera's `grastate.dat`: a member's cluster and position, as the server leaves them when it stops. Pure:
//! texts in, texts out.

use super::state::NO_UUID;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grastate {
    pub uuid: Option<String>,
    /// None after a crash, and while the server runs (`-1`).
    pub seqno: Option<i64>,
    pub safe_to_bootstrap: bool,
}

pub fn parse(text: &str) -> Grastate {
    let value = |key: &str| {
        text.lines()
            .filter(|l| !l.starts_with('#'))
            .find_map(|l| l.strip_prefix(key)?.trim().strip_prefix(':'))
            .map(str::trim)
    };
    Grastate {
        uuid: value("uuid").filter(|u| *u != NO_UUID && !u.is_empty()).map(str::to_owned),
        seqno: value("seqno").and_then(|n| n.parse().ok()).filter(|n| *n >= 0),
        safe_to_bootstrap: value("safe_to_bootstrap") == Some("1"),
    }
}

/// The text with leave to begin a cluster; a file is made up where Galera left none.
pub fn allow_bootstrap(text: Option<&str>) -> String {
    let Some(text) = text.filter(|t| t.contains("uuid:")) else {
        return format!(
            "# GALERA saved state\nversion: 2.1\nuuid:    {NO_UUID}\nseqno:   -1\nsafe_to_bootstrap: 1\n"
        );
    };
    with_leave(text, "safe_to_bootstrap: 1")
}

/// The text without leave to begin a cluster.
pub fn refuse_bootstrap(text: &str) -> String {
    with_leave(text, "safe_to_bootstrap: 0")
}

fn with_leave(text: &str, line: &str) -> String {
    let mut out: Vec<&str> = text.lines().filter(|l| !l.starts_with("safe_to_bootstrap:")).collect();
    out.push(line);
    out.join("\n") + "\n"
}

/// The position that `mariadbd --wsrep-recover` found, out of its log.
pub fn recovered(log: &str) -> Option<(Option<String>, Option<i64>)> {
    let told = log.lines().rev().find_map(|l| l.split_once("Recovered position:"))?.1.trim();
    let told = told.split(',').next().unwrap_or(told).split_whitespace().next()?;
    let (uuid, seqno) = told.rsplit_once(':')?;
    let uuid = Some(uuid.to_owned()).filter(|u| u != NO_UUID);
    Some((uuid, seqno.parse().ok().filter(|n| *n >= 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "# GALERA saved state\nversion: 2.1\nuuid:    6c2b1a2e-0000-11ee-8000-000000000001\nseqno:   42\nsafe_to_bootstrap: 0\n";

    #[test]
    fn leave_to_begin_a_cluster_is_given_and_taken_back() {
        let given = allow_bootstrap(Some(CLEAN));
        assert!(parse(&given).safe_to_bootstrap);
        assert_eq!(refuse_bootstrap(&given), CLEAN);
    }

    #[test]
    fn a_clean_and_a_crashed_state_are_told_apart() {
        let clean = parse(CLEAN);
        assert_eq!((clean.seqno, clean.safe_to_bootstrap), (Some(42), false));
        assert!(clean.uuid.is_some_and(|u| u.starts_with("6c2b")));
        assert_eq!(parse(&CLEAN.replace("42", "-1")).seqno, None);
        assert_eq!(parse(""), Grastate::default());
        assert_eq!(
            parse(&allow_bootstrap(None)),
            Grastate { safe_to_bootstrap: true, ..Grastate::default() }
        );
    }

    #[test]
    fn leave_to_bootstrap_changes_nothing_else() {
        let allowed = allow_bootstrap(Some(CLEAN));
        assert!(parse(&allowed).safe_to_bootstrap);
        assert_eq!(Grastate { safe_to_bootstrap: false, ..parse(&allowed) }, parse(CLEAN));
    }

    #[test]
    fn the_recovered_position_is_found_in_the_log() {
        let log = "2026-01-01  1:00:00 0 [Note] InnoDB: x\n2026-01-01  1:00:01 0 [Note] WSREP: Recovered position: 6c2b1a2e-0000-11ee-8000-000000000001:57,0-1-2\n";
        assert_eq!(recovered(log), Some((Some("6c2b1a2e-0000-11ee-8000-000000000001".into()), Some(57))));
        let none = format!("WSREP: Recovered position: {NO_UUID}:-1");
        assert_eq!(recovered(&none), Some((None, None)));
        assert_eq!(recovered("nothing"), None);
    }
}

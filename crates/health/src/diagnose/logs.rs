//! What the last lines of a log give away.

/// Troubles that programs of OpenStack put into words of their own.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    DatabaseDenied {
        user: String,
    },
    QueueRefused,
    DiskFull,
    /// Processes that the kernel ended while their master lives on; how many the log tells of.
    WorkersKilled {
        times: usize,
    },
    /// A server that did not answer, by the host name that was asked for.
    Unreachable {
        host: String,
    },
}

/// How far back a log is looked through.
const LINES: usize = 200;
/// uwsgi: `DAMN ! worker 1 (pid: 21) died, killed by signal 9 :( trying respawn ...`
const KILLED: &str = "died, killed by signal 9";

/// The latest trouble in a log, with the line that tells it.
pub fn recognise(log: &str) -> Option<(Trouble, String)> {
    let lines = || log.lines().rev().take(LINES);
    let (trouble, line) = lines().find_map(|line| Some((of_line(line)?, line)))?;
    let trouble = match trouble {
        Trouble::WorkersKilled { .. } => {
            Trouble::WorkersKilled { times: lines().filter(|line| line.contains(KILLED)).count() }
        }
        other => other,
    };
    Some((trouble, shorten(line)))
}

fn of_line(line: &str) -> Option<Trouble> {
    if let Some((_, rest)) = line.split_once("Access denied for user ") {
        return Some(Trouble::DatabaseDenied { user: quoted(rest)?.to_owned() });
    }
    if line.contains("ACCESS_REFUSED") || line.contains("Login was refused") {
        return Some(Trouble::QueueRefused);
    }
    if line.contains("No space left on device") || line.contains("Disk full") {
        return Some(Trouble::DiskFull);
    }
    if line.contains(KILLED) {
        return Some(Trouble::WorkersKilled { times: 1 });
    }
    for told in [
        "Can't connect to MySQL server on ",
        "Can't connect to MariaDB server on ",
        "Can't connect to server on ",
    ] {
        if let Some((_, rest)) = line.split_once(told) {
            return Some(Trouble::Unreachable { host: quoted(rest)?.to_owned() });
        }
    }
    // oslo.messaging: AMQP server on rabbitmq:5672 is unreachable: [Errno 111] Connection refused
    if let Some((_, rest)) = line.split_once("AMQP server on ") {
        let (at, _) = rest.split_once(" is unreachable")?;
        return Some(Trouble::Unreachable {
            host: at.rsplit_once(':').map_or(at, |(host, _)| host).to_owned(),
        });
    }
    // keystoneauth, requests: Unable to establish connection to http://keystone-api.openstack.svc:5000/v3
    if let Some((_, rest)) = line.split_once("Unable to establish connection to ") {
        let rest = rest.split_once("://").map_or(rest, |(_, r)| r);
        let host = rest.split(['/', ':', ' ']).next().filter(|h| !h.is_empty())?;
        return Some(Trouble::Unreachable { host: host.to_owned() });
    }
    None
}

/// The text in the first pair of single quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split_once('\'')?.1.split_once('\'').map(|(inner, _)| inner).filter(|t| !t.is_empty())
}

/// The last lines that say something.
pub fn tail(log: &str, lines: usize) -> String {
    let mut last: Vec<String> =
        log.lines().rev().filter(|l| !l.trim().is_empty()).take(lines).map(shorten).collect();
    last.reverse();
    last.join("\n")
}

fn shorten(line: &str) -> String {
    const MOST: usize = 300;
    let line = hide_secrets(line.trim_end());
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Passwords in URLs (`mysql+pymysql://user:pw@host`) and `password=…` do not travel further.
fn hide_secrets(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '>'))
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                out.push_str(user.split(':').next().unwrap_or_default());
                out.push_str(":***@");
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    hide_assignments(&out)
}

fn hide_assignments(line: &str) -> String {
    let mut line = line.to_owned();
    for word in ["password=", "PASSWORD=", "password: ", "secret="] {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|l| l.find(word)) {
            let start = from + at + word.len();
            let end = line[start..]
                .find(|c: char| c.is_whitespace() || matches!(c, ',' | '&' | ')' | '"' | '\''))
                .map_or(line.len(), |e| start + e);
            line.replace_range(start..end, "***");
            from = start + 3;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_troubles_are_recognised_the_latest_first() {
        let host = |h: &str| Some(Trouble::Unreachable { host: h.into() });
        for (line, trouble) in [
            (
                "pymysql.err.OperationalError: (1045, \"Access denied for user 'keystone'@'10.244.0.9' (using password: YES)\")",
                Some(Trouble::DatabaseDenied { user: "keystone".into() }),
            ),
            (
                "(403) ACCESS_REFUSED - Login was refused using authentication mechanism AMQPLAIN.",
                Some(Trouble::QueueRefused),
            ),
            (
                "(2003, \"Can't connect to MySQL server on 'mariadb.openstack.svc.cluster.local' ([Errno 111] Connection refused)\")",
                host("mariadb.openstack.svc.cluster.local"),
            ),
            ("ERROR oslo AMQP server on rabbitmq:5672 is unreachable: [Errno 111]", host("rabbitmq")),
            (
                "Unable to establish connection to http://keystone-api.openstack:5000/v3: x",
                host("keystone-api.openstack"),
            ),
            ("all is well", None),
        ] {
            assert_eq!(recognise(line).map(|(t, _)| t), trouble, "{line}");
        }
        let killed = "DAMN ! worker 1 (pid: 21) died, killed by signal 9 :( trying respawn ...\nRespawned\n";
        assert_eq!(recognise(&killed.repeat(3)).map(|(t, _)| t), Some(Trouble::WorkersKilled { times: 3 }));
        let log = "AMQP server on rabbitmq:5672 is unreachable: x\nACCESS_REFUSED\nbye\n";
        assert_eq!(recognise(log).map(|(t, _)| t), Some(Trouble::QueueRefused));
    }

    #[test]
    fn evidence_carries_no_passwords() {
        let shown = tail(
            "connecting to mysql+pymysql://keystone:s3cret@mariadb/keystone and rabbit://u:p@h:5672/ password=hunter2, done",
            1,
        );
        assert_eq!(
            shown,
            "connecting to mysql+pymysql://keystone:***@mariadb/keystone and rabbit://u:***@h:5672/ password=***, done"
        );
        assert_eq!(tail("a://b:c:d@e f://g", 1), "a://b:***@e f://g");
    }

    #[test]
    fn long_lines_are_cut_at_characters() {
        let long = "가".repeat(1000);
        assert_eq!(tail(&long, 1).chars().count(), 301);
    }
}

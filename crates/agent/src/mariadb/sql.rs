//! The accounts that a server has, as SQL. Pure. Never logged: the texts hold passwords.

use super::settings::Account;

/// Sets every account to its present password and rights; the same whether it exists or not.
pub fn accounts(admin: &Account, sst: Option<&Account>, audit: Option<&Account>) -> String {
    let mut sql = String::new();
    let mut set = |account: &Account, host: &str, rights: &str, more: &str| {
        let who = format!("{}@{}", quote(&account.user), quote(host));
        let password = quote(&account.password);
        sql.push_str(&format!("CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {password};\n"));
        sql.push_str(&format!("ALTER USER {who} IDENTIFIED BY {password};\n"));
        sql.push_str(&format!("GRANT {rights} ON *.* TO {who}{more};\n"));
    };
    set(admin, "%", "ALL PRIVILEGES", " WITH GRANT OPTION");
    if let Some(sst) = sst {
        // State transfer talks to the own server only.
        for host in ["localhost", "127.0.0.1"] {
            set(sst, host, "RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR", "");
        }
    }
    if let Some(audit) = audit {
        set(audit, "%", "SELECT", "");
    }
    sql
}

/// What the settings and an answer of `SHOW STATUS` say, as `name<TAB>value` lines.
pub const WSREP_STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready','wsrep_connected','wsrep_cluster_status','wsrep_local_state_comment');";

fn status<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|l| l.split_once('\t').filter(|(n, _)| *n == name)).map(|(_, v)| v.trim())
}

/// Whether a Galera member is outside the primary component, from the lines of [`WSREP_STATUS`].
pub fn is_apart(answer: &str) -> bool {
    status(answer, "wsrep_cluster_status").is_some_and(|value| value != "Primary")
}

/// Why a Galera member is not to be used, from the lines of [`WSREP_STATUS`].
pub fn wsrep_trouble(answer: &str) -> Option<String> {
    for (name, wanted) in [
        ("wsrep_connected", "ON"),
        ("wsrep_cluster_status", "Primary"),
        ("wsrep_local_state_comment", "Synced"),
        ("wsrep_ready", "ON"),
    ] {
        match status(answer, name) {
            Some(v) if v == wanted => {}
            Some(v) => return Some(format!("{name} is {v}, not {wanted}")),
            None => return Some(format!("{name} is not told")),
        }
    }
    None
}

/// A string literal.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(user: &str, password: &str) -> Account {
        Account { user: user.into(), password: password.into() }
    }

    #[test]
    fn passwords_cannot_break_out_of_their_quotes() {
        let sql = accounts(&account("root", "a'; DROP DATABASE mysql; -- \\"), None, None);
        assert!(sql.contains(r"IDENTIFIED BY 'a''; DROP DATABASE mysql; -- \\';"), "{sql}");
        assert_eq!(sql.lines().count(), 3);
    }

    #[test]
    fn each_account_gets_its_rights_where_it_needs_them() {
        let sql = accounts(&account("root", "a"), Some(&account("sst", "b")), Some(&account("audit", "c")));
        assert!(sql.contains("TO 'root'@'%' WITH GRANT OPTION;"));
        assert!(sql.contains("TO 'sst'@'localhost';") && !sql.contains("'sst'@'%'"));
        assert!(sql.contains("GRANT SELECT ON *.* TO 'audit'@'%';"));
    }

    #[test]
    fn a_galera_member_is_used_only_when_all_four_say_so() {
        let good = "wsrep_cluster_status\tPrimary\nwsrep_connected\tON\nwsrep_local_state_comment\tSynced\nwsrep_ready\tON\n";
        assert_eq!(wsrep_trouble(good), None);
        assert_eq!(
            wsrep_trouble(&good.replace("Synced", "Donor/Desynced")).as_deref(),
            Some("wsrep_local_state_comment is Donor/Desynced, not Synced")
        );
        assert_eq!(wsrep_trouble("").as_deref(), Some("wsrep_connected is not told"));
    }
}

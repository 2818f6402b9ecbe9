//! Guests' taps on the userspace datapath. The switch writes a link's flags as a whole, from a copy that can be older than
//! the moment at which libvirt set the link up: the guest's link is then down for ever. Here it is set up again.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::sleep;

use super::tool;
use crate::pod::{Error, Result, say};

/// After the database went away.
const PAUSE: Duration = Duration::from_secs(1);
/// By this libvirt marks the ports of guests.
const MARK: &str = "vm-uuid";

/// Follows the database of the switch for as long as it runs.
pub async fn keep_up(dir: &Path) -> Result<()> {
    loop {
        if let Err(error) = follow(dir).await {
            say(&format!("guests' links are not watched: {error}"));
        }
        sleep(PAUSE).await;
    }
}

async fn follow(dir: &Path) -> Result<()> {
    let database = format!("unix:{}", dir.join("db.sock").display());
    let mut child = Command::new("ovsdb-client")
        .args(["monitor", "--format=json", &database, "Interface", "name,admin_state,external_ids"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io("cannot run ovsdb-client"))?;
    let out = child.stdout.take().ok_or_else(|| Error::Failed("ovsdb-client has no output".into()))?;
    let mut lines = BufReader::new(out).lines();
    while let Some(line) = lines.next_line().await.map_err(Error::io("cannot read ovsdb-client"))? {
        for link in down(&line) {
            match tool::run("ip", &["link", "set", &link, "up"]).await {
                Ok(_) => say(&format!("{link}, a guest's, was down; it is up")),
                // Most likely its guest has just gone.
                Err(error) => say(&format!("{link}, a guest's, is down: {error}")),
            }
        }
    }
    Ok(())
}

/// The guests' links that a table of `ovsdb-client monitor` shows as down now: `headings`, and `data` with an action a
/// row, of which `old` tells what was.
fn down(line: &str) -> Vec<String> {
    let table: Value = serde_json::from_str(line).unwrap_or_default();
    let column = |name: &str| table["headings"].as_array()?.iter().position(|heading| heading == name);
    let (Some(action), Some(name), Some(state), Some(ids)) =
        (column("action"), column("name"), column("admin_state"), column("external_ids"))
    else {
        return Vec::new();
    };
    let rows = table["data"].as_array().into_iter().flatten();
    rows.filter(|row| row[action] != "old" && row[action] != "delete" && row[state] == "down")
        .filter(|row| row[ids][1].as_array().is_some_and(|pairs| pairs.iter().any(|pair| pair[0] == MARK)))
        .filter_map(|row| row[name].as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> String {
        format!(
            r#"{{"caption":"Interface","headings":["row","action","name","admin_state","external_ids"],"data":[{rows}]}}"#
        )
    }

    #[test]
    fn guests_links_that_are_down_are_named() {
        let guest = r#"["map",[["attached-mac","fa:16:3e:00:00:01"],["vm-uuid","1"]]]"#;
        let rows = [
            format!(r#"["u1","initial","tap1","down",{guest}]"#),
            format!(r#"["u2","initial","tap2","up",{guest}]"#),
            r#"["u3","initial","tap3","down",["map",[["iface-id","x"]]]]"#.to_owned(),
            format!(r#"["u4","old",null,"down",{guest}]"#),
            format!(r#"["","new","tap4","down",{guest}]"#),
            format!(r#"["u5","delete","tap5","down",{guest}]"#),
        ];
        assert_eq!(down(&table(&rows.join(","))), ["tap1", "tap4"]);
    }

    #[test]
    fn other_lines_name_none() {
        for line in ["", "{}", "no table", r#"{"headings":[],"data":[[]]}"#] {
            assert!(down(line).is_empty(), "{line}");
        }
    }
}

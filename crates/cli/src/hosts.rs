//! `landfall hosts`: the cloud's public names for this machine's hosts file.

use std::path::{Path, PathBuf};

use landfall_config::Language;

use crate::args::{CloudFile, Output};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{self, confirm, data, tell};
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
    /// Write the lines into the hosts file, in the place of earlier ones
    #[arg(long, conflicts_with = "remove")]
    write: bool,
    /// Take the lines out of the hosts file
    #[arg(long)]
    remove: bool,
    #[arg(long, default_value = "/etc/hosts", hide = true)]
    hosts_file: PathBuf,
}

const BEGIN: &str = "# landfall: begin";
const END: &str = "# landfall: end";

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    if args.remove {
        let path = args.hosts_file.display();
        confirm(
            session,
            &match session.language() {
                Language::En => format!("Take Landfall's lines out of {path}?"),
                Language::Ko => format!("{path}에서 Landfall의 줄을 지울까요?"),
            },
        )?;
        return replace(session, &args.hosts_file, &[]);
    }
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    let cluster = target.cluster.as_ref();
    let address = cloud::ingress_address(cluster).await?;
    let names = cloud::public_names(cluster, &cloud.namespace).await?;
    let Some(address) = address.filter(|_| !names.is_empty()) else {
        return Err(Failure::told(
            Exit::NotThere,
            "the cluster publishes no name through an Ingress yet",
            "아직 Ingress로 공개된 이름이 없습니다",
        )
        .hint_command("landfall up keystone"));
    };
    let lines: Vec<String> = names.iter().map(|name| format!("{address} {name}")).collect();
    if args.write {
        let (count, path) = (lines.len(), args.hosts_file.display());
        confirm(
            session,
            &match session.language() {
                Language::En => format!("Write {count} lines into {path}?"),
                Language::Ko => format!("{path}에 {count}줄을 쓸까요?"),
            },
        )?;
        return replace(session, &args.hosts_file, &lines);
    }
    match session.global.output {
        Output::Json | Output::Yaml => {
            let rows: Vec<_> =
                names.iter().map(|name| serde_json::json!({"name": name, "address": address})).collect();
            data(session.global.output, &rows)
        }
        Output::Name => {
            terminal::lines(&names);
            Ok(())
        }
        Output::Table | Output::Junit => {
            terminal::lines(&lines);
            Ok(())
        }
    }
}

fn replace(session: &Session, path: &Path, lines: &[String]) -> Result {
    let failed = |error: std::io::Error| {
        Failure::told(
            Exit::Unreadable,
            format!("{} can not be changed: {error}", path.display()),
            format!("{}: 바꿀 수 없습니다: {error}", path.display()),
        )
        .hint(
            "it needs root: sudo landfall hosts --write; or add the lines that `landfall hosts` prints by hand",
            "root 권한이 필요합니다: sudo landfall hosts --write. 또는 `landfall hosts`가 출력하는 줄을 직접 넣으세요",
        )
    };
    let before = std::fs::read_to_string(path).map_err(failed)?;
    let after = with_block(&before, lines);
    if after == before {
        tell(session.say("the hosts file is as it should be", "hosts 파일이 이미 그대로입니다"));
        return Ok(());
    }
    // Written in place: in a container the hosts file is a mount and can not be renamed over.
    std::fs::write(path, after).map_err(failed)?;
    tell(&format!("{} {}", session.say("changed", "변경함:"), path.display()));
    Ok(())
}

/// `text` with our block in the place of an earlier one, or at the end; without it where `lines` is empty.
fn with_block(text: &str, lines: &[String]) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            BEGIN => inside = true,
            END => inside = false,
            _ if inside => {}
            _ => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    if !lines.is_empty() {
        kept.push_str(&format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_twice_is_writing_once_and_removing_restores() {
        let before = "127.0.0.1 localhost\n::1 localhost\n";
        let once = with_block(before, &["10.89.0.11 keystone.landfall.test".to_owned()]);
        assert!(once.contains("10.89.0.11 keystone.landfall.test\n"));
        assert_eq!(with_block(&once, &["10.89.0.11 keystone.landfall.test".to_owned()]), once);
        assert_eq!(with_block(&once, &[]), before);
    }
}

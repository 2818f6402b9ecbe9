//! Every `landfall …` that a message, chart or page names is a command that there is. A remedy that can
//! not be carried out is worse than none.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where people are told of commands.
const PLACES: [&str; 7] =
    ["crates", "charts", "docs", "images", "README.md", "README.ko.md", "ARCHITECTURE.md"];

fn files(at: &Path, found: &mut Vec<PathBuf>) {
    if at.is_dir() {
        for entry in std::fs::read_dir(at).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if ["rs", "md", "yaml", "tpl", "txt"].iter().any(|end| at.extension().is_some_and(|e| e == *end)) {
        found.push(at.to_path_buf());
    }
}

/// What stands between backticks of one line and begins with `landfall`.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        for begin in ["`landfall ", "`sudo landfall "] {
            for (at, _) in line.match_indices(begin) {
                if let Some((command, _)) = line[at + 1..].split_once('`') {
                    found.push(command.trim_start_matches("sudo ").to_owned());
                }
            }
        }
    }
    found
}

/// A command with its placeholders filled in, so that it can be read; none for a manner of speaking.
fn readable(command: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    // Internal ones, names of clusters and of all verbs of a kind.
    if words.is_empty() || words[0].starts_with("__") || words[0].starts_with('(') || words.contains(&"…") {
        return None;
    }
    let word = |word: &&str| -> String {
        let bare = word.trim_matches(|c| matches!(c, '[' | ']' | '…' | '.'));
        // `{service}`, `NODE`, `VERB`, `SERVICE|OBJECT`: what a person puts something for.
        if bare == "SHELL" {
            "bash".to_owned()
        } else if bare.contains('{')
            || bare.contains('<')
            || bare.chars().all(|c| c.is_uppercase() || c == '|')
        {
            "keystone".to_owned()
        } else {
            // `network|cluster`: either of them.
            bare.split('|').next().unwrap_or(bare).to_owned()
        }
    };
    Some(words.iter().map(word).collect())
}

/// Whether the command line is understood; what comes of it does not matter. Help is asked for, which
/// stops before anything is done but after verbs and flags are known.
fn is_understood(words: &[String]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // `help VERB` reads the verb as a command of its own; what follows `openstack` is its own, too.
    match words[0].as_str() {
        "help" | "openstack" => return true,
        _ => command.args(words).arg("--help"),
    };
    command.status().unwrap().success()
}

#[test]
fn every_command_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for place in PLACES {
        files(&root.join(place), &mut found);
    }
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for file in found.iter().filter(|file| !file.ends_with("said_commands.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        named.extend(commands(&text).into_iter().map(|command| (command, file.clone())));
    }
    named.sort();
    named.dedup_by(|a, b| a.0 == b.0);
    let said: Vec<_> =
        named.iter().filter_map(|(command, file)| Some((readable(command)?, command, file))).collect();
    assert!(said.len() > 20, "the commands are not found any more: {named:?}");
    let unknown: Vec<String> = said
        .iter()
        .filter(|(words, ..)| !is_understood(words))
        .map(|(_, command, file)| format!("{command} ({})", file.strip_prefix(&root).unwrap().display()))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn a_command_that_is_not_there_is_told_from_one_that_is() {
    let words = |text: &str| readable(text).unwrap();
    assert!(is_understood(&words("landfall why pod/mariadb-server-0")));
    assert!(is_understood(&words("landfall local logs NODE kubelet")));
    assert!(!is_understood(&words("landfall heal pod/mariadb-server-0")));
    assert!(!is_understood(&words("landfall hosts --writ")));
}

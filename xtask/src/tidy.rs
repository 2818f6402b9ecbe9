//! `cargo xtask tidy`: the walls of ARCHITECTURE.md, checked. Each finding names file, line and rule.

mod rules;

use std::path::Path;

use walkdir::WalkDir;

use crate::shell::{Result, root, say};

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub rule: String,
}

pub fn run() -> Result {
    let findings = check(&root())?;
    for finding in &findings {
        say(&format!("{}:{}: {}", finding.file, finding.line, finding.rule));
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("{count} breaches of the walls; ARCHITECTURE.md says why they stand")),
    }
}

fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        !(entry.depth() == 1 && (name == "target" || name == ".git")
            || name == "vendor"
            || name == "node_modules")
    });
    for entry in walk {
        let entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
        if let Some(rule) = rules::name(&path) {
            findings.push(Finding { file: path.clone(), line: 1, rule });
        }
        if !entry.file_type().is_file() {
            continue;
        }
        let text = match std::fs::read_to_string(entry.path()) {
            Ok(text) => text,
            // Not text: nothing to read in it.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => continue,
            Err(error) => return Err(format!("{path}: {error}")),
        };
        findings.extend(rules::file(&path, &text));
    }
    Ok(findings)
}

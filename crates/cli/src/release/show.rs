//! A revision as people and programs read it.

use landfall_helm::release::Record;
use serde_json::{Value, json};

use crate::Session;
use crate::args::Output;
use crate::exit::Result;
use crate::terminal::{data, give, give_as_is, tell};

/// What is told of a revision, whoever asks.
pub(super) fn standing(record: &Record) -> Value {
    json!({"name": record.name, "namespace": record.namespace, "revision": record.version,
        "updated": updated(record), "status": record.info.status.to_string(),
        "chart": record.chart_label(), "description": record.info.description,
        "notes": record.info.notes})
}

/// What came of a change, and the chart's notes.
pub(super) fn done(session: &Session, record: &Record, hide_notes: bool) -> Result {
    if session.global.output != Output::Table {
        return data(session.global.output, &standing(record));
    }
    tell(&format!(
        "{} {} {}, {}: {}",
        record.name,
        session.say("is at revision", "리비전"),
        record.version,
        record.chart_label(),
        record.info.status
    ));
    if !hide_notes && !record.info.notes.trim().is_empty() {
        give(&format!("{}\n", record.info.notes.trim_end()));
    }
    Ok(())
}

/// What a change would be.
pub(super) fn dry(session: &Session, mut record: Record, hide_secret: bool, hide_notes: bool) -> Result {
    if hide_secret {
        record.manifest = without_secrets(&record.manifest);
        record.hooks.retain(|hook| hook.kind != "Secret");
    }
    if session.global.output != Output::Table {
        let mut all = standing(&record);
        (all["manifest"], all["hooks"]) = (json!(record.manifest), json!(hooks(&record)));
        return data(session.global.output, &all);
    }
    give(&head(&record));
    give_as_is(&format!("HOOKS:\n{}MANIFEST:\n{}\n", hooks(&record), record.manifest));
    if !hide_notes {
        give_as_is(&notes(&record));
    }
    Ok(())
}

/// The manifest with words in place of each Secret.
fn without_secrets(manifest: &str) -> String {
    let mut out = String::new();
    let mut documents: Vec<String> = Vec::new();
    for line in manifest.split_inclusive('\n') {
        if line.trim_end() == "---" || documents.is_empty() {
            documents.push(String::new());
        }
        if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    for document in documents {
        let objects = landfall_helm::yaml::parse_documents(&document).unwrap_or_default();
        // A List may hold one, too: it is hidden whole.
        if objects.iter().any(|object| object.to_string().contains("\"kind\":\"Secret\"")) {
            out.extend(
                document
                    .split_inclusive('\n')
                    .filter(|line| *line == "---\n" || line.starts_with("# Source:")),
            );
            out.push_str("# HIDDEN: a Secret is not shown\n");
        } else {
            out.push_str(&document);
        }
    }
    out
}

pub(super) fn head(record: &Record) -> String {
    format!(
        "NAME: {}\nLAST DEPLOYED: {}\nNAMESPACE: {}\nSTATUS: {}\nREVISION: {}\nCHART: {}\nDESCRIPTION: {}\n",
        record.name,
        updated(record),
        record.namespace,
        record.info.status,
        record.version,
        record.chart_label(),
        record.info.description
    )
}

pub(super) fn notes(record: &Record) -> String {
    match record.info.notes.trim_end() {
        "" => String::new(),
        notes => format!("NOTES:\n{notes}\n"),
    }
}

pub(super) fn hooks(record: &Record) -> String {
    record.hooks.iter().fold(String::new(), |text, hook| {
        text + &format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest)
    })
}

pub(super) fn updated(record: &Record) -> String {
    record.info.last_deployed.map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_all_else_is_to_the_letter() {
        let config = "---\n# Source: web/templates/a.yaml\nkind: ConfigMap\ndata:\n  a: |\n    ---\n    kind: Secret\n";
        let secret =
            "---\n# Source: web/templates/b.yaml\nkind: \"Secret\"\nstringData: {password: swordfish}\n";
        let shown = without_secrets(&format!("{config}{secret}{config}"));
        assert!(!shown.contains("swordfish"), "{shown}");
        assert!(shown.starts_with(config) && shown.ends_with(config), "{shown}");
        assert!(shown.contains("# Source: web/templates/b.yaml\n# HIDDEN"), "{shown}");
    }
}

//! What `verify` ends with: a row a check, as a table, as data, or as JUnit's XML; then the remedies.

use std::time::Duration;

use landfall_catalog::blueprint::Text;
use landfall_display::{Table, say};
use landfall_proof::State;

use super::junit;
use crate::Session;
use crate::args::Output;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{data, lines, tell};

/// A stable word for programs.
fn word(state: State) -> &'static str {
    match state {
        State::Passed => "passed",
        State::Failed => "failed",
        State::Skipped => "skipped",
        State::NotApplicable => "not-applicable",
    }
}

/// A check point, or a step of the proof, with what was seen.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub id: String,
    pub service: String,
    pub guide: String,
    pub title: Text,
    pub remedy: Text,
    pub state: State,
    pub evidence: String,
    pub took: Duration,
}

/// Writes the rows; the failure's code says that one did not hold.
pub(super) fn give(session: &Session, rows: &[Row]) -> Result {
    match session.global.output {
        Output::Json | Output::Yaml => {
            data(session.global.output, &rows.iter().map(as_json).collect::<Vec<_>>())?;
        }
        Output::Junit => crate::terminal::give(&junit::document(rows, session.language())),
        Output::Name => lines(rows.iter().map(|row| &row.id)),
        Output::Table => table(session, rows),
    }
    let failed: Vec<&Row> = rows.iter().filter(|row| row.state == State::Failed).collect();
    for row in &failed {
        let remedy = say(&row.remedy, session.language());
        tell(&format!("{} {}: {remedy}", session.say("remedy for", "조치"), row.id));
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::silent(Exit::CheckFailed)) }
}

fn as_json(row: &Row) -> serde_json::Value {
    serde_json::json!({
        "id": row.id, "service": row.service, "guide": row.guide, "title": row.title,
        "passed": row.state == State::Passed, "state": word(row.state), "evidence": row.evidence,
        "remedy": row.remedy, "took_ms": row.took.as_millis() as u64,
    })
}

fn table(session: &Session, rows: &[Row]) {
    let mut table = Table::new(["CHECK", "GUIDE", "RESULT", "TIME", "EVIDENCE"]);
    for row in rows {
        let result = match row.state {
            State::Passed => session.say("passed", "통과"),
            State::Failed => session.say("FAILED", "실패"),
            State::Skipped => session.say("skipped", "건너뜀"),
            State::NotApplicable => session.say("n/a", "해당 없음"),
        };
        let mut evidence = row.evidence.lines();
        table.row([
            row.id.clone(),
            row.guide.clone(),
            result.to_owned(),
            format!("{}ms", row.took.as_millis()),
            evidence.next().unwrap_or_default().to_owned(),
        ]);
        for line in evidence {
            table.row([String::new(), String::new(), String::new(), String::new(), line.to_owned()]);
        }
    }
    crate::terminal::give(&table.columns());
}

//! The same questions to real Helm and to this crate: the answers must be equal, errors too.
#![allow(clippy::unwrap_used)]

mod chance;
mod charts;
mod formats;
#[path = "../support/mod.rs"]
mod support;
mod templates;
mod words;

use landfall_helm::chart::File;
use landfall_helm::{Chart, HelmError, Options, Values, render};
use serde_json::Value;
use support::{Answer, Differences, Row, ask};

fn render_row(row: &Row) -> Answer {
    let file = |name: &str, text: &str| File { name: name.to_owned(), data: text.as_bytes().into() };
    let chart = Chart::from_files(vec![
        file("Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n"),
        // Notes are not looked at as manifests.
        file("templates/NOTES.txt", &row.template),
    ])
    .unwrap();
    let values = Values::from_json(&row.values).unwrap();
    match render(&chart, &values, &Options::new("rel", "ns")) {
        Ok(rendered) => Ok(rendered.notes.into_bytes()),
        Err(HelmError::Template(error)) => Err(error.message),
        Err(error) => Err(error.to_string()),
    }
}

fn compare_rows(rows: &[Row]) {
    let questions: Vec<_> = rows.iter().map(Row::question).collect();
    let Some(answers) = ask(&questions) else { return };
    let mut differences = Differences::default();
    for (row, helm) in rows.iter().zip(answers) {
        let ours = render_row(row);
        let helm = support::second_opinion(&row.question(), helm, &ours);
        differences.compare(&row.place, &row.template, &helm, &ours);
    }
    differences.finish();
}

fn compare(place: &str, questions: &[Value], ours: impl Fn(&Value) -> Answer) {
    let Some(answers) = ask(questions) else { return };
    let mut differences = Differences::default();
    for (question, helm) in questions.iter().zip(answers) {
        // The words of errors of these formats are our own.
        let ours = ours(question);
        let helm = support::second_opinion(question, helm, &ours).map_err(|_| "refused".to_owned());
        differences.compare(place, &question.to_string(), &helm, &ours.map_err(|_| "refused".to_owned()));
    }
    differences.finish();
}

//! The same templates by Go's own text/template and by this crate: output and error texts must be equal.

#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;

use serde_json::json;
use support::{Row, ask_go, corpus, fixtures, rows};

fn compare(rows: &[Row]) {
    let Some(answers) = ask_go(rows) else {
        // Seen with --nocapture; a machine without Go cannot tell more.
        eprintln!("skipped: there is no `go` on the PATH to compare with");
        return;
    };
    let mut differences = String::new();
    let mut count = 0;
    for (row, expected) in rows.iter().zip(answers) {
        let actual = row.render().map(|text| text.as_bytes().to_vec()).map_err(|error| error.to_string());
        if actual == expected {
            continue;
        }
        count += 1;
        if count <= 60 {
            let show = |result: &Result<Vec<u8>, String>| match result {
                Ok(bytes) => format!("output {:?}", String::from_utf8_lossy(bytes)),
                Err(error) => format!("error  {error}"),
            };
            let _ = writeln!(
                differences,
                "{}: {}\n  go:   {}\n  here: {}",
                row.place,
                row.template,
                show(&expected),
                show(&actual)
            );
        }
    }
    assert!(count == 0, "{count} of {} rows differ\n{differences}", rows.len());
    assert!(rows.len() > 1, "there is something to compare");
}

#[test]
fn rows_as_in_go() {
    compare(&rows());
}

#[test]
fn fixtures_as_in_go() {
    compare(&fixtures().into_iter().map(|(_, row)| row).collect::<Vec<_>>());
}

/// Go writes its parse trees back as text; so does this crate. Rows, fixtures and, where there is one, a corpus.
#[test]
fn parse_trees_as_in_go() {
    let mut rows: Vec<_> = rows();
    rows.extend(fixtures().into_iter().map(|(_, row)| row));
    rows.extend(corpus());
    for row in &mut rows {
        row.parse = true;
    }
    compare(&rows);
}

/// Every verb with flags, widths and precisions, on a value of every kind.
#[test]
fn format_strings_as_in_go() {
    let values = [
        "0",
        "7",
        "-42",
        "1000000",
        "65",
        "0x1F600",
        "-1",
        "9223372036854775807",
        "1.5",
        "-0.0001",
        "1e6",
        "1e21",
        "3.0",
        "123456.789",
        "true",
        "`hi`",
        "``",
        "`a\"b\\\tc é☺`",
        ".raw",
        ".bytes",
        ".float",
        ".whole",
        ".map",
        ".strings",
        ".list",
        ".words",
        ".byte",
        ".nil",
        ".wide",
        ".nilmap",
        ".nillist",
        ".empty",
        ".unsigned",
        ".ints",
        ".negzero",
    ];
    let data = json!({
        "raw": {"$raw": "Yf/igmI="}, "bytes": {"$bytes": "ab\u{1}"}, "float": 2.5, "whole": 1_000_000.0,
        "map": {"b": 1.0, "a": {"c": [null, "x", true]}}, "strings": {"$stringmap": {"k": "v"}},
        "list": ["a", 1.0, null, {"$int": 3}], "words": {"$strings": ["x", "y z"]}, "byte": {"$uint8": 200.0},
        "nil": null, "wide": {"$int64": -3.0}, "nilmap": {"$nilmap": true}, "nillist": {"$nillist": true}, "empty": {},
        "unsigned": {"$uint64": 12.0}, "ints": {"$ints": [1.0, 2.0]}, "negzero": -0.0,
    });
    let flags = ["", "+", "-", "#", "0", " ", "+0", "-0", "#+", "# ", "+ "];
    let sizes = ["", "6", "12", ".0", ".3", "8.2", ".", "12.8"];
    let mut rows = Vec::new();
    for value in values {
        for verb in "vTdsqxXobOeEfFgGtcUw".chars() {
            for flag in flags {
                for size in sizes {
                    let template = format!("{{{{ printf \"[%{flag}{size}{verb}]\" {value} }}}}");
                    rows.push(Row::new("printf", template, json!(null)));
                }
            }
        }
    }
    for row in &mut rows {
        row.data = data.clone();
    }
    compare(&rows);
}

//! Compares rows with Go, and tells what differs.
#![allow(clippy::print_stderr, reason = "a skipped comparison must be told")]

use std::fmt::Write as _;

use super::{Row, ask_go};

/// All rows have to give Go's output or Go's error.
pub fn compare(rows: &[Row]) {
    let Some(answers) = ask_go(rows) else {
        // Seen with --nocapture; a machine without Go cannot tell more.
        eprintln!("skipped: there is no `go` on the PATH to compare with");
        return;
    };
    let mut differences = String::new();
    let mut count = 0;
    for (row, expected) in rows.iter().zip(answers) {
        let actual = row.render().map(|text| text.as_bytes().to_vec()).map_err(|error| error.to_string());
        if actual == expected || shows_a_pointer(&expected) {
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

/// Go prints an object within a map by its address, which no two runs share. Only `.v` is one.
fn shows_a_pointer(answer: &Result<Vec<u8>, String>) -> bool {
    let text = match answer {
        Ok(bytes) => String::from_utf8_lossy(bytes),
        Err(error) => error.into(),
    };
    ["v:0x", "v%3A0x", ":%!s(*main.version=", ":%!q(*main.version=", ":%!d(*main.version="]
        .iter()
        .any(|sign| text.contains(sign))
}

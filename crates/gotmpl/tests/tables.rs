//! The tables of Go's own tests, where a Go toolchain has them: its templates and format strings, rendered by Go
//! and by this crate. They are read from GOROOT each time; nothing of them is kept here.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value as Json, json};
use support::Row;
use support::compare::compare;

/// A file of Go's sources; None where Go is not installed, or without its tests.
fn go_source(path: &str) -> Option<String> {
    let output = Command::new("go").args(["env", "GOROOT"]).output().ok()?;
    let root = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    std::fs::read_to_string(root.join("src").join(path)).ok()
}

/// The string literals of a Go source with their lines, as they are written.
fn literals(source: &str) -> Vec<(usize, &str)> {
    let bytes = source.as_bytes();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => {
                at += bytes[at..].iter().take_while(|b| **b != b'\n').count();
                continue;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                at += source[at..].find("*/").map_or(bytes.len() - at, |end| end + 2);
            }
            quote @ (b'"' | b'\'' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                if quote != b'\'' {
                    found.push((line, &source[start..at]));
                }
            }
            _ => at += 1,
        }
        line += source.get(start..at).map_or(0, |part| part.matches('\n').count());
    }
    found
}

/// What a literal stands for. None where it is no UTF-8.
fn unquote(literal: &str) -> Option<String> {
    let inner = &literal[1..literal.len() - 1];
    if literal.starts_with('`') {
        return Some(inner.replace('\r', ""));
    }
    let mut out: Vec<u8> = Vec::new();
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        let (digits, radix) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (3, 8),
            _ => (0, 0),
        };
        if digits == 0 {
            rest = &rest[escape.len_utf8()..];
            out.push(match escape {
                'a' => 7,
                'b' => 8,
                'f' => 12,
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                'v' => 11,
                other => u8::try_from(other).ok()?,
            });
            continue;
        }
        let start = usize::from(radix == 16);
        let number = u32::from_str_radix(rest.get(start..start + digits)?, radix).ok()?;
        rest = &rest[start + digits..];
        if matches!(escape, 'u' | 'U') {
            out.extend(char::from_u32(number)?.to_string().bytes());
        } else {
            out.push(u8::try_from(number).ok()?);
        }
    }
    String::from_utf8(out).ok()
}

/// The templates among the literals of Go's tests.
fn templates() -> Vec<Row> {
    let files = [
        "text/template/parse/parse_test.go",
        "text/template/parse/lex_test.go",
        "text/template/exec_test.go",
        "text/template/multi_test.go",
        "text/template/example_test.go",
        "text/template/examplefunc_test.go",
    ];
    let mut rows = Vec::new();
    for file in files {
        let Some(source) = go_source(file) else { continue };
        for (line, literal) in literals(&source) {
            if let Some(text) = unquote(literal).filter(|text| text.contains("{{") || text.contains("}}")) {
                rows.push(Row::new(format!("{file}:{line}"), text, Json::Null));
            }
        }
    }
    assert!(rows.is_empty() || rows.len() > 500, "Go's tests are not where they were");
    rows
}

#[test]
fn templates_of_gos_tests_parse_as_in_go() {
    let mut rows = templates();
    for row in &mut rows {
        row.parse = true;
    }
    if !rows.is_empty() {
        compare(&rows);
    }
}

/// With other data than Go's own tests have, so most find other fields missing; Go says what is right.
#[test]
fn templates_of_gos_tests_run_as_in_go() {
    let data = json!({
        "True": true, "False": false, "I": {"$int": 17}, "U16": {"$uint64": 16.0}, "X": "x", "S": "xyz",
        "SI": {"$ints": [3.0, 4.0, 5.0]}, "SICap": {"$ints": [0.0]}, "SIEmpty": {"$ints": []}, "SB": [true, false],
        "MSI": {"one": {"$int": 1}, "two": {"$int": 2}, "three": {"$int": 3}}, "MSIone": {"one": {"$int": 1}},
        "MSIEmpty": {}, "Empty0": null, "Empty1": {"$int": 3}, "Empty2": "empty2", "Empty3": {"$ints": [7.0, 8.0]},
        "Str": "foozle", "Err": "erroozle", "PI": {"$int": 23},
        "U": {"V": "v"}, "V0": {"J": 6666.0}, "W0": "888", "W1": "999", "MXI": {"$stringmap": {"one": "1"}},
        "MII": {}, "MI32S": {}, "SMSI": [{"one": {"$int": 1}}, {"eleven": {"$int": 11}}],
    });
    let mut rows = templates();
    rows.retain(|row| !is_known(&row.template));
    let mut all = Vec::new();
    for missing in ["", "zero", "error"] {
        for row in &mut rows {
            row.data = data.clone();
            missing.clone_into(&mut row.missing);
        }
        all.extend(rows.iter().cloned());
    }
    if !all.is_empty() {
        compare(&all);
    }
}

/// What COMPATIBILITY.md tells of: complex numbers, and slices that reach into a list's spare capacity.
fn is_known(template: &str) -> bool {
    let complex = template.as_bytes().windows(2).enumerate().any(|(at, pair)| {
        pair[0].is_ascii_digit() && pair[1] == b'i' && !template[at + 2..].starts_with(char::is_alphanumeric)
    });
    complex || template.contains("slice .SI 4 5")
}

/// The rows of fmt's table whose operand a template can write: literals and conversions of them.
#[test]
fn format_strings_of_gos_tests_as_in_go() {
    let Some(source) = go_source("fmt/fmt_test.go") else { return };
    let mut rows = Vec::new();
    for (at, line) in source.lines().enumerate() {
        let Some(rest) = line.strip_prefix("\t{") else { continue };
        let Some((_, format)) = literals(rest).into_iter().next().filter(|_| rest.starts_with(['"', '`']))
        else {
            continue;
        };
        let Some(rest) = rest[format.len()..].strip_prefix(", ") else { continue };
        let (argument, data) = match argument(rest) {
            Some(Operand::Literal(text)) => (text, Json::Null),
            Some(Operand::Bytes(text)) => (".b".to_owned(), json!({"b": {"$bytes": text}})),
            None => continue,
        };
        let template = format!("{{{{ printf {format} {argument} }}}}");
        rows.push(Row::new(format!("fmt_test.go:{}", at + 1), template, data));
    }
    assert!(rows.len() > 300, "fmt's table is not where it was: {}", rows.len());
    compare(&rows);
}

enum Operand {
    Literal(String),
    Bytes(String),
}

/// The operand at the start of what follows a format.
fn argument(rest: &str) -> Option<Operand> {
    for (conversion, function) in [("int64(", "wide"), ("uint64(", "unsigned"), ("float64(", "float")] {
        if let Some(inner) = rest.strip_prefix(conversion) {
            let (inner, _) = inner.split_once("), ")?;
            return is_number(inner).then(|| Operand::Literal(format!("({function} {inner})")));
        }
    }
    if let Some(inner) = rest.strip_prefix("[]byte(") {
        let (_, literal) = literals(inner).into_iter().next()?;
        return inner[literal.len()..].starts_with("), ").then(|| unquote(literal).map(Operand::Bytes))?;
    }
    if rest.starts_with(['"', '`']) {
        let (_, literal) = literals(rest).into_iter().next()?;
        return rest[literal.len()..].starts_with(", ").then(|| Operand::Literal(literal.to_owned()));
    }
    let (word, _) = rest.split_once(", ")?;
    let is_char = word.starts_with('\'') && word.ends_with('\'') && word.len() > 2;
    let plain = is_number(word) || is_char || matches!(word, "true" | "false" | "nil");
    plain.then(|| Operand::Literal(word.to_owned()))
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | 'x' | 'X' | '_' | '-' | '+' | 'p'))
        && !digits.contains('i')
}

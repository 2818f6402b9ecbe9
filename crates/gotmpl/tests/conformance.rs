//! The same templates by Go's own text/template and by this crate: output and error texts must be equal.

mod support;

use std::fmt::Write as _;

use serde_json::json;
use support::compare::compare;
use support::{Row, corpus, fixtures, rows};

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

/// Templates put together at random, the same ones each time.
#[test]
fn generated_templates_as_in_go() {
    let data = json!({
        "s": "str", "n": null, "a": 1.0, "i": {"$int": 2}, "m": {"x": {"y": "z"}, "n": null, "k": 2.0},
        "l": ["p", 1.0, null, {"x": 5.0}], "e": [], "sm": {"$stringmap": {"k": "v"}}, "ss": {"$strings": ["u", "w"]},
        "by": {"$bytes": "AB"}, "v": {"$version": "abc"}, "t": true, "nm": {"$nilmap": true},
    });
    let rows: Vec<_> = (0..10_000)
        .map(|seed| {
            let mut dice = Dice(seed * 7919 + 1);
            let mut row = Row::new(format!("seed {seed}"), dice.body(3), data.clone());
            ["", "zero", "error"][dice.roll(3)].clone_into(&mut row.missing);
            row
        })
        .collect();
    compare(&rows);
}

/// A small linear congruential generator, and what it makes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.roll(from.len())].to_owned()
    }

    fn operand(&mut self, depth: usize) -> String {
        if depth > 0 && self.roll(4) == 0 {
            let tail = self.pick(&["", "", ".x", ".x.y", ".k"]);
            return format!("({}){tail}", self.pipeline(depth - 1));
        }
        self.pick(&[
            ".",
            "$",
            ".s",
            ".n",
            ".a",
            ".i",
            ".m",
            ".m.x",
            ".m.x.y",
            ".m.n",
            ".m.n.z",
            ".m.none",
            ".m.none.z",
            ".l",
            ".e",
            ".sm.k",
            ".sm.none",
            ".ss",
            ".by",
            ".v.Label",
            ".v.Major",
            ".v.None",
            ".t",
            ".nm",
            ".nm.x",
            ".none",
            "$x",
            "$x.k",
            "$y",
            "$.s",
            "$.m.k",
            "1",
            "-3",
            "2.5",
            "1e6",
            "'c'",
            "\"str\"",
            "`raw`",
            "true",
            "false",
            "nil",
            ".x",
            ".k",
        ])
    }

    fn command(&mut self, depth: usize) -> String {
        let name = self.pick(&[
            "print",
            "printf \"%v|%T\"",
            "printf \"%q %d\"",
            "printf \"%s\"",
            "len",
            "index",
            "slice",
            "not",
            "and",
            "or",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "html",
            "js",
            "urlquery",
            "upper",
            "add",
            "list",
            "dict",
            "typeOf",
            "wide",
            "float",
            "flag",
            "words",
            "items",
            "until",
            ".v.Has",
            ".v.Plus",
            ".v.Join",
            "call",
            "table",
            "unsigned",
        ]);
        if self.roll(3) == 0 {
            return self.operand(depth);
        }
        (0..self.roll(4)).fold(name, |command, _| format!("{command} {}", self.operand(depth)))
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let first = self.command(depth);
        (0..self.roll(3)).fold(first, |pipe, _| format!("{pipe} | {}", self.command(depth)))
    }

    fn body(&mut self, depth: usize) -> String {
        let mut text = String::from("{{ $x := .m }}{{ $y := 7 }}");
        for _ in 0..=self.roll(3) {
            let pipe = self.pipeline(2);
            let inner = if depth > 0 { self.body(depth - 1) } else { "leaf".to_owned() };
            let _ = match self.roll(9) {
                0 => write!(text, "{{{{ if {pipe} }}}}{inner}{{{{ else }}}}other{{{{ end }}}}"),
                1 => write!(text, "{{{{- with {pipe} }}}} {inner} {{{{ else }}}}none{{{{ end -}}}}"),
                2 => write!(text, "{{{{ range {pipe} }}}}[{{{{ . }}}}]{{{{ else }}}}none{{{{ end }}}}"),
                3 => write!(
                    text,
                    "{{{{ range $y, $x := {pipe} }}}}{{{{ $y }}}}={{{{ $x }}}} {{{{ break }}}}{{{{ end }}}}"
                ),
                4 => write!(text, "{{{{ $x = {pipe} }}}}{{{{ $x }}}}"),
                5 => write!(text, "{{{{ $z := {pipe} }}}}{{{{ $z }}}}"),
                _ => write!(text, " {{{{ {pipe} }}}} "),
            };
        }
        text
    }
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

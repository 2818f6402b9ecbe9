//! YAML, JSON and TOML, both ways.

use landfall_helm::yaml;
use serde_json::{Value, json};

use crate::support::{Answer, Dice, Differences, Row, ask, cases};
use crate::{compare, compare_rows};

/// A tree whose scalars are the kind of text that YAML makes trouble with.
fn tree(dice: &mut Dice, depth: usize) -> Value {
    const TEXTS: &[&str] = &[
        "",
        "a",
        "yes",
        "No",
        "~",
        "null",
        "1",
        "1.0",
        "1e3",
        "0x1f",
        "0o7",
        "0777",
        "1_000",
        "1:30",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "'",
        "\"",
        "it's",
        "a\nb",
        "a\nb\n",
        "\n",
        " a",
        "a ",
        "a\tb",
        "\ta",
        "é",
        "☺",
        "\u{1F600}",
        "\u{85}",
        "\u{a0}",
        "\u{feff}x",
        "\u{7}",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "<<",
        "=",
        "!x",
        "&a",
        "*a",
        "%x",
        "@x",
        "`x",
        "{a}",
        "[a]",
        "a,b",
        "a]",
        ">",
        "|",
        "...",
        "---",
        "--- a",
        "? a",
        "?",
        ":",
        "a:",
        ":a",
        "y",
        "on",
        ".5",
        "+1",
        ".inf",
        "-.inf",
        ".nan",
        "1.2.3",
        "0b11",
        "word word word word word word word word \
         word word word word word word word word word word word word word word word word word word",
        "a\n\nb\n\n",
        " lead\nline",
        "trail \nline",
        "a\r\nb",
        "x\\y",
        "{{ a }}",
        "key",
        "b10",
        "b2",
        "b02",
        "a1b",
        "a-1",
    ];
    match dice.roll(if depth == 0 { 5 } else { 9 }) {
        0 => json!(null),
        1 => json!(dice.roll(2) == 0),
        2 => {
            let numbers =
                [0.0, 1.0, -1.0, 1.5, 1e6, 1e20, 1e21, 1e22, 1e-5, 1e-7, 0.1, 123_456_789.0, -0.5, 1e100];
            json!(numbers[dice.roll(numbers.len())])
        }
        3 | 4 => json!(dice.pick(TEXTS)),
        5 | 6 => (0..dice.roll(4)).map(|_| tree(dice, depth - 1)).collect(),
        _ => {
            let entries = (0..dice.roll(5)).map(|_| (dice.pick(TEXTS).to_owned(), tree(dice, depth - 1)));
            Value::Object(entries.collect())
        }
    }
}

#[test]
fn trees_become_the_same_yaml() {
    let questions: Vec<Value> = (0..cases(2_000))
        .map(|seed| json!({"do": "yaml.write", "values": tree(&mut Dice(seed * 31 + 7), 4)}))
        .collect();
    compare("yaml.write", &questions, |question| yaml::marshal(&question["values"]).map(String::into_bytes));
}

#[test]
fn trees_pass_the_encoders_of_templates_alike() {
    let encoders = ["toYamlPretty", "toJson", "toPrettyJson", "toRawJson", "toToml", "toYaml"];
    let rows: Vec<Row> = (0..cases(600))
        .map(|seed| {
            let encoder = encoders[seed as usize % encoders.len()];
            Row {
                place: format!("seed {seed}"),
                template: format!("{{{{ {encoder} .Values.x }}}}"),
                values: json!({"x": tree(&mut Dice(seed * 17 + 3), 4)}),
            }
        })
        .collect();
    compare_rows(&rows);
}

/// YAML put together of the pieces that its grammar turns on.
#[test]
fn yaml_is_read_alike() {
    const PIECES: &[&str] = &[
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "'x'",
        "\"y\\n\"",
        "|\n    text\n",
        ">\n    fold\n    ed\n",
        "&x ",
        "*x",
        "!!str ",
        "!!int ",
        "# c\n",
        "yes",
        "1",
        "0777",
        "1e3",
        "~",
        "<<: ",
        "k: v\n",
        "\n---\n",
        "...",
        "  ",
        "\t",
        "é",
        "2024-01-01",
        ".inf",
        "1_000",
        "\"",
        "'",
        "!x ",
        "null",
    ];
    let mut questions = Vec::new();
    for seed in 0..cases(3_000) {
        let mut dice = Dice(seed * 13 + 1);
        let text: String = (0..=dice.roll(10)).map(|_| dice.pick(PIECES)).collect();
        questions.push(json!({"do": "yaml.read", "text": text}));
        let written = yaml::write(&tree(&mut dice, 3));
        questions.push(json!({"do": "yaml.read", "text": written}));
    }
    let ours = |question: &Value| -> Answer {
        let value =
            yaml::read_value(question["text"].as_str().unwrap()).map_err(|error| error.to_string())?;
        Ok(landfall_helm::json::write(&value, landfall_helm::json::Style::COMPACT).into_bytes())
    };
    let Some(answers) = ask(&questions) else { return };
    let mut differences = Differences::default();
    for (question, helm) in questions.iter().zip(answers) {
        let (helm, ours) = (helm.map_err(|_| "refused".to_owned()), ours(question));
        let text = question["text"].as_str().unwrap();
        let known = helm.is_ok() != ours.is_ok()
            && is_known_yaml(text, helm.as_ref().or(ours.as_ref()).map_or(&[], |output| output));
        if !known {
            differences.compare("yaml.read", text, &helm, &ours.map_err(|_| "refused".to_owned()));
        }
    }
    differences.finish();
}

/// What COMPATIBILITY.md tells of YAML that one side refuses: what follows a document that is no block mapping or
/// list, or one that is indented; tabs; comments without a space before them.
fn is_known_yaml(text: &str, output: &[u8]) -> bool {
    let bare_comment = text.match_indices('#').any(|(at, _)| at > 0 && !text[..at].ends_with([' ', '\n']));
    let starts = |first: &[char]| text.lines().any(|line| line.starts_with(first));
    !output.starts_with(b"{") && !output.starts_with(b"[")
        || text.contains(['\t', '{', '[', '*'])
        || text.contains("...")
        || bare_comment
        || starts(&[' '])
}

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
        "a\u{85}b",
        "\u{2028}",
        "a\u{2028}b",
        "a \u{2029} b\nc",
        "\u{2029}\n",
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

/// What the grammar of YAML turns on.
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
    "\r",
    "\r\n",
    "é",
    "\u{85}",
    "\u{2028}",
    "\u{2029} ",
    "\u{feff}",
    "\u{7f}",
    "2024-01-01",
    ".inf",
    "1_000",
    "\"",
    "'",
    "!x ",
    "null",
    "!!float ",
    "!!null ",
    "!!timestamp ",
    "!!binary aGk=",
    "!<tag:yaml.org,2002:str> ",
    "!e!y%C3%A9 ",
    "%TAG !e! tag:e,1:\n",
    "%YAML 1.1\n",
    "\n...\n",
    "|2-\n     more\n",
    ">+\n\n    a\n      b\n\n    c\n\n",
    "\"\\\n  x\\u00e9 \\L\n\n y\"",
    "'it''s\n\n  so '",
    "\\",
];

/// YAML as people write it.
const DOCUMENT: &str = "# A comment
apiVersion: v1
kind: ConfigMap # another
metadata:
  name: \"web\\u00e9-{{ x }}\"
  labels: {app: web, 'tier': \"1\", empty: , list: [1, b: c, ]}
  annotations: &notes
    text: this is a long
      plain text of
      several lines

      and a paragraph
    flag: yes
data:
- one
- - nested
  - list
-
  key: value
  ? complex
  : pair
- <<: *notes
  flag: !!str no
script: |
    #!/bin/sh
      indented

    exit 0
folded: >-
  folded text
  goes on

    but not here
  end
last: 'it''s

  done'
...
";

/// YAML as programs write it: a pair a line.
const PAIRS: &str = "kind: Deployment
spec:
  replicas: 3
  image: quay.io/airshipit/x:1.2
  name: 'web'
  text: \"a: b # c\"

  # Why.
  path: /var/lib  
  none:
  flag: yes # or no
  long: a b
    goes on
  list:
  - name: one
    at: 12:30:45
  - name: 0x1F

    at: a#b
  é: ü
status: done
";

/// A good document with some changes.
fn changed(dice: &mut Dice) -> String {
    let mut text: Vec<char> = dice.pick(&[DOCUMENT, PAIRS]).chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len());
        match dice.roll(4) {
            0 => drop(text.drain(at..(at + 1 + dice.roll(6)).min(text.len()))),
            1 => {
                let piece = text[at..(at + 1 + dice.roll(30)).min(text.len())].to_vec();
                let to = dice.roll(text.len());
                text.splice(to..to, piece);
            }
            _ => drop(text.splice(at..at, dice.pick(PIECES).chars())),
        }
    }
    text.into_iter().collect()
}

#[test]
fn yaml_is_read_alike() {
    let mut texts = Vec::new();
    for seed in 0..cases(3_000) {
        let mut dice = Dice(seed * 13 + 1);
        texts.push((0..=dice.roll(10)).map(|_| dice.pick(PIECES)).collect());
        texts.push(yaml::write(&tree(&mut dice, 3)));
        texts.push(changed(&mut dice));
    }
    // Behind a second byte order mark Helm may lose the first characters of lines.
    texts.retain(|text: &String| text.rfind('\u{feff}').is_none_or(|at| at == 0));
    let questions: Vec<Value> = texts.iter().map(|text| json!({"do": "yaml.read", "text": text})).collect();
    let Some(answers) = ask(&questions) else { return };
    let mut differences = Differences::default();
    for (text, helm) in texts.iter().zip(answers) {
        let ours: Answer = yaml::read_value(text)
            .map(|value| landfall_helm::json::write(&value, landfall_helm::json::Style::COMPACT).into_bytes())
            .map_err(|error| without_key(&format!("error converting YAML to JSON: {error}")));
        let helm = helm.map_err(|error| without_key(&error));
        // Helm tells of a control character when it comes near it.
        if !ours.as_ref().is_err_and(|error| error.contains("control characters")) {
            differences.compare("yaml.read", text, &helm, &ours);
        }
    }
    differences.finish();
}

/// What COMPATIBILITY.md tells of YAML: errors about keys show them in Go's syntax there.
fn without_key(error: &str) -> String {
    let about_key = ["map key", "a key must"].iter().any(|words| error.contains(words));
    if about_key { "a key that is none".to_owned() } else { error.to_owned() }
}

//! The small languages: versions and their ranges, settings of the command line.

use landfall_helm::Values;
use landfall_helm::semver::{Constraints, Version};
use serde_json::{Value, json};

use crate::compare;
use crate::support::{Dice, cases};

#[test]
fn version_ranges_hold_alike() {
    const VERSIONS: &[&str] = &[
        "1.2.3",
        "v1.2.3",
        "1.2",
        "1",
        "0.0.3",
        "0.2.1",
        "2.0.0-alpha",
        "2.0.0-alpha.1",
        "2.0.0-rc.1+b",
        "1.2.3+meta",
        "1.36.3",
        "01.2.3",
        "1.2.3-01",
        "1.2.3.4",
        "",
        "x",
        "1.2.x",
        "99999999999999999999.0.0",
        "1.0.0-",
        "-1.0.0",
    ];
    const OPERATORS: &[&str] = &[
        "", "=", "!=", ">", "<", ">=", "<=", "=>", "=<", "~", "~>", "^", "> ", ">= ", "~ ", "^ ", "!", ">>",
    ];
    const PARTS: &[&str] =
        &["1.2.3", "1.2", "1", "1.x", "1.2.*", "x", "*", "0.2", "0.0.3", "0", "2.0.0-0", "1.2.3-beta", "v1"];
    const JOINS: &[&str] = &[" ", ", ", ",", " || ", "||", " - ", "  ", ";"];
    let questions: Vec<Value> = (0..cases(5_000))
        .map(|seed| {
            let mut dice = Dice(seed * 11 + 5);
            let mut text = String::new();
            for at in 0..=dice.roll(3) {
                if at > 0 {
                    text.push_str(dice.pick(JOINS));
                }
                text.push_str(dice.pick(OPERATORS));
                text.push_str(dice.pick(PARTS));
            }
            json!({"do": "semver", "text": text, "more": dice.pick(VERSIONS)})
        })
        .collect();
    compare("semver", &questions, |question| {
        let constraint = Constraints::parse(question["text"].as_str().unwrap()).map_err(|e| e.to_string())?;
        let version = Version::parse(question["more"].as_str().unwrap()).map_err(|e| e.to_string())?;
        Ok(constraint.check(&version).to_string().into_bytes())
    });
    let pairs: Vec<Value> = VERSIONS
        .iter()
        .flat_map(|a| VERSIONS.iter().map(move |b| json!({"do": "version", "text": a, "more": b})))
        .collect();
    compare("version", &pairs, |question| {
        let parse = |key: &str| Version::parse(question[key].as_str().unwrap()).map_err(|e| e.to_string());
        let (a, b) = (parse("text")?, parse("more")?);
        Ok(format!("{a} {}", a.compare(&b) as i8).into_bytes())
    });
}

#[test]
fn settings_of_the_command_line_are_read_alike() {
    const PIECES: &[&str] = &[
        "a",
        "b",
        "a.b",
        "list",
        "list[0]",
        "[1]",
        "[0]",
        "[-1]",
        "[65537]",
        "[x]",
        "=",
        "=1",
        "=x",
        "=true",
        "=null",
        "=\"q\"",
        "={a,b}",
        "={}",
        "={",
        ",",
        ".",
        "\\,",
        "\\.",
        "\\=",
        "\\",
        "=1.5",
        "=0777",
        "=1e3",
        "= ",
        "map.k",
        "=[1]",
        "={\"j\":1}",
        "é",
        "]",
        "[",
        "}",
    ];
    let base = json!({"list": ["p", {"q": 1.0}], "map": {"k": "v"}, "a": {"b": 2.0}, "n": null});
    let questions: Vec<Value> = (0..cases(4_000))
        .map(|seed| {
            let mut dice = Dice(seed * 7 + 2);
            let text: String = (0..=dice.roll(7)).map(|_| dice.pick(PIECES)).collect();
            let kind = dice.pick(&["set", "set-string", "set-json", "set-literal"]);
            json!({"do": "strvals", "text": text, "more": kind, "values": base})
        })
        .collect();
    compare("strvals", &questions, |question| {
        let mut values = Values::from_json(&question["values"]).unwrap();
        let text = question["text"].as_str().unwrap();
        match question["more"].as_str().unwrap() {
            "set" => values.set(text),
            "set-string" => values.set_string(text),
            "set-literal" => values.set_literal(text),
            _ => values.set_json(text),
        }
        .map_err(|error| error.to_string())?;
        let json = Value::Object(values.as_map().clone());
        Ok(landfall_helm::json::write(&json, landfall_helm::json::Style::COMPACT).into_bytes())
    });
}

//! Templates, function by function.

use serde_json::json;

use crate::compare_rows;
use crate::support::{Dice, Row, ask, cases, rows};

#[test]
fn templates_as_in_helm() {
    compare_rows(&rows());
}

/// Each of Sprig's functions is known, and each of ours to Helm.
#[test]
fn functions_are_helms() {
    let Some(answers) = ask(&[json!({"do": "functions"})]) else { return };
    let sprig = String::from_utf8(answers.into_iter().next().unwrap().unwrap()).unwrap();
    let ours: Vec<String> = landfall_helm::function_names();
    let theirs: Vec<&str> = sprig.lines().filter(|name| !matches!(*name, "env" | "expandenv")).collect();
    let missing: Vec<_> = theirs.iter().filter(|name| !ours.iter().any(|own| own == *name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let rows: Vec<Row> = ours
        .iter()
        .map(|name| Row {
            place: name.clone(),
            template: format!("{{{{ if false }}}}{{{{ {name} }}}}{{{{ end }}}}"),
            values: json!({}),
        })
        .collect();
    compare_rows(&rows);
}

/// Every function with arguments of every kind, few of which it is meant for.
#[test]
fn functions_with_any_arguments_as_in_helm() {
    // What is random, or looks at the clock, or takes long; and `keys`, whose order Go shuffles.
    const LEFT_OUT: &[&str] = &[
        "ago",
        "bcrypt",
        "buildCustomCert",
        "derivePassword",
        "encryptAES",
        "genCA",
        "genCAWithKey",
        "genPrivateKey",
        "genSelfSignedCert",
        "genSelfSignedCertWithKey",
        "genSignedCert",
        "genSignedCertWithKey",
        "htpasswd",
        "keys",
        "now",
        "randAlpha",
        "randAlphaNum",
        "randAscii",
        "randBytes",
        "randInt",
        "randNumeric",
        "shuffle",
        "uuidv4",
        "values",
        "date",
        "dateInZone",
        "date_in_zone",
        "htmlDate",
        "htmlDateInZone",
        "getHostByName",
        "fromJson",
        "mustFromJson",
        "fromJsonArray",
        "fromToml",
        "fromYaml",
        "fromYamlArray",
        "until",
        "untilStep",
        "repeat",
        "seq",
    ];
    const ARGUMENTS: &[&str] = &[
        "1",
        "0",
        "-1",
        "3",
        "2.5",
        "\"\"",
        "\"a\"",
        "\"a b\"",
        "\"1.2.3\"",
        "\"x.y\"",
        "\"1h\"",
        "true",
        "false",
        "nil",
        "(list)",
        "(list 1 \"b\" nil)",
        "(dict)",
        "(dict \"a\" 1)",
        ".Values.s",
        ".Values.f",
        ".Values.none",
        ".Values.l",
        ".Values.m",
        ".Values.n",
        ".Values.b",
        ".Files",
        "(int64 5)",
        ".Values.m.x",
        ".Capabilities.APIVersions",
    ];
    let values = json!({
        "s": "text", "f": 1.5, "l": ["q", 2.0, null], "m": {"k": "v", "x": {"y": 1.0}}, "n": null, "b": true
    });
    let names: Vec<String> = landfall_helm::function_names()
        .into_iter()
        .filter(|name| !LEFT_OUT.contains(&name.as_str()))
        .collect();
    let rows: Vec<Row> = (0..cases(3_000))
        .map(|seed| {
            let mut dice = Dice(seed * 101 + 9);
            let mut template = format!("{{{{ {}", names[dice.roll(names.len())]);
            for _ in 0..dice.roll(4) {
                template.push(' ');
                template.push_str(dice.pick(ARGUMENTS));
            }
            template.push_str(dice.pick(&[" }}", " }}", " | quote }}", " | toJson }}", " | typeOf }}"]));
            Row { place: format!("seed {seed}"), template, values: values.clone() }
        })
        .collect();
    compare_rows(&rows);
}

//! The same questions to real Helm and to this crate: the answers must be equal, errors too.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;

use landfall_helm::chart::File;
use landfall_helm::semver::{Constraints, Version};
use landfall_helm::{Chart, HelmError, Options, Values, render, yaml};
use serde_json::{Value, json};
use support::{Answer, Dice, Differences, Row, ask, cases, rows};

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
        differences.compare(&row.place, &row.template, &helm, &render_row(row));
    }
    differences.finish();
}

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

/// What is made at random is compared by what it says.
#[test]
fn certificates_say_what_helms_say() {
    let all = "{{ .c.Cert }}{{ .c.Key }}";
    let with_ca = |make: &str| {
        format!(
            "{{{{ $ca := genCA \"the ca\" 10 }}}}{{{{ $_ := set $ \"c\" ({make}) }}}}{all}SPLIT{{{{ $ca.Cert }}}}"
        )
    };
    let alone = |make: &str| format!("{{{{ $_ := set $ \"c\" ({make}) }}}}{all}SPLIT");
    let templates = [
        alone("genCA \"an authority\" 365"),
        alone("genCA \"\" 1"),
        alone("genCA \"ünïcode*\" 30000"),
        alone("genCAWithKey \"ec\" 30 (genPrivateKey \"ecdsa\")"),
        alone("genCAWithKey \"ed\" 30 (genPrivateKey \"ed25519\")"),
        alone("genSelfSignedCert \"self\" nil nil 5"),
        alone(
            "genSelfSignedCert \"self\" (list \"10.0.0.1\" \"::1\" \"::ffff:1.2.3.4\") (list \"a.b\" \"*.c\") 5",
        ),
        alone("genSelfSignedCert \"\" nil (list \"a.b\") 5"),
        alone("genSelfSignedCertWithKey \"self\" nil nil 5 (genPrivateKey \"ecdsa\")"),
        with_ca("genSignedCert \"leaf\" (list \"127.0.0.1\") (list \"x.svc\" \"x\") 365 $ca"),
        with_ca("genSignedCert \"the ca\" nil nil 365 $ca"),
        with_ca("genSignedCertWithKey \"leaf\" nil nil 1 $ca (genPrivateKey \"ed25519\")"),
        alone("buildCustomCert ((genCA \"x\" 3).Cert | b64enc) (genPrivateKey \"ecdsa\" | b64enc)"),
    ];
    let rows: Vec<Row> = templates
        .iter()
        .map(|template| Row {
            place: "certificate".to_owned(),
            template: template.clone(),
            values: json!({}),
        })
        .collect();
    let Some(helms) = ask(&rows.iter().map(Row::question).collect::<Vec<_>>()) else { return };
    let look = |answer: &Answer| {
        let text = String::from_utf8(answer.clone().unwrap()).unwrap();
        let (certificate, authority) = text.split_once("SPLIT").unwrap();
        json!({"do": "certificate", "text": certificate, "more": authority})
    };
    let mut questions: Vec<Value> = helms.iter().map(look).collect();
    questions.extend(rows.iter().map(|row| look(&render_row(row))));
    let answers = ask(&questions).unwrap();
    let (helms, ours) = answers.split_at(rows.len());
    let mut differences = Differences::default();
    for ((row, helm), ours) in rows.iter().zip(helms).zip(ours) {
        differences.compare(&row.place, &row.template, helm, ours);
    }
    differences.finish();
}

/// Keys of each kind are read by Helm, and Helm's are read here.
#[test]
fn private_keys_pass_between_helm_and_us() {
    let read = |key: &str, kind: &str| Row {
        place: kind.to_owned(),
        template: "{{ (genCAWithKey \"x\" 1 .Values.key).Key }}".to_owned(),
        values: json!({"key": key}),
    };
    let kinds = ["ecdsa", "ed25519", "rsa"];
    let make = |kind: &str| Row {
        place: kind.to_owned(),
        template: format!("{{{{ genPrivateKey \"{kind}\" }}}}"),
        values: json!({}),
    };
    let Some(helms) = ask(&kinds.map(|kind| make(kind).question())) else { return };
    let mut rows = Vec::new();
    for (kind, helm) in kinds.into_iter().zip(helms) {
        let helm = String::from_utf8(helm.unwrap()).unwrap();
        let ours = String::from_utf8(render_row(&make(kind)).unwrap()).unwrap();
        assert_eq!(helm.lines().next(), ours.lines().next());
        rows.extend([read(&helm, kind), read(&ours, kind)]);
    }
    for row in &rows {
        let given = row.values["key"].as_str().unwrap();
        assert_eq!(String::from_utf8(render_row(row).unwrap()).unwrap(), given, "{}", row.place);
    }
    compare_rows(&rows);
}

/// Ciphers and hashes with salts: each side reads the other's.
#[test]
fn what_helm_encrypts_is_decrypted_and_the_other_way_round() {
    let encrypt = Row {
        place: "aes".to_owned(),
        template: "{{ encryptAES \"secretkey\" \"plaintext of some length\" }}".to_owned(),
        values: json!({}),
    };
    let Some(helm) = ask(&[encrypt.question()]) else { return };
    let decrypt = |text: &Answer| Row {
        place: "aes".to_owned(),
        template: "{{ decryptAES \"secretkey\" .Values.text }}".to_owned(),
        values: json!({"text": String::from_utf8(text.clone().unwrap()).unwrap()}),
    };
    let rows = [decrypt(&helm[0]), decrypt(&render_row(&encrypt))];
    for row in &rows {
        assert_eq!(render_row(row).unwrap(), b"plaintext of some length");
    }
    compare_rows(&rows);
}

fn compare(place: &str, questions: &[Value], ours: impl Fn(&Value) -> Answer) {
    let Some(answers) = ask(questions) else { return };
    let mut differences = Differences::default();
    for (question, helm) in questions.iter().zip(answers) {
        // The words of errors of these formats are our own.
        let (helm, ours) = (helm.map_err(|_| "refused".to_owned()), ours(question));
        differences.compare(place, &question.to_string(), &helm, &ours.map_err(|_| "refused".to_owned()));
    }
    differences.finish();
}

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
        // Both are told in COMPATIBILITY.md: what follows a scalar that is all of a document, and tabs.
        let known = match (&helm, &ours) {
            (Ok(output), Err(_)) => !output.starts_with(b"{") && !output.starts_with(b"["),
            (Err(_), Ok(output)) => {
                text.contains('\t')
                    || text.contains("...")
                    || !output.starts_with(b"{") && !output.starts_with(b"[")
            }
            _ => false,
        };
        if !known {
            differences.compare("yaml.read", text, &helm, &ours.map_err(|_| "refused".to_owned()));
        }
    }
    differences.finish();
}

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

/// Helm's own charts for tests, and those of the environment: LANDFALL_ORACLE_CHARTS names folders of charts.
#[test]
fn charts_as_in_helm() {
    let mut folders: Vec<PathBuf> = std::env::var_os("LANDFALL_ORACLE_CHARTS")
        .map(|text| std::env::split_paths(&text).collect())
        .unwrap_or_default();
    folders.extend(support::helm_sources());
    let charts: Vec<PathBuf> = folders.iter().flat_map(|folder| support::charts_under(folder)).collect();
    if charts.is_empty() {
        return;
    }
    let questions: Vec<_> = charts.iter().map(|chart| json!({"do": "chart", "chart": chart})).collect();
    let (Some(answers), Some(again)) = (ask(&questions), ask(&questions)) else { return };
    let mut differences = Differences::default();
    for ((chart, helm), again) in charts.iter().zip(answers).zip(again) {
        let ours = Chart::load(chart).and_then(|chart| {
            let rendered = render(&chart, &Values::new(), &Options::new("rel", "ns"))?;
            Ok(format!("{}NOTES:\n{}", rendered.to_template_output(), rendered.notes).into_bytes())
        });
        let helm = helm.map_err(|error| format!("refused {error}"));
        let ours = ours.map_err(|error| format!("refused {error}"));
        match (&helm, &ours) {
            // The words of errors outside of templates are our own.
            (Err(_), Err(_)) => differences.agree(),
            // Dependencies by path need not be copied into the chart here.
            (Err(error), Ok(_)) if error.contains("missing in charts/ directory") => differences.agree(),
            (Ok(first), Ok(third)) => {
                let (first, third) = support::without_chance(first, &again.unwrap_or_default(), third);
                differences.compare(&chart.display().to_string(), "chart", &Ok(first), &Ok(third));
            }
            _ => differences.compare(&chart.display().to_string(), "chart", &helm, &ours),
        }
    }
    differences.finish();
}

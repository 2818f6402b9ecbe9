//! What is made by chance: compared by what it says, and by whether each side reads the other's.

use serde_json::{Value, json};

use crate::support::{Answer, Differences, Row, ask};
use crate::{compare_rows, render_row};

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

//! `--sign` and `--verify` as they are typed: what is written, what is said, by which exit code.

#![allow(clippy::unwrap_used)]

#[path = "../../helm/tests/support/keys.rs"]
mod keys;

use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use keys::{ALICE, BOB, key, locked, public, secret};
use tempfile::TempDir;

const PASSPHRASE: &str = "open sesame";

struct Home(TempDir);

impl Home {
    /// With a chart, the keys of Alice, and the public ones of Bob.
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let alice = locked(ALICE, Some(PASSPHRASE));
        std::fs::create_dir(home.path("web")).unwrap();
        home.put("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.2.3\n");
        home.put("passphrase", format!("{PASSPHRASE}\n").as_bytes());
        home.put("secring.gpg", &secret(&[&alice]));
        home.put("pubring.gpg", &public(&[&alice]));
        home.put("bob.gpg", &public(&[&key(BOB)]));
        home
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A command line with its words between spaces.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_landfall"))
            .args(line.split(' '))
            .env_clear()
            .env("HOME", self.0.path())
            .env("LANG", "C.UTF-8")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn sign(&self) -> Output {
        self.run("package web --sign --key alice --keyring secring.gpg --passphrase-file passphrase")
    }

    /// What is said and by which code, for a snapshot.
    fn fails(&self, line: &str) -> String {
        let ended = self.run(line);
        assert!(ended.stdout.is_empty(), "{ended:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        format!("{}\n{said}", ended.status.code().unwrap())
    }
}

#[test]
fn a_signed_chart_is_taken_where_its_signer_is_trusted() {
    let home = Home::new();
    let ended = home.sign();
    assert!(ended.status.success(), "{ended:?}");
    assert!(home.path("web-1.2.3.tgz.prov").exists());
    for line in ["show chart", "template"] {
        let line = format!("{line} web-1.2.3.tgz --verify --keyring pubring.gpg");
        let ended = home.run(&line);
        assert!(ended.status.success(), "{line}: {ended:?}");
    }
}

#[test]
fn what_is_not_vouched_for_is_refused_with_what_to_do() {
    let home = Home::new();
    home.sign();
    let show = |more: &str| home.fails(&format!("show chart web-1.2.3.tgz --verify {more}"));
    let unknown = show("--keyring bob.gpg");
    let fingerprint = unknown.split("signed by ").nth(1).unwrap().split(',').next().unwrap();
    assert_snapshot!(unknown.replace(fingerprint, "KEY"), @r#"
    27
    error: web-1.2.3.tgz: signed by KEY, which the keyring does not hold as a key that may sign
    hint: if you trust that key, export it with `gpg --export KEY >keys.gpg` and give `--keyring keys.gpg`
    "#);
    assert_snapshot!(show("--keyring nowhere.gpg"), @r#"
    25
    error: cannot read nowhere.gpg: No such file or directory (os error 2)
    hint: `gpg --export >pubring.gpg` writes the public keys that GnuPG has, `gpg --export-secret-keys >secring.gpg` the secret ones; `--keyring` names the file
    "#);
    assert_snapshot!(home.fails("template web --verify --keyring pubring.gpg"), @r#"
    27
    error: web: only packed charts (.tgz) can be verified
    hint: landfall package web --sign --key NAME
    "#);
    let chart = std::fs::read(home.path("web-1.2.3.tgz")).unwrap();
    home.put("web-1.2.4.tgz", &chart);
    assert_snapshot!(home.fails("show chart web-1.2.4.tgz --verify --keyring pubring.gpg"), @r#"
    27
    error: web-1.2.4.tgz: there is no provenance file: web-1.2.4.tgz.prov: No such file or directory (os error 2)
    hint: ask whoever keeps the chart for a signed one (`landfall package --sign`); without `--verify` it is taken as it is
    "#);
    let provenance = std::fs::read_to_string(home.path("web-1.2.3.tgz.prov")).unwrap();
    home.put("web-1.2.3.tgz.prov", provenance.replace("name: web", "name: bad").as_bytes());
    assert_snapshot!(show("--keyring pubring.gpg --lang ko"), @r#"
    27
    error: web-1.2.3.tgz: Alice (charts) <alice@example.com>의 서명이 맞지 않습니다. 출처 파일이 바뀌었거나 손상되었습니다
    hint: 이 차트를 쓰지 마세요. 다시 받아 보고, 그래도 같으면 차트를 관리하는 쪽에 문의하세요
    "#);
}

#[test]
fn what_cannot_be_signed_leaves_no_archive() {
    let home = Home::new();
    let package = |more: &str| home.fails(&format!("package web --sign --key {more}"));
    assert_snapshot!(package("alice --keyring secring.gpg"), @r#"
    24
    error: the key of Alice (charts) <alice@example.com> needs a passphrase, and there is nobody to ask for it
    hint: `--passphrase-file FILE` names a file with it; with `-` it is piped in
    "#);
    assert_snapshot!(package("alice --keyring secring.gpg --passphrase-file web/Chart.yaml"), @r#"
    24
    error: the passphrase does not open the key of Alice (charts) <alice@example.com>
    "#);
    assert_snapshot!(package("carol --keyring secring.gpg"), @r#"
    24
    error: no key of the keyring is named "carol"
    hint: `gpg --export-secret-keys >secring.gpg` writes the secret keys; `--keyring secring.gpg` names the file
    "#);
    assert_snapshot!(package("alice --keyring pubring.gpg --lang ko"), @r#"
    24
    error: 키링에 Alice (charts) <alice@example.com>의 공개 키만 있습니다
    hint: `gpg --export-secret-keys >secring.gpg`로 비밀 키를 내보내고 `--keyring secring.gpg`로 지정하세요
    "#);
    assert!(!home.path("web-1.2.3.tgz").exists());
}

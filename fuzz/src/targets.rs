//! What is fed, and what has to hold beside not panicking.

use base64::Engine as _;
use gotmpl::{FuncMap, Templates};
use landfall_helm::chart::File;
use landfall_helm::provenance::Keyring;
use landfall_helm::semver::{Constraints, Version};
use landfall_helm::{Chart, Limits, Options, Values, release, render, repository, yaml};

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Target {
    /// Lexer and parser of templates
    Parse,
    /// Templates run with all functions, within limits
    Execute,
    /// YAML read by both ways; what was read is written, and read again as it was
    Yaml,
    /// `--set` and its like
    Strvals,
    /// Versions and ranges
    Semver,
    /// Packed charts
    Archive,
    /// Release records
    Record,
    /// Indices of repositories
    Index,
    /// Keyrings and provenance files
    Provenance,
}

const TEMPLATES: &[&str] = &[
    include_str!("../../crates/gotmpl/tests/fixtures/scopes.tmpl"),
    include_str!("../../crates/gotmpl/tests/fixtures/shared_maps.tmpl"),
    include_str!("../../crates/gotmpl/tests/rows/language.txt"),
    include_str!("../../crates/gotmpl/tests/rows/functions.txt"),
    include_str!("../../crates/helm/tests/rows/data.txt"),
    include_str!("../../crates/helm/tests/rows/numbers.txt"),
    include_str!("../../crates/helm/tests/rows/text.txt"),
];

const KEYRING: &[u8] = include_bytes!("../../crates/helm/tests/provenance/gnupg/pubring.kbx");
const SIGNED: &[u8] = include_bytes!("../../crates/helm/tests/provenance/gnupg/web-1.2.3.tgz.prov");

const DOCUMENTS: &[&str] = &[
    include_str!("../../charts/keystone/values.yaml"),
    include_str!("../../charts/keystone/Chart.yaml"),
    "a: &x {b: [1, 2.5, ~, yes, 0x1f]}\nc: *x\nd: {<<: *x, e: 'q'}\n",
    "- |+\n  text\n\n- >-\n  folded\n  text\n- \"esc\\t\\u00e9\"\n- ? key\n  : value\n",
    "--- !!map\nx: !!str 1\ny: !!binary aGk=\n...\n---\nz\n",
];

impl Target {
    /// Good inputs.
    pub fn seeds(self) -> Vec<Vec<u8>> {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        match self {
            Target::Parse => texts(TEMPLATES),
            // A line each: a whole file would end at its first error.
            Target::Execute => {
                let lines = TEMPLATES.iter().flat_map(|text| text.lines());
                lines.filter(|line| line.contains("{{")).map(|line| line.as_bytes().to_vec()).collect()
            }
            Target::Yaml => texts(DOCUMENTS),
            Target::Strvals => texts(&[
                "a.b=1,c[0]=x,d={1,2},e=null,f=true",
                "a\\.b=x\\,y,n[1][2].k=v",
                "a={\"b\":[1,2,{\"c\":null}]}",
                "outer.inner=value with = and {braces}",
            ]),
            Target::Semver => texts(&[
                ">=1.2.3-rc.1, <2 || ~1.4 || ^0.0.3",
                "1.2 - 1.4.5 || !=3.x",
                "v1.2.3-alpha.1+build.5",
                "1.x.x",
                "*",
            ]),
            Target::Archive => vec![archive(), gzip(b"not a tar file"), archive()[..200].to_vec()],
            Target::Record => records(),
            Target::Index => texts(&[
                "apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.2.3, urls: [a.tgz], digest: aa}\n",
                "generated: x\ndigest: sha256:aa\ndependencies:\n- {name: a, version: 1.0.0, repository: '@b'}\n",
            ]),
            Target::Provenance => {
                let armored = include_bytes!("../../crates/helm/tests/provenance/gnupg/pubring.asc");
                vec![KEYRING.to_vec(), armored.to_vec(), SIGNED.to_vec()]
            }
        }
    }

    /// Feeds one input.
    pub fn run(self, input: &[u8]) {
        let text = || String::from_utf8_lossy(input).into_owned();
        match self {
            Target::Parse => {
                if let Ok(parsed) = Templates::new(FuncMap::new()).compile("t", &text()) {
                    let _ = parsed.to_string();
                }
            }
            Target::Execute => execute(&text()),
            Target::Yaml => read_and_write(&text()),
            Target::Strvals => {
                let text = text();
                for set in [Values::set, Values::set_string, Values::set_json, Values::set_literal] {
                    let _ = set(&mut Values::new(), &text);
                }
            }
            Target::Semver => {
                let text = text();
                let version = Version::parse(text.split([' ', ',', '|']).next().unwrap_or_default());
                if let (Ok(range), Ok(version)) = (Constraints::parse(&text), version) {
                    let _ = range.check(&version);
                }
            }
            Target::Archive => {
                if let Ok(chart) = Chart::load_package(input, "fuzzed") {
                    let _ = chart.pack(0);
                }
            }
            Target::Record => {
                // As a Secret has it, and as what is inside of its archive.
                let _ = release::decode(input);
                let _ =
                    release::decode(base64::engine::general_purpose::STANDARD.encode(gzip(input)).as_bytes());
            }
            Target::Index => {
                let text = text();
                let _ = repository::Index::parse(&text);
                let _ = repository::Repositories::parse(&text);
                if let Ok(lock) = yaml::parse(&text) {
                    let _ = repository::Lock::read(&lock).map(|lock| lock.to_yaml());
                }
            }
            Target::Provenance => {
                const LATER: u64 = 1 << 31;
                if let Ok(keyring) = Keyring::read(input, LATER) {
                    let _ = keyring.verify(SIGNED, b"", "web-1.2.3.tgz");
                }
                if let Ok(keyring) = Keyring::read(KEYRING, LATER) {
                    let _ = keyring.verify(input, b"", "web-1.2.3.tgz");
                }
            }
        }
    }
}

fn file(name: &str, data: &[u8]) -> File {
    File { name: name.to_owned(), data: data.into() }
}

fn execute(template: &str) {
    let files = vec![
        file("Chart.yaml", b"apiVersion: v2\nname: t\nversion: 1.0.0\n"),
        file("values.yaml", b"a: 1\nb: {c: [1, two, null], d: 'x y'}\nlist: [3, 1, 2]\ntext: words\n"),
        file("templates/NOTES.txt", template.as_bytes()),
    ];
    let Ok(chart) = Chart::from_files(files) else { return };
    let mut options = Options::new("rel", "ns");
    options.limits = Limits { depth: 200, output: 1 << 22, steps: 100_000 };
    if let Err(error) = render(&chart, &Values::new(), &options) {
        let _ = error.to_string();
    }
}

/// A tree that was read is the same once it was written and read again.
fn read_and_write(text: &str) {
    // What follows the first document is not looked at, but lets the reader go no short way.
    if text.ends_with('\n')
        && let Ok(tree) = yaml::parse(text)
        && !tree.is_null()
    {
        let long = yaml::parse(&format!("{text}...\n---\n"));
        assert!(long.as_ref() == Ok(&tree), "{long:?} by the long way, {tree:?} by the short one\n{text}");
    }
    let Ok(documents) = yaml::parse_documents(text) else {
        let _ = yaml::parse(text);
        return;
    };
    for tree in documents {
        let written = yaml::write(&tree);
        let again = yaml::parse(&written);
        assert!(
            again.as_ref().is_ok_and(|again| same(again, &tree)) || is_lossy(&tree),
            "{tree:?} became {again:?} by way of\n{written}"
        );
        let _ = yaml::write_pretty(&tree);
    }
}

/// What goyaml does not write so that it would be read again: a key `<<` gets no quotes, U+0085 becomes a space.
fn is_lossy(value: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object, String};
    let next_line = |text: &str| text.contains('\u{85}');
    match value {
        String(text) => next_line(text),
        Array(items) => items.iter().any(is_lossy),
        Object(map) => map.iter().any(|(key, value)| key == "<<" || next_line(key) || is_lossy(value)),
        _ => false,
    }
}

/// Floats that are whole are written as integers, as Go does it.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

fn archive() -> Vec<u8> {
    let files = vec![
        file("Chart.yaml", b"apiVersion: v2\nname: t\nversion: 1.0.0\n"),
        file("values.yaml", b"a: 1\n"),
        file("templates/a.yaml", b"a: {{ .Values.a }}\n"),
    ];
    Chart::from_files(files).and_then(|chart| chart.pack(0)).unwrap_or_default()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).unwrap_or_default()
}

/// A record as a Secret has it, and its JSON.
fn records() -> Vec<Vec<u8>> {
    let chart = Chart::load_package(&archive(), "t");
    let rendered =
        chart.as_ref().ok().and_then(|chart| render(chart, &Values::new(), &Options::new("rel", "ns")).ok());
    let (Ok(chart), Some(rendered)) = (chart, rendered) else { return vec![Vec::new()] };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let record = release::Record::new("rel", "ns", 1, &chart, &Values::new(), &rendered, now);
    let encoded = release::encode(&record).unwrap_or_default();
    let json = br#"{"name":"rel","info":{"status":"deployed","first_deployed":"2026-01-01T00:00:00Z"},"chart":{"metadata":{"name":"t","version":"1.0.0"},"templates":[{"name":"a","data":"YQ=="}]},"config":{"a":1},"manifest":"---\n","hooks":[{"name":"h","events":["pre-install"],"weight":1}],"version":1,"namespace":"ns"}"#;
    vec![encoded, json.to_vec()]
}

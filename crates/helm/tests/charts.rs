//! Charts from folders, packages and the program itself; lookups, capabilities and release records.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use landfall_helm::chart::File;
use landfall_helm::release::{self, Record, Status};
use landfall_helm::{Chart, HelmError, KubeVersion, Lookup, Options, Rendered, Values, render};
use serde_json::{Value, json};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/charts");

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn app(chart: &Chart, values: Value) -> Rendered {
    render(chart, &Values::from_json(&values).unwrap(), &Options::new("rel", "ns")).unwrap()
}

#[test]
fn a_file_dependency_is_found_beside_the_chart_on_disk_and_embedded() {
    let from_disk = Chart::load(folder("charts/app")).unwrap();
    let embedded = Chart::load_embedded(&EMBEDDED, "app").unwrap();
    let text = app(&from_disk, json!({"replicas": 3})).to_template_output();
    assert!(text.contains("name: rel-app") && text.contains("replicas: \"3\""), "{text}");
    assert!(!text.contains("never"), "a library's templates are not rendered: {text}");
    assert_eq!(text, app(&embedded, json!({"replicas": 3})).to_template_output());
}

#[test]
fn an_unknown_embedded_chart_names_those_there_are() {
    let error = Chart::load_embedded(&EMBEDDED, "nope").unwrap_err().to_string();
    assert!(error.contains("app, lib"), "{error}");
}

#[test]
fn a_library_chart_cannot_be_rendered_alone() {
    let chart = Chart::load(folder("charts/lib")).unwrap();
    let error = render(&chart, &Values::new(), &Options::new("rel", "ns")).unwrap_err();
    assert!(error.to_string().contains("not installable"), "{error}");
}

fn pack(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn packed_charts_are_read_and_dangerous_ones_refused() {
    let chart_yaml = "apiVersion: v2\nname: p\nversion: 1.0.0\n";
    let good = pack(&[("p/Chart.yaml", chart_yaml), ("p/templates/a.yaml", "a: {{ .Chart.Version }}\n")]);
    let chart = Chart::load_package(&good, "p.tgz").unwrap();
    assert!(app(&chart, json!({})).to_template_output().contains("a: 1.0.0"));
    for path in ["p/../../etc/passwd", "Chart.yaml", "p//../x"] {
        let bad = pack(&[("p/Chart.yaml", chart_yaml), (path, "x")]);
        assert!(matches!(Chart::load_package(&bad, "bad.tgz"), Err(HelmError::Chart { .. })), "{path}");
    }
    assert!(Chart::load_package(b"no archive", "x").is_err());
}

#[test]
fn what_one_template_sets_in_its_scope_those_after_it_see() {
    let packed = pack(&[
        ("p/Chart.yaml", "apiVersion: v2\nname: p\nversion: 1.0.0\n"),
        ("p/values.yaml", "a: old\n"),
        ("p/templates/a.yaml", "a: {{ .Values.a }}\n"),
        // Executed first.
        ("p/templates/z.yaml", "{{ $_ := set $ \"Values\" (dict \"a\" \"new\") }}"),
    ]);
    let chart = Chart::load_package(&packed, "p.tgz").unwrap();
    assert!(app(&chart, json!({})).manifest_text().contains("a: new"));
}

#[derive(Debug)]
struct OneSecret;

impl Lookup for OneSecret {
    fn lookup(
        &self,
        version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, String> {
        Ok((version == "v1" && kind == "Secret" && namespace == "ns" && name == "s")
            .then(|| json!({"kind": "Secret"})))
    }
}

#[test]
fn templates_look_at_the_cluster_where_there_is_one() {
    let chart = Chart::load(folder("charts/app")).unwrap();
    let mut options = Options::new("rel", "ns");
    assert!(render(&chart, &Values::new(), &options).unwrap().manifest_text().contains("secret: none"));
    options.lookup = Some(Arc::new(OneSecret));
    assert!(render(&chart, &Values::new(), &options).unwrap().manifest_text().contains("secret: Secret"));
}

#[test]
fn a_kubernetes_version_that_does_not_fit_is_refused() {
    let mut chart = Chart::load(folder("charts/app")).unwrap();
    chart.metadata.kube_version = ">= 1.30.0-0".to_owned();
    let mut options = Options::new("rel", "ns");
    options.kube_version = KubeVersion::parse("v1.36.3");
    assert!(render(&chart, &Values::new(), &options).is_ok());
    options.kube_version = KubeVersion::parse("v1.29.1");
    assert!(matches!(render(&chart, &Values::new(), &options), Err(HelmError::KubeVersion { .. })));
}

#[test]
fn release_names_are_checked() {
    let chart = Chart::load(folder("charts/app")).unwrap();
    for name in ["", "Upper", "a_b", "-a", &"x".repeat(54)] {
        assert!(render(&chart, &Values::new(), &Options::new(name, "ns")).is_err(), "{name}");
    }
}

#[test]
fn endless_includes_are_an_error() {
    let file = |name: &str, text: &str| landfall_helm::chart::File {
        name: name.to_owned(),
        data: text.as_bytes().into(),
    };
    let chart = Chart::from_files(vec![
        file("Chart.yaml", "apiVersion: v2\nname: loop\nversion: 1.0.0\n"),
        file(
            "templates/x.yaml",
            "{{ define \"loop\" }}{{ include \"loop\" . }}{{ end }}{{ include \"loop\" . }}",
        ),
    ])
    .unwrap();
    let error = render(&chart, &Values::new(), &Options::new("rel", "ns")).unwrap_err().to_string();
    assert!(error.contains("nested reference name: loop"), "{}", &error[..error.len().min(500)]);
}

#[test]
fn a_record_survives_the_secret() {
    let chart = Chart::load(folder("charts/app")).unwrap();
    let values = Values::from_json(&json!({"replicas": 2, "password": "geheim"})).unwrap();
    let rendered = render(&chart, &values, &Options::new("rel", "ns")).unwrap();
    let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let mut record = Record::new("rel", "ns", 1, &chart, &values, &rendered, now);
    record.set_status(Status::Deployed, "Install complete");
    let decoded = release::decode(&release::encode(&record).unwrap()).unwrap();
    assert_eq!(decoded.info, record.info);
    assert_eq!(decoded.manifest, record.manifest);
    assert_eq!(decoded.chart_label(), "app-0.1.0");
    assert_eq!(decoded.config["password"], "geheim");
    assert!(!format!("{record:?}{values:?}").contains("geheim"), "secrets are not shown");

    let secret = release::secret(&record, Some(1_700_000_000), None).unwrap();
    assert_eq!(secret["metadata"]["name"], "sh.helm.release.v1.rel.v1");
    assert_eq!(secret["type"], release::SECRET_TYPE);
    assert_eq!(
        secret["metadata"]["labels"],
        json!({"createdAt": "1700000000", "name": "rel", "owner": "helm", "status": "deployed", "version": "1"})
    );
}

#[test]
fn a_record_that_no_secret_holds_is_refused_with_its_size() {
    let chart = Chart::load(folder("charts/app")).unwrap();
    let rendered = app(&chart, json!({}));
    let mut record = Record::new(
        "rel",
        "ns",
        1,
        &chart,
        &Values::new(),
        &rendered,
        "2026-01-02T03:04:05Z".parse().unwrap(),
    );
    // Text that does not pack well.
    let mut state = 1u64;
    record.manifest = (0..3_000_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + (state >> 40) as u8 % 90)
        })
        .collect();
    let error = release::encode(&record).unwrap_err();
    assert!(matches!(error, HelmError::RecordTooLarge { limit: release::LIMIT, .. }), "{error}");
    assert!(release::decode(b"!!").is_err());
}

/// Written by Helm 4.3.1's own storage driver.
#[test]
fn records_of_real_helm_are_read() {
    use base64::Engine as _;
    let text = std::fs::read_to_string(folder("expected/helm-secret.json")).unwrap();
    let secret: Value = serde_json::from_str(&text).unwrap();
    let data = base64::engine::general_purpose::STANDARD
        .decode(secret["data"]["release"].as_str().unwrap())
        .unwrap();
    let record = release::decode(&data).unwrap();
    assert_eq!((record.name.as_str(), record.version, record.info.status), ("go", 2, Status::Deployed));
    assert_eq!(record.info.description, "Upgrade complete");
    assert_eq!((record.chart_label().as_str(), record.apply_method.as_str()), ("c-1.0.0", "ssa"));
    assert_eq!(record.config["x"], json!(1.5));
    assert_eq!(
        (record.hooks[0].kind.as_str(), &record.hooks[0].events[..]),
        ("Job", &["pre-install".to_owned()][..])
    );
}

/// Helm refuses such a manifest as no YAML; in notes it may stand.
#[test]
fn a_byte_that_is_no_utf8_is_refused_in_a_manifest_with_its_line() {
    let file = |name: &str, text: &str| File { name: name.to_owned(), data: text.as_bytes().into() };
    let rendered = |template: &str| {
        let text = "kind: Secret\nkey: {{ b64dec \"/w==\" }}\n";
        let chart = Chart::from_files(vec![
            file("Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n"),
            file(template, text),
        ]);
        render(&chart.unwrap(), &Values::new(), &Options::new("rel", "ns"))
    };
    let error = rendered("templates/secret.yaml").unwrap_err().to_string();
    assert!(error.contains("t/templates/secret.yaml") && error.contains("line 2"), "{error}");
    assert_eq!(rendered("templates/NOTES.txt").unwrap().notes, "kind: Secret\nkey: \u{fffd}\n");
}

/// Lists and maps that hold others twice look small, and have more parts with each step than any memory holds.
#[test]
fn values_that_double_are_refused_before_they_fill_the_memory() {
    let doubled = "{{ $text := repeat 1000000 \"a\" }}{{ $l := list $text }}{{ $d := dict \"a\" $text }}{{ $e := dict }}\
                   {{ range until 60 }}{{ $l = list $l $l }}{{ $d = dict \"a\" $d \"b\" $d }}\
                   {{ $e = dict \"a\" $e \"b\" $e }}{{ end }}";
    for (function, told) in [
        ("mustToJson $l", "parts"),
        ("mustToYaml $d", "parts"),
        ("toToml $d", "parts"),
        ("deepCopy $l", "parts"),
        ("merge (dict \"x\" $d) (dict \"x\" (deepCopy (dict \"a\" (dict \"a\" 1))))", "longer than 64 MiB"),
        ("merge $d $e", "maps are to be merged"),
        ("$d", "longer than 64 MiB"),
        ("toString $l", "longer than 64 MiB"),
    ] {
        let template = format!("{doubled}{{{{ {function} }}}}");
        let file = |name: &str, text: &str| File { name: name.to_owned(), data: text.as_bytes().into() };
        let files = vec![
            file("Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.0.0\n"),
            file("templates/NOTES.txt", &template),
        ];
        let chart = Chart::from_files(files).unwrap();
        let error = render(&chart, &Values::new(), &Options::new("rel", "ns")).unwrap_err().to_string();
        assert!(error.contains(told), "{function}: {error}");
    }
}

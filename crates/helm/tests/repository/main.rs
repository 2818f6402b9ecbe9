//! Repositories and registries, all of them on the loopback address.
#![allow(clippy::unwrap_used)]

#[path = "../support/keys.rs"]
mod keys;
mod server;
mod signed;

use std::path::Path;
use std::sync::Arc;

use landfall_helm::chart::File;
use landfall_helm::repository::{
    Access, Downloader, Lock, Login, Manager, Places, RepositoryError, Source, Vouching, list,
};
use landfall_helm::{Chart, yaml};
use serde_json::json;
use server::Server;
use sha2::Digest as _;
use tempfile::TempDir;

fn packed(name: &str, version: &str) -> Vec<u8> {
    let file = |path: &str, text: String| File { name: path.to_owned(), data: text.into_bytes().into() };
    Chart::from_files(vec![
        file("Chart.yaml", format!("apiVersion: v2\nname: {name}\nversion: {version}\n")),
        file("templates/a.yaml", format!("from: {name} {version}\n")),
    ])
    .unwrap()
    .pack(1_700_000_000)
    .unwrap()
}

fn digest(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Puts versions of a chart into a repository.
fn fill(server: &Server, name: &str, versions: &[&str]) {
    let mut entries = String::new();
    for version in versions {
        let bytes = packed(name, version);
        entries.push_str(&format!(
            "  - {{name: {name}, version: {version}, urls: ['files/{name}-{version}.tgz'], digest: {}}}\n",
            digest(&bytes)
        ));
        server.put(&format!("/charts/files/{name}-{version}.tgz"), "application/gzip", bytes);
    }
    let index = format!("apiVersion: v1\nentries:\n  {name}:\n{entries}");
    server.put("/charts/index.yaml", "text/yaml", index);
}

fn downloader(folder: &Path) -> Downloader {
    Downloader {
        places: Places {
            repositories: folder.join("repositories.yaml"),
            indices: folder.join("indices"),
            content: folder.join("content"),
        },
        access: Access::default(),
        logins: Arc::new(|_| None),
        vouching: Vouching::NotAsked,
    }
}

fn of_repo(server: &Server, name: &str, version: &str) -> Source {
    let repo = Some(format!("{}/charts", server.address));
    Source { reference: name.to_owned(), repo, version: version.to_owned() }
}

#[tokio::test]
async fn the_newest_version_that_fits_is_brought_and_kept_by_its_digest() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0", "1.10.0", "2.0.0-rc.1"]);
    let downloader = downloader(folder.path());
    let brought = downloader.bring(&of_repo(&server, "web", "")).await.unwrap();
    assert_eq!((brought.file.as_str(), &brought.chart), ("web-1.10.0.tgz", &packed("web", "1.10.0")));
    assert_eq!(downloader.bring(&of_repo(&server, "web", "~1.2")).await.unwrap().file, "web-1.2.0.tgz");
    downloader.bring(&of_repo(&server, "web", "1.10.0")).await.unwrap();
    let fetched = server.asked().iter().filter(|path| path.ends_with("web-1.10.0.tgz")).count();
    assert_eq!(fetched, 1, "what is known by its digest is not fetched again");
}

#[tokio::test]
async fn a_chart_that_was_changed_is_refused() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0"]);
    server.put("/charts/files/web-1.2.0.tgz", "application/gzip", packed("web", "6.6.6"));
    let error = downloader(folder.path()).bring(&of_repo(&server, "web", "")).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Digest { .. }), "{error}");
}

#[tokio::test]
async fn a_login_is_given_to_its_own_host_only() {
    let (home, other) = (Server::start(Some(("me", "secret"))), Server::start(None));
    let folder = TempDir::new().unwrap();
    let url = format!("{}/web-1.0.0.tgz", other.address);
    let index =
        format!("apiVersion: v1\nentries:\n  web: [{{name: web, version: 1.0.0, urls: ['{url}']}}]\n");
    home.put("/charts/index.yaml", "text/yaml", index);
    other.put("/web-1.0.0.tgz", "application/gzip", packed("web", "1.0.0"));
    let mut downloader = downloader(folder.path());
    let refused = downloader.bring(&of_repo(&home, "web", "")).await.unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
    downloader.access.login = Some(Login { user: "me".to_owned(), password: "secret".to_owned() });
    downloader.bring(&of_repo(&home, "web", "")).await.unwrap();
    assert_eq!(other.asked(), ["/web-1.0.0.tgz"]);
    downloader.access.pass_credentials = true;
    downloader.bring(&of_repo(&home, "web", "")).await.unwrap();
    assert_eq!(other.asked()[1], "/web-1.0.0.tgz+login");
    assert!(!format!("{:?}", downloader.access).contains("secret"));
}

#[tokio::test]
async fn an_authority_is_trusted_where_it_is_named() {
    let (server, authority) = Server::start_tls();
    let folder = TempDir::new().unwrap();
    fill(&server, "web", &["1.0.0"]);
    let mut downloader = downloader(folder.path());
    assert!(downloader.bring(&of_repo(&server, "web", "")).await.is_err(), "an unknown authority");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    downloader.access.ca_file = Some(file);
    downloader.bring(&of_repo(&server, "web", "")).await.unwrap();
}

#[tokio::test]
async fn a_repository_is_known_by_its_name() {
    let (server, folder) = (Server::start(Some(("me", "secret"))), TempDir::new().unwrap());
    fill(&server, "web", &["1.0.0"]);
    let downloader = downloader(folder.path());
    let entry = format!(
        "repositories:\n- {{name: mine, url: '{}/charts/', username: me, password: secret}}\n",
        server.address
    );
    std::fs::write(&downloader.places.repositories, entry).unwrap();
    let source = Source { reference: "mine/web".to_owned(), ..Source::default() };
    assert_eq!(downloader.bring(&source).await.unwrap().file, "web-1.0.0.tgz");
    assert!(downloader.places.indices.join("mine-index.yaml").is_file(), "its index is kept");
    for (reference, said) in [("other/web", "repo other not found"), ("web", "non-absolute")] {
        let source = Source { reference: reference.to_owned(), ..Source::default() };
        let error = downloader.bring(&source).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Puts a chart into a registry.
fn push(server: &Server, name: &str, version: &str, tampered: bool) {
    let (chart, config) = (packed(name, version), b"{}".to_vec());
    let layer = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layer("application/vnd.cncf.helm.config.v1+json", &config),
        "layers": [layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &chart)],
    });
    let tag = version.replace('+', "_");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    server.put(&format!("/v2/charts/{name}/manifests/{tag}"), kind, manifest.to_string());
    let given = if tampered { packed(name, "6.6.6") } else { chart.clone() };
    server.put(
        &format!("/v2/charts/{name}/blobs/sha256:{}", digest(&chart)),
        "application/octet-stream",
        given,
    );
}

#[tokio::test]
async fn registries_give_charts_by_version_range_and_login() {
    let (server, folder) = (Server::start(Some(("me", "secret"))), TempDir::new().unwrap());
    server.put("/v2/", "application/json", "{}");
    for version in ["1.0.0", "1.9.0", "1.10.0+build.1"] {
        push(&server, "web", version, false);
    }
    push(&server, "web", "3.0.0", true);
    let tags = json!({"name": "charts/web", "tags": ["1.0.0", "1.9.0", "1.10.0_build.1", "3.0.0", "latest"]});
    server.put("/v2/charts/web/tags/list", "application/json", tags.to_string());
    let host = server.address.trim_start_matches("http://").to_owned();
    let mut downloader = downloader(folder.path());
    downloader.access.plain_http = true;
    let (wanted, reference) = (host.clone(), format!("oci://{host}/charts/web"));
    downloader.logins = Arc::new(move |asked| {
        (asked == wanted).then(|| Login { user: "me".to_owned(), password: "secret".to_owned() })
    });
    for (version, file) in
        [("^1", "web-1.10.0+build.1.tgz"), ("1.9.0", "web-1.9.0.tgz"), ("<1.9", "web-1.0.0.tgz")]
    {
        let source = Source { reference: reference.clone(), version: version.to_owned(), repo: None };
        assert_eq!(downloader.bring(&source).await.unwrap().file, file, "{version}");
    }
    let tagged = Source { reference: format!("{reference}:1.0.0"), ..Source::default() };
    assert_eq!(downloader.bring(&tagged).await.unwrap().chart, packed("web", "1.0.0"));
    let tampered = Source { reference: reference.clone(), version: "3.0.0".to_owned(), repo: None };
    assert!(downloader.bring(&tampered).await.is_err(), "a layer that is not what its digest says");
    downloader.logins = Arc::new(|_| None);
    let error = downloader.bring(&tagged).await.unwrap_err().to_string();
    assert!(error.contains("log in"), "{error}");
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn dependencies_are_resolved_brought_locked_and_built_again() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0", "1.10.0", "2.0.0"]);
    let chart = folder.path().join("app");
    write(
        &folder.path().join("lib/Chart.yaml"),
        "apiVersion: v2\nname: lib\nversion: 0.3.1\ntype: library\n",
    );
    let asked = format!(
        "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {{name: web, version: ^1, repository: \
         '{}/charts'}}\n- {{name: lib, version: 0.x, repository: 'file://../lib'}}\n",
        server.address
    );
    write(&chart.join("Chart.yaml"), &asked);
    std::fs::create_dir_all(chart.join("charts")).unwrap();
    std::fs::write(chart.join("charts/web-0.1.0.tgz"), packed("web", "0.1.0")).unwrap();
    let listed = list(&chart, 80).unwrap();
    assert!(listed.contains("wrong version") && listed.contains("missing"), "{listed}");

    let downloader = downloader(folder.path());
    let manager = Manager {
        chart: chart.clone(),
        downloader: &downloader,
        skip_refresh: false,
        now: ("2026-01-01T00:00:00Z".to_owned(), 1_700_000_000),
    };
    let mut said = Vec::new();
    manager.update(&mut |line: &str| said.push(line.to_owned())).await.unwrap();
    let there = |name: &str| chart.join("charts").join(name).is_file();
    assert!(there("web-1.10.0.tgz") && there("lib-0.3.1.tgz") && !there("web-0.1.0.tgz"), "{said:?}");
    assert!(said.iter().any(|line| line == "Saving 2 charts"), "{said:?}");
    let text = std::fs::read_to_string(chart.join("Chart.lock")).unwrap();
    let lock = Lock::read(&yaml::parse(&text).unwrap()).unwrap();
    let versions: Vec<&str> = lock.dependencies.iter().map(|one| one.version.as_str()).collect();
    assert_eq!(versions, ["1.10.0", "0.3.1"]);
    assert!(list(&chart, 80).unwrap().matches("\tok").count() == 2);

    // A newer version appears: `build` keeps to the lock, `update` does not.
    fill(&server, "web", &["1.10.0", "1.11.0"]);
    std::fs::remove_file(chart.join("charts/web-1.10.0.tgz")).unwrap();
    manager.build(&mut |_: &str| ()).await.unwrap();
    assert!(there("web-1.10.0.tgz"));
    manager.update(&mut |_: &str| ()).await.unwrap();
    assert!(there("web-1.11.0.tgz") && !there("web-1.10.0.tgz"));

    write(&chart.join("Chart.yaml"), &asked.replace("^1", "^1.2"));
    let error = manager.build(&mut |_: &str| ()).await.unwrap_err().to_string();
    assert!(error.contains("out of sync"), "{error}");
    write(&chart.join("Chart.yaml"), &asked.replace("^1", "^7"));
    let error = manager.update(&mut |_: &str| ()).await.unwrap_err().to_string();
    assert!(error.contains("can't get a valid version for 1 subchart(s): \"web\""), "{error}");
    assert!(there("web-1.11.0.tgz"), "what fails changes nothing");
}

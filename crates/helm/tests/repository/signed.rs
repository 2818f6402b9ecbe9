//! Charts that have to be signed: from repositories, registries, and as dependencies.

use std::sync::Arc;

use landfall_helm::provenance::{Keyring, ProvenanceError};
use landfall_helm::repository::{Manager, RepositoryError, Source, Vouching};
use serde_json::json;
use tempfile::TempDir;

use super::keys::{ALICE, BOB, key, now, public, secret};
use super::server::Server;
use super::{digest, downloader, fill, of_repo, packed, write};

fn provenance(name: &str, version: &str) -> String {
    let keyring = Keyring::read(&secret(&[&key(ALICE)]), now()).unwrap();
    let file = format!("{name}-{version}.tgz");
    keyring.signer("alice").unwrap().sign(&packed(name, version), &file, "").unwrap()
}

fn trusted(user: &str) -> Arc<Keyring> {
    Arc::new(Keyring::read(&public(&[&key(user)]), now()).unwrap())
}

fn put(server: &Server, version: &str, text: &str) {
    server.put(&format!("/charts/files/web-{version}.tgz.prov"), "text/plain", text);
}

#[tokio::test]
async fn a_signed_chart_of_a_repository_comes_with_its_signer() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0"]);
    let text = provenance("web", "1.2.0");
    put(&server, "1.2.0", &text);
    let mut downloader = downloader(folder.path());
    downloader.vouching = Vouching::Demanded(trusted(ALICE));
    let brought = downloader.bring(&of_repo(&server, "web", "")).await.unwrap();
    assert_eq!(brought.verified.unwrap().users, [ALICE]);
    assert_eq!(brought.provenance.unwrap(), text.into_bytes());
    downloader.vouching = Vouching::Demanded(trusted(BOB));
    let error = downloader.bring(&of_repo(&server, "web", "")).await.unwrap_err();
    let RepositoryError::Provenance { file, error: ProvenanceError::UnknownSigner(_) } = error else {
        panic!("{error}")
    };
    assert_eq!(file, "web-1.2.0.tgz");
}

#[tokio::test]
async fn a_chart_without_a_provenance_file_is_taken_or_refused_as_is_asked() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0"]);
    let mut downloader = downloader(folder.path());
    for vouching in [Vouching::Brought, Vouching::WhereThere(trusted(ALICE))] {
        downloader.vouching = vouching;
        let brought = downloader.bring(&of_repo(&server, "web", "")).await.unwrap();
        assert!(brought.unsigned.unwrap().contains("404") && brought.provenance.is_none());
    }
    downloader.vouching = Vouching::Demanded(trusted(ALICE));
    let error = downloader.bring(&of_repo(&server, "web", "")).await.unwrap_err();
    assert!(
        matches!(error, RepositoryError::Provenance { error: ProvenanceError::Missing(_), .. }),
        "{error}"
    );
    // One that is there and does not hold is worse than none.
    put(&server, "1.2.0", &provenance("web", "1.2.1"));
    downloader.vouching = Vouching::WhereThere(trusted(ALICE));
    let error = downloader.bring(&of_repo(&server, "web", "")).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Provenance { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_gives_the_provenance_as_a_layer() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    server.put("/v2/", "application/json", "{}");
    let (chart, text) = (packed("web", "1.0.0"), provenance("web", "1.0.0"));
    let layer = |kind: &str, bytes: &[u8]| {
        let place = format!("/v2/charts/web/blobs/sha256:{}", digest(bytes));
        server.put(&place, "application/octet-stream", bytes);
        json!({"mediaType": kind, "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len()})
    };
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let content = layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &chart);
    let signed = layer("application/vnd.cncf.helm.chart.provenance.v1.prov", text.as_bytes());
    for (tag, layers) in [("1.0.0", json!([content, signed])), ("1.0.1", json!([content]))] {
        let config = layer("application/vnd.cncf.helm.config.v1+json", b"{}");
        let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers});
        server.put(&format!("/v2/charts/web/manifests/{tag}"), kind, manifest.to_string());
    }
    let host = server.address.trim_start_matches("http://");
    let mut downloader = downloader(folder.path());
    downloader.access.plain_http = true;
    downloader.vouching = Vouching::Demanded(trusted(ALICE));
    let source =
        |tag: &str| Source { reference: format!("oci://{host}/charts/web:{tag}"), ..Source::default() };
    assert_eq!(downloader.bring(&source("1.0.0")).await.unwrap().verified.unwrap().users, [ALICE]);
    let error = downloader.bring(&source("1.0.1")).await.unwrap_err();
    assert!(
        matches!(error, RepositoryError::Provenance { error: ProvenanceError::Missing(_), .. }),
        "{error}"
    );
}

#[tokio::test]
async fn dependencies_that_are_not_vouched_for_change_nothing() {
    let (server, folder) = (Server::start(None), TempDir::new().unwrap());
    fill(&server, "web", &["1.2.0"]);
    put(&server, "1.2.0", &provenance("web", "1.2.0"));
    let chart = folder.path().join("app");
    write(
        &chart.join("Chart.yaml"),
        &format!(
            "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {{name: web, version: ^1, repository: \
             '{}/charts'}}\n",
            server.address
        ),
    );
    let mut downloader = downloader(folder.path());
    let there = |name: &str| chart.join("charts").join(name).exists();
    for (user, well) in [(BOB, false), (ALICE, true)] {
        downloader.vouching = Vouching::Demanded(trusted(user));
        let now = ("2026-01-01T00:00:00Z".to_owned(), 1_700_000_000);
        let manager = Manager { chart: chart.clone(), downloader: &downloader, skip_refresh: false, now };
        let outcome = manager.update(&mut |_: &str| ()).await;
        assert_eq!(outcome.is_ok(), well, "{user}: {outcome:?}");
        assert_eq!(there("web-1.2.0.tgz"), well);
        assert!(!there("web-1.2.0.tgz.prov"), "as Helm has it, they are not kept");
    }
}

//! The certificates are tried as they are used: by TLS in both directions.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::*;

fn authority(dir: &Path) -> Authority {
    Authority::open_or_make(dir, "ca", "test").unwrap()
}

fn parts(pair: &Pair) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let cert = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
    (vec![cert], PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap())
}

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_slice(authority.pair.cert.as_bytes()).unwrap()).unwrap();
    Arc::new(store)
}

/// A whole handshake in memory, each side asking for the other's certificate.
fn handshake(trusted: &Authority, server: &Pair, client: &Pair, name: &str) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(trusted), provider.clone()).build().unwrap();
    let (chain, key) = parts(server);
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    let (chain, key) = parts(client);
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(trusted))
        .with_client_auth_cert(chain, key)?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn the_api_server_and_its_clients_accept_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let ca = authority(dir.path());
    let address = Ipv4Addr::new(10, 89, 0, 11);
    let server = ca.issue(&api_server_subject("k1", address)).unwrap();
    let client = ca.issue(&Subject::client("system:node:k1", Some("system:nodes"))).unwrap();
    for name in ["10.89.0.11", "10.96.0.1", "127.0.0.1", "kubernetes.default.svc.cluster.local", "k1"] {
        handshake(&ca, &server, &client, name).unwrap();
    }
    assert!(handshake(&ca, &server, &client, "10.89.0.12").is_err(), "another node's address was taken");
}

#[test]
fn what_another_authority_signed_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ca, other) = (authority(one.path()), authority(two.path()));
    let subject = Subject::client("landfall-admin", Some("system:masters"));
    let server = ca.issue(&Subject::server("etcd", &["localhost"], &[])).unwrap();
    handshake(&ca, &server, &ca.issue(&subject).unwrap(), "localhost").unwrap();
    assert!(handshake(&ca, &server, &other.issue(&subject).unwrap(), "localhost").is_err());
}

#[test]
fn a_clients_certificate_does_not_serve_and_a_servers_does_not_ask() {
    let dir = tempfile::tempdir().unwrap();
    let ca = authority(dir.path());
    let server = ca.issue(&Subject::server("kubelet", &["localhost"], &[])).unwrap();
    let client = ca.issue(&Subject::client("x", None)).unwrap();
    assert!(handshake(&ca, &client, &client, "localhost").is_err());
    assert!(handshake(&ca, &server, &server, "localhost").is_err());
}

#[test]
fn an_authority_is_made_once_and_its_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let first = authority(dir.path());
    let again = authority(dir.path());
    assert_eq!(first.pair.cert, again.pair.cert);
    let (key, public) = service_account_key(dir.path()).unwrap();
    assert_eq!(service_account_key(dir.path()).unwrap(), (key, public));
    for file in ["ca.key", "sa.key"] {
        let mode = std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn debug_output_shows_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let ca = authority(dir.path());
    let pair = ca.issue(&Subject::client("x", None)).unwrap();
    assert!(!format!("{pair:?} {ca:?}").contains("PRIVATE"));
}

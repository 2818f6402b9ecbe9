#![allow(clippy::unwrap_used)]
//! Against a tiny server on loopback that answers from a script.

use tokio::net::TcpListener;

use super::*;
use crate::loopback::serve;

fn keystone(address: SocketAddr) -> Keystone {
    Keystone::new("keystone.landfall.test", address).unwrap()
}

#[tokio::test]
async fn the_name_goes_into_the_host_header_without_the_port() {
    let address = serve(|request| {
        let host = request.lines().find(|l| l.to_ascii_lowercase().starts_with("host:")).unwrap();
        (200, "", host.to_owned())
    })
    .await;
    let answer = keystone(address).get("/v3").await.unwrap();
    assert_eq!(answer.body.to_ascii_lowercase(), "host: keystone.landfall.test");
}

#[tokio::test]
async fn a_token_opens_the_service_list() {
    let address = serve(|request| {
        if request.starts_with("POST /v3/auth/tokens") {
            assert!(request.contains("\"password\":\"secret\""));
            let body = r#"{"token": {"expires_at": "2026-01-01T00:00:00Z", "user": {"name": "admin"}, "project": {"name": "admin"},
                "roles": [{"name": "admin"}], "catalog": [{"name": "keystone", "type": "identity",
                "endpoints": [{"interface": "public", "region": "RegionOne", "url": "http://x/v3"}]}]}}"#;
            (201, "X-Subject-Token: t-1\r\n", body.to_owned())
        } else {
            assert!(request.to_ascii_lowercase().contains("x-auth-token: t-1"));
            (200, "", r#"{"services": [{"id": "1", "name": "keystone", "type": "identity"}]}"#.to_owned())
        }
    })
    .await;
    let keystone = keystone(address);
    let token = keystone.token(&Credentials::admin("secret")).await.unwrap();
    assert_eq!((token.user.as_str(), token.catalog.len()), ("admin", 1));
    let services = keystone.services(&token).await.unwrap();
    assert_eq!((services[0].name.as_str(), services[0].kind.as_str()), ("keystone", "identity"));
}

#[tokio::test]
async fn a_wrong_password_is_told_in_keystones_words_and_is_not_shown() {
    let address = serve(|_| {
        (
            401,
            "",
            r#"{"error": {"code": 401, "message": "The request you have made requires authentication."}}"#
                .to_owned(),
        )
    })
    .await;
    let error = keystone(address).token(&Credentials::admin("hunter2")).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        error
            .to_string()
            .contains("POST http://keystone.landfall.test/v3/auth/tokens: answered 401: The request"),
        "{error}"
    );
    assert!(!shown.contains("hunter2"));
    assert!(!error.is_transient());
}

#[tokio::test]
async fn nobody_at_the_address_is_told_with_the_address() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = keystone(address).version().await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(error.is_transient());
}

#[test]
fn credentials_and_tokens_do_not_show_what_is_secret() {
    assert!(!format!("{:?}", Credentials::admin("hunter2")).contains("hunter2"));
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::loopback::{serve, token};

#[tokio::test]
async fn an_upload_is_chunked_and_carries_the_token_and_all_bytes() {
    let address = serve(|request| {
        let lower = request.to_ascii_lowercase();
        assert!(request.starts_with("PUT /v2/images/i-1/file "), "{request}");
        assert!(
            lower.contains("x-auth-token: t-1") && lower.contains("content-type: application/octet-stream")
        );
        let body = request.split_once("\r\n\r\n").unwrap().1;
        assert!(body.starts_with("10000\r\n"), "64 KiB first");
        assert_eq!(body.matches('z').count(), 100_000);
        (204, "", String::new())
    })
    .await;
    let web = Web::behind("glance.landfall.test", address).unwrap();
    Glance::new(&web, &token("t-1", Vec::new())).upload("i-1", vec![b'z'; 100_000]).await.unwrap();
}

#[tokio::test]
async fn a_download_gives_size_and_digest() {
    let address = serve(|_| (200, "", "abc".to_owned())).await;
    let web = Web::behind("glance.landfall.test", address).unwrap();
    let (size, digest) = Glance::new(&web, &token("t-1", Vec::new())).download("i-1").await.unwrap();
    assert_eq!(size, 3);
    // FIPS 180-4, example of one block.
    assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[tokio::test]
async fn what_is_gone_already_counts_as_deleted() {
    let address = serve(|_| (404, "", "<h1>404 Not Found</h1>".to_owned())).await;
    let web = Web::behind("glance.landfall.test", address).unwrap();
    let token = token("t-1", Vec::new());
    let glance = Glance::new(&web, &token);
    glance.delete("i-1").await.unwrap();
    assert_eq!(glance.show("i-1").await.unwrap_err().code(), Some(404));
}

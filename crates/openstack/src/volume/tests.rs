#![allow(clippy::unwrap_used)]

use super::*;
use crate::loopback::{serve, token};

async fn volumes(answer: impl Fn(&str) -> (u16, &'static str, String) + Send + 'static) -> Volumes {
    let address = serve(answer).await;
    Volumes::new(Web::behind("cinder.landfall.test", address).unwrap(), token("t-1", Vec::new()))
}

#[tokio::test]
async fn services_are_read_as_the_api_shows_them() {
    let volumes = volumes(|request| {
        assert!(request.starts_with("GET /v3/os-services "), "{request}");
        let service = json!({"binary": "cinder-volume", "host": "w@rbd1", "zone": "nova", "status": "enabled",
            "state": "up", "updated_at": "2026-11-25T00:00:00.000000", "disabled_reason": null});
        (200, "", json!({"services": [service]}).to_string())
    })
    .await;
    let services = volumes.services().await.unwrap();
    assert_eq!((services[0].binary.as_str(), services[0].state.as_str()), ("cinder-volume", "up"));
}

#[tokio::test]
async fn a_volume_is_asked_for_by_name_and_size() {
    let volumes = volumes(|request| {
        assert!(request.starts_with("POST /v3/volumes "), "{request}");
        assert!(request.ends_with(r#"{"volume":{"name":"x","size":1}}"#), "{request}");
        (202, "", json!({"volume": {"id": "v-1", "name": "x", "status": "creating", "size": 1}}).to_string())
    })
    .await;
    let volume = volumes.create("x", 1).await.unwrap();
    assert_eq!((volume.id.as_str(), volume.status.as_str(), volume.kind), ("v-1", "creating", None));
}

#[tokio::test]
async fn what_is_gone_is_none_and_counts_as_deleted() {
    let volumes = volumes(|_| {
        (
            404,
            "",
            json!({"itemNotFound": {"code": 404, "message": "Volume v-1 could not be found."}}).to_string(),
        )
    })
    .await;
    assert_eq!(volumes.show("v-1").await.unwrap(), None);
    volumes.delete("v-1").await.unwrap();
}

#[tokio::test]
async fn cinders_own_words_are_shown() {
    let volumes = volumes(|_| {
        (413, "", json!({"overLimit": {"code": 413, "message": "VolumeLimitExceeded"}}).to_string())
    })
    .await;
    assert!(
        volumes.create("x", 1).await.unwrap_err().to_string().ends_with("answered 413: VolumeLimitExceeded")
    );
}

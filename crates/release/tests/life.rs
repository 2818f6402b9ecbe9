//! The life of a release on the simulated cluster.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use landfall_cluster::api::Cascade;
use landfall_helm::release::Status;
use landfall_release::{Error, Rollback, Uninstall, Upgrade};
use serde_json::json;

use world::World;

#[tokio::test(start_paused = true)]
async fn installed_upgraded_rolled_back_and_removed() {
    let world = World::new();
    world.install().await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("first")));
    let owned = world.sim.object("ConfigMap/shop/web-one").unwrap();
    assert_eq!(owned["metadata"]["annotations"]["meta.helm.sh/release-name"], "web");

    world.upgrade(json!({"word": "second"})).await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("second")));
    world.upgrade(json!({"name": "two"})).await.unwrap();
    assert_eq!(world.word("web-one"), None, "what a revision no longer has is deleted");
    assert_eq!(world.word("web-two"), Some(json!("second")), "former values are kept");

    let back = world.actions.rollback(&Rollback { name: "web".into(), revision: Some(1) }).await.unwrap();
    assert_eq!((back.record.version, back.record.info.rollback_revision), (4, 1));
    assert_eq!((world.word("web-one"), world.word("web-two")), (Some(json!("first")), None));
    let superseded = Status::Superseded;
    let wanted = [(1, superseded), (2, superseded), (3, superseded), (4, Status::Deployed)];
    assert_eq!(world.statuses().await, wanted);

    let kept = world
        .actions
        .uninstall(&Uninstall { name: "web".into(), keep_history: false, cascade: Cascade::Background })
        .await
        .unwrap();
    assert_eq!(kept, ["ConfigMap kept"]);
    assert_eq!(world.word("web-one"), None);
    assert!(world.sim.object("ConfigMap/shop/kept").is_some());
    assert!(world.statuses().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_kept_can_be_rolled_back_to() {
    let world = World::new();
    world.install().await.unwrap();
    world
        .actions
        .uninstall(&Uninstall { name: "web".into(), keep_history: true, cascade: Cascade::Background })
        .await
        .unwrap();
    assert_eq!(world.statuses().await, [(1, Status::Uninstalled)]);
    world.actions.rollback(&Rollback { name: "web".into(), revision: Some(1) }).await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("first")));
}

#[tokio::test(start_paused = true)]
async fn hooks_run_and_one_that_fails_ends_it() {
    let world = World::new().with_hook("pre-install").with_hook("post-upgrade");
    let stored = world.install().await.unwrap();
    let phases: Vec<&str> = stored.record.hooks.iter().map(|hook| hook.phase.as_str()).collect();
    assert!(phases.contains(&"Succeeded"), "{phases:?}");
    world.sim.faults(|faults| {
        faults.failing_jobs.insert("web-post-upgrade".into());
    });
    let error = world.upgrade(json!({"word": "second"})).await.unwrap_err();
    assert!(matches!(&error, Error::Hook { event, .. } if event == "post-upgrade"), "{error}");
    assert_eq!(world.statuses().await, [(1, Status::Deployed), (2, Status::Failed)]);
    let record = world.actions.get("web", None).await.unwrap().record;
    assert!(record.info.description.contains("post-upgrade hook"), "{}", record.info.description);
}

#[tokio::test(start_paused = true)]
async fn anothers_object_is_told_before_anything_is_written() {
    let world = World::new();
    world.sim.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "web-one", "namespace": "shop"}, "data": {"word": "theirs"}}));
    let error = world.install().await.unwrap_err();
    assert!(matches!(&error, Error::NotOurs { object, .. } if object == "ConfigMap web-one"), "{error}");
    assert_eq!(world.word("web-one"), Some(json!("theirs")));
    assert!(world.statuses().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_left_unfinished_is_told_and_gone_on_with_or_back_from() {
    let world = World::new().with_hook("pre-upgrade");
    world.install().await.unwrap();
    world.sim.faults(|faults| {
        faults.missing_images.insert("a".into());
    });
    // Killed while a hook waits for its image.
    let killed = tokio::time::timeout(Duration::from_secs(5), world.upgrade(json!({"word": "second"}))).await;
    assert!(killed.is_err(), "{killed:?}");
    assert_eq!(world.statuses().await, [(1, Status::Deployed), (2, Status::PendingUpgrade)]);
    world.sim.faults(|faults| faults.missing_images.clear());

    let error = world.upgrade(json!({"word": "third"})).await.unwrap_err();
    assert!(matches!(error, Error::Pending { revision: 2, .. }), "{error}");
    let resumed = Upgrade { resume: true, ..world.upgrade_to(json!({"word": "third"})) };
    world.actions.upgrade(resumed).await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("third")));
    let wanted = [(1, Status::Superseded), (2, Status::Failed), (3, Status::Deployed)];
    assert_eq!(world.statuses().await, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_name_in_use_and_a_revision_that_is_not_there_are_told() {
    let world = World::new();
    assert!(matches!(world.actions.get("web", None).await, Err(Error::NoRelease { .. })));
    world.install().await.unwrap();
    assert!(matches!(world.install().await, Err(Error::NameInUse { revision: 1, .. })));
    let back = world.actions.rollback(&Rollback { name: "web".into(), revision: Some(7) }).await;
    assert!(matches!(back, Err(Error::NoRevision { revision: 7, .. })));
    let back = world.actions.rollback(&Rollback { name: "web".into(), revision: None }).await;
    assert!(matches!(back, Err(Error::NothingToRollBackTo { .. })));
}

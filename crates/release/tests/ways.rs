//! How a release gets there: by the server or by a merge of ours, shown only, and back again where it fails.
#![allow(clippy::unwrap_used)]

mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use landfall_helm::release::Status;
use landfall_release::{DryRun, Error, Former, Listener, Rollback, Undoing, Upgrade};
use landfall_testkit::Sim;
use serde_json::{Value, json};

use world::World;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: {{ .Values.word }}}]}
";

/// What was told before a failure was undone, with the word that was in the cluster then.
#[derive(Debug)]
struct Heard {
    sim: Sim,
    told: Mutex<Vec<(String, Option<Value>)>>,
}

#[async_trait::async_trait]
impl Listener for Heard {
    async fn undoing(&self, what: Undoing<'_>) {
        let text = match what {
            Undoing::Upgrade { name, revision, why } => format!("{why}; {name} to {revision}"),
            Undoing::Installation { name, why } => format!("{why}; {name} away"),
        };
        let word = self.sim.object("ConfigMap/shop/web-one").map(|object| object["data"]["word"].clone());
        self.told.lock().unwrap().push((text, word));
    }
}

impl Heard {
    fn all(&self) -> Vec<(String, Option<Value>)> {
        self.told.lock().unwrap().clone()
    }
}

/// With failures undone, and told.
fn undoing(mut world: World) -> (World, Arc<Heard>) {
    let heard = Arc::new(Heard { sim: world.sim.clone(), told: Mutex::default() });
    world.actions.options.rollback_on_failure = true;
    world.actions.options.listener = Some(Arc::<Heard>::clone(&heard));
    (world, heard)
}

fn failing(world: &World, job: &str) {
    world.sim.faults(|faults| {
        faults.failing_jobs.insert(job.into());
    });
}

#[tokio::test(start_paused = true)]
async fn by_a_merge_of_ours_what_another_has_set_stays() {
    let mut world = World::new();
    world.actions.options.server_side = Some(false);
    let stored = world.install().await.unwrap();
    assert_eq!(stored.record.apply_method, "csa");
    assert!(world.sim.writes().iter().all(|write| !write.starts_with("apply")), "{:?}", world.sim.writes());
    let mut object = world.sim.object("ConfigMap/shop/web-one").unwrap();
    (object["data"]["theirs"], object["data"]["word"]) = (json!("kept"), json!("changed by hand"));
    world.sim.put(object);

    world.actions.options.server_side = None;
    let stored = world.upgrade(json!({"word": "second"})).await.unwrap();
    assert_eq!(stored.record.apply_method, "csa", "the way it was");
    let data = world.sim.object("ConfigMap/shop/web-one").unwrap()["data"].clone();
    assert_eq!(data, json!({"revision": "2", "word": "second", "theirs": "kept"}));

    let back = world.actions.rollback(&Rollback { name: "web".into(), revision: Some(1) }).await.unwrap();
    assert_eq!(back.record.apply_method, "csa");
    assert_eq!(world.word("web-one"), Some(json!("first")));
    world.upgrade(json!({"name": "two"})).await.unwrap();
    assert_eq!(world.word("web-one"), None, "what a revision no longer has is deleted");
}

#[tokio::test(start_paused = true)]
async fn from_a_merge_of_ours_to_the_server_fields_are_held_by_apply() {
    let mut world = World::new();
    world.actions.options.server_side = Some(false);
    world.install().await.unwrap();
    let entry = |operation: &str| json!({"manager": "helm", "operation": operation, "apiVersion": "v1", "fieldsV1": {"f:data": {}}});
    let mut object = world.sim.object("ConfigMap/shop/web-one").unwrap();
    object["metadata"]["managedFields"] = json!([entry("Update")]);
    world.sim.put(object);

    world.actions.options.server_side = Some(true);
    world.sim.forget_writes();
    let stored = world.upgrade(json!({"word": "second"})).await.unwrap();
    assert_eq!(stored.record.apply_method, "ssa");
    let object = world.sim.object("ConfigMap/shop/web-one").unwrap();
    assert_eq!(object["metadata"]["managedFields"], json!([entry("Apply")]));
    let writes = world.sim.writes();
    let of = |what: &str| writes.iter().position(|write| write == &format!("{what} ConfigMap/shop/web-one"));
    assert!(of("patch").is_some() && of("patch") < of("apply"), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_fails_goes_back_and_its_reason_is_told_before() {
    let (world, heard) = undoing(World::new().with_hook("post-upgrade"));
    world.install().await.unwrap();
    failing(&world, "web-post-upgrade");
    let error = world.upgrade(json!({"word": "second"})).await.unwrap_err();
    assert!(matches!(&error, Error::WentBack { revision: 1, now: 3, .. }), "{error}");
    assert!(matches!(error.root(), Error::Hook { .. }), "{error}");
    assert_eq!(world.word("web-one"), Some(json!("first")));
    let (text, word) = heard.all().pop().unwrap();
    assert!(text.contains("post-upgrade hook") && text.ends_with("web to 1"), "{text}");
    assert_eq!(word, Some(json!("second")), "told while what failed is there");
    let wanted = [(1, Status::Superseded), (2, Status::Failed), (3, Status::Deployed)];
    assert_eq!(world.statuses().await, wanted);
    let failed = world.actions.get("web", Some(2)).await.unwrap().record.info.description;
    assert!(failed.contains("post-upgrade hook"), "the reason is kept: {failed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_undone_on_failure_is_waited_for() {
    let (world, heard) = undoing(World::new());
    world.write("templates/deployment.yaml", DEPLOYMENT);
    world.install().await.unwrap();
    world.sim.faults(|faults| {
        faults.missing_images.insert("second".into());
    });
    let error = world.upgrade(json!({"word": "second"})).await.unwrap_err();
    assert_eq!(error.object(), Some("Deployment web"), "{error}");
    assert!(matches!(&error, Error::WentBack { revision: 1, .. }), "{error}");
    assert_eq!(heard.all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_fails_is_removed_and_its_reason_is_told_before() {
    let (world, heard) = undoing(World::new().with_hook("post-install"));
    failing(&world, "web-post-install");
    let error = world.install().await.unwrap_err();
    assert!(matches!(&error, Error::Removed { .. }), "{error}");
    assert!(error.to_string().contains("post-install hook"), "{error}");
    assert_eq!(world.word("web-one"), None);
    assert!(world.statuses().await.is_empty());
    let (text, word) = heard.all().pop().unwrap();
    assert!(text.ends_with("web away"), "{text}");
    assert_eq!(word, Some(json!("first")));
}

#[tokio::test(start_paused = true)]
async fn what_fails_before_anything_is_written_needs_no_undoing() {
    let (world, heard) = undoing(World::new());
    world.sim.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "web-one", "namespace": "shop"}, "data": {"word": "theirs"}}));
    let error = world.install().await.unwrap_err();
    assert!(matches!(&error, Error::NotOurs { .. }), "{error}");
    assert_eq!(world.word("web-one"), Some(json!("theirs")));
    assert!(heard.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_undoing_that_fails_tells_both_reasons() {
    let (world, _) = undoing(World::new().with_hook("post-upgrade").with_hook("post-rollback"));
    world.install().await.unwrap();
    failing(&world, "web-post-upgrade");
    failing(&world, "web-post-rollback");
    let error = world.upgrade(json!({"word": "second"})).await.unwrap_err().to_string();
    assert!(error.contains("post-upgrade hook") && error.contains("post-rollback hook"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_only_shown_writes_nothing() {
    let mut world = World::new();
    world.actions.options.dry_run = Some(DryRun::Server);
    let shown = world.install().await.unwrap().record;
    assert!(shown.manifest.contains("word: first"), "{}", shown.manifest);
    assert_eq!(world.sim.writes(), Vec::<String>::new());
    world.actions.options.dry_run = None;
    world.install().await.unwrap();
    world.sim.forget_writes();
    world.actions.options.dry_run = Some(DryRun::Client);
    let shown = world.upgrade(json!({"word": "second"})).await.unwrap().record;
    assert!(shown.manifest.contains("word: second"), "{}", shown.manifest);
    let back = world.actions.rollback(&Rollback { name: "web".into(), revision: Some(1) }).await.unwrap();
    assert_eq!((back.record.version, back.record.info.description.as_str()), (2, "Dry run complete"));
    assert_eq!(world.sim.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_upgrade_made_is_cleaned_up_where_that_is_asked_for() {
    let mut world = World::new().with_hook("post-upgrade");
    world.actions.options.cleanup_on_failure = true;
    world.install().await.unwrap();
    failing(&world, "web-post-upgrade");
    world.upgrade(json!({"name": "two"})).await.unwrap_err();
    assert_eq!(world.word("web-two"), None);
    assert_eq!(world.statuses().await, [(1, Status::Deployed), (2, Status::Failed)]);
}

#[tokio::test(start_paused = true)]
async fn no_more_revisions_are_kept_than_asked_for() {
    let mut world = World::new();
    world.actions.options.history = 2;
    world.install().await.unwrap();
    for word in ["b", "c", "d"] {
        world.upgrade(json!({"word": word})).await.unwrap();
    }
    assert_eq!(world.statuses().await, [(3, Status::Superseded), (4, Status::Deployed)]);
}

#[tokio::test(start_paused = true)]
async fn labels_go_on_with_a_release_until_null_takes_them_away() {
    let world = World::new();
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let own = landfall_release::Install { labels: labels(&[("owner", "me")]), ..world.install_of() };
    assert!(matches!(world.actions.install(own).await, Err(Error::OwnLabel(label)) if label == "owner"));
    let with =
        landfall_release::Install { labels: labels(&[("team", "a"), ("tier", "x")]), ..world.install_of() };
    world.actions.install(with).await.unwrap();
    let wanted =
        Upgrade { labels: labels(&[("team", "null"), ("zone", "z")]), ..world.upgrade_to(json!({})) };
    world.actions.upgrade(wanted).await.unwrap();
    let stored = world.actions.get("web", None).await.unwrap();
    assert_eq!(stored.record.labels, labels(&[("tier", "x"), ("zone", "z")]));
}

#[tokio::test(start_paused = true)]
async fn values_of_the_former_chart_hold_unless_the_new_ones_are_asked_for() {
    let world = World::new();
    world.install().await.unwrap();
    world.write("values.yaml", "name: one\nword: of the new chart\n");
    world.upgrade(json!({})).await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("first")));
    let wanted = Upgrade { former: Former::ReuseOverNewChart, ..world.upgrade_to(json!({})) };
    world.actions.upgrade(wanted).await.unwrap();
    assert_eq!(world.word("web-one"), Some(json!("of the new chart")));
}

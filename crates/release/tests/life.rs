//! The life of a release on the simulated cluster.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use landfall_helm::release::Status;
use landfall_helm::{Chart, Values};
use landfall_release::{Actions, Error, Former, Install, Options, Rollback, Uninstall, Upgrade};
use landfall_testkit::Sim;
use serde_json::{Value, json};

const CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-{{ .Values.name }}}
data: {revision: \"{{ .Release.Revision }}\", word: {{ .Values.word }}}
";
const KEPT: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
";
const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-EVENT
  annotations: {helm.sh/hook: EVENT}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: a}]}
";

struct World {
    sim: Sim,
    actions: Actions,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let sim = Sim::new();
        sim.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
        let options = Options { timeout: Duration::from_secs(20), ..Options::default() };
        let actions = Actions::new(Arc::new(sim.clone()), "shop", options);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("templates")).unwrap();
        write("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        write("values.yaml", "name: one\nword: first\n");
        write("templates/config.yaml", CONFIG);
        write("templates/kept.yaml", KEPT);
        Self { sim, actions, folder }
    }

    fn with_hook(self, event: &str) -> Self {
        let file = self.folder.path().join(format!("templates/{event}.yaml"));
        std::fs::write(file, JOB.replace("EVENT", event)).unwrap();
        self
    }

    fn chart(&self) -> Arc<Chart> {
        Arc::new(Chart::load(Path::new(self.folder.path())).unwrap())
    }

    async fn install(&self) -> landfall_release::Result<landfall_release::Stored> {
        let wanted = Install {
            name: "web".into(),
            chart: self.chart(),
            values: Values::from_json(&json!({})).unwrap(),
            create_namespace: false,
            skip_crds: false,
            replace: false,
        };
        self.actions.install(wanted).await
    }

    async fn upgrade(&self, values: Value) -> landfall_release::Result<landfall_release::Stored> {
        self.actions.upgrade(self.upgrade_to(values)).await
    }

    fn upgrade_to(&self, values: Value) -> Upgrade {
        Upgrade {
            name: "web".into(),
            chart: self.chart(),
            values: Values::from_json(&values).unwrap(),
            former: Former::Reuse,
            crds: false,
            resume: false,
        }
    }

    async fn statuses(&self) -> Vec<(i64, Status)> {
        let history = self.actions.history("web").await.unwrap();
        history.iter().map(|stored| (stored.record.version, stored.record.info.status)).collect()
    }

    fn word(&self, name: &str) -> Option<Value> {
        Some(self.sim.object(&format!("ConfigMap/shop/{name}"))?["data"]["word"].clone())
    }
}

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

    let kept = world.actions.uninstall(&Uninstall { name: "web".into(), keep_history: false }).await.unwrap();
    assert_eq!(kept, ["ConfigMap kept"]);
    assert_eq!(world.word("web-one"), None);
    assert!(world.sim.object("ConfigMap/shop/kept").is_some());
    assert!(world.statuses().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_kept_can_be_rolled_back_to() {
    let world = World::new();
    world.install().await.unwrap();
    world.actions.uninstall(&Uninstall { name: "web".into(), keep_history: true }).await.unwrap();
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

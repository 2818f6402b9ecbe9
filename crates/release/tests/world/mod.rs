//! A chart and a simulated cluster.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use landfall_helm::release::Status;
use landfall_helm::{Chart, Values};
use landfall_release::{Actions, Former, Install, Options, Upgrade};
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

pub struct World {
    pub sim: Sim,
    pub actions: Actions,
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
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

    pub fn with_hook(self, event: &str) -> Self {
        let file = self.folder.path().join(format!("templates/{event}.yaml"));
        std::fs::write(file, JOB.replace("EVENT", event)).unwrap();
        self
    }

    /// A file of the chart's.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub fn chart(&self) -> Arc<Chart> {
        Arc::new(Chart::load(Path::new(self.folder.path())).unwrap())
    }

    pub async fn install(&self) -> landfall_release::Result<landfall_release::Stored> {
        self.actions.install(self.install_of()).await
    }

    pub fn install_of(&self) -> Install {
        Install {
            name: "web".into(),
            chart: self.chart(),
            values: Values::from_json(&json!({})).unwrap(),
            create_namespace: false,
            skip_crds: false,
            replace: false,
            labels: BTreeMap::new(),
        }
    }

    pub async fn upgrade(&self, values: Value) -> landfall_release::Result<landfall_release::Stored> {
        self.actions.upgrade(self.upgrade_to(values)).await
    }

    pub fn upgrade_to(&self, values: Value) -> Upgrade {
        Upgrade {
            name: "web".into(),
            chart: self.chart(),
            values: Values::from_json(&values).unwrap(),
            former: Former::Reuse,
            crds: false,
            resume: false,
            labels: BTreeMap::new(),
        }
    }

    pub async fn statuses(&self) -> Vec<(i64, Status)> {
        let history = self.actions.history("web").await.unwrap();
        history.iter().map(|stored| (stored.record.version, stored.record.info.status)).collect()
    }

    pub fn word(&self, name: &str) -> Option<Value> {
        Some(self.sim.object(&format!("ConfigMap/shop/{name}"))?["data"]["word"].clone())
    }
}

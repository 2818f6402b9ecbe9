//! A cloud on the simulated cluster, and records without Helm's bytes.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use landfall_cluster::api::Cluster;
use landfall_engine::error::Result;
use landfall_engine::event::{Event, What};
use landfall_engine::records::{RecordSpec, Records};
use landfall_engine::{CheckContext, Limits, RunContext, RunOutcome};
use landfall_plan::model::{Object, Plan, RenderedRelease};
use landfall_testkit::{Cloud, Sim};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub const CLOUD: &str = include_str!("../../fixtures/cloud.yaml");

/// Records as plain JSON.
#[derive(Debug)]
pub struct PlainRecords(pub Vec<RenderedRelease>);

impl Records for PlainRecords {
    fn encode(&self, spec: &RecordSpec, _former: Option<&Object>) -> Result<Object> {
        let release = self.0.iter().find(|r| r.name == spec.release).unwrap();
        Ok(json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": format!("sh.helm.release.v1.{}.v{}", spec.release, spec.revision), "namespace": spec.namespace,
                "labels": {"owner": "helm", "name": spec.release, "status": spec.status, "version": spec.revision.to_string()}},
            "data": {"release": serde_json::to_string(&release.objects).unwrap()}}))
    }

    fn restate(&self, secret: &Object, status: &str, _description: &str) -> Result<Object> {
        let mut next = secret.clone();
        next["metadata"]["labels"]["status"] = json!(status);
        Ok(next)
    }

    fn manifest(&self, secret: &Object) -> Result<Vec<Object>> {
        Ok(serde_json::from_str(secret["data"]["release"].as_str().unwrap()).unwrap())
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub outcome: RunOutcome,
    pub events: Vec<Event>,
    pub plan: Plan,
}

impl Ran {
    pub fn position(&self, wanted: impl Fn(&What) -> bool) -> Option<usize> {
        self.events.iter().position(|event| wanted(&event.what))
    }

    pub fn started(&self, id: &str) -> usize {
        self.position(|what| matches!(what, What::StepStarted { step } if step == id))
            .unwrap_or_else(|| panic!("{id} never began"))
    }

    pub fn done(&self, id: &str) -> usize {
        self.position(|what| matches!(what, What::StepDone { step, .. } if step == id))
            .unwrap_or_else(|| panic!("{id} is not done"))
    }

    pub fn failure(&self, id: &str) -> &landfall_engine::event::Failure {
        let found = self.outcome.failures.iter().find(|(step, _)| step == id);
        &found.unwrap_or_else(|| panic!("{id} did not fail: {:#?}", self.outcome.failures)).1
    }

    pub fn skipped(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match &event.what {
                What::StepSkipped { step, .. } => Some(step.as_str()),
                _ => None,
            })
            .collect()
    }
}

pub async fn planned(sim: &Sim, cloud: &Cloud) -> Plan {
    let snapshot = landfall_engine::prepare::look(sim, &cloud.blueprint, &cloud.releases).await.unwrap();
    landfall_plan::plan(&cloud.blueprint, &cloud.releases, &snapshot, &cloud.options).unwrap()
}

pub fn context(sim: &Sim, cloud: &Cloud) -> (RunContext, tokio::sync::mpsc::UnboundedReceiver<Event>) {
    let (events, seen) = tokio::sync::mpsc::unbounded_channel();
    let cluster: Arc<dyn Cluster> = Arc::new(sim.clone());
    let context = RunContext {
        cluster,
        cloud: "test".into(),
        namespace: "openstack".into(),
        releases: cloud.releases.clone(),
        secrets: cloud.secrets.clone(),
        records: Arc::new(PlainRecords(cloud.releases.clone())),
        checks: CheckContext { patience: Duration::from_secs(1), ..CheckContext::default() },
        cancel: CancellationToken::new(),
        events,
        limits: Limits {
            certainty: Duration::from_millis(50),
            patience: Duration::from_secs(1),
            ..Limits::default()
        },
        holder: "tester".into(),
    };
    (context, seen)
}

/// Plans and runs, as `up` does.
pub async fn up(sim: &Sim, cloud: &Cloud) -> Ran {
    let plan = planned(sim, cloud).await;
    let (context, mut seen) = context(sim, cloud);
    let outcome = landfall_engine::run(plan.clone(), context).await.unwrap();
    let mut events = Vec::new();
    while let Ok(event) = seen.try_recv() {
        events.push(event);
    }
    Ran { outcome, events, plan }
}

/// Objects and the state of records: what must be the same whichever way it was reached. Left out is
/// what tells of the way: lease, journal, and the time of CoreDNS' restart in its pods' names.
pub fn state(sim: &Sim) -> Vec<String> {
    let mut all: Vec<String> = sim
        .keys()
        .into_iter()
        .filter(|key| !key.starts_with("Lease/") && !key.ends_with("/landfall-journal"))
        .filter(|key| !key.contains("/kube-system/coredns-"))
        .map(|key| {
            let object = sim.object(&key).unwrap();
            let status = &object["metadata"]["labels"]["status"];
            let phase = &object["status"]["phase"];
            format!("{key} {status} {phase}")
        })
        .collect();
    all.sort();
    all
}

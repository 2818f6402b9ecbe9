//! `landfall status`: services, their releases and pods, as the cluster has them now.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_display::Table;
use landfall_engine::{CheckContext, guide};
use serde_json::Value;

use crate::args::{CloudFile, Output};
use crate::cloud::gvk;
use crate::exit::Result;
use crate::subject::CEPH;
use crate::terminal::{data, give, lines, tell};
use crate::{Session, cloud, run, target};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall status\n  landfall status --guide            # the guide's steps with their check points\n  \
                        landfall status --guide --lang ko\n  landfall status --guide -o json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
    /// The guide's steps O01, O02, … with their check points and remedies
    #[arg(long)]
    guide: bool,
    /// With --guide: what was seen of each check point, too
    #[arg(long, requires = "guide")]
    evidence: bool,
}

/// How long a check point may go on failing in a look.
const PATIENCE: Duration = Duration::from_secs(3);

/// One release as the cluster shows it.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Row {
    service: String,
    revision: u32,
    status: String,
    ready: usize,
    pods: usize,
    restarts: u64,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    if args.guide {
        return steps_of_the_guide(session, &target, cloud, args.evidence).await;
    }
    let cluster = target.cluster.as_ref();
    let (mut records, mut pods) = (Vec::new(), Vec::new());
    for home in [&cloud.namespace, &cloud.storage.ceph.namespace] {
        records.extend(cluster.list(&gvk("", "v1", "Secret"), Some(home), "owner=helm").await?);
        pods.extend(cluster.list(&gvk("", "v1", "Pod"), Some(home), "").await?);
    }
    let rows = rows(&records, &pods);
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &rows)?,
        Output::Name => lines(rows.iter().map(|row| &row.service)),
        Output::Table if rows.is_empty() => tell(session.say(
            "no service is installed yet; `landfall up` does it",
            "아직 설치된 서비스가 없습니다. `landfall up`으로 설치하세요",
        )),
        Output::Table | Output::Junit => {
            let mut table = Table::new(["SERVICE", "REVISION", "STATUS", "PODS", "RESTARTS"]);
            for row in rows {
                table.row([
                    row.service,
                    row.revision.to_string(),
                    row.status,
                    format!("{}/{}", row.ready, row.pods),
                    row.restarts.to_string(),
                ]);
            }
            give(&table.columns());
        }
    }
    Ok(())
}

async fn steps_of_the_guide(
    session: &Session,
    target: &target::Target,
    cloud: landfall_config::Cloud,
    evidence: bool,
) -> Result {
    let ready = run::look(session, target, cloud).await?;
    let (blueprint, releases) = (&ready.prepared.blueprint, &ready.prepared.snapshot.releases);
    let tried = looked_at(target, &ready).await;
    let steps = guide::steps(blueprint, &ready.prepared.plan, releases, &tried);
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &steps)?,
        Output::Name => lines(steps.iter().map(|step| &step.guide)),
        Output::Table | Output::Junit => {
            give(&landfall_display::guide(&steps, session.language(), evidence));
            let skipped = steps.iter().flat_map(|step| &step.checks).any(|check| check.passed.is_none());
            if skipped {
                tell(session.say(
                    "· not carried out here: `landfall verify` does it",
                    "· 여기서는 수행하지 않음: `landfall verify`로 수행합니다",
                ));
            }
        }
    }
    Ok(())
}

/// The check points of what is installed, but for those that make things in the cloud.
pub(crate) async fn looked_at(
    target: &target::Target,
    ready: &run::Ready,
) -> Vec<landfall_engine::CheckOutcome> {
    let blueprint = &ready.prepared.blueprint;
    let absent = guide::absent(blueprint, &ready.prepared.snapshot.releases);
    let specs: Vec<_> = blueprint
        .checks
        .iter()
        .filter(|check| !absent.contains(&check.service) && !guide::makes_things(&check.kind))
        .cloned()
        .collect();
    let context = CheckContext { patience: PATIENCE, ..CheckContext::default() };
    let cancel = run::interrupted();
    landfall_engine::checks::verify(&target.cluster, &specs, &ready.secrets, &context, &cancel, &|_| {}).await
}

/// The latest record of each release with the pods that carry its label.
fn rows(records: &[Value], pods: &[Value]) -> Vec<Row> {
    let mut latest: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
    let mut homes: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in records {
        let labels = &record["metadata"]["labels"];
        let (Some(name), Some(status)) = (labels["name"].as_str(), labels["status"].as_str()) else {
            continue;
        };
        homes.insert(name, &record["metadata"]["namespace"]);
        let revision = labels["version"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let entry = latest.entry(name).or_insert((revision, status));
        if revision >= entry.0 {
            *entry = (revision, status);
        }
    }
    latest
        .into_iter()
        .map(|(service, (revision, status))| {
            // Pods of finished jobs are no part of what runs.
            let of_service = pods.iter().filter(|pod| {
                let metadata = &pod["metadata"];
                let labelled = metadata["labels"]["application"].as_str() == Some(service);
                // Ceph's pods carry Rook's labels only.
                let ceph = service == CEPH && homes.get(service) == Some(&&metadata["namespace"]);
                (labelled || ceph) && pod["status"]["phase"].as_str() != Some("Succeeded")
            });
            let mut row = Row {
                service: service.to_owned(),
                revision,
                status: status.to_owned(),
                ready: 0,
                pods: 0,
                restarts: 0,
            };
            for pod in of_service {
                row.pods += 1;
                let conditions = pod["status"]["conditions"].as_array();
                let ready = conditions.into_iter().flatten().any(|condition| {
                    condition["type"].as_str() == Some("Ready")
                        && condition["status"].as_str() == Some("True")
                });
                row.ready += usize::from(ready);
                let containers = pod["status"]["containerStatuses"].as_array();
                row.restarts += containers
                    .into_iter()
                    .flatten()
                    .filter_map(|container| container["restartCount"].as_u64())
                    .sum::<u64>();
            }
            row
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_latest_record_counts_and_finished_jobs_do_not() {
        let record = |revision: &str, status: &str| json!({"metadata": {"labels": {"name": "keystone", "owner": "helm", "version": revision, "status": status}}});
        let pod = |phase: &str, ready: &str| {
            json!({"metadata": {"labels": {"application": "keystone"}},
                   "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}],
                              "containerStatuses": [{"restartCount": 1}]}})
        };
        let records = [record("10", "deployed"), record("9", "superseded")];
        let rows =
            rows(&records, &[pod("Running", "True"), pod("Pending", "False"), pod("Succeeded", "False")]);
        assert_eq!(
            rows,
            [Row {
                service: "keystone".into(),
                revision: 10,
                status: "deployed".into(),
                ready: 1,
                pods: 2,
                restarts: 2
            }]
        );
    }
}

//! `landfall status`: services, their releases and pods, as the cluster has them now.

use std::collections::BTreeMap;

use landfall_display::Table;
use serde_json::Value;

use crate::args::{CloudFile, Output};
use crate::cloud::gvk;
use crate::exit::Result;
use crate::terminal::{data, give, lines, tell};
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
}

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
    let cluster = target.cluster.as_ref();
    let records = cluster.list(&gvk("", "v1", "Secret"), Some(&cloud.namespace), "owner=helm").await?;
    let pods = cluster.list(&gvk("", "v1", "Pod"), Some(&cloud.namespace), "").await?;
    let rows = rows(&records, &pods);
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &rows)?,
        Output::Name => lines(rows.iter().map(|row| &row.service)),
        Output::Table if rows.is_empty() => tell(session.say(
            "no service is installed yet; `landfall up` does it",
            "아직 설치된 서비스가 없습니다. `landfall up`으로 설치하세요",
        )),
        Output::Table => {
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

/// The latest record of each release with the pods that carry its label.
fn rows(records: &[Value], pods: &[Value]) -> Vec<Row> {
    let mut latest: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
    for record in records {
        let labels = &record["metadata"]["labels"];
        let (Some(name), Some(status)) = (labels["name"].as_str(), labels["status"].as_str()) else {
            continue;
        };
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
                pod["metadata"]["labels"]["application"].as_str() == Some(service)
                    && pod["status"]["phase"].as_str() != Some("Succeeded")
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

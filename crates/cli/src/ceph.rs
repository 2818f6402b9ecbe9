//! `landfall ceph …`: how Ceph is, and the clients' `ceph.conf` renewed now instead of at midnight.

use std::collections::BTreeMap;

use landfall_ceph::{Ceph, Error, monitors};
use landfall_cluster::api::Cluster;
use landfall_display::Table;
use landfall_engine::Limits;
use landfall_engine::once::{Done, NotDone, once};
use landfall_health::Code;
use serde_json::{Value, json};

use crate::args::{CloudFile, Output};
use crate::cloud::gvk;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{Line, data, give, lines};
use crate::{Session, cloud, run, target};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Write the monitors' present addresses into the clients' ceph.conf, now
    #[command(
        after_help = "Does once what the CronJob update-ceph-config does every midnight (guide O03), by a Job of \
                            its own.\nNothing is restarted.\n\nExamples:\n  landfall ceph renew\n  landfall ceph renew -o json"
    )]
    Renew(CloudFile),
    /// Show how Ceph is; exit code 11 where it is not well
    #[command(after_help = "Examples:\n  landfall ceph status\n  landfall ceph status -o json")]
    Status(CloudFile),
}

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    match verb {
        Verb::Renew(file) => renew(session, &file).await,
        Verb::Status(file) => status(session, &file).await,
    }
}

/// What became of one ConfigMap.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Renewed {
    configmap: String,
    before: Option<String>,
    now: Option<String>,
    changed: bool,
}

async fn renew(session: &Session, file: &CloudFile) -> Result {
    let cloud = cloud::read(session, file)?;
    let choice = target::choose(session);
    target::announce(session, &choice);
    let target = target::open(session, choice).await?;
    let cluster = target.cluster.as_ref();
    let name = landfall_catalog::CEPH_CRON_JOB;
    let found = cluster.get(&gvk("batch", "v1", "CronJob"), Some(&cloud.namespace), name).await?;
    let names = configmaps(&found.ok_or_else(|| absent(&cloud.namespace))?);
    let before = named(cluster, &cloud.namespace, &names).await?;

    let cancel = run::stop_on_ctrl_c(session);
    let mut line = Line::new(session);
    let waiting = move |causes: &[String]| line.fleeting(causes.last().map_or("", String::as_str));
    let ended = once(&target.cluster, &cloud.namespace, name, Limits::default(), &cancel, waiting).await;
    let done = ended.map_err(|why| not_done(session, why, &cloud.namespace))?;

    let now = named(cluster, &cloud.namespace, &names).await?;
    let rows: Vec<Renewed> = names.iter().map(|name| renewed(name, &before, &now)).collect();
    show(session, &done, &rows)
}

fn show(session: &Session, done: &Done, rows: &[Renewed]) -> Result {
    match session.global.output {
        Output::Json | Output::Yaml => {
            data(session.global.output, &json!({"job": done.job, "said": done.said, "configmaps": rows}))?;
        }
        Output::Name => lines(rows.iter().filter(|row| row.changed).map(|row| &row.configmap)),
        Output::Table | Output::Junit => {
            let nobody = session.say("nobody", "없음");
            let mut table = Table::new(["CONFIGMAP", "CHANGED", "MONITORS", "BEFORE"]);
            for row in rows {
                let shown = |hosts: &Option<String>| hosts.as_deref().unwrap_or(nobody).to_owned();
                let changed =
                    if row.changed { session.say("yes", "예") } else { session.say("no", "아니요") };
                let before = if row.changed { shown(&row.before) } else { "-".to_owned() };
                table.row([row.configmap.clone(), changed.to_owned(), shown(&row.now), before]);
            }
            give(&table.columns());
        }
    }
    Ok(())
}

/// ConfigMaps that the CronJob renews, as its own environment says.
fn configmaps(cron_job: &Value) -> Vec<String> {
    let variables = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["env"];
    let variable = variables.as_array().into_iter().flatten().find(|one| one["name"] == "CONFIGMAPS");
    let text = variable.and_then(|one| one["value"].as_str()).unwrap_or_default();
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The monitors that each ConfigMap names; none for one that names none.
async fn named(
    cluster: &dyn Cluster,
    namespace: &str,
    names: &[String],
) -> Result<BTreeMap<String, Option<String>>> {
    let mut all = BTreeMap::new();
    for name in names {
        let found = cluster.get(&gvk("", "v1", "ConfigMap"), Some(namespace), name).await?;
        let conf = found.as_ref().and_then(|found| found["data"]["ceph.conf"].as_str()).unwrap_or_default();
        all.insert(name.clone(), monitors::named(conf).map(str::to_owned));
    }
    Ok(all)
}

fn renewed(
    name: &str,
    before: &BTreeMap<String, Option<String>>,
    now: &BTreeMap<String, Option<String>>,
) -> Renewed {
    let of = |all: &BTreeMap<String, Option<String>>| all.get(name).cloned().flatten();
    let (before, now) = (of(before), of(now));
    Renewed { configmap: name.to_owned(), changed: before != now, before, now }
}

fn absent(namespace: &str) -> Failure {
    let name = landfall_catalog::CEPH_CRON_JOB;
    Failure::told(
        Exit::NotThere,
        format!("there is no CronJob {name} in namespace {namespace}"),
        format!("네임스페이스 {namespace}에 CronJob {name}이(가) 없습니다"),
    )
    .hint("`landfall up ceph-config` makes it", "`landfall up ceph-config`로 만드세요")
}

fn not_done(session: &Session, why: NotDone, namespace: &str) -> Failure {
    let failure = match why {
        NotDone::Absent => return absent(namespace),
        NotDone::Cancelled => return Failure::told(Exit::Stopped, "stopped", "멈췄습니다"),
        NotDone::Failed(failure) => failure,
    };
    let causes = failure.causes.iter().map(|cause| {
        let evidence =
            if cause.evidence.is_empty() { String::new() } else { format!("\n  {}", cause.evidence) };
        format!("{}: {}{}", cause.object, cause.says, evidence.trim_end().replace('\n', "\n  "))
    });
    let told = causes.collect::<Vec<_>>().join("\n");
    let begun = session.say("the addresses were not renewed", "주소를 갱신하지 못했습니다");
    let failed = Failure::new(Exit::StepFailed, format!("{begun}\n{told}"));
    if failure.code == Code::JobFailed.as_str() {
        // Each try has a Job of its own: the failed one is in nobody's way.
        return failed.hint(
            "correct what its log names; `landfall ceph renew` tries again",
            "로그가 가리키는 것을 고친 뒤 `landfall ceph renew`를 다시 실행하세요",
        );
    }
    failed.hint(failure.remedy.en.clone(), failure.remedy.ko.clone())
}

async fn status(session: &Session, file: &CloudFile) -> Result {
    let cloud = cloud::read(session, file)?;
    let target = target::connect(session).await?;
    let rook = &cloud.storage.ceph.namespace;
    let asked = async { Ceph::open(target.cluster.as_ref(), rook).await?.health(&[]).await };
    let health = asked.await.map_err(|error| unknown(error, rook))?;
    match session.global.output {
        Output::Json | Output::Yaml => {
            data(session.global.output, &json!({"ok": health.ok, "evidence": health.evidence}))?;
        }
        Output::Name | Output::Table | Output::Junit => give(&health.evidence),
    }
    if health.ok { Ok(()) } else { Err(Failure::silent(Exit::CheckFailed)) }
}

fn unknown(error: Error, rook: &str) -> Failure {
    match error {
        Error::Cluster(error) => error.into(),
        Error::Absent { .. } | Error::NoToolbox { .. } | Error::NoMonitors { .. } => {
            Failure::new(Exit::NotThere, error.to_string()).hint(
                format!(
                    "`landfall up ceph` brings one where none is; `kubectl -n {rook} get pods` shows what is there"
                ),
                format!("Ceph가 없으면 `landfall up ceph`로 설치하세요. `kubectl -n {rook} get pods`로 확인할 수 있습니다"),
            )
        }
        Error::NoQuorum { .. } | Error::Command { .. } | Error::Answer { .. } | Error::Resource { .. } => {
            Failure::new(Exit::CheckFailed, error.to_string()).hint(
                format!("`kubectl -n {rook} get pods` shows which daemon does not run"),
                format!("`kubectl -n {rook} get pods`로 동작하지 않는 데몬을 확인하세요"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cron_job_says_which_configmaps_it_renews() {
        let env = json!([{"name": "NAMESPACE"}, {"name": "CONFIGMAPS", "value": "ceph-etc, other"}]);
        let template = json!({"spec": {"template": {"spec": {"containers": [{"env": env}]}}}});
        assert_eq!(configmaps(&json!({"spec": {"jobTemplate": template}})), ["ceph-etc", "other"]);
        assert!(configmaps(&json!({})).is_empty());
    }

    #[test]
    fn what_is_the_same_has_not_changed() {
        let map = |hosts: &str| BTreeMap::from([("ceph-etc".to_owned(), Some(hosts.to_owned()))]);
        assert!(!renewed("ceph-etc", &map("[v2:1]"), &map("[v2:1]")).changed);
        assert!(renewed("ceph-etc", &map("[v2:1]"), &map("[v2:2]")).changed);
        assert!(renewed("ceph-etc", &BTreeMap::new(), &map("[v2:2]")).changed);
    }
}

//! `landfall logs SERVICE|OBJECT`: the logs of its pods, what fails first, each line with where it is from.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use futures::StreamExt;
use landfall_cluster::api::{Cluster, Seen};
use landfall_engine::why::Subject;
use landfall_health::tail::{Source, sources};
use landfall_health::{ObjectRef, object};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::args::{CloudFile, Output};
use crate::cloud::gvk;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{give, lines, tell};
use crate::{Session, cloud, run, subject, target};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall logs keystone                 # what fails first, then the newest\n  \
                        landfall logs mariadb -f               # and on, through restarts\n  \
                        landfall logs job/keystone-db-sync\n  \
                        landfall logs deploy/keystone-api -c keystone-api --tail 20"
)]
pub(crate) struct Args {
    /// A service, or KIND/NAME, or NAMESPACE/KIND/NAME
    #[arg(value_name = "SERVICE|OBJECT")]
    object: String,
    /// The cloud file; cloud.yaml of this folder where it is not given
    // Without the short form of the other verbs: -f follows, as in kubectl.
    #[arg(long, value_name = "FILE", env = "LANDFALL_CLOUD")]
    file: Option<std::path::PathBuf>,
    /// Go on as the logs grow, through restarts and new pods
    #[arg(long, short = 'f', short_alias = 'F')]
    follow: bool,
    /// Lines of each container from its end; -1 for all
    #[arg(long, default_value_t = 100, allow_hyphen_values = true, value_parser = clap::value_parser!(i64).range(-1..))]
    tail: i64,
    /// Only the container of this name
    #[arg(long, short = 'c', value_name = "NAME")]
    container: Option<String>,
    /// Pods that ended well, too
    #[arg(long)]
    all: bool,
}

const COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Yellow];

/// Of which pods: where they are, and what they are selected by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pods {
    namespace: String,
    selector: String,
    /// One pod by its name, which no label says.
    name: Option<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let word = subject::parse(&args.object)?;
    let cloud = cloud::read(session, &CloudFile { file: args.file.clone() })?;
    let target = target::connect(session).await?;
    let cluster = target.cluster.as_ref();
    let pods = match subject::resolve(cluster, &cloud, &word).await? {
        Subject::Object(at) => of_object(cluster, &at).await?,
        Subject::Service(service) => Pods {
            namespace: cloud.namespace.clone(),
            selector: format!("application={service}"),
            name: None,
        },
        Subject::Namespace(namespace) => Pods { namespace, selector: String::new(), name: None },
        Subject::Everything => return Err(nothing(&args.object)),
    };
    if args.follow {
        return follow(session, &target, &pods, &args).await;
    }
    let found =
        sources(&list(cluster, &pods).await?, args.container.as_deref(), args.all || pods.name.is_some());
    if found.is_empty() {
        return Err(nothing(&args.object));
    }
    match session.global.output {
        Output::Name => {
            lines(found.iter().map(|s| format!("{}/{}", s.pod, s.container)));
            return Ok(());
        }
        Output::Json | Output::Yaml => {
            let mut all = Vec::new();
            for source in &found {
                let text = read(cluster, source, args.tail).await?;
                all.push(
                    json!({"namespace": source.namespace, "pod": source.pod, "container": source.container,
                    "failing": source.failing, "previous": source.previous,
                    "lines": text.lines().collect::<Vec<_>>()}),
                );
            }
            return crate::terminal::data(session.global.output, &all);
        }
        Output::Table | Output::Junit => {}
    }
    for source in &found {
        let text = read(cluster, source, args.tail).await?;
        let prefix = prefix(source);
        lines(text.lines().map(|line| format!("{prefix} {line}")));
    }
    Ok(())
}

fn nothing(asked: &str) -> Failure {
    Failure::told(
        Exit::NotThere,
        format!("{asked} has no container that runs or failed"),
        format!("{asked}: 실행 중이거나 실패한 컨테이너가 없습니다"),
    )
    .hint(
        format!("`landfall why {asked}` says why; --all shows pods that ended well, too"),
        format!("`landfall why {asked}`가 이유를 알려줍니다. --all은 정상 종료된 파드도 보여줍니다"),
    )
}

async fn of_object(cluster: &dyn Cluster, at: &ObjectRef) -> Result<Pods> {
    let pods =
        |selector: String, name: Option<String>| Pods { namespace: at.namespace.clone(), selector, name };
    if at.kind == "Pod" {
        return Ok(pods(String::new(), Some(at.name.clone())));
    }
    let live = match landfall_engine::why::api_of(&at.kind) {
        Some(api) => cluster.get(&api, Some(&at.namespace), &at.name).await?,
        None => None,
    };
    match live.as_ref().and_then(selector) {
        Some(selector) => Ok(pods(selector, None)),
        None => Err(Failure::told(
            Exit::BadValue,
            format!("a {} has no pods of its own", at.kind.to_lowercase()),
            format!("{}에는 파드가 없습니다", at.kind.to_lowercase()),
        )
        .hint(
            "name a service, a workload, a Job, a Service or a pod",
            "서비스, 워크로드, Job, Service 또는 파드를 지정하세요",
        )),
    }
}

/// The label selector that an object finds its pods by.
fn selector(object: &Value) -> Option<String> {
    let labels = match object["kind"].as_str()? {
        "Service" => &object["spec"]["selector"],
        _ => &object["spec"]["selector"]["matchLabels"],
    };
    let labels = labels.as_object().filter(|labels| !labels.is_empty())?;
    let pairs: Vec<String> =
        labels.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    Some(pairs.join(","))
}

async fn list(cluster: &dyn Cluster, pods: &Pods) -> Result<Vec<Value>> {
    let mut all = cluster.list(&gvk("", "v1", "Pod"), Some(&pods.namespace), &pods.selector).await?;
    all.retain(|pod| is_meant(pod, pods));
    Ok(all)
}

fn is_meant(pod: &Value, pods: &Pods) -> bool {
    pods.name.as_deref().is_none_or(|name| object::name(pod) == Some(name))
}

async fn read(cluster: &dyn Cluster, source: &Source, tail: i64) -> Result<String> {
    let lines = if tail < 0 { i64::MAX } else { tail };
    Ok(cluster.logs(&source.namespace, &source.pod, &source.container, lines, source.previous).await?)
}

fn prefix(source: &Source) -> String {
    let name = format!("{}/{}", source.pod, source.container);
    // The same container has the same colour in every run.
    let sum: usize = name.bytes().map(usize::from).sum();
    let style: Style = COLOURS[sum % COLOURS.len()].on_default();
    let before = if source.previous { " (before its restart)" } else { "" };
    format!("{style}{name}{before} |{style:#}")
}

/// Containers are taken up as they begin, told by a watch, so that restarts and new pods are seen too.
async fn follow(session: &Session, target: &target::Target, pods: &Pods, args: &Args) -> Result {
    let cancel = run::interrupted();
    let (sender, mut receiver) = unbounded_channel::<String>();
    let mut begun: BTreeSet<String> = BTreeSet::new();
    let mut watch = target.cluster.watch(&gvk("", "v1", "Pod"), Some(&pods.namespace), &pods.selector);
    let mut readers = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            Some(line) = receiver.recv() => give(&line),
            seen = watch.next() => match seen {
                None => return Ok(()),
                Some(Err(error)) if error.is_transient() => {
                    tell(&format!("{} {error}", session.say("waiting for the cluster:", "클러스터를 기다리는 중:")));
                }
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(seen)) => {
                    let fresh = match seen {
                        Seen::Listed(all) => all,
                        Seen::Applied(pod) => vec![pod],
                        Seen::Deleted(_) => Vec::new(),
                    };
                    let fresh: Vec<Value> = fresh.into_iter().filter(|pod| is_meant(pod, pods)).collect();
                    for source in sources(&fresh, args.container.as_deref(), args.all) {
                        // A container is followed in its present life; the one before ended while it was.
                        if !source.previous && begun.insert(source.id.clone()) {
                            let lines = target.cluster.follow(
                                &source.namespace, &source.pod, &source.container,
                                if args.tail < 0 { i64::MAX } else { args.tail });
                            readers.spawn(forward(lines, prefix(&source), sender.clone()));
                        }
                    }
                }
            },
        }
    }
}

async fn forward(
    mut lines: futures::stream::BoxStream<'static, landfall_cluster::api::Result<String>>,
    prefix: String,
    to: UnboundedSender<String>,
) {
    while let Some(line) = lines.next().await {
        let line = match line {
            Ok(line) => format!("{prefix} {line}"),
            Err(error) => format!("{prefix} ({error})"),
        };
        if to.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_found_by_what_their_owner_selects_them_by() {
        let deployment =
            json!({"kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": "1", "b": "2"}}}});
        assert_eq!(selector(&deployment).as_deref(), Some("a=1,b=2"));
        let service = json!({"kind": "Service", "spec": {"selector": {"application": "keystone"}}});
        assert_eq!(selector(&service).as_deref(), Some("application=keystone"));
        // An empty selector would mean all pods.
        assert_eq!(selector(&json!({"kind": "Service", "spec": {}})), None);
        assert_eq!(selector(&json!({"kind": "ConfigMap", "data": {}})), None);
    }
}

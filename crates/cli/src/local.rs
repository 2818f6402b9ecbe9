//! `landfall local …`: the embedded cluster on this machine.

use std::collections::BTreeMap;
use std::process::ExitStatus;

use futures::future::try_join_all;
use landfall_display::Table;
use landfall_image::Bundle;
use landfall_node::{Cluster, Progress, ProgressSink, Severity, Spec, Subnet, Topic};
use tokio::sync::mpsc::unbounded_channel;

use crate::args::Output;
use crate::bundle::store;
use crate::exit::{Exit, Failure, Result};
use crate::target::EMBEDDED;
use crate::terminal::{Line, confirm, data, give, lines, tell};
use crate::{Session, addons, bundle};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Make the cluster, or bring it back with its data
    Up(Up),
    /// Show nodes and their components
    Status(Name),
    /// Stop the nodes; their data stays
    Stop(Name),
    /// Remove the cluster with all its data
    Down(Name),
    /// Print the path of the administrator's kubeconfig
    Kubeconfig(Name),
    /// Run a shell, or a command, inside a node
    Shell {
        #[command(flatten)]
        name: Name,
        node: String,
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Show the log of a node's component
    Logs {
        #[command(flatten)]
        name: Name,
        node: String,
        /// Which component; without it the node's components are listed
        component: Option<String>,
        /// Go on as the log grows
        #[arg(long, short = 'f', short_alias = 'F')]
        follow: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Name {
    /// Name of the cluster
    #[arg(long, default_value = EMBEDDED)]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    #[command(flatten)]
    name: Name,
    /// How many nodes: k1, k2, …; k1 is the control plane
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    nodes: u32,
    /// The nodes' network on this machine
    #[arg(long, value_name = "NETWORK")]
    subnet: Option<Subnet>,
    /// Only the nodes, without images, DNS, ingress and volumes
    #[arg(long)]
    bare: bool,
}

impl From<landfall_node::Error> for Failure {
    fn from(error: landfall_node::Error) -> Self {
        use landfall_node::Error;
        let exit = match &error {
            Error::NoCluster { .. }
            | Error::NoNode { .. }
            | Error::NotRunning { .. }
            | Error::NoComponent { .. } => Exit::NotThere,
            Error::Name { .. } | Error::Subnet { .. } => Exit::BadValue,
            Error::Bundle { .. } => Exit::Bundle,
            Error::Busy { .. } => Exit::AnotherRun,
            Error::Preflight(_) => Exit::HostUnfit,
            _ => Exit::Unexpected,
        };
        Self::new(exit, error.to_string())
    }
}

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    let root = &session.environment.state;
    match verb {
        Verb::Up(args) => up(session, &args.name.name, args.nodes, args.subnet, args.bare).await,
        Verb::Status(name) => status(session, &name.name).await,
        Verb::Stop(name) => {
            let cluster = Cluster::open(root, &name.name)?;
            let (sink, shown) = progress(session);
            let stopped = cluster.stop(&sink).await;
            drop(sink);
            let _ = shown.await;
            Ok(stopped?)
        }
        Verb::Down(name) => down(session, &name.name).await,
        Verb::Kubeconfig(name) => {
            give(&Cluster::open(root, &name.name)?.kubeconfig().display().to_string());
            Ok(())
        }
        Verb::Shell { name, node, command } => shell(&Cluster::open(root, &name.name)?, &node, command),
        Verb::Logs { name, node, component, follow } => {
            let cluster = Cluster::open(root, &name.name)?;
            match component {
                None => {
                    lines(cluster.logged(&node)?);
                }
                Some(component) => cluster.logs(&node, &component, follow, &mut tokio::io::stdout()).await?,
            }
            Ok(())
        }
    }
}

/// The cluster runs when this returns; it is made where it is not there.
pub(crate) async fn ensure(session: &Session, name: &str, nodes: u32) -> Result {
    if let Some(cluster) = Cluster::find(&session.environment.state, name)? {
        let status = cluster.status().await;
        if status.nodes.len() >= nodes as usize && status.nodes.iter().all(landfall_node::NodeState::is_ready)
        {
            let bundle = bundle::ensure(session).await?;
            return load(session, name, &bundle).await;
        }
    }
    up(session, name, nodes, None, false).await
}

async fn up(session: &Session, name: &str, nodes: u32, subnet: Option<Subnet>, bare: bool) -> Result {
    // A name that can not be is told before minutes are spent on the bundle.
    let there = Cluster::find(&session.environment.state, name)?.map_or(0, |cluster| cluster.nodes().len());
    let built = bundle::ensure(session).await?;
    let images = if there < nodes as usize && !bare {
        bundle::prepared(session, &built).await?
    } else {
        store(session)?.prepared(&built)?
    };
    let files = landfall_node::Bundle { bin: built.bin.clone(), node_tree: built.node_tree.clone(), images };
    let mut spec = Spec::new(name, nodes, files);
    spec.state_root.clone_from(&session.environment.state);
    if let Some(subnet) = subnet {
        spec.subnet = subnet;
    }
    preflight(session, &spec).await?;
    let (sink, shown) = progress(session);
    let made = landfall_node::up(&spec, &sink).await;
    drop(sink);
    let _ = shown.await;
    let cluster = made?;
    if bare {
        return Ok(());
    }
    load(session, name, &built).await?;
    let api = landfall_cluster::connect(Some(&cluster.kubeconfig()), None).await?;
    let images: BTreeMap<String, String> =
        built.images.iter().map(|image| (image.name.clone(), image.pinned())).collect();
    addons::apply(name, api.as_ref(), &images).await?;
    tell(&format!(
        "✓ {} {name}: {} ({})",
        session.say("cluster", "클러스터"),
        cluster.nodes().join(", "),
        session.say("DNS, ingress and volumes run", "DNS, 인그레스, 볼륨 동작 중")
    ));
    Ok(())
}

/// Names everything that is missing before anything changes.
async fn preflight(session: &Session, spec: &Spec) -> Result {
    let findings = landfall_node::preflight(spec).await?;
    let mut exit = None;
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
        let remedy = match session.language() {
            landfall_config::Language::En => &finding.remedy.en,
            landfall_config::Language::Ko => &finding.remedy.ko,
        };
        let bad = finding.severity == Severity::Error;
        tell(&format!(
            "{} {}\n  {} {remedy}",
            if bad { "✗" } else { "!" },
            finding.what,
            session.say("remedy:", "조치:")
        ));
        if bad {
            exit.get_or_insert(match finding.topic {
                Topic::Memory => Exit::TooLittleMemory,
                Topic::Disk => Exit::TooLittleDisk,
                Topic::Other => Exit::HostUnfit,
            });
        }
    }
    match exit {
        None => Ok(()),
        Some(exit) => Err(Failure::told(
            exit,
            "this machine can not carry the cluster yet; nothing was changed",
            "이 머신에서는 아직 클러스터를 만들 수 없습니다. 아무것도 바꾸지 않았습니다",
        )),
    }
}

/// Loads into each node the images that it lacks, from the store, as a stream.
pub(crate) async fn load(session: &Session, name: &str, bundle: &Bundle) -> Result {
    let cluster = Cluster::open(&session.environment.state, name)?;
    let lacking = try_join_all(cluster.nodes().into_iter().map(|node| {
        let cluster = &cluster;
        async move {
            let there = cluster.images(&node).await?;
            let lacks = bundle.images.iter().filter(|image| !there.contains(&image.pinned()));
            Ok::<_, landfall_node::Error>((node, lacks.cloned().collect::<Vec<_>>()))
        }
    }))
    .await?;
    // Nodes that lack the same images are fed by one stream.
    let mut groups: Vec<(Vec<String>, Vec<landfall_image::ImageRef>)> = Vec::new();
    for (node, images) in lacking.into_iter().filter(|(_, images)| !images.is_empty()) {
        match groups.iter_mut().find(|(_, others)| *others == images) {
            Some((nodes, _)) => nodes.push(node),
            None => groups.push((vec![node], images)),
        }
    }
    let cluster = &cluster;
    try_join_all(groups.into_iter().map(|(nodes, images)| async move {
        tell(&format!(
            "{} {} -> {}",
            session.say("loading images:", "이미지 적재:"),
            images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>().join(", "),
            nodes.join(", ")
        ));
        stream(session, cluster, nodes, images).await
    }))
    .await
    .map(drop)
}

async fn stream(
    session: &Session,
    cluster: &Cluster,
    nodes: Vec<String>,
    images: Vec<landfall_image::ImageRef>,
) -> Result {
    let store = store(session)?;
    let (reader, writer) = tokio::io::duplex(1 << 20);
    let export = tokio::task::spawn_blocking(move || {
        let mut writer = tokio_util::io::SyncIoBridge::new(writer);
        let done = store.export_tar(&images, &mut writer);
        // The reader sees the end only when the writer is shut.
        let _ = writer.shutdown();
        done
    });
    let loaded = cluster.load_images(&nodes, reader).await;
    let exported = export.await.map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    loaded?;
    Ok(exported?)
}

async fn status(session: &Session, name: &str) -> Result {
    let status = Cluster::open(&session.environment.state, name)?.status().await;
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &status)?,
        Output::Name => lines(status.nodes.iter().map(|node| &node.name)),
        Output::Table | Output::Junit => {
            let mut table = Table::new(["NODE", "ADDRESS", "COMPONENT", "PHASE", "RESTARTS", "MEMORY"]);
            for node in &status.nodes {
                if node.components.is_empty() {
                    let phase = if node.running { "?" } else { "stopped" };
                    table.row([
                        node.name.clone(),
                        node.address.clone(),
                        String::new(),
                        phase.to_owned(),
                        String::new(),
                        String::new(),
                    ]);
                }
                for (index, component) in node.components.iter().enumerate() {
                    let first = |text: &str| if index == 0 { text.to_owned() } else { String::new() };
                    table.row([
                        first(&node.name),
                        first(&node.address),
                        component.name.clone(),
                        format!("{:?}", component.phase).to_lowercase(),
                        component.restarts.to_string(),
                        format!("{} MiB", component.pss_kib >> 10),
                    ]);
                }
            }
            give(&table.columns());
        }
    }
    Ok(())
}

async fn down(session: &Session, name: &str) -> Result {
    let root = &session.environment.state;
    let Some(cluster) = Cluster::find(root, name)? else {
        tell(
            session.say(
                "there is no such cluster; nothing to remove",
                "그런 클러스터가 없어 제거할 것이 없습니다",
            ),
        );
        // Links and cgroups of a run that was killed early may be left all the same.
        let (sink, _shown) = progress(session);
        landfall_node::down(root, name, &sink).await?;
        return Ok(());
    };
    tell(&format!(
        "{} {} ({}): {}",
        session.say("to be removed: the cluster", "제거할 클러스터:"),
        cluster.name(),
        cluster.nodes().join(", "),
        session.say("its nodes, all volumes and databases on them", "노드와 그 위의 모든 볼륨, 데이터베이스")
    ));
    confirm(session, session.say("Remove it?", "제거할까요?"))?;
    let (sink, shown) = progress(session);
    let done = landfall_node::down(root, name, &sink).await;
    drop(sink);
    let _ = shown.await;
    done?;
    Ok(())
}

fn shell(cluster: &Cluster, node: &str, command: Vec<String>) -> Result {
    let command = if command.is_empty() { vec!["/bin/bash".to_owned(), "-l".to_owned()] } else { command };
    let status: ExitStatus = cluster.enter(node, command)?.status().map_err(|error| {
        Failure::told(
            Exit::Unexpected,
            format!("the shell could not be started: {error}"),
            format!("셸을 시작할 수 없습니다: {error}"),
        )
    })?;
    // The command's own code, as a shell would give it.
    match status.code() {
        Some(0) => Ok(()),
        code => std::process::exit(code.unwrap_or(1)),
    }
}

/// A sink whose lines are shown on stderr until it is dropped; at a terminal one line a stage.
fn progress(session: &Session) -> (ProgressSink, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = unbounded_channel::<Progress>();
    let mut line = Line::new(session);
    let shown = tokio::spawn(async move {
        while let Some(Progress { stage, detail, done }) = receiver.recv().await {
            if done {
                line.lasting(&format!("✓ {stage}: {detail}"));
            } else {
                line.passing(&format!("  {stage}: {detail}"));
            }
        }
    });
    (ProgressSink::new(sender), shown)
}

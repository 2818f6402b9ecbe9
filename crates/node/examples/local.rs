//! Drives the crate until the binary does: `cargo run -p landfall-node --example local -- up --nodes 1`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use landfall_node::{Bundle, Cluster, ProgressSink, Spec, down, reexec, up};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "up [--nodes N] | status | stop | down | kubeconfig | shell NODE [PROGRAM…] | \
logs NODE [COMPONENT] [-f] | load TAR | images NODE      (before: [--name NAME] [--subnet A.B.C.0/24] [--state DIR])";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(code) = reexec(&args) {
        return code;
    }
    let args = args.into_iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(args)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut args: Vec<String>) -> Fallible<ExitCode> {
    let name = take(&mut args, "--name").unwrap_or_else(|| "landfall".into());
    let root = take(&mut args, "--state").map_or_else(|| PathBuf::from("/var/lib/landfall"), PathBuf::from);
    let subnet = take(&mut args, "--subnet");
    let nodes = take(&mut args, "--nodes").map_or(Ok(1), |nodes| nodes.parse())?;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let begun = Instant::now();
    let printer = tokio::spawn(async move {
        while let Some(progress) = receiver.recv().await {
            let progress: landfall_node::Progress = progress;
            eprintln!("{:6.2}s {:8} {}", begun.elapsed().as_secs_f32(), progress.stage, progress.detail);
        }
    });
    let sink = ProgressSink::new(sender);
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["up"] => {
            let mut spec = Spec::new(name, nodes, bundle()?);
            spec.state_root = root;
            if let Some(subnet) = subnet {
                spec.subnet = subnet.parse()?;
            }
            let cluster = up(&spec, &sink).await?;
            println!("export KUBECONFIG={}", cluster.kubeconfig().display());
        }
        ["down"] => {
            if !down(&root, &name, &sink).await? {
                eprintln!("there was no cluster {name}");
            }
        }
        ["stop"] => Cluster::open(&root, &name)?.stop(&sink).await?,
        ["status"] => {
            for node in Cluster::open(&root, &name)?.status().await.nodes {
                println!("{} {} running={} pid={:?}", node.name, node.address, node.running, node.pid);
                let (mut rss, mut pss) = (0, 0);
                for c in node.components {
                    rss += c.rss_kib;
                    pss += c.pss_kib;
                    println!(
                        "  {:24} {:?} restarts={} rss={} MiB pss={} MiB {}",
                        c.name,
                        c.phase,
                        c.restarts,
                        c.rss_kib >> 10,
                        c.pss_kib >> 10,
                        c.last_end.unwrap_or_default()
                    );
                }
                println!("  all: rss={} MiB pss={} MiB", rss >> 10, pss >> 10);
            }
        }
        ["kubeconfig"] => println!("{}", Cluster::open(&root, &name)?.kubeconfig().display()),
        ["shell", node, program @ ..] => {
            let program = if program.is_empty() { &["bash", "-l"] } else { program };
            let status = Cluster::open(&root, &name)?.enter(node, program)?.status()?;
            return Ok(ExitCode::from(status.code().unwrap_or(1) as u8));
        }
        ["logs", node, rest @ ..] => {
            let cluster = Cluster::open(&root, &name)?;
            let follow = rest.contains(&"-f");
            match rest.iter().find(|word| **word != "-f") {
                Some(component) => cluster.logs(node, component, follow, &mut tokio::io::stdout()).await?,
                None => println!("{}", cluster.logged(node)?.join("\n")),
            }
        }
        ["load", tar] => {
            let cluster = Cluster::open(&root, &name)?;
            cluster.load_images(&cluster.nodes(), tokio::fs::File::open(tar).await?).await?;
        }
        ["images", node] => {
            for image in Cluster::open(&root, &name)?.images(node).await? {
                println!("{image}");
            }
        }
        _ => return Err(USAGE.into()),
    }
    drop(sink);
    printer.await?;
    Ok(ExitCode::SUCCESS)
}

/// The bundle of development: what the embedded engineer's builds leave in the cache.
fn bundle() -> Fallible<Bundle> {
    let cache = std::env::var_os("LANDFALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/landfall")))
        .ok_or("neither LANDFALL_CACHE nor HOME is set")?;
    let bin = landfall_node::NEEDED_BINARIES
        .iter()
        .map(|name| ((*name).to_owned(), cache.join("bin/dev").join(name)))
        .collect::<BTreeMap<_, _>>();
    Ok(Bundle { bin, node_tree: cache.join("trees/dev-node"), images: None })
}

/// Takes an option and its value out of the arguments.
fn take(args: &mut Vec<String>, option: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg == option)?;
    args.remove(at);
    (at < args.len()).then(|| args.remove(at))
}

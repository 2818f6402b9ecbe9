//! Measurements: both sides in one run, and their ratio. Nothing is asserted here.
//!
//! `cargo run -p landfall-bench -- local-up`, `… -- images`, `… -- render` and `… -- conformance`; figures that were
//! seen are in `bench/README.md`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod conformance;
mod corpus;
mod images;
mod oracle;
mod render;
mod verdict;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T = ()> = std::result::Result<T, String>;

#[derive(Parser)]
struct Args {
    /// The binary that is measured
    #[arg(long, env = "LANDFALL", default_value = "target/debug/landfall", global = true)]
    landfall: PathBuf,
    #[arg(long, default_value_t = 3, global = true)]
    rounds: usize,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Time from `local up` to a Ready node, and the memory of its daemons (root, bundle built)
    LocalUp,
    /// Time from `local up` to a cluster with DNS, ingress and volumes: prepared images beside imported ones (root,
    /// bundle built)
    Images {
        /// Sizes of cluster
        #[arg(long, value_delimiter = ',', default_value = "1,4")]
        nodes: Vec<u32>,
    },
    /// All charts of some folders, by real Helm and by Landfall: as processes, and within one process
    Render {
        /// Folders of charts
        #[arg(default_value = "charts")]
        folders: Vec<PathBuf>,
    },
    /// Render charts in one process and tell the peak of memory (`render` runs this)
    #[command(hide = true)]
    RenderAll {
        charts: Vec<PathBuf>,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Every chart below some folders, rendered by real Helm and by Landfall: what is equal, and what is not
    Conformance {
        /// Folders of charts; dependencies are looked for in all of them
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// How many charts are compared at a time
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        /// Tell of charts that both refuse, too
        #[arg(long)]
        verbose: bool,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.what {
        What::LocalUp => local_up(&args),
        What::Images { nodes } => images::measure(&args, nodes),
        What::Render { folders } => render::measure(&args.landfall, args.rounds, folders),
        What::RenderAll { charts, threads } => render::render_all(charts, *threads),
        What::Conformance { folders, jobs, verbose } => conformance::compare_all(folders, *jobs, *verbose),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

const CLUSTER: [&str; 2] = ["--name", "bench"];

fn local_up(args: &Args) -> Result {
    let mut times = Vec::new();
    let mut memory = Vec::new();
    run(args, &["local", "down", "--yes"], &CLUSTER)?;
    for round in 1..=args.rounds {
        let (took, _) = run(args, &["local", "up", "--bare", "--yes", "--subnet", "10.92.0.0/24"], &CLUSTER)?;
        let (_, status) = run(args, &["local", "status", "-o", "json"], &CLUSTER)?;
        let status: serde_json::Value = serde_json::from_str(&status).map_err(|error| error.to_string())?;
        let components = status["nodes"][0]["components"].as_array().cloned().unwrap_or_default();
        let of = |field: &str| components.iter().filter_map(|one| one[field].as_u64()).sum::<u64>() >> 10;
        println!(
            "round {round}: Ready after {:.2}s; daemons {} MiB (shared pages divided), {} MiB resident",
            took.as_secs_f64(),
            of("pss_kib"),
            of("rss_kib")
        );
        times.push(took);
        memory.push(of("rss_kib"));
        run(args, &["local", "down", "--yes"], &CLUSTER)?;
    }
    memory.sort_unstable();
    println!(
        "median: Ready after {:.2}s (aim: 6 s), daemons {} MiB resident (aim: 900 MiB)",
        median(&mut times).as_secs_f64(),
        memory[memory.len() / 2]
    );
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn run(args: &Args, verb: &[&str], more: &[&str]) -> Result<(Duration, String)> {
    output(Command::new(&args.landfall).args(verb).args(more))
}

fn output(command: &mut Command) -> Result<(Duration, String)> {
    let began = Instant::now();
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let took = began.elapsed();
    if !done.status.success() {
        return Err(format!(
            "{command:?} ended with {}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        ));
    }
    Ok((took, String::from_utf8_lossy(&done.stdout).into_owned()))
}

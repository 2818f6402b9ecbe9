//! Measurements: both sides in one run, and their ratio. Nothing is asserted here.
//!
//! `cargo run -p landfall-bench -- local-up`, `… -- images` and `… -- render`; figures that were seen are in
//! `bench/README.md`.
#![allow(clippy::print_stdout)]

mod images;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

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
    /// `landfall template` beside real `helm template`, chart by chart
    Render {
        /// Folders of charts
        #[arg(default_value = "charts")]
        folders: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.what {
        What::LocalUp => local_up(&args),
        What::Images { nodes } => images::measure(&args, nodes),
        What::Render { folders } => render(&args, folders),
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

fn render(args: &Args, folders: &[PathBuf]) -> Result {
    let (_, helm) = run(args, &["images", "bundle", "--oracle"], &[])?;
    let helm = PathBuf::from(helm.trim());
    let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (mut ours_all, mut theirs_all) = (Duration::ZERO, Duration::ZERO);
    for folder in folders {
        let charts = copy.path().join(folder.file_name().unwrap_or_default());
        output(Command::new("cp").arg("-r").arg(folder).arg(&charts))?;
        let values = charts.join("test-values.yaml");
        for chart in charts_in(&charts)? {
            output(Command::new(&helm).args(["dependency", "build", "--skip-refresh"]).arg(&chart))?;
            let render = |program: &Path| -> Result<Duration> {
                let mut command = Command::new(program);
                command.args(["template", "cloud"]).arg(&chart);
                if values.exists() {
                    command.arg("--values").arg(&values);
                }
                Ok(output(&mut command)?.0)
            };
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            // By turns, so that both meet the same weather.
            for _ in 0..args.rounds {
                ours.push(render(&args.landfall)?);
                theirs.push(render(&helm)?);
            }
            let (ours, theirs) = (median(&mut ours), median(&mut theirs));
            let name = chart.file_name().unwrap_or_default().to_string_lossy().into_owned();
            println!(
                "{name:<24} landfall {:>7.1?}  helm {:>7.1?}  ratio {:.1}",
                ours,
                theirs,
                theirs.as_secs_f64() / ours.as_secs_f64()
            );
            ours_all += ours;
            theirs_all += theirs;
        }
    }
    println!(
        "all: landfall {ours_all:.1?}, helm {theirs_all:.1?}, ratio {:.1}",
        theirs_all.as_secs_f64() / ours_all.as_secs_f64()
    );
    Ok(())
}

fn charts_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let library = |chart: &Path| {
        std::fs::read_to_string(chart.join("Chart.yaml")).is_ok_and(|text| text.contains("type: library"))
    };
    let mut charts: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("Chart.yaml").is_file() && !library(path))
        .collect();
    charts.sort();
    Ok(charts)
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

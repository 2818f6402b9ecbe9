//! Inputs that nobody would write, for everything that reads what others wrote: no panic, no endless work, no unbounded
//! memory. On stable Rust, without instrumentation: inputs are mutations of good ones.
//!
//! `cargo run --release -p landfall-fuzz -- TARGET --seconds 3600`. A case is decided by its number alone: a finding is
//! looked at again by `--case N`.
#![allow(clippy::print_stdout)]

mod mutate;
mod targets;

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::mutate::Mutator;
use crate::targets::Target;

/// Processor time that one case may take at most: what is meant is endless work.
const SLOWEST: Duration = Duration::from_secs(20);
/// Address space beyond which memory counts as unbounded; a rendering's stack has half a GiB of it.
const MEMORY: u64 = 4 << 30;

/// Whether anything has panicked, caught or not.
static PANICKED: AtomicBool = AtomicBool::new(false);

#[derive(Parser)]
struct Args {
    #[arg(value_enum)]
    target: Target,
    /// For how many seconds of processor time, so that a busy machine shortens nothing
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The number of the first case
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// This case alone, with its input shown
    #[arg(long)]
    case: Option<u64>,
    /// Where the number of the case at work is noted, for when the process dies of it
    #[arg(long)]
    note: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let limit = Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
    if let Err(error) = setrlimit(Resource::As, limit) {
        println!("memory cannot be bounded: {error}");
        return ExitCode::FAILURE;
    }
    // Rendering makes an error of its panics: they are seen here.
    let said = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::Relaxed);
        said(info);
    }));
    let mutator = Mutator::new(args.target.seeds());
    if let Some(case) = args.case {
        let input = mutator.input(case);
        println!("{}\n---", String::from_utf8_lossy(&input));
        args.target.run(&input);
        return ExitCode::SUCCESS;
    }
    let note = args.note.as_ref().and_then(|path| std::fs::File::create(path).ok());
    let (began, mut case) = (worked(), args.first);
    let mut slowest = (Duration::ZERO, 0);
    while worked().saturating_sub(began) < Duration::from_secs(args.seconds) {
        if let Some(note) = &note {
            // What cannot be noted is only lost to whoever looks for it.
            let _ = note.write_all_at(format!("{case:>20}").as_bytes(), 0);
        }
        let input = mutator.input(case);
        let at = worked();
        let target = args.target;
        let run = std::panic::AssertUnwindSafe(|| target.run(&input));
        let _ = std::panic::catch_unwind(run);
        if PANICKED.load(Ordering::Relaxed) {
            println!("{target:?}: case {case} panicked; `--case {case}` shows it");
            return ExitCode::FAILURE;
        }
        slowest = slowest.max((worked().saturating_sub(at), case));
        if slowest.0 > SLOWEST {
            println!("{target:?}: case {case} took {:?}; `--case {case}` shows it", slowest.0);
            return ExitCode::FAILURE;
        }
        case += 1;
    }
    println!(
        "{:?}: {} cases in {:.0} s without a finding; the slowest, {}, took {:?}",
        args.target,
        case - args.first,
        worked().saturating_sub(began).as_secs_f64(),
        slowest.1,
        slowest.0
    );
    ExitCode::SUCCESS
}

/// Processor time of all threads of this process until now.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

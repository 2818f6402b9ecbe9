//! Rendering all charts of some folders by real Helm and by Landfall, both in one run: as a process for each chart, one
//! after the other and two at a time, and each engine within one process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use landfall_helm::{Chart, Options, Values, render};

use crate::corpus::Corpora;
use crate::oracle::{Oracle, built};
use crate::{Result, median, output};

/// Measures, and prints times and their ratios.
pub fn measure(landfall: &Path, rounds: usize, folders: &[PathBuf]) -> Result {
    let (helm, oracle) = (built("helm")?, built("landfall-oracle")?);
    let corpora = Corpora::find(folders)?;
    let mut charts = Vec::new();
    let mut asked = Oracle::start(&oracle)?;
    for at in corpora.rendered() {
        let ready = corpora.prepare(at)?;
        // A chart that real Helm refuses would end early and count as quick.
        if asked.chart(&ready.path, &[])?.is_ok() {
            charts.push(ready.path);
        }
    }
    if charts.is_empty() {
        return Err("real Helm renders none of these charts".to_owned());
    }
    // The largest first, for all sides, so that none of two is left alone with it at the end.
    charts.sort_by_cached_key(|chart| std::cmp::Reverse(bytes_within(chart)));
    println!("{} charts that real Helm renders; median of {rounds} rounds", charts.len());

    let mut times: [Vec<Duration>; 7] = Default::default();
    let mut peak = 0;
    for _ in 0..rounds {
        // By turns, so that all meet the same weather.
        times[0].push(processes(&helm, &charts, 1)?);
        times[1].push(processes(&helm, &charts, 2)?);
        times[2].push(warm(&mut asked, &charts)?);
        times[3].push(processes(landfall, &charts, 1)?);
        times[4].push(processes(landfall, &charts, 2)?);
        for (place, threads) in [(5, 1), (6, 2)] {
            let (took, memory) = one_process(&charts, threads)?;
            times[place].push(took);
            peak = peak.max(memory);
        }
    }
    let [serial, paired, engine, ours, ours_paired, alone, both] = times.map(|mut all| median(&mut all));
    let rows = [
        ("(1) helm template, a process per chart", serial),
        ("(1) the same, two at a time", paired),
        ("(2) Helm's engine, warm, in one process", engine),
        ("(3) landfall template, a process per chart", ours),
        ("(3) the same, two at a time", ours_paired),
        ("(4) one Landfall process from start to end, one thread", alone),
        ("(4) the same, two threads", both),
    ];
    for (name, took) in rows {
        println!(
            "{name:<56} {:>8.3} s   (1) is {:>5.1} times as long, (2) {:>5.1} times",
            took.as_secs_f64(),
            serial.as_secs_f64() / took.as_secs_f64(),
            engine.as_secs_f64() / took.as_secs_f64(),
        );
    }
    println!("peak memory of (4): {:.1} MiB", peak as f64 / 1024.0);
    Ok(())
}

fn bytes_within(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).follow_links(true).into_iter().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// A process for each chart.
fn processes(program: &Path, charts: &[PathBuf], at_a_time: usize) -> Result<Duration> {
    let began = Instant::now();
    shared(charts, at_a_time, |chart| {
        output(Command::new(program).args(["template", "rel"]).arg(chart).args(["-n", "ns"])).map(drop)
    })?;
    Ok(began.elapsed())
}

/// Helm's own engine in a process that has rendered all of them before.
fn warm(oracle: &mut Oracle, charts: &[PathBuf]) -> Result<Duration> {
    let began = Instant::now();
    for chart in charts {
        oracle.chart(chart, &[])??;
    }
    Ok(began.elapsed())
}

/// This program again, which renders all charts and ends; and its peak of memory in KiB.
fn one_process(charts: &[PathBuf], threads: usize) -> Result<(Duration, u64)> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args(["render-all", "--threads", &threads.to_string()]).args(charts);
    let (took, text) = output(&mut command)?;
    let memory = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = memory.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok());
    Ok((took, kib.ok_or("this machine does not tell the peak of memory")?))
}

/// What the program started by [`one_process`] does.
pub fn render_all(charts: &[PathBuf], threads: usize) -> Result {
    let bytes = AtomicUsize::new(0);
    shared(charts, threads, |path| {
        let chart = Chart::load(path).map_err(|error| error.to_string())?;
        let rendered = render(&chart, &Values::new(), &Options::new("rel", "ns"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        bytes.fetch_add(rendered.to_template_output().len(), Ordering::Relaxed);
        Ok(())
    })?;
    println!("{} bytes", bytes.into_inner());
    print!("{}", std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    Ok(())
}

/// Deals the charts out to threads.
fn shared(charts: &[PathBuf], threads: usize, one: impl Fn(&PathBuf) -> Result + Sync) -> Result {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(chart) = charts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let (Err(error), Ok(mut first)) = (one(chart), failed.lock()) {
                        first.get_or_insert(error);
                        break;
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_default().map_or(Ok(()), Err)
}

//! Waits for what the `DEPENDENCY_*` variables name: all of it at once, by watches, saying why it waits.

mod evaluate;
mod follow;
mod report;
mod source;
mod template;

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use kube::Client;
use landfall_health::dependency::{self, Dependency};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::pod::{self, Error, Result, say};
use evaluate::{Own, Status};
use source::{Held, Source};

/// How often files are looked for: the kernel's watches do not see through every mount.
const FILES: Duration = Duration::from_secs(1);

pub async fn run() -> Result<u8> {
    let begun = Instant::now();
    let namespace = pod::namespace();
    let environment: BTreeMap<&str, String> =
        dependency::VARIABLES.iter().filter_map(|v| Some((*v, pod::var(v)?))).collect();
    let parsed = dependency::parse(|name| environment.get(name).map(String::as_str), &namespace);
    if let Some(problem) = parsed.problems.first() {
        // Going on without it would start the service too early, which is harder to find.
        return Err(Error::Failed(format!("{problem}; correct `dependencies` in the chart's values")));
    }
    let seconds: u64 = pod::parsed("LANDFALL_WAIT_TIMEOUT", 0, "a number of seconds")?;
    let command = pod::var("COMMAND");
    let count = parsed.dependencies.len();
    if count == 0 {
        say("nothing to wait for");
    } else {
        let waiting = Waiting::new(parsed.dependencies, namespace).all_met();
        if seconds == 0 {
            waiting.await?;
        } else {
            // The report so far says what is missing and why.
            tokio::time::timeout(Duration::from_secs(seconds), waiting).await.map_err(|_| {
                Error::Failed(format!("not all of it was ready within {seconds} s (LANDFALL_WAIT_TIMEOUT)"))
            })??;
        }
        let noun = if count == 1 { "dependency is" } else { "dependencies are" };
        say(&format!("all {count} {noun} met after {:.1} s", begun.elapsed().as_secs_f64()));
    }
    match command {
        None => Ok(0),
        Some(command) => execute(&command),
    }
}

/// Becomes COMMAND, as the original does: words split at spaces, no shell.
fn execute(command: &str) -> Result<u8> {
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else { return Ok(0) };
    let error = std::process::Command::new(program).args(words).exec();
    Err(Error::Io { what: format!("cannot run COMMAND {program}"), source: error })
}

struct Waiting {
    dependencies: Vec<Dependency>,
    namespace: String,
}

impl Waiting {
    fn new(dependencies: Vec<Dependency>, namespace: String) -> Self {
        Self { dependencies, namespace }
    }

    async fn all_met(self) -> Result<()> {
        let mut report = report::Report::default();
        let local = |d: &Dependency| matches!(d, Dependency::Socket { .. } | Dependency::Config { .. });
        let client = if self.dependencies.iter().all(local) { None } else { Some(pod::client().await?) };
        let mut own = Own { pod: pod::name(), ..Own::default() };
        if let Some(client) =
            client.as_ref().filter(|_| self.dependencies.iter().any(evaluate::needs_own_pod))
        {
            own.node = follow::own_node(client, &self.namespace, &own.pod).await?;
        }
        let (updates, mut received) = mpsc::channel(64);
        let mut held: BTreeMap<Source, Held> = BTreeMap::new();
        let sources: Vec<Vec<Source>> =
            self.dependencies.iter().map(|d| source::sources_of(d, &own, &self.namespace)).collect();
        for source in sources.iter().flatten() {
            if let Some(client) = client.as_ref().filter(|_| !held.contains_key(source)) {
                held.insert(source.clone(), Held::default());
                follow_in_background(client, source.clone(), updates.clone());
            }
        }
        drop(updates);
        let mut files = tokio::time::interval(FILES);
        loop {
            let states: Vec<(String, Status)> = self
                .dependencies
                .iter()
                .zip(&sources)
                .map(|(dependency, sources)| {
                    let seen: Vec<&Held> = sources.iter().filter_map(|s| held.get(s)).collect();
                    (dependency.to_string(), judge(dependency, &seen, &own))
                })
                .collect();
            for line in report.update(&states) {
                say(&line);
            }
            if states.iter().all(|(_, s)| *s == Status::Met) {
                return Ok(());
            }
            tokio::select! {
                update = received.recv(), if client.is_some() => {
                    let mut next = update;
                    // What came in together is told together.
                    while let Some((source, update)) = next {
                        held.entry(source).or_default().take(update);
                        next = received.try_recv().ok();
                    }
                }
                _ = files.tick(), if self.dependencies.iter().any(local) => {}
            }
        }
    }
}

fn follow_in_background(client: &Client, source: Source, updates: mpsc::Sender<(Source, source::Update)>) {
    tokio::spawn(follow::follow(client.clone(), source, updates));
}

/// Files are the pod's own; all else is judged from objects.
fn judge(dependency: &Dependency, seen: &[&Held], own: &Own) -> Status {
    match dependency {
        Dependency::Socket { path } => {
            match std::fs::File::open(path).map(drop).or_else(|e| is_socket(path).then_some(()).ok_or(e)) {
                Ok(()) => Status::Met,
                Err(error) => Status::Unmet(error.to_string()),
            }
        }
        Dependency::Config { path } => match template::write(path) {
            Ok(()) => Status::Met,
            Err(error) => Status::Unmet(error),
        },
        _ => evaluate::evaluate(dependency, seen, own),
    }
}

/// A socket cannot be opened like a file, but may well be read and written.
fn is_socket(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|m| m.file_type().is_socket())
}

//! Every chart of some folders, rendered by real Helm and by Landfall, with the values that come along: a table of what
//! is equal, and the first difference of what is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use landfall_helm::{Chart, HelmError, Options, ValueSources, Values, render};

use crate::Result;
use crate::corpus::Corpora;
use crate::oracle::{Oracle, built};
use crate::verdict::{Verdict, class_of, compare};

/// A chart with values, and what came of it.
struct Case {
    corpus: usize,
    chart: String,
    values: String,
    verdict: Verdict,
}

/// Compares; an error where anything differs.
pub fn compare_all(folders: &[PathBuf], jobs: usize, verbose: bool) -> Result {
    let corpora = Corpora::find(folders)?;
    let charts: Vec<usize> = corpora.rendered().collect();
    if charts.is_empty() {
        return Err("there are no charts in these folders".to_owned());
    }
    let program = built("landfall-oracle")?;
    let (next, cases) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|_| {
                scope.spawn(|| -> Result {
                    let mut oracle = Oracle::start(&program)?;
                    while let Some(at) = charts.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let done = compare_chart(&corpora, *at, &mut oracle)?;
                        // A long run shows at once what it finds.
                        for case in done.iter().filter(|case| case.verdict.is_bad()) {
                            eprintln!("{} [{}]: {:?}", case.chart, case.values, case.verdict);
                        }
                        cases.lock().map_err(|error| error.to_string())?.extend(done);
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or(Err("a worker panicked".to_owned())))
    })?;
    let mut cases = cases.into_inner().map_err(|error| error.to_string())?;
    cases.sort_by(|a, b| (a.corpus, &a.chart, &a.values).cmp(&(b.corpus, &b.chart, &b.values)));
    tell(&corpora, &cases, verbose)
}

fn compare_chart(corpora: &Corpora, at: usize, oracle: &mut Oracle) -> Result<Vec<Case>> {
    let ready = corpora.prepare(at)?;
    let chart = Chart::load(&ready.path);
    let mut cases = Vec::new();
    for files in corpora.variants(at) {
        let ours = match &chart {
            Ok(chart) => ours(chart, &files).map_err(|error| class_of(&error)),
            Err(error) => Err(class_of(error)),
        };
        let helm = oracle.chart(&ready.path, &files)?;
        let mut again = || oracle.chart(&ready.path, &files)?;
        let verdict = compare(&helm, &ours, &mut again)?;
        let names = files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy());
        let missing = verdict == Verdict::Missing;
        cases.push(Case {
            corpus: corpora.charts[at].corpus,
            chart: corpora.charts[at].name.clone(),
            values: if missing { ready.missing.join(", ") } else { names.collect::<Vec<_>>().join(" ") },
            verdict,
        });
        if missing {
            break;
        }
    }
    Ok(cases)
}

/// What the oracle prints too: manifests, hooks, notes.
fn ours(chart: &Chart, files: &[PathBuf]) -> std::result::Result<Vec<u8>, HelmError> {
    let values = Values::merge(&ValueSources { files: files.to_vec(), ..ValueSources::default() })?;
    let rendered = render(chart, &values, &Options::new("rel", "ns"))?;
    Ok(format!("{}NOTES:\n{}", rendered.to_template_output(), rendered.notes).into_bytes())
}

#[derive(Default)]
struct Counts {
    /// Charts that Helm renders with at least one set of values.
    rendered: BTreeMap<(usize, String), bool>,
    equal: usize,
    chance: usize,
    words: usize,
    class: usize,
    missing: usize,
    differ: usize,
    one_fails: usize,
}

impl Counts {
    fn count(&mut self, case: &Case) {
        let place = match &case.verdict {
            Verdict::Equal => &mut self.equal,
            Verdict::EqualButChance => &mut self.chance,
            Verdict::SameWords(_) => &mut self.words,
            Verdict::SameClass(_) => &mut self.class,
            Verdict::Missing => &mut self.missing,
            Verdict::Differs(_) | Verdict::OtherClass(_) => &mut self.differ,
            Verdict::OnlyHelmFails(_) | Verdict::OnlyWeFail(_) => &mut self.one_fails,
        };
        *place += 1;
        let rendered = matches!(
            case.verdict,
            Verdict::Equal | Verdict::EqualButChance | Verdict::Differs(_) | Verdict::OnlyWeFail(_)
        );
        *self.rendered.entry((case.corpus, case.chart.clone())).or_default() |= rendered;
    }

    fn row(&self, name: &str) -> String {
        let charts = self.rendered.len();
        let rendered = self.rendered.values().filter(|rendered| **rendered).count();
        let cases = self.equal + self.chance + self.words + self.class + self.missing;
        let cases = cases + self.differ + self.one_fails;
        format!(
            "| {name} | {charts} | {rendered} | {cases} | {} | {} | {} | {} | {} | {} | {} |",
            self.equal, self.chance, self.words, self.class, self.missing, self.differ, self.one_fails
        )
    }
}

fn tell(corpora: &Corpora, cases: &[Case], verbose: bool) -> Result {
    let mut all = Counts::default();
    println!(
        "| folder | charts | Helm renders | cases | equal | equal but chance | both refuse, same words | both refuse, \
         same class | both lack a dependency | differing | one refuses |\n|{}",
        " --- |".repeat(11)
    );
    for (corpus, root) in corpora.roots.iter().enumerate() {
        let mut counts = Counts::default();
        for case in cases.iter().filter(|case| case.corpus == corpus) {
            counts.count(case);
            all.count(case);
        }
        println!("{}", counts.row(&name_of(root)));
    }
    println!("{}", all.row("all"));
    for case in cases {
        let (what, words) = match &case.verdict {
            Verdict::Differs(words) => ("differs", words.as_str()),
            Verdict::OtherClass(words) => ("both refuse, for different reasons", words.as_str()),
            Verdict::OnlyHelmFails(words) => ("only Helm refuses", words.as_str()),
            Verdict::OnlyWeFail(words) => ("only Landfall refuses", words.as_str()),
            Verdict::Missing if verbose => ("lacks a dependency", case.values.as_str()),
            Verdict::SameClass(class) if verbose => ("both refuse", *class),
            _ => continue,
        };
        let root = name_of(&corpora.roots[case.corpus]);
        let values = if case.verdict == Verdict::Missing { "" } else { &case.values };
        println!("\n{root}/{} [{values}]: {what}\n  {}", case.chart, words.replace('\n', "\n  "));
    }
    let bad = all.differ + all.one_fails;
    if bad == 0 { Ok(()) } else { Err(format!("{bad} of {} cases differ", cases.len())) }
}

fn name_of(root: &Path) -> String {
    root.file_name().map_or_else(|| root.display().to_string(), |name| name.to_string_lossy().into_owned())
}

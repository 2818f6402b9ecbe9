//! The oracle: a program around real Helm that answers what it would do. Built by
//! `landfall images bundle --oracle`; LANDFALL_ORACLE names another one.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

/// What Helm answers: output, or the words of its error.
pub type Answer = Result<Vec<u8>, String>;

/// A program that was built for comparing, the newest of that name.
pub fn program(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("LANDFALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/landfall")))?;
    let found = std::fs::read_dir(cache.join("bin")).ok()?.flatten().map(|entry| entry.path().join(name));
    found.filter(|path| path.is_file()).max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok())
}

fn oracle() -> Option<PathBuf> {
    std::env::var_os("LANDFALL_ORACLE").map(PathBuf::from).or_else(|| program("landfall-oracle"))
}

/// Asks real Helm all questions at once; None where there is no oracle.
#[allow(clippy::print_stderr, reason = "a skipped comparison must be told")]
pub fn ask(questions: &[Value]) -> Option<Vec<Answer>> {
    let Some(program) = oracle() else {
        eprintln!("skipped: there is no oracle (landfall images bundle --oracle makes it)");
        return None;
    };
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || {
            for question in questions {
                if writeln!(input, "{question}").is_err() {
                    break;
                }
            }
        });
        output.lines().map(|line| answer(&line.unwrap())).collect::<Vec<_>>()
    });
    assert!(child.wait().unwrap().success());
    assert_eq!(answers.len(), questions.len(), "one answer for each question");
    Some(answers)
}

fn answer(line: &str) -> Answer {
    let answer: Value = serde_json::from_str(line).unwrap();
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(base64::engine::general_purpose::STANDARD
            .decode(answer["output"].as_str().unwrap_or_default())
            .unwrap()),
    }
}

/// One template with its values.
#[derive(Debug, Clone)]
pub struct Row {
    pub place: String,
    pub template: String,
    pub values: Value,
}

impl Row {
    pub fn question(&self) -> Value {
        json!({"do": "template", "text": self.template, "values": self.values})
    }
}

/// The rows of `tests/rows/*.txt`: a line of values (`values: {…}`), `---`, then a template a line, in which `⏎`
/// is a line break. Lines that begin with `# ` are for people.
pub fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rows");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (header, body) = text.split_once("---\n").unwrap_or_else(|| panic!("{}", file.display()));
        let values: Value = serde_json::from_str(header.trim().strip_prefix("values:").unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let first = header.lines().count() + 2;
        for (at, line) in body.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            if !line.starts_with("# ") {
                let template = line.replace('⏎', "\n");
                rows.push(Row { place: format!("{name}:{}", at + first), template, values: values.clone() });
            }
        }
    }
    assert!(rows.len() > 100, "the rows are gone");
    rows
}

/// Bytes that are no UTF-8: what Helm writes as they are, or by their escape in JSON, is U+FFFD here.
fn is_replaced(helm: &Answer, ours: &Answer) -> bool {
    let (Ok(helm), Ok(ours)) = (helm, ours) else { return false };
    let (helm, ours) = (String::from_utf8_lossy(helm), String::from_utf8_lossy(ours));
    ours.contains('\u{fffd}') && helm.replace("\\ufffd", "\u{fffd}") == ours
}

/// Collects what differs, and tells of the first of it.
#[derive(Debug, Default)]
pub struct Differences {
    told: String,
    count: usize,
    compared: usize,
}

impl Differences {
    pub fn compare(&mut self, place: &str, asked: &str, helm: &Answer, ours: &Answer) {
        self.compared += 1;
        if helm == ours || is_replaced(helm, ours) {
            return;
        }
        self.count += 1;
        if self.count <= 80 {
            let show = |answer: &Answer| match answer {
                Ok(output) => format!("output {:?}", String::from_utf8_lossy(output)),
                Err(error) => format!("error  {error}"),
            };
            self.told.push_str(&format!(
                "{place}: {asked}\n  helm: {}\n  ours: {}\n",
                show(helm),
                show(ours)
            ));
        }
    }

    /// Both sides said the same in other words.
    pub fn agree(&mut self) {
        self.compared += 1;
    }

    pub fn finish(self) {
        assert!(self.compared > 0, "nothing was compared");
        assert!(self.count == 0, "{} of {} differ\n{}", self.count, self.compared, self.told);
    }
}

/// A small generator of numbers, the same ones each time.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

/// How many cases are made: a bounded number, or what LANDFALL_ORACLE_CASES says.
pub fn cases(bounded: u64) -> u64 {
    std::env::var("LANDFALL_ORACLE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(bounded)
}

/// The sources of Helm, where Go has them on this machine.
pub fn helm_sources() -> Option<PathBuf> {
    let module = include_str!("../../../../embedded/oracle/go.mod");
    let version = module.lines().find_map(|line| line.trim().strip_prefix("helm.sh/helm/v4 "))?.trim();
    let output = Command::new("go").args(["env", "GOMODCACHE"]).output().ok()?;
    let cache = String::from_utf8(output.stdout).ok()?;
    let folder = Path::new(cache.trim()).join(format!("helm.sh/helm/v4@{version}"));
    Some(folder).filter(|folder| folder.is_dir())
}

/// The charts below a folder, packed ones too, but not those within other charts.
pub fn charts_under(folder: &Path) -> Vec<PathBuf> {
    let mut charts: Vec<PathBuf> = Vec::new();
    let mut walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if entry.file_type().is_dir() && path.join("Chart.yaml").exists() {
            charts.push(path.to_owned());
            walk.skip_current_dir();
        } else if path.extension().is_some_and(|end| end == "tgz") {
            charts.push(path.to_owned());
        }
    }
    charts
}

/// Blanks the lines in which two answers of Helm differ, in one of them and in ours.
pub fn without_chance(one: &[u8], two: &[u8], ours: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lines = |text: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(text).split('\n').map(str::to_owned).collect()
    };
    let (mut one, two, mut ours) = (lines(one), lines(two), lines(ours));
    if one.len() == two.len() && one.len() == ours.len() {
        for at in 0..one.len() {
            if one[at] != two[at] {
                one[at].clear();
                ours[at].clear();
            }
        }
    }
    (one.join("\n").into_bytes(), ours.join("\n").into_bytes())
}

/// Asks again where the answer is not ours: Helm's order of some keys (`1e3`, `0777`, `0x1f`) is that of chance. Gives
/// the answer that is ours, if there is one.
pub fn second_opinion(question: &Value, first: Answer, ours: &Answer) -> Answer {
    if first == *ours || first.is_err() || ours.is_err() {
        return first;
    }
    let again = ask(&vec![question.clone(); 60]).unwrap_or_default();
    again.into_iter().find(|answer| answer == ours).unwrap_or(first)
}

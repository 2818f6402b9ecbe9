//! The rules, as pure functions of a path and its text.

use super::Finding;

/// Lines beyond which a Rust file must be split.
const LONGEST_FILE: usize = 800;

/// What each crate may depend on within the workspace: arrows point down only.
const WALLS: &[(&str, &[&str])] = &[
    ("gotmpl", &[]),
    ("config", &[]),
    ("catalog", &["landfall-config"]),
    ("helm", &["gotmpl"]),
    ("cluster", &[]),
    ("health", &[]),
    ("openstack", &[]),
    ("node", &[]),
    ("image", &[]),
    ("ceph", &["landfall-cluster"]),
    ("agent", &["landfall-ceph", "landfall-health", "landfall-openstack"]),
    ("plan", &["landfall-catalog", "landfall-health"]),
    (
        "proof",
        &["landfall-catalog", "landfall-ceph", "landfall-cluster", "landfall-health", "landfall-openstack"],
    ),
    ("release", &["landfall-cluster", "landfall-health", "landfall-helm"]),
    ("testkit", &["landfall-catalog", "landfall-cluster", "landfall-health", "landfall-plan"]),
    (
        "engine",
        &[
            "landfall-catalog",
            "landfall-ceph",
            "landfall-cluster",
            "landfall-config",
            "landfall-health",
            "landfall-helm",
            "landfall-openstack",
            "landfall-plan",
        ],
    ),
    ("display", &["landfall-catalog", "landfall-config", "landfall-engine", "landfall-plan"]),
];

/// The crates that may write to a terminal.
const WRITERS: &[&str] = &["crates/cli/", "crates/display/", "crates/agent/", "xtask/"];
/// Where the environment may be read. A pod's environment is how it is told things; a program run
/// inside a node is given the caller's terminal and language.
const READERS: &[&str] =
    &["crates/cli/", "crates/config/", "crates/agent/", "crates/node/src/enter.rs", "xtask/", "e2e/"];

/// Rules about a path alone.
pub fn name(path: &str) -> Option<String> {
    let forbidden = ["utils", "util", "common", "helpers", "misc"];
    let last = path.rsplit('/').next().unwrap_or(path);
    let stem = last.split('.').next().unwrap_or(last);
    forbidden.contains(&stem).then(|| format!("the name `{stem}` says nothing: name it for what it holds"))
}

/// Rules about a file's text.
pub fn file(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line: usize, rule: String| findings.push(Finding { file: path.to_owned(), line, rule });
    if path.starts_with("crates/") && path.ends_with("Cargo.toml") {
        let krate = path.split('/').nth(1).unwrap_or_default();
        if let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == krate) {
            for (number, dependency) in workspace_dependencies(text) {
                if !allowed.contains(&dependency.as_str()) {
                    find(number, format!("{krate} may not depend on {dependency}: arrows point down only"));
                }
            }
        }
    }
    if std::path::Path::new(path).extension().is_none_or(|kind| kind != "rs") {
        return findings;
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        find(
            LONGEST_FILE,
            format!("{lines} lines: a file is 150 to 300 lines, {LONGEST_FILE} at most; split it"),
        );
    }
    let product = path.starts_with("crates/") && path.contains("/src/");
    if !product {
        return findings;
    }
    if !text.trim_start().starts_with("//!") && !path.ends_with("/tests.rs") {
        find(1, "a module starts with a short comment: what it is for".to_owned());
    }
    for (number, line) in text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]")) {
        let code = line.split("//").next().unwrap_or_default();
        let writes = ["println!", "print!(", "eprintln!", "eprint!("].iter().any(|word| code.contains(word));
        if writes && !WRITERS.iter().any(|prefix| path.starts_with(prefix)) {
            find(number + 1, "only cli and display write to a terminal: send an event".to_owned());
        }
        if (code.contains("env::var") || code.contains("env::home_dir"))
            && !READERS.iter().any(|prefix| path.starts_with(prefix))
        {
            find(number + 1, "only cli and config read the environment: take it as an argument".to_owned());
        }
        if (code.contains("unsafe {") || code.contains("unsafe fn")) && !path.starts_with("crates/node/") {
            find(number + 1, "`unsafe` lives in node only".to_owned());
        }
        if code.contains("thread::sleep") || code.contains("time::sleep") && !path.starts_with("crates/") {
            find(number + 1, "no sleeps: wait for what is meant".to_owned());
        }
    }
    findings
}

/// Dependencies on crates of the workspace outside `[dev-dependencies]`, with their lines.
fn workspace_dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]" {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if name.starts_with("landfall-") || name == "gotmpl" {
                found.push((number + 1, name.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<usize> {
        file(path, text).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn an_arrow_that_points_up_names_its_line() {
        let manifest =
            "[package]\nname = \"landfall-plan\"\n[dependencies]\nlandfall-engine.workspace = true\n";
        assert_eq!(rules("crates/plan/Cargo.toml", manifest), [4]);
        assert_eq!(
            rules("crates/engine/Cargo.toml", &manifest.replace("engine", "plan")),
            Vec::<usize>::new()
        );
        let test_only = manifest.replace("[dependencies]", "[dev-dependencies]");
        assert_eq!(rules("crates/plan/Cargo.toml", &test_only), Vec::<usize>::new());
    }

    #[test]
    fn only_writers_print() {
        let text = "//! x\nfn f() { println!(); }\n";
        assert_eq!(rules("crates/engine/src/run.rs", text), [2]);
        assert_eq!(rules("crates/cli/src/up.rs", text), Vec::<usize>::new());
    }

    #[test]
    fn only_readers_read_the_environment_and_tests_are_free() {
        let text = "//! x\nfn f() { std::env::var(\"A\"); }\n";
        assert_eq!(rules("crates/helm/src/chart.rs", text), [2]);
        let test = "//! x\n#[cfg(test)]\nmod tests { fn f() { std::env::var(\"A\"); } }\n";
        assert_eq!(rules("crates/helm/src/chart.rs", test), Vec::<usize>::new());
    }

    #[test]
    fn a_module_without_a_word_of_its_purpose_is_found() {
        assert_eq!(rules("crates/plan/src/model.rs", "fn f() {}\n"), [1]);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert!(name("crates/helm/src/utils.rs").is_some());
        assert!(name("crates/helm/src/common").is_some());
        assert!(name("crates/helm/src/chart.rs").is_none());
    }

    #[test]
    fn long_files_are_found() {
        let text = format!("//! x\n{}", "\n".repeat(LONGEST_FILE));
        assert_eq!(rules("crates/plan/src/model.rs", &text), [LONGEST_FILE]);
    }
}

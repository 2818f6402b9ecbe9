//! Releases that real Helm and Landfall take over from each other, on a cluster of the tests' own.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use landfall_e2e::{Outcome, Ran, Scenario, World, check, main_in};
use serde_json::Value;

const HOME: &str = "shop";
const IMAGE: &str = "localhost/landfall/ingress-nginx:latest";
const CHART: [(&str, &str); 5] = [
    ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"4.5\"\n"),
    ("values.yaml", "word: none\nhook: \"true\"\nrun: exec sleep infinity\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {word: {{ .Values.word | quote }}}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}, annotations: {word: {{ .Values.word | quote }}}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      containers: [{name: web, image: \"IMAGE\", imagePullPolicy: Never, command: [sh, -c, {{ .Values.run | quote }}], readinessProbe: {exec: {command: [\"true\"]}, initialDelaySeconds: 1, periodSeconds: 1}}]\n",
    ),
    (
        "templates/hook.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: web-hook, annotations: {helm.sh/hook: \"pre-upgrade,test\"}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      restartPolicy: Never\n      terminationGracePeriodSeconds: 0\n      containers: [{name: hook, image: \"IMAGE\", imagePullPolicy: Never, command: [sh, -c, {{ .Values.hook | quote }}]}]\n",
    ),
];

struct Releases {
    world: World,
    chart: PathBuf,
}

fn main() -> ExitCode {
    main_in(
        begin,
        &[
            Scenario { name: "what_helm_installed_landfall_upgrades_and_removes", run: helm_first },
            Scenario { name: "what_landfall_installed_helm_upgrades_and_removes", run: landfall_first },
            Scenario { name: "anothers_field_is_told_with_its_manager", run: conflict },
            Scenario { name: "what_was_killed_is_told_and_gone_on_with", run: killed },
            Scenario {
                name: "what_helm_merges_landfall_merges_on_and_leaves_others_fields",
                run: merged_by_helm,
            },
            Scenario {
                name: "what_landfall_merges_helm_merges_on_and_leaves_others_fields",
                run: merged_by_landfall,
            },
            Scenario { name: "an_upgrade_that_fails_goes_back_and_says_why", run: gone_back },
            Scenario { name: "an_installation_that_fails_is_removed_and_says_why", run: removed },
        ],
        |releases| releases.world.remove(),
    )
}

fn begin() -> Result<Releases, String> {
    let world = World::new("releases", "10.90.4.0/24", "1", &[])?;
    world.cluster()?;
    let chart = world.landfall.home.join("web");
    write(&chart)?;
    Ok(Releases { world, chart })
}

fn write(chart: &Path) -> Outcome {
    for (name, text) in CHART {
        let file = chart.join(name);
        let folder = file.parent().unwrap_or(chart);
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        std::fs::write(&file, text.replace("IMAGE", IMAGE)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

impl Releases {
    fn landfall(&self, arguments: &[&str]) -> Ran {
        self.world.landfall.run(&[&["release"], arguments, &["-n", HOME]].concat())
    }

    fn helm(&self, arguments: &[&str]) -> Ran {
        self.world.helm(&[arguments, &["-n", HOME]].concat())
    }

    fn chart(&self) -> String {
        self.chart.display().to_string()
    }

    fn word(&self) -> Result<Value, String> {
        Ok(self.world.landfall.get(&["configmap", "web", "-n", HOME])?["data"]["word"].clone())
    }

    /// Another sets a field of the release's, as a person does by kubectl, and a container beside its own.
    fn touched(&self) -> Outcome {
        let kubectl =
            |arguments: &[&str]| self.world.landfall.kubectl(&[&["-n", HOME], arguments].concat()).ended(0);
        kubectl(&["patch", "configmap", "web", "--type=merge", "-p", "{\"data\":{\"theirs\":\"kept\"}}"])?;
        let beside = format!(
            "{{\"spec\":{{\"template\":{{\"spec\":{{\"containers\":[{{\"name\":\"beside\",\"image\":\"{IMAGE}\",\"imagePullPolicy\":\"Never\",\"command\":[\"sleep\",\"infinity\"]}}]}}}}}}}}"
        );
        kubectl(&["patch", "deployment", "web", "--type=strategic", "-p", &beside])?;
        Ok(())
    }

    /// The word is this one, and what another has set is there still.
    fn says_beside_others(&self, word: &str) -> Outcome {
        let data = self.world.landfall.get(&["configmap", "web", "-n", HOME])?["data"].clone();
        check(data["word"] == word && data["theirs"] == "kept", || format!("{word}: {data}"))?;
        let deployment = self.world.landfall.get(&["deployment", "web", "-n", HOME])?;
        let template = &deployment["spec"]["template"];
        let containers = template["spec"]["containers"].as_array().map_or(0, Vec::len);
        let right = template["metadata"]["annotations"]["word"] == word && containers == 2;
        check(right, || format!("{word}: {template}"))
    }

    /// By which operations `helm` holds fields of the release's.
    fn held_by(&self, wanted: &str) -> Outcome {
        let object =
            self.world.landfall.get(&["configmap", "web", "-n", HOME, "--show-managed-fields"])?["metadata"]
                .clone();
        let entries = object["managedFields"].as_array().cloned().unwrap_or_default();
        let ours: Vec<&str> = entries
            .iter()
            .filter(|entry| entry["manager"] == "helm")
            .filter_map(|entry| entry["operation"].as_str())
            .collect();
        check(ours == [wanted], || format!("held by {ours:?}, not {wanted}: {entries:?}"))
    }

    /// Revisions with their states, as both tell them.
    fn history(&self, wanted: &[(i64, &str)]) -> Outcome {
        let of = |ran: Ran| -> Result<Vec<(i64, String)>, String> {
            let rows: Value = serde_json::from_str(&ran.ended(0)?.stdout).map_err(|e| e.to_string())?;
            let row = |row: &Value| Some((row["revision"].as_i64()?, row["status"].as_str()?.to_owned()));
            Ok(rows.as_array().into_iter().flatten().filter_map(row).collect())
        };
        let ours = of(self.landfall(&["history", "web", "-o", "json"]))?;
        let helms = of(self.helm(&["history", "web", "-o", "json"]))?;
        let wanted: Vec<(i64, String)> =
            wanted.iter().map(|(at, state)| (*at, (*state).to_owned())).collect();
        check(ours == wanted && helms == wanted, || format!("Landfall: {ours:?}; Helm: {helms:?}"))
    }

    /// What both show of the release is the same to the byte.
    fn shown_alike(&self) -> Outcome {
        for what in ["manifest", "hooks", "notes"] {
            let ours = self.landfall(&["get", what, "web"]).ended(0)?.stdout;
            let helms = self.helm(&["get", what, "web"]).ended(0)?.stdout;
            check(ours.trim_end() == helms.trim_end(), || format!("{what}\n{ours}\n--- Helm:\n{helms}"))?;
        }
        let ours = self.landfall(&["get", "values", "web", "-o", "json"]).ended(0)?.stdout;
        let helms = self.helm(&["get", "values", "web", "-o", "json"]).ended(0)?.stdout;
        let parsed = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        check(parsed(&ours)? == parsed(&helms)?, || format!("values: {ours}; Helm: {helms}"))
    }

    fn gone(&self) -> Outcome {
        let left = self.world.landfall.get(&["configmap,deployment", "-n", HOME])?;
        let names: Vec<&str> = left["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["metadata"]["name"].as_str())
            .collect();
        check(!names.contains(&"web"), || format!("left: {names:?}"))?;
        for list in [self.landfall(&["list", "-o", "json"]), self.helm(&["list", "-o", "json"])] {
            check(list.stdout.trim() == "[]", || format!("left: {}{}", list.stdout, list.stderr))?;
        }
        Ok(())
    }
}

fn helm_first(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases.helm(&["install", "web", &chart, "--create-namespace", "--set", "word=first"]).ended(0)?;
    releases.landfall(&["upgrade", "web", &chart, "--set", "word=second", "--wait"]).ended(0)?;
    check(releases.word()? == "second", || "the upgrade changed nothing".into())?;
    releases.history(&[(1, "superseded"), (2, "deployed")])?;
    releases.shown_alike()?;
    releases.helm(&["rollback", "web", "1"]).ended(0)?;
    check(releases.word()? == "first", || "the rollback changed nothing".into())?;
    releases.history(&[(1, "superseded"), (2, "superseded"), (3, "deployed")])?;
    releases.shown_alike()?;
    releases.landfall(&["uninstall", "web", "--yes"]).ended(0)?;
    releases.gone()
}

fn landfall_first(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases
        .landfall(&["install", "web", &chart, "--create-namespace", "--set", "word=first", "--wait"])
        .ended(0)?;
    releases.shown_alike()?;
    releases.helm(&["upgrade", "web", &chart, "--set", "word=second"]).ended(0)?;
    check(releases.word()? == "second", || "the upgrade changed nothing".into())?;
    releases.landfall(&["rollback", "web"]).ended(0)?;
    check(releases.word()? == "first", || "the rollback changed nothing".into())?;
    releases.history(&[(1, "superseded"), (2, "superseded"), (3, "deployed")])?;
    releases.shown_alike()?;
    let tests = releases.landfall(&["test", "web"]).ended(0)?;
    check(tests.stdout.contains("web-hook\tSucceeded"), || tests.stdout.clone())?;
    let status: Value =
        serde_json::from_str(&releases.helm(&["status", "web", "-o", "json"]).ended(0)?.stdout)
            .map_err(|error| error.to_string())?;
    check(status["info"]["status"] == "deployed" && status["version"] == 3, || status["info"].to_string())?;
    releases.helm(&["uninstall", "web"]).ended(0)?;
    releases.gone()
}

fn conflict(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases.landfall(&["install", "web", &chart, "--create-namespace", "--set", "word=first"]).ended(0)?;
    let patch = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\"},\"data\":{\"word\":\"theirs\"}}";
    let file = releases.world.landfall.home.join("theirs.json");
    std::fs::write(&file, patch).map_err(|error| error.to_string())?;
    let theirs = std::fs::File::open(&file).map_err(|error| error.to_string())?;
    let apply =
        ["-n", HOME, "apply", "--server-side", "--force-conflicts", "--field-manager=operator", "-f", "-"];
    releases.world.landfall.kubectl_reading(&apply, theirs).ended(0)?;
    let refused = releases.landfall(&["upgrade", "web", &chart, "--set", "word=second"]);
    let told = refused.stderr.contains("operator") && refused.stderr.contains("word");
    check(refused.code != 0 && told, || format!("{}: {}", refused.code, refused.stderr))?;
    check(releases.word()? == "theirs", || "their field was taken".into())?;
    releases.landfall(&["upgrade", "web", &chart, "--set", "word=second", "--force-conflicts"]).ended(0)?;
    check(releases.word()? == "second", || "the field was not taken".into())?;
    releases.history(&[(1, "superseded"), (2, "failed"), (3, "deployed")])?;
    releases.landfall(&["uninstall", "web", "--yes"]).ended(0)?;
    releases.gone()
}

fn killed(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases.landfall(&["install", "web", &chart, "--create-namespace", "--set", "word=first"]).ended(0)?;
    let local = format!("--local={}", releases.world.landfall.cluster);
    let upgrade =
        ["release", "upgrade", "web", &chart, "-n", HOME, "--set", "word=second,hook=sleep 600", &local];
    let mut child = releases
        .world
        .landfall
        .command(&upgrade)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    // Its hook runs: the record is written, and the end is far.
    let ready = ["-n", HOME, "wait", "--for=jsonpath={.status.active}=1", "job/web-hook", "--timeout=60s"];
    let mut begun = releases.world.landfall.kubectl(&ready);
    for _ in 0..20 {
        if begun.code == 0 {
            break;
        }
        begun = releases.world.landfall.kubectl(&ready);
    }
    begun.ended(0)?;
    child.kill().map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    releases.history(&[(1, "deployed"), (2, "pending-upgrade")])?;
    let told = releases.landfall(&["upgrade", "web", &chart, "--set", "word=third"]);
    check(told.code == 32 && told.stderr.contains("--resume"), || format!("{}: {}", told.code, told.stderr))?;
    releases.landfall(&["upgrade", "web", &chart, "--set", "word=third", "--resume"]).ended(0)?;
    check(releases.word()? == "third", || "it did not go on".into())?;
    releases.history(&[(1, "superseded"), (2, "failed"), (3, "deployed")])?;
    releases.landfall(&["uninstall", "web", "--yes"]).ended(0)?;
    releases.gone()
}

fn merged_by_helm(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases
        .helm(&["install", "web", &chart, "--create-namespace", "--server-side=false", "--set", "word=first"])
        .ended(0)?;
    releases.touched()?;
    releases.landfall(&["upgrade", "web", &chart, "--set", "word=second", "--wait"]).ended(0)?;
    releases.says_beside_others("second")?;
    releases.held_by("Update")?;
    releases.helm(&["upgrade", "web", &chart, "--set", "word=third"]).ended(0)?;
    releases.says_beside_others("third")?;
    releases.held_by("Update")?;
    // From here on by the server: what was held by updates is held by apply.
    releases
        .landfall(&["upgrade", "web", &chart, "--set", "word=fourth", "--server-side", "true"])
        .ended(0)?;
    releases.says_beside_others("fourth")?;
    releases.held_by("Apply")?;
    releases.helm(&["upgrade", "web", &chart, "--set", "word=fifth"]).ended(0)?;
    releases.says_beside_others("fifth")?;
    releases.history(&[
        (1, "superseded"),
        (2, "superseded"),
        (3, "superseded"),
        (4, "superseded"),
        (5, "deployed"),
    ])?;
    releases.shown_alike()?;
    releases.landfall(&["uninstall", "web", "--yes"]).ended(0)?;
    releases.gone()
}

fn merged_by_landfall(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases
        .landfall(&[
            "install",
            "web",
            &chart,
            "--create-namespace",
            "--server-side=false",
            "--set",
            "word=first",
        ])
        .ended(0)?;
    releases.held_by("Update")?;
    releases.touched()?;
    releases.helm(&["upgrade", "web", &chart, "--set", "word=second"]).ended(0)?;
    releases.says_beside_others("second")?;
    releases.landfall(&["rollback", "web", "1"]).ended(0)?;
    releases.says_beside_others("first")?;
    releases.held_by("Update")?;
    releases.history(&[(1, "superseded"), (2, "superseded"), (3, "deployed")])?;
    releases.shown_alike()?;
    releases.helm(&["uninstall", "web"]).ended(0)?;
    releases.gone()
}

fn gone_back(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    releases
        .landfall(&["install", "web", &chart, "--create-namespace", "--set", "word=first", "--wait"])
        .ended(0)?;
    let broken = ["--set", "word=second,run=exit 7", "--rollback-on-failure", "--timeout", "25s"];
    let told = releases.landfall(&[&["upgrade", "web", &chart][..], &broken].concat());
    let (cause, back) = (told.stderr.find("crash-loop"), told.stderr.find("going back to revision 1"));
    let said = told.code == 10 && cause.is_some() && cause < back && told.stderr.contains("(as revision 3)");
    check(said, || format!("{}: {}", told.code, told.stderr))?;
    check(releases.word()? == "first", || "it did not go back".into())?;
    releases.history(&[(1, "superseded"), (2, "failed"), (3, "deployed")])?;
    let history = releases.helm(&["history", "web"]).ended(0)?.stdout;
    check(history.contains("Deployment"), || format!("the reason is not kept: {history}"))?;
    releases.helm(&["upgrade", "web", &chart, "--set", "word=third"]).ended(0)?;
    releases.landfall(&["uninstall", "web", "--yes"]).ended(0)?;
    releases.gone()
}

fn removed(releases: &mut Releases) -> Outcome {
    let chart = releases.chart();
    let broken = ["--set", "run=exit 7", "--rollback-on-failure", "--timeout", "25"];
    let told = releases.landfall(&[&["install", "web", &chart, "--create-namespace"][..], &broken].concat());
    let (cause, away) = (told.stderr.find("crash-loop"), told.stderr.find("removing what was made"));
    let said = told.code == 10 && cause.is_some() && cause < away;
    check(said, || format!("{}: {}", told.code, told.stderr))?;
    releases.gone()
}

//! Our charts, rendered by Landfall and by real Helm: the same bytes; and lint-clean.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use landfall_e2e::{Landfall, Outcome, Scenario, check, copy_charts, main_in, ran};

struct World {
    landfall: Landfall,
    helm: PathBuf,
    /// A copy of `charts/` with dependencies built, since Helm writes into a chart's folder.
    charts: PathBuf,
    _folder: tempfile::TempDir,
}

fn main() -> ExitCode {
    main_in(
        prepare,
        &[
            Scenario { name: "charts_are_clean_to_lint", run: lint },
            Scenario { name: "templates_equal_helms_with_default_values", run: defaults },
            Scenario { name: "templates_equal_helms_with_each_values_variant", run: variants },
            Scenario { name: "values_of_a_wrong_type_are_refused_by_both", run: wrong_types },
        ],
        drop,
    )
}

fn prepare() -> Result<World, String> {
    let landfall = Landfall::new("charts-test")?;
    let helm = landfall.run(&["images", "bundle", "--oracle"]).ended(0)?.stdout.trim().to_owned();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let charts = copy_charts(folder.path())?;
    let world = World { landfall, helm: helm.into(), charts, _folder: folder };
    for chart in names(&world)? {
        helm_on(&world, &["dependency", "build", "--skip-refresh"], &chart, &[]).ended(0)?;
    }
    Ok(world)
}

fn names(world: &World) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(&world.charts).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("Chart.yaml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    check(names.len() >= 5, || format!("charts: {names:?}"))?;
    Ok(names)
}

fn helm_on(world: &World, verb: &[&str], chart: &str, more: &[&str]) -> landfall_e2e::Ran {
    let mut command = Command::new(&world.helm);
    command
        .args(verb)
        .arg(world.charts.join(chart))
        .args(more)
        .env("HOME", &world.landfall.home)
        .env_remove("KUBECONFIG");
    ran(command)
}

fn lint(world: &mut World) -> Outcome {
    let values = world.charts.join("test-values.yaml").display().to_string();
    for chart in names(world)? {
        let lint = helm_on(world, &["lint", "--strict"], &chart, &["--values", &values]).ended(0)?;
        check(!lint.stdout.contains("[WARNING]") && !lint.stdout.contains("[ERROR]"), || {
            lint.stdout.clone()
        })?;
    }
    Ok(())
}

/// Both programs on the same chart; equal bytes, or the first line that differs.
fn same(world: &World, chart: &str, variant: Option<&Path>) -> Outcome {
    let test_values = world.charts.join("test-values.yaml").display().to_string();
    let variant = variant.map(|path| path.display().to_string());
    let mut more = vec!["--namespace", "openstack", "--values", test_values.as_str()];
    if let Some(variant) = &variant {
        more.extend(["--values", variant]);
    }
    let theirs = helm_on(world, &["template", "cloud"], chart, &more).ended(0)?;
    let path = world.charts.join(chart).display().to_string();
    let mut arguments = vec!["template", "cloud", path.as_str()];
    arguments.extend(more.iter().copied());
    let ours = world.landfall.run(&arguments).ended(0)?;
    check(theirs.stdout.contains("kind: "), || format!("{chart}: helm rendered nothing"))?;
    if ours.stdout == theirs.stdout {
        return Ok(());
    }
    let mut lines = theirs.stdout.lines().zip(ours.stdout.lines()).enumerate();
    let first = lines.find(|(_, (helm, landfall))| helm != landfall);
    Err(format!(
        "{chart} {}: {} bytes by helm, {} by landfall; first difference: {first:?}",
        variant.unwrap_or_default(),
        theirs.stdout.len(),
        ours.stdout.len()
    ))
}

fn installable(world: &World) -> Result<Vec<String>, String> {
    Ok(names(world)?.into_iter().filter(|name| name != "toolkit").collect())
}

fn defaults(world: &mut World) -> Outcome {
    for chart in installable(world)? {
        same(world, &chart, None)?;
    }
    Ok(())
}

/// Every file of `variants/`, by the chart that its name begins with.
fn variants(world: &mut World) -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants");
    let charts = installable(world)?;
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).map_err(|error| error.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // `ceph-config-x` is of the chart ceph-config, not of ceph.
        let of = |chart: &&String| name.starts_with(&format!("{chart}-"));
        let chart = charts.iter().filter(of).max_by_key(|chart| chart.len());
        let chart = chart.ok_or_else(|| format!("{name} begins with the name of no chart"))?;
        same(world, chart, Some(&entry.path()))?;
        seen += 1;
    }
    check(seen >= 5, || format!("only {seen} variants were found"))
}

fn wrong_types(world: &mut World) -> Outcome {
    let file = world.charts.join("wrong.yaml");
    std::fs::write(&file, "pod: {replicas: many}\n").map_err(|error| error.to_string())?;
    let file = file.display().to_string();
    for chart in installable(world)? {
        let theirs = helm_on(world, &["template", "cloud"], &chart, &["--values", &file]);
        let path = world.charts.join(&chart).display().to_string();
        let ours = world.landfall.run(&["template", "cloud", &path, "--values", &file]);
        check(theirs.code != 0 && ours.code == 26, || {
            format!("{chart}: helm {} {}, landfall {} {}", theirs.code, theirs.stderr, ours.code, ours.stderr)
        })?;
    }
    Ok(())
}

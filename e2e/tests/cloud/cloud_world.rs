//! The cloud under test: made, asked, listed; and the same charts by real Helm alone.

use landfall_e2e::{Outcome, World, check, copy_charts};

pub fn from_nothing(world: &mut World) -> Outcome {
    world.cluster()?;
    let up = world.up(&[]).ended(0)?;
    eprintln!("{}", up.stderr);
    world.verified().map(drop)
}

pub fn service_list(world: &mut World) -> Outcome {
    let list = world.landfall.openstack(&["service", "list", "-f", "json"]).ended(0)?;
    let services: serde_json::Value =
        serde_json::from_str(&list.stdout).map_err(|error| error.to_string())?;
    check(services[0]["Name"] == "keystone" && services[0]["Type"] == "identity", || list.stdout.clone())?;
    let table = world.landfall.openstack(&["service", "list"]).ended(0)?;
    eprintln!("{}", table.stdout);
    check(table.stdout.contains("| keystone | identity |"), || table.stdout.clone())?;
    // The client speaks to the public name, which only the Ingress answers.
    let url = world
        .landfall
        .openstack(&["endpoint", "list", "--interface", "public", "-f", "value", "-c", "URL"])
        .ended(0)?;
    check(url.stdout.trim() == format!("http://keystone.{}/v3", world.domain), || url.stdout.clone())
}

pub fn up_again(world: &mut World) -> Outcome {
    let versions = |world: &World| -> Result<Vec<String>, String> {
        let objects = world.landfall.get(&[
            "deployments,statefulsets,configmaps,secrets,services,jobs",
            "-n",
            "openstack",
        ])?;
        let items = objects["items"].as_array().cloned().unwrap_or_default();
        let ours = items
            .iter()
            .filter(|object| object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm");
        Ok(ours
            .map(|object| {
                format!(
                    "{}/{} {}",
                    object["kind"], object["metadata"]["name"], object["metadata"]["generation"]
                )
            })
            .collect())
    };
    let before = versions(world)?;
    let up = world.up(&["-o", "json"]).ended(0)?;
    let events = World::events(&up);
    let done = events.iter().find(|event| event["event"] == "run-done").ok_or("no run-done event")?;
    check(done["changed"] == false && done["ok"] == true, || done.to_string())?;
    check(before == versions(world)? && before.len() > 10, || {
        format!("objects changed; before: {before:?}")
    })?;
    let words = world.up(&[]).ended(0)?;
    check(words.stderr.contains("nothing changed"), || words.stderr.clone())
}

pub fn helm_list(world: &mut World) -> Outcome {
    world.deployed(&["-n", "openstack"], &["keystone", "mariadb", "memcached", "rabbitmq"])?;
    let history = world.helm(&["history", "keystone", "-n", "openstack", "-o", "json"]).ended(0)?;
    check(history.stdout.contains("\"status\":\"deployed\""), || history.stdout.clone())?;
    let manifest = world.helm(&["get", "manifest", "keystone", "-n", "openstack"]).ended(0)?;
    check(manifest.stdout.contains("kind: Deployment"), || manifest.stdout.clone())
}

/// The four charts by real Helm on a bare cluster, without Landfall's hand, and Keystone answers.
pub fn helm_installs(world: &mut World) -> Outcome {
    world.fresh()?;
    let landfall = &world.landfall;
    landfall.kubectl(&["create", "namespace", "openstack"]).ended(0)?;
    landfall.kubectl(&["label", "nodes", "--all", "openstack-control-plane=enabled"]).ended(0)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let charts = copy_charts(folder.path())?;
    // Passwords of this one run: the charts have none of their own.
    let values = folder.path().join("passwords.yaml");
    std::fs::write(&values, passwords()?).map_err(|error| error.to_string())?;
    let values = values.display().to_string();
    for name in ["mariadb", "rabbitmq", "memcached", "keystone"] {
        let chart = charts.join(name).display().to_string();
        world.helm(&["dependency", "build", "--skip-refresh", &chart]).ended(0)?;
        world
            .helm(&["install", name, &chart, "-n", "openstack", "--timeout", "10m", "-f", &values])
            .ended(0)?;
    }
    landfall
        .kubectl(&["-n", "openstack", "rollout", "status", "deployment/keystone-api", "--timeout=300s"])
        .ended(0)?;
    let pods = landfall.get(&["pods", "-n", "openstack", "-l", "application=keystone,component=api"])?;
    let pod = pods["items"][0]["metadata"]["name"].as_str().ok_or("no keystone-api pod")?.to_owned();
    let ask = "import urllib.request as r; print(r.urlopen('http://keystone-api:5000/v3').read().decode())";
    let answer = landfall.kubectl(&["-n", "openstack", "exec", &pod, "--", "python3", "-c", ask]).ended(0)?;
    check(answer.stdout.contains("\"id\": \"v3."), || answer.stdout.clone())
}

fn passwords() -> Result<String, String> {
    let made = std::fs::read_to_string("/proc/sys/kernel/random/uuid").map_err(|error| error.to_string())?;
    let made = made.trim();
    Ok(format!(
        "endpoints:\n  identity: {{auth: {{admin: {{password: a-{made}}}}}}}\n  oslo_db: {{auth: {{admin: {{password: b-{made}}}, \
         sst: {{password: c-{made}}}, keystone: {{password: d-{made}}}}}}}\n  oslo_messaging: {{auth: {{user: {{password: e-{made}}}, \
         erlang_cookie: f-{made}}}}}\n"
    ))
}

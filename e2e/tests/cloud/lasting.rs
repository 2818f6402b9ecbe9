//! What a cloud must outlast: lost pods, rotated keys, changed values, a second operator.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use landfall_e2e::{Outcome, Ran, World, check};

/// While one run is at work, another is refused, and told whose and since when.
pub fn second_run(world: &mut World) -> Outcome {
    let file = world.landfall.home.join("second.yaml");
    std::fs::write(&file, "spec: {overrides: {keystone: {pod: {replicas: {api: 2}}}}}\n")
        .map_err(|error| error.to_string())?;
    let path = file.display().to_string();
    let local = format!("--local={}", world.landfall.cluster);
    let mut first = world
        .landfall
        .command(&world.up_arguments(&["-f", &path, &local, "-o", "json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let holder = format!("pid {}", first.id());
    let mut lines = first.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
    let started = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("\"run-started\"")));
    let refused = world.up(&["-f", &path]);
    // Read to the end, or a full pipe would hold the first run back.
    let rest = lines.count();
    let code = first.wait().map_err(|error| error.to_string())?.code();
    check(started.is_some() && rest > 0 && code == Some(0), || format!("the first run ended with {code:?}"))?;
    let refused = refused.ended(32)?;
    check(refused.stderr.contains(&holder) && refused.stderr.contains("since"), || refused.stderr.clone())?;
    world.up(&[]).ended(0).map(drop)
}

/// A user without any right is told, before anything is changed, which right is missing on what.
pub fn no_permission(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let account = ["serviceaccount", "without-rights", "--namespace=default"];
    landfall.kubectl(&[&["create"], &account[..]].concat()).ended(0)?;
    let refused = refused_without_rights(world);
    landfall.kubectl(&[&["delete"], &account[..]].concat()).ended(0)?;
    let refused = refused?.ended(31)?;
    let named = ["no permission to list nodes", "hint: ", "administrator"];
    check(named.iter().all(|words| refused.stderr.contains(words)), || refused.stderr.clone())
}

fn refused_without_rights(world: &World) -> Result<Ran, String> {
    let landfall = &world.landfall;
    let token = landfall.kubectl(&["create", "token", "without-rights", "--namespace=default"]).ended(0)?;
    let path = landfall.run(&["local", "kubeconfig", "--name", &landfall.cluster]).ended(0)?;
    let text = std::fs::read_to_string(path.stdout.trim()).map_err(|error| error.to_string())?;
    // It is written as JSON, which is YAML, too.
    let mut kubeconfig: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("the kubeconfig: {error}"))?;
    kubeconfig["users"][0]["user"] = serde_json::json!({"token": token.stdout.trim()});
    let file = landfall.home.join("without-rights.yaml");
    std::fs::write(&file, kubeconfig.to_string()).map_err(|error| error.to_string())?;
    let file = file.display().to_string();
    Ok(landfall_e2e::ran(landfall.command(&[
        "up",
        "--kubeconfig",
        &file,
        "--domain",
        &world.domain,
        "--yes",
    ])))
}

pub fn mariadb_deleted(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    landfall.openstack(&["project", "create", "kept"]).ended(0)?;
    let before = landfall.get(&["pod", "mariadb-server-0", "-n", "openstack"])?;
    deleted_until_ready(world, "mariadb-server-0")?;
    let after = landfall.get(&["pod", "mariadb-server-0", "-n", "openstack"])?;
    check(before["metadata"]["uid"] != after["metadata"]["uid"], || "the pod is the same one".to_owned())?;
    // No hand is used: the check point itself waits until Keystone answers again.
    world.verified()?;
    let kept = landfall.openstack(&["project", "show", "kept", "-f", "value", "-c", "name"]).ended(0)?;
    check(kept.stdout.trim() == "kept", || kept.stdout.clone())
}

/// A member whose volume is lost is not a cluster of its own afterwards: it is one of the others' again.
pub fn rabbitmq_volume_lost(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let (pod, claim) = ("rabbitmq-rabbitmq-1", "rabbitmq-data-rabbitmq-rabbitmq-1");
    let before = landfall.get(&["persistentvolumeclaim", claim, "-n", "openstack"])?;
    landfall
        .kubectl(&["-n", "openstack", "delete", "persistentvolumeclaim", claim, "--wait=false"])
        .ended(0)?;
    deleted_until_ready(world, pod)?;
    let after = landfall.get(&["persistentvolumeclaim", claim, "-n", "openstack"])?;
    check(before["metadata"]["uid"] != after["metadata"]["uid"], || "the claim is the same one".to_owned())?;
    world.verified().map(drop)
}

/// A StatefulSet's pod is deleted, and its successor ready.
fn deleted_until_ready(world: &World, pod: &str) -> Outcome {
    let kubectl =
        |verb: &[&str]| world.landfall.kubectl(&[&["-n", "openstack"], verb].concat()).ended(0).map(drop);
    kubectl(&["delete", "pod", pod, "--wait=true"])?;
    kubectl(&["wait", "--for=create", "pod", pod, "--timeout=60s"])?;
    kubectl(&["wait", "--for=condition=Ready", "pod", pod, "--timeout=180s"])
}

pub fn fernet_rotated(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let token =
        landfall.openstack(&["token", "issue", "-f", "value", "-c", "id"]).ended(0)?.stdout.trim().to_owned();
    let keys = |world: &World| -> Result<Vec<String>, String> {
        let secret = world.landfall.get(&["secret", "keystone-fernet-keys", "-n", "openstack"])?;
        Ok(secret["data"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, key)| format!("{name}={key}"))
            .collect())
    };
    for round in ["one", "two"] {
        let before = keys(world)?;
        let job = format!("rotate-{round}");
        landfall
            .kubectl(&["-n", "openstack", "create", "job", &job, "--from=cronjob/keystone-fernet-rotate"])
            .ended(0)?;
        landfall
            .kubectl(&[
                "-n",
                "openstack",
                "wait",
                "--for=condition=Complete",
                &format!("job/{job}"),
                "--timeout=120s",
            ])
            .ended(0)?;
        check(before != keys(world)?, || "the keys are the same after the rotation".to_owned())?;
    }
    // The token proves itself, asked with itself: no password is in play.
    let ask = format!(
        "import urllib.request as r; q = r.Request('http://keystone.{}/v3/auth/tokens', \
         headers={{'X-Auth-Token': '{token}', 'X-Subject-Token': '{token}'}}); print(r.urlopen(q).status)",
        world.domain
    );
    let answer = landfall.kubectl(&[
        "-n",
        "openstack",
        "exec",
        "deployment/openstack-client",
        "--",
        "python3",
        "-c",
        &ask,
    ]);
    check(answer.stdout.trim() == "200", || format!("{}{}", answer.stdout, answer.stderr))
}

/// Two API pods instead of one: Keystone alone gets a new revision, of a release that is as old as it was.
pub fn changed_value(world: &mut World) -> Outcome {
    let before = revisions(world)?;
    let deployed_before = deployed(world)?;
    let file = world.landfall.home.join("two.yaml");
    std::fs::write(&file, "spec: {overrides: {keystone: {pod: {replicas: {api: 2}}}}}\n")
        .map_err(|error| error.to_string())?;
    world.up(&["-f", &file.display().to_string()]).ended(0)?;
    let deployment = world.landfall.get(&["deployment", "keystone-api", "-n", "openstack"])?;
    check(deployment["status"]["readyReplicas"] == 2, || deployment["status"].to_string())?;
    let after = revisions(world)?;
    check(before.len() == after.len() && before.len() >= 5, || format!("{before:?}, then {after:?}"))?;
    for (service, revision) in &after {
        let expected = before.get(service).copied().unwrap_or_default() + u64::from(service == "keystone");
        check(*revision == expected, || format!("{service}: {before:?}, then {after:?}"))?;
    }
    let deployed_after = deployed(world)?;
    check(deployed_after.0 == deployed_before.0 && deployed_after.1 != deployed_before.1, || {
        format!("first and last deployed: {deployed_before:?}, then {deployed_after:?}")
    })?;
    // Back to what the other scenarios expect.
    world.up(&[]).ended(0).map(drop)
}

/// When Keystone was first deployed, and last, in real Helm's words.
fn deployed(world: &World) -> Result<(String, String), String> {
    let status = world.helm(&["status", "keystone", "-n", "openstack", "-o", "json"]).ended(0)?;
    let status: serde_json::Value =
        serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let at =
        |key: &str| status["info"][key].as_str().map(ToOwned::to_owned).ok_or_else(|| status.to_string());
    Ok((at("first_deployed")?, at("last_deployed")?))
}

fn revisions(world: &World) -> Result<BTreeMap<String, u64>, String> {
    let status = world.landfall.run(&["status", "-o", "json"]).ended(0)?;
    let rows: serde_json::Value = serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let rows = rows.as_array().cloned().unwrap_or_default();
    Ok(rows
        .iter()
        .filter_map(|row| Some((row["service"].as_str()?.to_owned(), row["revision"].as_u64()?)))
        .collect())
}

pub fn down_and_up(world: &mut World) -> Outcome {
    let down = world.landfall.run(&["down", "--yes"]).ended(0)?;
    check(down.stderr.contains("kept"), || down.stderr.clone())?;
    world.up(&[]).ended(0)?;
    let kept =
        world.landfall.openstack(&["project", "show", "kept", "-f", "value", "-c", "name"]).ended(0)?;
    check(kept.stdout.trim() == "kept", || kept.stdout.clone())?;
    world.verified().map(drop)
}

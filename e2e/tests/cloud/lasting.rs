//! What a cloud must outlast: lost pods, rotated keys, changed values, a second operator.

use landfall_e2e::{Outcome, check};

use crate::cloud_world::{DOMAIN, World};

pub fn second_run(world: &mut World) -> Outcome {
    let lease = serde_json::json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "landfall-landfall", "namespace": "openstack"},
        "spec": {"holderIdentity": "kim@desk pid 4711", "leaseDurationSeconds": 3600,
                 "acquireTime": now(world)?, "renewTime": now(world)?}});
    world.landfall.apply(&lease)?;
    let refused = world.up(&[]);
    world.landfall.kubectl(&["-n", "openstack", "delete", "lease", "landfall-landfall"]).ended(0)?;
    let refused = refused.ended(32)?;
    check(refused.stderr.contains("kim@desk pid 4711"), || refused.stderr.clone())
}

fn now(world: &World) -> Result<String, String> {
    let date = world.landfall.command(&[
        "local",
        "shell",
        "--name",
        &world.landfall.cluster,
        "k1",
        "--",
        "date",
        "-u",
        "+%Y-%m-%dT%H:%M:%S.000000Z",
    ]);
    Ok(landfall_e2e::ran(date).ended(0)?.stdout.trim().to_owned())
}

pub fn mariadb_deleted(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    landfall.openstack(&["project", "create", "kept"]).ended(0)?;
    let before = landfall.get(&["pod", "mariadb-server-0", "-n", "openstack"])?;
    landfall.kubectl(&["-n", "openstack", "delete", "pod", "mariadb-server-0", "--wait=true"]).ended(0)?;
    landfall
        .kubectl(&[
            "-n",
            "openstack",
            "wait",
            "--for=condition=Ready",
            "pod/mariadb-server-0",
            "--timeout=180s",
        ])
        .ended(0)?;
    let after = landfall.get(&["pod", "mariadb-server-0", "-n", "openstack"])?;
    check(before["metadata"]["uid"] != after["metadata"]["uid"], || "the pod is the same one".to_owned())?;
    // No hand is used: the check point itself waits until Keystone answers again.
    world.verified()?;
    let kept = landfall.openstack(&["project", "show", "kept", "-f", "value", "-c", "name"]).ended(0)?;
    check(kept.stdout.trim() == "kept", || kept.stdout.clone())
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
    let auth = format!("http://keystone.{DOMAIN}/v3");
    let arguments = [
        "--os-auth-type",
        "token",
        "--os-token",
        &token,
        "--os-auth-url",
        &auth,
        "--os-project-name",
        "admin",
        "--os-project-domain-name",
        "Default",
        "token",
        "issue",
        "-f",
        "value",
        "-c",
        "project_id",
    ];
    let answer = landfall.openstack(&arguments).ended(0)?;
    check(!answer.stdout.trim().is_empty(), || answer.stderr.clone())
}

/// Two API pods instead of one: Keystone alone gets a new revision.
pub fn changed_value(world: &mut World) -> Outcome {
    let file = world.landfall.home.join("two.yaml");
    std::fs::write(&file, "spec: {overrides: {keystone: {pod: {replicas: {api: 2}}}}}\n")
        .map_err(|error| error.to_string())?;
    let path = file.display().to_string();
    world.up(&["-f", &path]).ended(0)?;
    let deployment = world.landfall.get(&["deployment", "keystone-api", "-n", "openstack"])?;
    check(deployment["status"]["readyReplicas"] == 2, || deployment["status"].to_string())?;
    let revisions = world.landfall.run(&["status", "-o", "json"]).ended(0)?;
    let rows: serde_json::Value =
        serde_json::from_str(&revisions.stdout).map_err(|error| error.to_string())?;
    for row in rows.as_array().into_iter().flatten() {
        let expected = if row["service"] == "keystone" { 2 } else { 1 };
        check(row["revision"] == expected, || format!("revision of {row}"))?;
    }
    // Back to what the other scenarios expect.
    world.up(&[]).ended(0).map(drop)
}

pub fn down_and_up(world: &mut World) -> Outcome {
    let down = world.landfall.run(&["down", "--yes"]).ended(0)?;
    check(down.stderr.contains("kept"), || down.stderr.clone())?;
    world.up(&[]).ended(0)?;
    let kept =
        world.landfall.openstack(&["project", "show", "kept", "-f", "value", "-c", "name"]).ended(0)?;
    check(kept.stdout.trim() == "kept", || kept.stdout.clone())?;
    world.verified()
}

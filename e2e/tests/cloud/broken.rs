//! Broken starts: each is told with its cause and remedy soon after the cluster shows it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use landfall_e2e::{Outcome, check};
use serde_json::Value;

use crate::cloud_world::{DOMAIN, World};

/// A start that cannot succeed: how it is broken and mended, and what must be told.
struct Broken<'a> {
    /// The cloud file of the start.
    file: &'a str,
    service: &'a str,
    code: &'a str,
    /// Words of which each must be in the causes.
    says: &'a [&'a str],
}

/// Runs the start and reads its events until the failure.
fn told(world: &World, broken: &Broken<'_>) -> Outcome {
    let file = world.landfall.home.join("broken.yaml");
    std::fs::write(&file, broken.file).map_err(|error| error.to_string())?;
    let local = format!("--local={}", world.landfall.cluster);
    let path = file.display().to_string();
    let began = Instant::now();
    let mut child = world
        .landfall
        .command(&["up", broken.service, &local, "--domain", DOMAIN, "--yes", "-o", "json", "-f", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut failure = None;
    let lines = child.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
    for line in lines.map_while(Result::ok) {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] == "step-waiting" {
            eprintln!("{:>7} ms {}: {}", event["elapsed_ms"], event["step"], event["causes"]);
        }
        if event["event"] == "step-failed" && failure.is_none() {
            eprintln!("told after {:.1?}: {}", began.elapsed(), event["failure"]);
            failure = Some(event["failure"].clone());
        }
    }
    let code = child.wait().map_err(|error| error.to_string())?.code();
    let failure = failure.ok_or_else(|| format!("no step failed; the program ended with {code:?}"))?;
    check(code == Some(10), || format!("exit code {code:?}"))?;
    check(failure["code"] == broken.code, || format!("expected {}: {failure:#}", broken.code))?;
    let causes = failure["causes"].to_string();
    for word in broken.says {
        check(causes.contains(word), || format!("{word:?} is not told: {failure:#}"))?;
    }
    check(failure["remedy"]["en"] != "" && failure["remedy"]["ko"] != "", || {
        format!("no remedy: {failure:#}")
    })
}

fn clean(world: &World) -> Outcome {
    world.landfall.run(&["down", "--volumes", "--yes"]).ended(0).map(drop)
}

pub fn image_missing(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {images: {tags: {memcached: 'localhost/landfall/memcached:absent'}}}}}\n",
            service: "memcached",
            code: "image-missing",
            says: &["localhost/landfall/memcached:absent"],
        },
    )
}

pub fn no_storage_class(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {storage: {class: not-there}}\n",
            service: "mariadb",
            code: "volume-unbound",
            says: &["mysql-data", "not-there"],
        },
    )
}

/// The pods want a label that no node has.
pub fn label_missing(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {labels: {server: {node_selector_key: openstack-absent}}}}}\n",
            service: "memcached",
            code: "unschedulable",
            says: &["openstack-absent"],
        },
    )
}

/// The database's administrator has another password than the Secret says.
pub fn wrong_password(world: &mut World) -> Outcome {
    clean(world)?;
    world.up(&["keystone"]).ended(0)?;
    let sql = "ALTER USER 'root'@'%' IDENTIFIED BY 'another';";
    let ask = format!("mariadb --socket=/run/mysqld/mysqld.sock --user=mysql -e \"{sql}\"");
    world
        .landfall
        .kubectl(&[
            "-n",
            "openstack",
            "exec",
            "mariadb-server-0",
            "-c",
            "mariadb",
            "--",
            "/bin/sh",
            "-c",
            &ask,
        ])
        .ended(0)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {keystone: {conf: {keystone: {DEFAULT: {debug: true}}}}}}\n",
            service: "keystone",
            code: "database-access-denied",
            says: &["Access denied"],
        },
    )
}

pub fn too_little_cpu(world: &mut World) -> Outcome {
    clean(world)?;
    told(
        world,
        &Broken {
            file: "spec: {overrides: {memcached: {pod: {resources: {enabled: true, memcached: {requests: {cpu: '64', memory: 64Mi}}}}}}}\n",
            service: "memcached",
            code: "unschedulable",
            says: &["cpu"],
        },
    )
}

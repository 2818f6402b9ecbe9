//! The embedded cluster: made, killed, brought back with its data, removed without a trace.

#[path = "node/images.rs"]
mod images;

use std::process::ExitCode;

use landfall_e2e::{Host, Landfall, Outcome, Scenario, check, main_in};

struct World {
    landfall: Landfall,
    before: Host,
    /// The cache's layers as the nodes found them.
    layers: Option<images::Layers>,
}

const NODES: &str = "4";

fn main() -> ExitCode {
    main_in(
        begin,
        &[
            Scenario { name: "four_nodes_become_ready", run: four_nodes_become_ready },
            Scenario { name: "a_service_is_reached_across_nodes", run: a_service_is_reached_across_nodes },
            Scenario {
                name: "pods_write_to_their_image_and_no_layer_changes",
                run: images::pods_write_to_their_image_and_no_layer_changes,
            },
            Scenario {
                name: "nothing_of_the_api_is_open_to_anonymous_requests",
                run: anonymous_requests_are_refused,
            },
            Scenario { name: "up_again_changes_nothing", run: up_again_changes_nothing },
            Scenario { name: "a_killed_node_comes_back_with_its_data", run: a_killed_node_comes_back },
            Scenario { name: "down_leaves_the_host_as_it_was", run: down_leaves_the_host_as_it_was },
            Scenario {
                name: "a_killed_preparation_leaves_nothing_that_counts",
                run: images::a_killed_preparation_leaves_nothing_that_counts,
            },
        ],
        drop,
    )
}

fn begin() -> Result<World, String> {
    let landfall = Landfall::new("node-test")?;
    // Leftovers of a run that was killed are to be expected.
    let _ = landfall.run(&["local", "down", "--name", "node-test", "--yes"]);
    let before = Host::now();
    Ok(World { landfall, before, layers: None })
}

fn up(world: &World) -> Result<landfall_e2e::Ran, String> {
    let arguments =
        ["local", "up", "--name", "node-test", "--nodes", NODES, "--subnet", "10.90.0.0/24", "--yes"];
    world.landfall.run(&arguments).ended(0)
}

fn four_nodes_become_ready(world: &mut World) -> Outcome {
    up(world)?;
    let nodes = world.landfall.get(&["nodes"])?;
    let ready = nodes["items"].as_array().into_iter().flatten().filter(|node| {
        let conditions = node["status"]["conditions"].as_array();
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    });
    let names: Vec<_> = ready.filter_map(|node| node["metadata"]["name"].as_str()).collect();
    check(names == ["k1", "k2", "k3", "k4"], || format!("Ready nodes: {names:?}"))?;
    if world.layers.is_none() {
        world.layers = Some(images::layers_of_nodes(world)?);
    }
    Ok(())
}

/// nginx on one node, asked by the name of its Service from another.
fn a_service_is_reached_across_nodes(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    let image = "localhost/landfall/ingress-nginx:latest";
    let pod = |name: &str, node: &str, command: &str| {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [{
                "name": name, "image": image, "imagePullPolicy": "Never",
                "command": ["/bin/sh", "-c", command], "securityContext": {"runAsUser": 0}}]}
        })
    };
    let serve = "printf 'pid /tmp/p; events {} http { access_log off; server { listen 8080; return 200 across; } }' > /tmp/c && exec nginx -c /tmp/c -g 'daemon off;'";
    let objects = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [
        pod("server", "k3", serve),
        pod("client", "k2", "sleep infinity"),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "server"},
         "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]}},
    ]});
    landfall.apply(&objects)?;
    landfall
        .kubectl(&["wait", "--for=condition=Ready", "pod/server", "pod/client", "--timeout=60s"])
        .ended(0)?;
    // bash speaks TCP by itself; the name is resolved by the cluster's DNS.
    let ask = "for i in 1 2 3 4 5; do exec 3<>/dev/tcp/server.default.svc.cluster.local/80 && break; done; \
               printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let answer = landfall.kubectl(&["exec", "client", "--", "/bin/bash", "-c", ask]).ended(0)?;
    check(answer.stdout.ends_with("across"), || format!("answer: {:?}", answer.stdout))
}

fn anonymous_requests_are_refused(world: &mut World) -> Outcome {
    let ask = "printf 'GET /api/v1/namespaces HTTP/1.0\\r\\n\\r\\n' | \
               openssl s_client -quiet -connect 10.90.0.11:6443 2>/dev/null";
    let arguments = ["local", "shell", "--name", "node-test", "k1", "--", "/bin/sh", "-c", ask];
    let answer = landfall_e2e::ran(world.landfall.command(&arguments));
    check(answer.stdout.starts_with("HTTP/1.0 401"), || format!("{}{}", answer.stdout, answer.stderr))
}

fn up_again_changes_nothing(world: &mut World) -> Outcome {
    let pids = |world: &World| {
        world.landfall.run(&["local", "status", "--name", "node-test", "-o", "json"]).ended(0)
    };
    let pids_of = |text: &str| -> Result<Vec<u64>, String> {
        let status: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(status["nodes"].as_array().into_iter().flatten().filter_map(|node| node["pid"].as_u64()).collect())
    };
    let before = pids_of(&pids(world)?.stdout)?;
    up(world)?;
    let after = pids_of(&pids(world)?.stdout)?;
    check(before.len() == 4 && before == after, || {
        format!("first processes before {before:?}, after {after:?}")
    })
}

fn a_killed_node_comes_back(world: &mut World) -> Outcome {
    let landfall = &world.landfall;
    landfall.kubectl(&["create", "configmap", "kept", "--from-literal=word=still-here"]).ended(0)?;
    let status = landfall.run(&["local", "status", "--name", "node-test", "-o", "json"]).ended(0)?;
    let status: serde_json::Value =
        serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let pid = status["nodes"][0]["pid"].as_u64().ok_or("k1 has no process")?;
    landfall_e2e::kill(pid)?;
    up(world)?;
    let kept = world.landfall.get(&["configmap", "kept"])?;
    check(kept["data"]["word"] == "still-here", || format!("after the kill: {kept}"))?;
    four_nodes_become_ready(world)
}

fn down_leaves_the_host_as_it_was(world: &mut World) -> Outcome {
    world.landfall.run(&["local", "down", "--name", "node-test", "--yes"]).ended(0)?;
    check(Host::firewall_is_seen(), || "nft is not there or not allowed to list rules".to_owned())?;
    let differences = world.before.differences(&Host::now());
    check(differences.is_empty(), || differences.join("\n"))?;
    match &world.layers {
        Some(layers) => images::still_there(layers),
        None => Ok(()),
    }
}

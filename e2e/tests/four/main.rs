//! The guide's cloud on four nodes, and the loss of one of them. Minutes long: part of the longer run.

mod servers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use landfall_e2e::{Outcome, Scenario, Server, Servers, Watch, World, check, kill, main_in, memory_of};
use serde_json::Value;

/// How long the API may be away after a node was lost: the cluster needs 40 s to see it, pods go after 30 s more.
const BACK_WITHIN: Duration = Duration::from_mins(6);

struct Four {
    world: World,
    /// Of k2 and of k3, and from where they are pinged.
    servers: Option<(Servers, Watch, Server, Server)>,
}

impl Four {
    fn servers(&self) -> Result<(&Servers, &Watch, &Server, &Server), String> {
        let (servers, watch, first, second) = self.servers.as_ref().ok_or("there are no servers")?;
        Ok((servers, watch, first, second))
    }
}

fn main() -> ExitCode {
    main_in(
        || World::new("four", "10.90.2.0/24", "4", &[]).map(|world| Four { world, servers: None }),
        &[
            Scenario { name: "from_nothing_to_thirteen_check_points_on_four_nodes", run: from_nothing },
            Scenario { name: "every_node_has_its_agents", run: agents_everywhere },
            Scenario { name: "the_whole_proof_holds_with_a_server_that_moves", run: proof_holds },
            Scenario {
                name: "servers_on_two_computes_talk_through_the_tunnel",
                run: servers::through_the_tunnel,
            },
            Scenario { name: "a_rolling_change_of_nova_loses_no_ping", run: servers::rolling_change },
            Scenario {
                name: "a_switch_started_anew_carries_its_servers_again",
                run: servers::switch_restarted,
            },
            Scenario { name: "a_lost_node_is_told_and_the_api_answers", run: node_lost },
            Scenario { name: "the_node_back_all_check_points_hold", run: node_back },
        ],
        |four| four.world.remove(),
    )
}

fn from_nothing(four: &mut Four) -> Outcome {
    let world = &four.world;
    let cluster = world.cluster()?;
    let up = world.up(&["--nodes", "4"]).ended(0)?;
    eprintln!("{}", up.stderr);
    let checks = world.verified()?;
    let ports = checks.iter().find(|check| check["id"] == "neutron/ports").ok_or("no check of ports")?;
    let evidence = ports["evidence"].as_str().unwrap_or_default().to_owned();
    eprintln!(
        "local up {:.1?}, up {:.1?}, memory of all processes (PSS) {} MiB; ports: {evidence}",
        cluster.took,
        up.took,
        memory_of(&world.landfall)? >> 20
    );
    let nodes = ["k1", "k2", "k3", "k4"].iter().filter(|node| evidence.contains(**node)).count();
    check(nodes >= 2, || format!("the ports were on {nodes} node(s): {evidence}"))
}

fn agents(world: &World) -> Result<Vec<Value>, String> {
    let list = world.landfall.openstack(&["network", "agent", "list", "-f", "json"]).ended(0)?;
    let agents: Value = serde_json::from_str(&list.stdout).map_err(|error| error.to_string())?;
    Ok(agents.as_array().cloned().unwrap_or_default())
}

fn agents_everywhere(four: &mut Four) -> Outcome {
    let world = &four.world;
    let agents = agents(world)?;
    for node in ["k1", "k2", "k3", "k4"] {
        let here: Vec<&Value> =
            agents.iter().filter(|agent| agent["Host"] == node && agent["Alive"] == true).collect();
        check(here.len() >= 4, || format!("{node} has {here:#?}"))?;
    }
    Ok(())
}

/// All of it, and what one node can not show: a server that another compute takes over.
fn proof_holds(four: &mut Four) -> Outcome {
    let proof = four.world.landfall.run(&["verify", "--full", "-o", "json"]);
    let rows: Value = serde_json::from_str(&proof.stdout)
        .map_err(|error| format!("{error}: {}{}", proof.stdout, proof.stderr))?;
    let rows = rows.as_array().cloned().unwrap_or_default();
    let wrong: Vec<&Value> = rows.iter().filter(|row| row["state"] != "passed").collect();
    check(proof.code == 0 && rows.len() > 30 && wrong.is_empty(), || {
        format!("exit code {}: {wrong:#?}\n{}", proof.code, proof.stderr)
    })?;
    let moved = rows.iter().find(|row| row["id"] == "proof/migration").ok_or("no step of moving a server")?;
    eprintln!("the proof took {:.1?}: {} steps; {}", proof.took, rows.len(), moved["evidence"]);
    Ok(())
}

fn first_process(world: &World, node: &str) -> Result<u64, String> {
    let status =
        world.landfall.run(&["local", "status", "--name", &world.landfall.cluster, "-o", "json"]).ended(0)?;
    let status: Value = serde_json::from_str(&status.stdout).map_err(|error| error.to_string())?;
    let nodes = status["nodes"].as_array().into_iter().flatten();
    let pid = nodes.filter(|item| item["name"] == node).find_map(|item| item["pid"].as_u64());
    pid.ok_or_else(|| format!("{node} has no process: {status}"))
}

/// k3 goes without a word. The cluster tells that, Landfall why, and the API stays or comes back alone.
fn node_lost(four: &mut Four) -> Outcome {
    let world = &four.world;
    kill(first_process(world, "k3")?)?;
    let began = Instant::now();
    world
        .landfall
        .kubectl(&["wait", "--for=condition=Ready=Unknown", "node/k3", "--timeout=180s"])
        .ended(0)?;
    eprintln!("the cluster shows the loss after {:.0?}", began.elapsed());
    let doctor = world.landfall.run(&["doctor", "-o", "json"]);
    check(doctor.code != 0 && doctor.stdout.contains("k3"), || {
        format!("exit code {}: {}{}", doctor.code, doctor.stdout, doctor.stderr)
    })?;
    let why = world.landfall.run(&["why", "node/k3"]);
    check(why.stdout.contains("k3"), || format!("{}{}", why.stdout, why.stderr))?;
    // Of each service a pod may have been on the lost node: it stays, or comes back by itself.
    for asked in
        [&["token", "issue"][..], &["image", "list"], &["server", "list"], &["network", "agent", "list"]]
    {
        loop {
            let answer = world.landfall.openstack(asked);
            if answer.code == 0 {
                break;
            }
            check(began.elapsed() < BACK_WITHIN, || {
                format!("{asked:?}: no answer {BACK_WITHIN:?} after the loss: {}", answer.stderr)
            })?;
        }
        eprintln!("{asked:?} is answered {:.0?} after the loss", began.elapsed());
    }
    servers::told_as_lost(four)
}

fn node_back(four: &mut Four) -> Outcome {
    let world = &four.world;
    let began = Instant::now();
    world.cluster()?;
    world.landfall.kubectl(&["wait", "--for=condition=Ready", "node/k3", "--timeout=180s"]).ended(0)?;
    loop {
        match world.verified() {
            Ok(_) => break,
            Err(why) => check(began.elapsed() < BACK_WITHIN, || why.clone())?,
        }
    }
    eprintln!("all check points hold {:.0?} after the node was brought back", began.elapsed());
    agents_everywhere(four)?;
    servers::back(four)
}

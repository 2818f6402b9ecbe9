//! Servers on two computes: through the tunnel, through changes, and through the loss of one.

use std::time::{Duration, Instant};

use landfall_e2e::{Outcome, Pings, Servers, Watch, check};

use crate::{BACK_WITHIN, Four};

const NAME: &str = "landfall-four";
/// Under emulation a guest takes its time.
const BOOT: Duration = Duration::from_mins(5);
/// Flows and ports after a switch was started anew.
const HEALED: Duration = Duration::from_mins(2);

/// One on k2, one on k3; the second is served by the first, across the two nodes.
pub fn through_the_tunnel(four: &mut Four) -> Outcome {
    let landfall = four.world.landfall.clone();
    let servers = Servers::prepared(&landfall, NAME, "192.0.2.0/24")?;
    let watch = Watch::from(&landfall, &servers, "k1")?;
    let first = servers.server(&format!("{NAME}-k2"), Some("k2"), "word=first\n")?;
    watch.answers(&first.address, BOOT)?;
    let user_data = format!("word=second\npeer={}\n", first.address);
    let second = servers.server(&format!("{NAME}-k3"), Some("k3"), &user_data)?;
    watch.answers(&second.address, BOOT)?;
    let wanted = format!("landfall: peer {} serves landfall {} first", first.address, first.id);
    let began = Instant::now();
    let log = loop {
        let log = servers.console(&second)?;
        if log.contains(&wanted) || began.elapsed() > BOOT {
            break log;
        }
    };
    check(log.contains(&wanted), || format!("{wanted:?} is not in {log}"))?;
    eprintln!("{} on k3: {wanted}", second.name);
    four.servers = Some((servers, watch, first, second));
    Ok(())
}

/// Nova's scheduler gets another value: its services roll, the computes do not, and no server misses a ping.
pub fn rolling_change(four: &mut Four) -> Outcome {
    let (servers, watch, first, second) = four.servers()?;
    let computes = || {
        let pods = four.world.landfall.get(&[
            "pods",
            "-n",
            "openstack",
            "-l",
            "application=nova,component=compute",
        ])?;
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        Ok::<_, String>(pods.iter().map(|pod| pod["metadata"]["uid"].clone()).collect::<Vec<_>>())
    };
    let before = computes()?;
    let pings = [watch.begin(&first.address)?, watch.begin(&second.address)?];
    let file = four.world.landfall.home.join("scheduler.yaml");
    std::fs::write(&file, "spec: {overrides: {nova: {conf: {nova: {scheduler: {max_attempts: 5}}}}}}\n")
        .map_err(|error| error.to_string())?;
    let up = four.world.up(&["--nodes", "4", "-f", &file.display().to_string()]).ended(0)?;
    let counts = pings.into_iter().map(Pings::end).collect::<Result<Vec<_>, _>>()?;
    check(up.stderr.contains("nova"), || up.stderr.clone())?;
    let conf = "grep -h max_attempts /etc/nova/nova.conf /etc/nova/nova.conf.d/* 2>/dev/null";
    let scheduler = ["-n", "openstack", "exec", "deployment/nova-scheduler", "--", "sh", "-c", conf];
    let told = four.world.landfall.kubectl(&scheduler);
    check(told.stdout.contains('5'), || format!("the scheduler has {}{}", told.stdout, told.stderr))?;
    eprintln!("the change took {:.1?}; pings lost: {counts:?}", up.took);
    check(computes()? == before, || "a compute was started anew".to_owned())?;
    for server in [first, second] {
        servers.active(server)?;
    }
    check(counts.iter().all(|count| count.lost() == 0), || format!("pings were lost: {counts:?}"))
}

/// The switch of k2 is started anew: what it knew of ports and flows comes back without a hand.
pub fn switch_restarted(four: &mut Four) -> Outcome {
    let (servers, watch, first, _) = four.servers()?;
    let pings = watch.begin(&first.address)?;
    let node = "spec.nodeName=k2";
    let landfall = &four.world.landfall;
    landfall
        .kubectl(&[
            "-n",
            "openstack",
            "delete",
            "pod",
            "-l",
            "application=openvswitch",
            "--field-selector",
            node,
        ])
        .ended(0)?;
    landfall
        .kubectl(&["-n", "openstack", "rollout", "status", "daemonset/openvswitch", "--timeout=180s"])
        .ended(0)?;
    watch.answers(&first.address, HEALED)?;
    let count = pings.end()?;
    eprintln!("the switch of k2 started anew: {} of {} pings lost", count.lost(), count.sent);
    servers.booted_once(first)?;
    four.world.verified().map(drop)
}

/// What is said of the lost node's server, while the other one answers.
pub fn told_as_lost(four: &Four) -> Outcome {
    let (servers, watch, first, second) = four.servers()?;
    watch.answers(&first.address, HEALED)?;
    let began = Instant::now();
    loop {
        let services = servers.cloud(&["compute", "service", "list", "--host", "k3"])?;
        let state = &services[0]["State"];
        if state == "down" {
            break;
        }
        check(began.elapsed() < BACK_WITHIN, || format!("nova-compute on k3 is {state}"))?;
    }
    let verify = four.world.landfall.run(&["verify", "nova", "--patience", "5"]);
    let wanted = format!("nova-compute on k3 has stopped reporting; server {} is on it", second.name);
    check(verify.code != 0 && verify.stdout.contains(&wanted), || {
        format!("{wanted:?} is not told: {}{}", verify.stdout, verify.stderr)
    })?;
    eprintln!("told: {wanted}");
    Ok(())
}

/// The lost node's server runs again, and its port answers.
pub fn back(four: &Four) -> Outcome {
    let (servers, watch, first, second) = four.servers()?;
    let began = Instant::now();
    watch.answers(&second.address, BOOT)?;
    eprintln!("{} answers {:.0?} after all check points held", second.name, began.elapsed());
    watch.answers(&first.address, HEALED)?;
    servers.booted_once(first)?;
    for server in [first, second] {
        servers.active(server)?;
    }
    servers.remove()
}

//! The switch: told what it must know before it starts, watched over, and given its bridges once it runs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::state::{self, Datapath, State};
use super::tunnel::{self, Plan, Wish};
use super::{guests, links, tool, vsctl};
use crate::child;
use crate::pod::{self, Error, Result, say};

/// The database's container starts beside this one.
const DATABASE: Duration = Duration::from_mins(2);
const TRY: Duration = Duration::from_millis(100);
/// The kernel's datapath outlives the switch, and its ports with it.
const KERNEL_GENERATION: &str = "kernel";

pub async fn run() -> Result<u8> {
    let dir = state::dir();
    let Some(state) = State::read(&dir)? else {
        return Err(Error::Failed("the datapath is not decided: `openvswitch datapath` comes first".into()));
    };
    let mut term = signal(SignalKind::terminate()).map_err(Error::io("cannot listen to signals"))?;
    let child = tokio::select! {
        child = start(&dir, &state) => child?,
        _ = term.recv() => return Ok(0),
    };
    let set_up = async {
        bring_up(&dir, &state).await?;
        match state.datapath {
            Datapath::System => Ok(()),
            Datapath::Netdev => guests::keep_up(&dir).await,
        }
    };
    let ended = child::watch(child, term, "ovs-vswitchd", set_up).await?;
    Ok(child::code(ended))
}

/// Everything that it must find in its database when it starts.
async fn start(dir: &Path, state: &State) -> Result<Child> {
    let at = |name: &str| dir.join(name).display().to_string();
    let socket = at("db.sock");
    let answers = async {
        while UnixStream::connect(&socket).await.is_err() {
            sleep(TRY).await;
        }
    };
    timeout(DATABASE, answers).await.map_err(|_| {
        Error::Failed(format!("nobody listens at {socket}: see the container openvswitch-db of this pod"))
    })?;
    vsctl(&["--no-wait", "init"]).await?;
    let node = pod::var("NODE_NAME").unwrap_or_else(pod::name);
    let mut words: Vec<String> = ["--no-wait", "set", "Open_vSwitch", "."].map(str::to_owned).to_vec();
    words.push(format!("external_ids:system-id={}", quoted(&node)));
    words.push(format!("external_ids:hostname={}", quoted(&node)));
    words.push(format!("external_ids:landfall-datapath={}", state.datapath.word()));
    words.push(format!("external_ids:landfall-datapath-reason={}", quoted(&state.why)));
    // Without it guests' TCP is dropped in user space: their checksums are never made whole.
    words.push(format!("other_config:userspace-tso-enable={}", state.datapath == Datapath::Netdev));
    let more = settings()?;
    words.extend(more.iter().map(|(key, value)| format!("other_config:{key}={}", quoted(value))));
    vsctl(&words).await?;
    // Bridges of an earlier start may have been of the other kind.
    for bridge in vsctl(&["--no-wait", "list-br"]).await?.lines() {
        let kind = format!("datapath_type={}", state.datapath.word());
        vsctl(&["--no-wait", "set", "bridge", bridge, &kind]).await?;
    }
    Command::new("ovs-vswitchd")
        .arg(format!("unix:{socket}"))
        .arg(format!("--pidfile={}", at("ovs-vswitchd.pid")))
        .arg(format!("--unixctl={}", at("ovs-vswitchd.ctl")))
        .args(["-vconsole:info", "-vfile:off", "-vsyslog:off"])
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io("cannot run ovs-vswitchd"))
}

/// Bridges and the tunnels' address; after it, and not before, the state says that the switch is ready.
async fn bring_up(dir: &Path, state: &State) -> Result<()> {
    let kind = format!("datapath_type={}", state.datapath.word());
    for (bridge, port) in bridges()? {
        make_bridge(&bridge, port.as_deref(), &kind).await?;
    }
    for (bridge, address) in addresses()? {
        tool::run("ip", &["address", "replace", &address, "dev", &bridge]).await?;
    }
    let wish = wish()?;
    let plan = tunnel::plan(state.datapath, &wish, &links().await?)?;
    carry_out(&plan, &kind).await?;
    let tunnel = plan.tunnel;
    say(&format!(
        "tunnels end at {} on {}{}{}",
        tunnel.address,
        tunnel.device,
        if tunnel.note.is_empty() { "" } else { "; " },
        tunnel.note
    ));
    let generation = match state.datapath {
        Datapath::System => KERNEL_GENERATION.to_owned(),
        Datapath::Netdev => format!("{:016x}", rand::random::<u64>()),
    };
    vsctl(&[
        "set",
        "Open_vSwitch",
        ".",
        &format!("external_ids:landfall-tunnel={}", quoted(&format!("{} {}", tunnel.device, tunnel.address))),
        &format!("external_ids:landfall-generation={}", quoted(&generation)),
    ])
    .await?;
    State { tunnel: Some(tunnel), generation, ..state.clone() }.write(dir)?;
    say(&format!("the switch is ready: datapath {}", state.datapath.word()));
    Ok(())
}

async fn make_bridge(bridge: &str, port: Option<&str>, kind: &str) -> Result<()> {
    vsctl(&["--may-exist", "add-br", bridge, "--", "set", "bridge", bridge, kind]).await?;
    tool::run("ip", &["link", "set", bridge, "up"]).await?;
    if let Some(port) = port {
        vsctl(&["--may-exist", "add-port", bridge, port]).await?;
        tool::run("ip", &["link", "set", port, "up"]).await?;
    }
    Ok(())
}

async fn carry_out(plan: &Plan, kind: &str) -> Result<()> {
    if let Some((bridge, link)) = &plan.port {
        make_bridge(bridge, Some(link), kind).await?;
    }
    let device = plan.tunnel.device.as_str();
    for (address, prefix) in &plan.add {
        tool::run("ip", &["address", "replace", &format!("{address}/{prefix}"), "dev", device]).await?;
    }
    if let Some((_, link)) = &plan.port {
        for (address, prefix) in &plan.remove {
            tool::run("ip", &["address", "del", &format!("{address}/{prefix}"), "dev", link]).await?;
        }
    } else if !plan.add.is_empty() {
        tool::run("ip", &["link", "set", device, "up"]).await?;
    }
    Ok(())
}

fn wish() -> Result<Wish> {
    let node = pod::var("NODE_ADDRESS").and_then(|address| address.parse().ok()).ok_or_else(|| {
        Error::MissingVariable {
            variable: "NODE_ADDRESS".into(),
            hint: "the node's IPv4 address (status.hostIP)",
        }
    })?;
    Ok(Wish {
        link: pod::var("TUNNEL_INTERFACE"),
        bridge: pod::var("TUNNEL_BRIDGE").unwrap_or_else(|| "br-phy".into()),
        network: pod::var("TUNNEL_NETWORK").and_then(|text| tunnel::network(&text)),
        node,
    })
}

/// `BRIDGES`: an object of bridge names, each with a port or null, as upstream's `auto_bridge_add`.
fn bridges() -> Result<Vec<(String, Option<String>)>> {
    let given = object("BRIDGES")?;
    Ok(given
        .into_iter()
        .map(|(bridge, port)| (bridge, port.as_str().filter(|port| !port.is_empty()).map(str::to_owned)))
        .collect())
}

/// `BRIDGE_ADDRESSES`: an object of bridge names, each with its address and the length of its network.
fn addresses() -> Result<Vec<(String, String)>> {
    let given = object("BRIDGE_ADDRESSES")?;
    let text = |(bridge, address): (String, Value)| Some((bridge, address.as_str()?.to_owned()));
    Ok(given.into_iter().filter_map(text).collect())
}

/// `OTHER_CONFIG`: an object of settings; null is left out.
fn settings() -> Result<Vec<(String, String)>> {
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(object("OTHER_CONFIG")?.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect())
}

fn object(variable: &str) -> Result<Map<String, Value>> {
    let Some(value) = pod::var(variable) else { return Ok(Map::new()) };
    serde_json::from_str(&value).map_err(|_| Error::BadVariable {
        variable: variable.to_owned(),
        value,
        wanted: "a JSON object",
    })
}

/// As a string of the database, whatever is in it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

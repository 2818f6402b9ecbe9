//! A port of Neutron's made real for the check of the cloud's networks, where no server runs yet: an internal port of
//! the switch in a network namespace of its own, which asks for its address as a guest does.

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;

use clap::Subcommand;
use serde::Serialize;

use crate::openvswitch::{tool, vsctl};
use crate::pod::{Error, Result};

/// Names of namespaces begin so, with the check's own word after it.
const PREFIX: &str = "landfall-check-";
const BRIDGE: &str = "br-int";
/// How often DHCP is asked, a second each: the agents wire a new port within some of them.
const ASKED: &str = "25";

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Make the port and ask for its address
    Plug {
        /// Word of the check that it belongs to, and its number in it
        #[arg(long)]
        name: String,
        /// The port's id in Neutron
        #[arg(long)]
        id: String,
        #[arg(long)]
        mac: String,
        #[arg(long)]
        mtu: u32,
    },
    /// Ping addresses from it
    Ping {
        #[arg(long)]
        name: String,
        #[arg(required = true)]
        addresses: Vec<Ipv4Addr>,
    },
    /// Remove all ports whose names begin with these words
    Unplug {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// What `plug` says, as one line of JSON on stdout.
#[derive(Debug, Serialize)]
struct Plugged {
    address: String,
    router: String,
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Plug { name, id, mac, mtu } => plug(&name, &id, &mac, mtu).await,
        Command::Ping { name, addresses } => ping(&name, &addresses).await,
        Command::Unplug { names } => unplug(&names).await,
    }
}

fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Link names have 15 characters at most.
fn device(id: &str) -> String {
    format!("lfc{}", id.chars().take(11).collect::<String>())
}

async fn plug(name: &str, id: &str, mac: &str, mtu: u32) -> Result<u8> {
    let (namespace, device) = (format!("{PREFIX}{name}"), device(id));
    vsctl(&[
        "--may-exist",
        "add-port",
        BRIDGE,
        &device,
        "--",
        "set",
        "Interface",
        &device,
        "type=internal",
        &format!("external_ids:iface-id={id}"),
        &format!("external_ids:attached-mac=\"{mac}\""),
        "external_ids:iface-status=active",
        &format!("external_ids:landfall-check={name}"),
    ])
    .await?;
    tool("ip", &["netns", "add", &namespace]).await?;
    tool("ip", &["link", "set", &device, "netns", &namespace]).await?;
    tool("ip", &["-n", &namespace, "link", "set", "lo", "up"]).await?;
    let mtu = mtu.to_string();
    tool("ip", &["-n", &namespace, "link", "set", &device, "address", mac, "mtu", &mtu, "up"]).await?;
    let plugged = ask(&namespace, &device).await?;
    tool("ip", &["-n", &namespace, "address", "replace", &plugged.address, "dev", &device]).await?;
    if !plugged.router.is_empty() {
        tool("ip", &["-n", &namespace, "route", "replace", "default", "via", &plugged.router]).await?;
    }
    print(&serde_json::to_string(&plugged).unwrap_or_default());
    Ok(0)
}

/// Asks by busybox' client, whose script only says what it was given.
async fn ask(namespace: &str, device: &str) -> Result<Plugged> {
    let script = std::env::temp_dir().join(format!("{namespace}.sh"));
    let text = "#!/bin/sh\n[ \"$1\" != bound ] || echo \"lease $ip/$mask $router\"\n";
    fs::write(&script, text)
        .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
        .map_err(Error::io(format!("cannot write {}", script.display())))?;
    let path = script.display().to_string();
    let said = tool(
        "ip",
        &[
            "netns", "exec", namespace, "udhcpc", "-i", device, "-f", "-n", "-q", "-t", ASKED, "-T", "1",
            "-s", &path,
        ],
    )
    .await;
    let _ = fs::remove_file(&script);
    let said = said.map_err(|e| Error::Failed(format!("no answer by DHCP: {e}")))?;
    lease(&said).ok_or_else(|| Error::Failed(format!("DHCP gave no address: {said}")))
}

fn lease(said: &str) -> Option<Plugged> {
    let line = said.lines().find_map(|line| line.strip_prefix("lease "))?;
    let mut words = line.split_whitespace();
    let address = words.next().filter(|address| !address.starts_with('/'))?.to_owned();
    Some(Plugged { address, router: words.next().unwrap_or_default().to_owned() })
}

async fn ping(name: &str, addresses: &[Ipv4Addr]) -> Result<u8> {
    let namespace = format!("{PREFIX}{name}");
    for address in addresses {
        let address = address.to_string();
        // The first may be lost while a neighbour is still looked for.
        let words =
            ["netns", "exec", &namespace, "ping", "-n", "-q", "-i", "0.2", "-c", "5", "-w", "8", &address];
        let said = tool("ip", &words).await?;
        let sum = said.lines().filter(|line| line.contains("received") || line.starts_with("rtt"));
        print(&format!("{address}: {}", sum.collect::<Vec<_>>().join("; ")));
    }
    Ok(0)
}

async fn unplug(names: &[String]) -> Result<u8> {
    let known =
        vsctl(&["--columns=name,external_ids", "--format=json", "find", "Interface", "type=internal"])
            .await?;
    let all: Vec<(String, String)> = ports(&known);
    let meant = |name: &str| names.iter().any(|wanted| name.starts_with(wanted.as_str()));
    for (port, _) in all.iter().filter(|(_, name)| meant(name)) {
        vsctl(&["--if-exists", "del-port", BRIDGE, port]).await?;
        print(&format!("removed the port {port}"));
    }
    for line in tool("ip", &["netns", "list"]).await?.lines() {
        let namespace = line.split_whitespace().next().unwrap_or_default();
        if namespace.strip_prefix(PREFIX).is_some_and(meant) {
            tool("ip", &["netns", "delete", namespace]).await?;
            print(&format!("removed the namespace {namespace}"));
        }
    }
    Ok(0)
}

/// Port and check of each interface that a check made, from ovs-vsctl's JSON.
fn ports(json: &str) -> Vec<(String, String)> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else { return Vec::new() };
    let rows = value["data"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .filter_map(|row| {
            let pairs = row[1][1].as_array()?;
            let check = pairs.iter().find(|pair| pair[0] == "landfall-check")?[1].as_str()?;
            Some((row[0].as_str()?.to_owned(), check.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lease_is_read_from_among_the_clients_words() {
        let said = "udhcpc: started\nlease 10.7.0.5/24 10.7.0.1\n";
        let read = lease(said).unwrap();
        assert_eq!((read.address.as_str(), read.router.as_str()), ("10.7.0.5/24", "10.7.0.1"));
        assert_eq!(lease("lease 10.7.0.5/24 \n").unwrap().router, "");
        assert!(lease("lease / \n").is_none() && lease("").is_none());
    }

    #[test]
    fn only_ports_of_checks_are_found() {
        let json = r#"{"headings":["name","external_ids"],"data":[
            ["lfc1",["map",[["iface-id","x"],["landfall-check","a-1"]]]],
            ["br-int",["map",[]]],["tap1",["map",[["iface-id","y"]]]]]}"#;
        assert_eq!(ports(json), [("lfc1".to_owned(), "a-1".to_owned())]);
    }

    #[test]
    fn a_link_name_fits_the_kernel() {
        assert_eq!(device("0547905c-ab16-47cc-8d23-658da32ea493"), "lfc0547905c-ab");
    }
}

//! Neutron's check points: its agents as `openstack network agent list` shows them, and two ports that reach each other.

use std::collections::BTreeMap;

use landfall_cluster::api::{Cluster, Gvk};
use landfall_health::ready_by_node;
use landfall_openstack::{Agent, Error, Network};
use serde_json::{Value, json};

use super::Tried;
use super::table::aligned;

/// All that a check makes is called so, with a word of its own after it.
const PREFIX: &str = "landfall-check-";
/// What is older than this was left by a check that was interrupted.
const LEFT_SECONDS: i64 = 90;
const AGENT: &str = "/opt/landfall/bin/landfall-agent";
const CONTAINER: &str = "neutron-ovs-agent";
const SELECTOR: &str = "application=neutron,component=neutron-ovs-agent";
/// A network that nobody routes: none of a cloud's own is touched by it.
const SUBNET: &str = "198.51.100.0/24";

pub(super) async fn agents(network: &Network, wanted: &BTreeMap<String, Vec<String>>) -> Tried {
    match network.agents().await {
        Ok(agents) => judge(agents, wanted),
        Err(error) => Tried::NotYet(error.to_string()),
    }
}

fn judge(mut agents: Vec<Agent>, wanted: &BTreeMap<String, Vec<String>>) -> Tried {
    agents.sort_by(|a, b| (&a.agent_type, &a.host).cmp(&(&b.agent_type, &b.host)));
    let table = table(&agents);
    let mut wrong = Vec::new();
    for (binary, hosts) in wanted {
        for host in hosts {
            match agents.iter().find(|agent| agent.binary == *binary && agent.host == *host) {
                None => wrong.push(format!("{binary} on {host} is not in the list")),
                Some(agent) if !agent.alive => {
                    wrong.push(format!("{binary} on {host} has stopped reporting"));
                }
                Some(agent) if !agent.up => wrong.push(format!("{binary} on {host} was put out of service")),
                Some(_) => {}
            }
        }
    }
    if wrong.is_empty() {
        Tried::Passed(table)
    } else {
        Tried::NotYet(format!("{}\n{table}", wrong.join("; ")))
    }
}

/// The columns that tell something, as the `openstack` command has them.
fn table(agents: &[Agent]) -> String {
    let head = ["Agent Type", "Host", "Alive", "State", "Binary"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(agents.iter().map(|agent| {
            let word = |yes: bool, good: &str, bad: &str| (if yes { good } else { bad }).to_owned();
            [
                agent.agent_type.clone(),
                agent.host.clone(),
                word(agent.alive, ":-)", "XXX"),
                word(agent.up, "UP", "DOWN"),
                agent.binary.clone(),
            ]
        }))
        .collect();
    aligned(&rows)
}

/// Network, subnet and router; a port on each of two nodes (twice on one where there is one); each asks for its
/// address and pings the other and the router. Whatever came of it, all is removed.
pub(super) async fn ports(
    cluster: &dyn Cluster,
    network: &Network,
    namespace: &str,
    nodes: &[String],
) -> Tried {
    let pods = match pods(cluster, namespace).await {
        Ok(pods) => pods,
        Err(tried) => return tried,
    };
    let places = match places(&pods, nodes) {
        Ok(places) => places,
        Err(why) => return Tried::NotYet(why),
    };
    let bench = Bench { cluster, network, namespace, pods: &pods };
    if let Err(error) = bench.remove_left().await {
        return Tried::NotYet(format!("what an earlier check left can not be removed: {error}"));
    }
    let word = format!("{:08x}", rand::random::<u32>());
    let outcome = bench.carry_out(&word, &places).await;
    let removed = bench.remove(&word).await;
    match (outcome, removed) {
        (Ok(seen), Ok(())) => Tried::Passed(seen),
        (Ok(seen), Err(error)) => Tried::NotYet(format!("{seen}; but it can not be removed: {error}")),
        (Err(error), _) => Tried::NotYet(error),
    }
}

/// The switch agents' pods that are ready, by node.
async fn pods(cluster: &dyn Cluster, namespace: &str) -> Result<BTreeMap<String, String>, Tried> {
    let found = cluster
        .list(&Gvk::new("v1", "Pod"), Some(namespace), SELECTOR)
        .await
        .map_err(|error| Tried::NotYet(error.to_string()))?;
    Ok(ready_by_node(&found))
}

/// The nodes of the two ports. A node that can not take part is told of, not passed over.
fn places(pods: &BTreeMap<String, String>, nodes: &[String]) -> Result<[String; 2], String> {
    let missing: Vec<&str> =
        nodes.iter().filter(|node| !pods.contains_key(*node)).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(format!("no ready pod of neutron-ovs-agent on {}", missing.join(", ")));
    }
    match (nodes.first(), nodes.last()) {
        (Some(first), Some(last)) => Ok([first.clone(), last.clone()]),
        _ => Err("there is no node with the label openvswitch=enabled".into()),
    }
}

struct Bench<'a> {
    cluster: &'a dyn Cluster,
    network: &'a Network,
    namespace: &'a str,
    pods: &'a BTreeMap<String, String>,
}

struct Port {
    node: String,
    name: String,
    address: String,
}

impl Bench<'_> {
    async fn carry_out(&self, word: &str, places: &[String; 2]) -> Result<String, String> {
        let told = |error: Error| error.to_string();
        let name = format!("{PREFIX}{word}");
        let made = self.network.create("network", json!({"name": name})).await.map_err(told)?;
        let (id, mtu) = (text(&made, "id"), made["mtu"].as_u64().unwrap_or(1450));
        let subnet = json!({"name": name, "network_id": id, "ip_version": 4, "cidr": SUBNET});
        let subnet = self.network.create("subnet", subnet).await.map_err(told)?;
        let router = self.network.create("router", json!({"name": name})).await.map_err(told)?;
        self.network
            .router_interface(&text(&router, "id"), &text(&subnet, "id"), true)
            .await
            .map_err(told)?;
        let mut wanted = Vec::new();
        for (number, node) in places.iter().enumerate() {
            let body = json!({
                "name": format!("{name}-{number}"),
                "network_id": id,
                "binding:host_id": node,
                "device_owner": "landfall:check",
                // What is proven is the network; rules between groups are the user's.
                "port_security_enabled": false,
            });
            let port = self.network.create("port", body).await.map_err(told)?;
            wanted.push((node.clone(), format!("{word}-{number}"), port));
        }
        let plugged = wanted.iter().map(|(node, name, port)| async move {
            let address = self.plug(node, name, port, mtu).await?;
            Ok::<_, String>(Port { node: node.clone(), name: name.clone(), address })
        });
        let ports = futures::future::try_join_all(plugged).await?;
        let gateway = text(&subnet, "gateway_ip");
        let mut seen = Vec::new();
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = (&ports[from], &ports[to]);
            let said = self.run(&from.node, &["ping", "--name", &from.name, &to.address, &gateway]).await?;
            seen.push(format!(
                "{} on {} (by DHCP) reaches {} on {} and the router {gateway}\n{said}",
                from.address, from.node, to.address, to.node
            ));
        }
        Ok(seen.join("\n"))
    }

    /// Gives the address that DHCP gave; it must be the one that Neutron holds for the port.
    async fn plug(&self, node: &str, name: &str, port: &Value, mtu: u64) -> Result<String, String> {
        let (id, mac) = (text(port, "id"), text(port, "mac_address"));
        let mtu = mtu.to_string();
        let words = ["plug", "--name", name, "--id", &id, "--mac", &mac, "--mtu", &mtu];
        let said = self.run(node, &words).await?;
        let given: Value = serde_json::from_str(said.trim()).map_err(|_| format!("{node}: {said}"))?;
        let given =
            given["address"].as_str().and_then(|address| address.split('/').next()).unwrap_or_default();
        let held = port["fixed_ips"][0]["ip_address"].as_str().unwrap_or_default();
        if given == held {
            Ok(given.to_owned())
        } else {
            Err(format!("{node}: DHCP gave {given}, and Neutron holds {held} for the port"))
        }
    }

    async fn run(&self, node: &str, words: &[&str]) -> Result<String, String> {
        let Some(pod) = self.pods.get(node) else {
            return Err(format!("no pod of neutron-ovs-agent on {node}"));
        };
        let command: Vec<String> =
            [AGENT, "port"].iter().chain(words).map(|word| (*word).to_owned()).collect();
        let output = self
            .cluster
            .exec(self.namespace, pod, CONTAINER, &command, None)
            .await
            .map_err(|error| error.to_string())?;
        if output.code == 0 {
            return Ok(output.stdout.trim().to_owned());
        }
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        Err(format!("{node}: {}", said.trim()))
    }

    /// What a check whose word is this made, on the nodes and in Neutron; as often as wanted.
    async fn remove(&self, word: &str) -> Result<(), String> {
        let words = ["unplug", word];
        let unplugged = self.pods.keys().map(|node| self.run(node, &words));
        futures::future::try_join_all(unplugged).await?;
        self.remove_made(word).await.map_err(|error| error.to_string())
    }

    async fn remove_made(&self, word: &str) -> Result<(), Error> {
        let name = format!("{PREFIX}{word}");
        let query = format!("name={name}");
        let ids = |all: Vec<Value>| all.iter().map(|one| text(one, "id")).collect::<Vec<_>>();
        let networks = ids(self.network.list("network", &query).await?);
        for network in &networks {
            for port in self
                .network
                .list("port", &format!("network_id={network}&device_owner=landfall:check"))
                .await?
            {
                self.network.delete("port", &text(&port, "id")).await?;
            }
        }
        let subnets = ids(self.network.list("subnet", &query).await?);
        for router in ids(self.network.list("router", &query).await?) {
            for subnet in &subnets {
                self.network.router_interface(&router, subnet, false).await?;
            }
            self.network.delete("router", &router).await?;
        }
        // Its ports of DHCP and its subnet go with it.
        for network in &networks {
            self.network.delete("network", network).await?;
        }
        Ok(())
    }

    /// A check that was stopped half-way is cleaned up after by the next.
    async fn remove_left(&self) -> Result<(), String> {
        let told = |error: Error| error.to_string();
        let now = jiff::Timestamp::now();
        let mut words = Vec::new();
        for kind in ["network", "router"] {
            for one in self.network.list(kind, "fields=name&fields=created_at").await.map_err(told)? {
                if let Some(word) = left(&one, now) {
                    words.push(word);
                }
            }
        }
        words.sort();
        words.dedup();
        for word in words {
            self.remove(&word).await?;
        }
        Ok(())
    }
}

/// The word of an earlier check that this was left by.
fn left(one: &Value, now: jiff::Timestamp) -> Option<String> {
    let word = one["name"].as_str()?.strip_prefix(PREFIX)?;
    let age = one["created_at"]
        .as_str()?
        .parse::<jiff::Timestamp>()
        .ok()
        .map(|made| now.as_second() - made.as_second());
    age.is_none_or(|age| age > LEFT_SECONDS).then(|| word.to_owned())
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn agent(binary: &str, host: &str, alive: bool) -> Agent {
        Agent {
            id: format!("{binary}@{host}"),
            agent_type: binary.to_owned(),
            binary: binary.to_owned(),
            host: host.to_owned(),
            availability_zone: None,
            alive,
            up: true,
        }
    }

    fn seen(agents: Vec<Agent>) -> (bool, String) {
        let wanted =
            BTreeMap::from([("neutron-l3-agent".to_owned(), vec!["k1".to_owned(), "k2".to_owned()])]);
        match judge(agents, &wanted) {
            Tried::Passed(text) => (true, text),
            Tried::NotYet(text) | Tried::Never(text) => (false, text),
        }
    }

    #[test]
    fn all_agents_must_be_there_and_alive_on_their_hosts() {
        let (passed, table) =
            seen(vec![agent("neutron-l3-agent", "k2", true), agent("neutron-l3-agent", "k1", true)]);
        assert!(passed);
        insta::assert_snapshot!(table, @"
        Agent Type       | Host | Alive | State | Binary
        neutron-l3-agent | k1   | :-)   | UP    | neutron-l3-agent
        neutron-l3-agent | k2   | :-)   | UP    | neutron-l3-agent
        ");
        let (passed, told) = seen(vec![agent("neutron-l3-agent", "k1", false)]);
        assert!(!passed);
        assert!(told.starts_with(
            "neutron-l3-agent on k1 has stopped reporting; neutron-l3-agent on k2 is not in the list\n"
        ));
    }

    #[test]
    fn ports_are_on_two_nodes_where_there_are_two() {
        let pods: BTreeMap<String, String> =
            ["k1", "k2", "k3"].map(|node| (node.to_owned(), format!("pod-{node}"))).into();
        let nodes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(places(&pods, &nodes(&["k1", "k2", "k3"])).unwrap(), ["k1", "k3"]);
        assert_eq!(places(&pods, &nodes(&["k2"])).unwrap(), ["k2", "k2"]);
        assert!(places(&pods, &nodes(&["k1", "k4"])).unwrap_err().ends_with("on k4"));
        assert!(places(&pods, &[]).is_err());
    }

    #[test]
    fn what_an_earlier_check_left_is_known_by_name_and_age() {
        let now: jiff::Timestamp = "2026-01-01T00:02:00Z".parse().unwrap();
        let one = |name: &str, at: &str| left(&json!({"name": name, "created_at": at}), now);
        assert_eq!(one("landfall-check-ab", "2026-01-01T00:00:00Z").as_deref(), Some("ab"));
        assert_eq!(one("landfall-check-ab", "2026-01-01T00:01:50Z"), None, "it runs this moment");
        assert_eq!(one("mine", "2026-01-01T00:00:00Z"), None);
    }
}

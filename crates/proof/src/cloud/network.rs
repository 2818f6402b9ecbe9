//! Networks: the way outside, the member's own network with its router, security groups.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::pods::L3_AGENT;
use super::{RealCloud, keep, list, text, told};

/// Bridge and physical network of the way outside, as the charts have them.
const BRIDGE: &str = "br-ex";
const PHYSICAL: &str = "external";
/// Of the member's network: for documentation (RFC 5737), so that no real one is hidden.
const SUBNET: &str = "192.0.2.0/24";
/// Where the guest listens: a port that a rule opens, and one that none does.
pub(super) const OPEN: u16 = 8080;
pub(super) const BLOCKED: u16 = 8081;

impl RealCloud {
    /// One that is there; else one on the bridge to the outside, in the network that the bridge has an address of.
    pub(super) async fn external_network(&self) -> Result<String, String> {
        let network = &self.admin.network;
        let there = network.get("/v2.0/networks?router:external=true").await.map_err(told)?;
        let there = list(&there["networks"]);
        let wanted = self.setting.external.as_deref();
        if let Some(found) = there.iter().find(|one| wanted.is_none_or(|name| one["name"] == name)) {
            keep(&self.facts.external, text(&found["id"]));
            return Ok(format!("external network {} was there", text(&found["name"])));
        }
        if let Some(name) = wanted {
            let names: Vec<String> = there.iter().map(|one| text(&one["name"])).collect();
            return Err(format!("there is no external network {name}; there are: {}", names.join(", ")));
        }
        let (address, length) = self.outside_address().await?;
        let name = self.name("external");
        let body = json!({"network": {"name": name, "router:external": true, "shared": false,
            "provider:network_type": "flat", "provider:physical_network": PHYSICAL}});
        let made = network.post("/v2.0/networks", &body).await.map_err(told)?;
        let id = text(&made["network"]["id"]);
        self.traces.namespace(&id);
        let cidr = format!("{}/{length}", network_of(address, length));
        let body = json!({"subnet": {"name": name, "network_id": id, "ip_version": 4, "cidr": cidr,
            "gateway_ip": address.to_string(), "enable_dhcp": false}});
        network.post("/v2.0/subnets", &body).await.map_err(told)?;
        keep(&self.facts.external, id);
        Ok(format!("external network {name} on {PHYSICAL}, {cidr}, gateway {address} on {BRIDGE}"))
    }

    /// The address that nodes of routers have on the bridge to the outside.
    async fn outside_address(&self) -> Result<(Ipv4Addr, u8), String> {
        let pods = self.by_node(L3_AGENT).await?;
        for pod in pods.values() {
            let said =
                self.said(L3_AGENT, pod, &["ip", "-j", "-4", "address", "show", "dev", BRIDGE]).await?;
            if let Some(found) = first_address(&said) {
                return Ok(found);
            }
        }
        Err(format!("{BRIDGE} has no address on {}", pods.into_keys().collect::<Vec<_>>().join(", ")))
    }

    pub(super) async fn network(&self) -> Result<String, String> {
        let api = &self.member()?.network;
        let external = super::known(&self.facts.external)?;
        let name = self.name("");
        let body = json!({"network": {"name": name}});
        let network = api.post("/v2.0/networks", &body).await.map_err(told)?["network"].take();
        let id = text(&network["id"]);
        self.traces.namespace(&id);
        let body = json!({"subnet": {"name": name, "network_id": id, "ip_version": 4, "cidr": SUBNET}});
        let subnet = api.post("/v2.0/subnets", &body).await.map_err(told)?["subnet"].take();
        let body = json!({"router": {"name": name, "external_gateway_info": {"network_id": external}}});
        let router = api.post("/v2.0/routers", &body).await.map_err(told)?["router"].take();
        let router_id = text(&router["id"]);
        self.traces.namespace(&router_id);
        let leg = json!({"subnet_id": subnet["id"]});
        api.put(&format!("/v2.0/routers/{router_id}/add_router_interface"), &leg).await.map_err(told)?;
        let outside: Vec<String> = list(&router["external_gateway_info"]["external_fixed_ips"])
            .iter()
            .map(|ip| text(&ip["ip_address"]))
            .collect();
        keep(&self.facts.network, id.clone());
        keep(&self.facts.router, router_id.clone());
        Ok(format!(
            "network {id} (MTU {}), subnet {SUBNET}, router {router_id} with {} outside",
            network["mtu"],
            if outside.is_empty() { "an address".to_owned() } else { outside.join(", ") }
        ))
    }

    /// Ping and one port are let in, and nothing else.
    pub(super) async fn security_group(&self) -> Result<String, String> {
        let api = &self.member()?.network;
        let body = json!({"security_group": {"name": self.name(""), "description": ""}});
        let made = api.post("/v2.0/security-groups", &body).await.map_err(told)?;
        let id = text(&made["security_group"]["id"]);
        let ping = json!({"protocol": "icmp"});
        let port = json!({"protocol": "tcp", "port_range_min": OPEN, "port_range_max": OPEN});
        for rule in [ping, port] {
            self.open_in(&id, rule).await?;
        }
        let shown = api.get(&format!("/v2.0/security-groups/{id}")).await.map_err(told)?;
        let rules = list(&shown["security_group"]["security_group_rules"]);
        let inward: Vec<String> =
            rules.iter().filter(|rule| rule["direction"] == "ingress").map(shown_rule).collect();
        if inward.len() != 2 {
            return Err(format!("of two rules the group has {}: {}", inward.len(), inward.join(", ")));
        }
        keep(&self.facts.group, id.clone());
        Ok(format!("group {id} lets in {}", inward.join(" and ")))
    }

    /// A rule that lets packets in from anywhere.
    pub(super) async fn open_in(&self, group: &str, mut rule: Value) -> Result<(), String> {
        rule["security_group_id"] = json!(group);
        rule["direction"] = json!("ingress");
        rule["ethertype"] = json!("IPv4");
        rule["remote_ip_prefix"] = json!("0.0.0.0/0");
        let body = json!({"security_group_rule": rule});
        self.member()?.network.post("/v2.0/security-group-rules", &body).await.map(drop).map_err(told)
    }
}

fn shown_rule(rule: &Value) -> String {
    match rule["port_range_min"].as_u64() {
        Some(port) => format!("{} {port}", text(&rule["protocol"])),
        None => text(&rule["protocol"]),
    }
}

/// Of `ip -j address`.
fn first_address(said: &str) -> Option<(Ipv4Addr, u8)> {
    let links: Value = serde_json::from_str(said).ok()?;
    list(&links).iter().flat_map(|link| list(&link["addr_info"])).find_map(|address| {
        let local = address["local"].as_str()?.parse().ok()?;
        Some((local, u8::try_from(address["prefixlen"].as_u64()?).ok()?))
    })
}

fn network_of(address: Ipv4Addr, length: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_outsides_network_is_that_of_the_bridges_address() {
        let said = r#"[{"ifname": "br-ex", "addr_info": [{"family": "inet", "local": "203.0.113.1", "prefixlen": 24}]}]"#;
        let (address, length) = first_address(said).unwrap();
        assert_eq!((address.to_string().as_str(), length), ("203.0.113.1", 24));
        assert_eq!(network_of(address, length).to_string(), "203.0.113.0");
        assert_eq!(network_of(address, 32), address);
        assert_eq!(network_of(address, 0).to_string(), "0.0.0.0");
        assert_eq!(first_address("[{}]"), None);
        assert_eq!(first_address("no such device"), None);
    }

    #[test]
    fn rules_are_shown_by_protocol_and_port() {
        assert_eq!(shown_rule(&json!({"protocol": "tcp", "port_range_min": 8080})), "tcp 8080");
        assert_eq!(shown_rule(&json!({"protocol": "icmp", "port_range_min": null})), "icmp");
    }
}

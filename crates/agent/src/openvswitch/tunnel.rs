//! Where this node's tunnels end: which device gets which address. Decided here, carried out by the switch.
//!
//! In user space a tunnel leaves only by a device that belongs to the switch: the link for tunnels goes into a bridge of
//! its own, which takes its addresses. With the kernel's datapath any address of the node serves.

use std::net::Ipv4Addr;

use super::observe::Link;
use super::state::{Datapath, Tunnel};
use crate::pod::{Error, Result};

/// What the chart's values say, and where this node is.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Link for tunnels; none: that of the default route.
    pub link: Option<String>,
    /// Bridge that owns the link in user space.
    pub bridge: String,
    /// Network that a link without an address gets one of: the node's own, with its front replaced.
    pub network: Option<(Ipv4Addr, u8)>,
    /// The node's address, as Kubernetes has it.
    pub node: Ipv4Addr,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Link to put into a bridge of that name.
    pub port: Option<(String, String)>,
    /// Addresses to have on the tunnel's device.
    pub add: Vec<(Ipv4Addr, u8)>,
    /// Addresses to take from the link.
    pub remove: Vec<(Ipv4Addr, u8)>,
    pub tunnel: Tunnel,
}

/// # Errors
/// Where no link or no address is to be had; each says what to set.
pub fn plan(datapath: Datapath, wish: &Wish, links: &[Link]) -> Result<Plan> {
    let find = |name: &str| links.iter().find(|link| link.name == name);
    let Some(name) = &wish.link else { return Ok(without_link(datapath, wish, links)) };
    let link = find(name).ok_or_else(|| {
        Error::Failed(format!(
            "there is no link {name} on this node for tunnels: set network.interface.tunnel to one of {}",
            links.iter().map(|link| link.name.as_str()).collect::<Vec<_>>().join(", ")
        ))
    })?;
    let in_bridge = datapath == Datapath::Netdev;
    if in_bridge && link.default_route {
        return Err(Error::Failed(format!(
            "{name} carries the node's default route, and its tunnels in user space would take it away: give network.interface.tunnel a link of its own"
        )));
    }
    let bridged = find(&wish.bridge).filter(|_| in_bridge);
    let there = bridged.map(|bridge| bridge.addresses.clone()).unwrap_or_default();
    let mut wanted: Vec<(Ipv4Addr, u8)> = there.iter().chain(&link.addresses).copied().collect();
    wanted.dedup();
    if wanted.is_empty() {
        wanted.push(derived(wish).ok_or_else(|| {
            Error::Failed(format!(
                "{name} has no address: give it one, or set network.interface.tunnel_network_cidr, of which each node takes one"
            ))
        })?);
    }
    let device = if in_bridge { wish.bridge.clone() } else { name.clone() };
    let has = if in_bridge { there } else { link.addresses.clone() };
    Ok(Plan {
        port: in_bridge.then(|| (wish.bridge.clone(), name.clone())),
        add: wanted.iter().filter(|address| !has.contains(address)).copied().collect(),
        remove: if in_bridge { link.addresses.clone() } else { Vec::new() },
        tunnel: Tunnel { address: wanted[0].0, device, note: String::new() },
    })
}

/// The node's own address: enough for the kernel's datapath, and for a single node.
fn without_link(datapath: Datapath, wish: &Wish, links: &[Link]) -> Plan {
    let device = links
        .iter()
        .find(|link| link.addresses.iter().any(|(address, _)| *address == wish.node))
        .map(|link| link.name.clone())
        .unwrap_or_default();
    let note = match datapath {
        Datapath::System => String::new(),
        Datapath::Netdev => {
            "in user space tunnels to other nodes need a link of their own: set network.interface.tunnel"
                .to_owned()
        }
    };
    let tunnel = Tunnel { address: wish.node, device, note };
    Plan { port: None, add: Vec::new(), remove: Vec::new(), tunnel }
}

/// The network's address with the node's last bits.
fn derived(wish: &Wish) -> Option<(Ipv4Addr, u8)> {
    let (network, prefix) = wish.network.filter(|(_, prefix)| *prefix <= 30)?;
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    let host = wish.node.to_bits() & !mask;
    Some((Ipv4Addr::from_bits((network.to_bits() & mask) | host), prefix))
}

/// `198.18.0.0/16`; `0/0` (upstream's word for any) and nothing are none.
pub fn network(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let prefix = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
    Some((address.parse().ok()?, prefix))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NODE: Ipv4Addr = Ipv4Addr::new(10, 89, 0, 12);
    const OWN: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 12);

    fn link(name: &str, addresses: &[(Ipv4Addr, u8)]) -> Link {
        Link { name: name.into(), addresses: addresses.to_vec(), default_route: name == "eth0" }
    }

    fn wish(link: Option<&str>) -> Wish {
        Wish {
            link: link.map(str::to_owned),
            bridge: "br-phy".into(),
            network: network("198.18.0.0/16"),
            node: NODE,
        }
    }

    #[test]
    fn in_user_space_the_bridge_owns_the_link_and_an_address_of_the_nodes_number() {
        let links = [link("eth0", &[(NODE, 24)]), link("eth1", &[])];
        let plan = plan(Datapath::Netdev, &wish(Some("eth1")), &links).unwrap();
        assert_eq!(plan.port, Some(("br-phy".into(), "eth1".into())));
        assert_eq!((plan.add.as_slice(), plan.tunnel.address), ([(OWN, 16)].as_slice(), OWN));
        assert_eq!(plan.tunnel.device, "br-phy");
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let links = [link("eth1", &[]), link("br-phy", &[(OWN, 16)])];
        let plan = plan(Datapath::Netdev, &wish(Some("eth1")), &links).unwrap();
        assert!(plan.add.is_empty() && plan.remove.is_empty());
        assert_eq!(plan.tunnel.address, OWN);
    }

    #[test]
    fn an_address_that_the_link_has_moves_into_the_bridge() {
        let theirs = Ipv4Addr::new(172, 20, 0, 7);
        let plan = plan(Datapath::Netdev, &wish(Some("eth1")), &[link("eth1", &[(theirs, 24)])]).unwrap();
        assert_eq!((plan.add.clone(), plan.remove), (vec![(theirs, 24)], plan.add));
        assert_eq!(plan.tunnel.address, theirs);
    }

    #[test]
    fn the_kernel_needs_no_bridge() {
        let links = [link("eth0", &[(NODE, 24)]), link("eth1", &[])];
        let on_link = plan(Datapath::System, &wish(Some("eth1")), &links).unwrap();
        assert_eq!((on_link.port, on_link.add), (None, vec![(OWN, 16)]));
        assert_eq!(on_link.tunnel.device, "eth1");
        let default = plan(Datapath::System, &wish(None), &links).unwrap();
        assert_eq!((default.tunnel.address, default.tunnel.device.as_str()), (NODE, "eth0"));
        assert_eq!(default.tunnel.note, "");
    }

    #[test]
    fn what_can_not_be_says_what_to_set() {
        let links = [link("eth0", &[(NODE, 24)]), link("eth1", &[])];
        let told = |wish: &Wish| plan(Datapath::Netdev, wish, &links).unwrap_err().to_string();
        assert!(told(&wish(Some("eth9"))).contains("one of eth0, eth1"));
        assert!(told(&wish(Some("eth0"))).contains("a link of its own"));
        let without = Wish { network: None, ..wish(Some("eth1")) };
        assert!(told(&without).contains("tunnel_network_cidr"));
        let alone = plan(Datapath::Netdev, &wish(None), &links).unwrap();
        assert!(alone.tunnel.note.contains("network.interface.tunnel"));
    }

    #[test]
    fn upstreams_word_for_any_network_is_none() {
        assert_eq!(network("0/0"), None);
        assert_eq!(network("198.18.0.0/16"), Some((Ipv4Addr::new(198, 18, 0, 0), 16)));
    }
}

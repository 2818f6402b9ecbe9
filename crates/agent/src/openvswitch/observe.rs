//! What iproute2 shows of the node's links.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::tool;
use crate::pod::{Error, Result};

/// A link with its IPv4 addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub addresses: Vec<(Ipv4Addr, u8)>,
    /// The default route goes by it.
    pub default_route: bool,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    family: String,
    #[serde(default)]
    local: String,
    #[serde(default)]
    prefixlen: u8,
}

#[derive(Deserialize)]
struct Route {
    #[serde(default)]
    dev: String,
}

pub async fn links() -> Result<Vec<Link>> {
    let addresses = tool::run("ip", &["-json", "address", "show"]).await?;
    let routes = tool::run("ip", &["-json", "-4", "route", "show", "default"]).await?;
    read(&addresses, &routes)
}

fn read(addresses: &str, routes: &str) -> Result<Vec<Link>> {
    let bad = |e: serde_json::Error| Error::Failed(format!("ip -json: {e}"));
    let shown: Vec<Shown> = serde_json::from_str(addresses).map_err(bad)?;
    // No route at all is shown as nothing.
    let routes: Vec<Route> =
        if routes.is_empty() { Vec::new() } else { serde_json::from_str(routes).map_err(bad)? };
    Ok(shown
        .into_iter()
        .filter(|link| !link.ifname.is_empty())
        .map(|link| Link {
            default_route: routes.iter().any(|route| route.dev == link.ifname),
            addresses: link
                .addr_info
                .iter()
                .filter(|address| address.family == "inet")
                .filter_map(|address| Some((address.local.parse().ok()?, address.prefixlen)))
                .collect(),
            name: link.ifname,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn links_are_read_with_their_addresses_and_the_default_route() {
        let addresses = r#"[{"ifname":"lo","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
            {},{"ifname":"eth0","addr_info":[{"family":"inet6","local":"fe80::1","prefixlen":64},
            {"family":"inet","local":"10.89.0.11","prefixlen":24}]},{"ifname":"eth1","addr_info":[]}]"#;
        let links = read(addresses, r#"[{"dst":"default","gateway":"10.89.0.1","dev":"eth0"}]"#).unwrap();
        let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["lo", "eth0", "eth1"]);
        assert_eq!(links[1].addresses, [(Ipv4Addr::new(10, 89, 0, 11), 24)]);
        assert!(links[1].default_route && !links[2].default_route);
        assert!(!read(addresses, "").unwrap()[1].default_route);
    }
}

//! Links, addresses and routes, by rtnetlink: the bridge and the veths on the host, eth0 and routes in a node.

use std::net::{IpAddr, Ipv4Addr};

use futures::TryStreamExt as _;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::LinkAttribute;
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteScope};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth, RouteMessageBuilder};

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::manifest::{Network, Route};
use crate::spec::Subnet;

/// A connection to rtnetlink of the network namespace this thread is in. Needs a tokio runtime.
pub(crate) fn connect() -> Result<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection().map_err(Error::system("opening rtnetlink"))?;
    tokio::spawn(connection);
    Ok(handle)
}

/// The cluster's two bridges, by their index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bridges {
    nodes: u32,
    tunnels: u32,
}

/// Makes the cluster's bridges, or finds them: one with the host's address on it, one for tunnels that is the nodes' own.
pub(crate) async fn ensure_bridges(handle: &Handle, layout: &Layout, subnet: Subnet) -> Result<Bridges> {
    let nodes = ensure_bridge(handle, &layout.bridge()).await?;
    add_address(handle, nodes, subnet.host(), Subnet::PREFIX).await?;
    let tunnels = ensure_bridge(handle, &layout.tunnel_bridge()).await?;
    Ok(Bridges { nodes, tunnels })
}

async fn ensure_bridge(handle: &Handle, name: &str) -> Result<u32> {
    let index = if let Some(index) = find(handle, name).await? {
        index
    } else {
        let bridge = LinkBridge::new(name).mcast_snooping(false).build();
        handle
            .link()
            .add(bridge)
            .execute()
            .await
            .map_err(Error::network(format!("making the bridge {name}")))?;
        found(handle, name).await?
    };
    // No address of its own making: the bridge answers on the one address that the plan gives it.
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
    let up = LinkUnspec::new_with_index(index).up().build();
    handle.link().set(up).execute().await.map_err(Error::network(format!("raising {name}")))?;
    Ok(index)
}

/// Connects a node by two veths, whose one ends are in the bridges and whose others are in its network namespace.
pub(crate) async fn attach(
    handle: &Handle,
    layout: &Layout,
    node: &str,
    bridges: Bridges,
    pid: u32,
) -> Result<()> {
    connect_link(handle, (layout.veth(node), layout.veth_peer(node)), bridges.nodes, pid).await?;
    connect_link(handle, (layout.tunnel_veth(node), layout.tunnel_peer(node)), bridges.tunnels, pid).await
}

async fn connect_link(
    handle: &Handle,
    (host_end, node_end): (String, String),
    bridge: u32,
    pid: u32,
) -> Result<()> {
    // One of a node that was killed a moment ago may still be about.
    delete(handle, &host_end).await?;
    delete(handle, &node_end).await?;
    let veth = LinkVeth::new(&host_end, &node_end).controller(bridge).up().build();
    let what = format!("making the link {host_end}");
    handle.link().add(veth).execute().await.map_err(Error::network(what))?;
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{host_end}/disable_ipv6"), "1");
    let index = found(handle, &node_end).await?;
    let moved = LinkUnspec::new_with_index(index).setns_by_pid(pid).build();
    let what = format!("moving {node_end} into process {pid}'s network");
    handle.link().set(moved).execute().await.map_err(Error::network(what))
}

/// Inside a node: names eth0 and eth1, gives the first its address, and sets the routes.
pub(crate) async fn configure(handle: &Handle, network: &Network) -> Result<()> {
    if let Some(lo) = find(handle, "lo").await? {
        let up = LinkUnspec::new_with_index(lo).up().build();
        handle.link().set(up).execute().await.map_err(Error::network("raising lo"))?;
    }
    let index = found(handle, &network.arrives_as).await?;
    let link = LinkUnspec::new_with_index(index).name("eth0").address(network.mac.to_vec()).up().build();
    handle.link().set(link).execute().await.map_err(Error::network("raising eth0"))?;
    add_address(handle, index, network.address, network.prefix).await?;
    let tunnel = found(handle, &network.tunnel.arrives_as).await?;
    let link =
        LinkUnspec::new_with_index(tunnel).name("eth1").address(network.tunnel.mac.to_vec()).up().build();
    handle.link().set(link).execute().await.map_err(Error::network("raising eth1"))?;
    for route in &network.routes {
        add_route(handle, index, route).await?;
    }
    Ok(())
}

/// Adds or replaces one route over eth0.
pub(crate) async fn add_route(handle: &Handle, index: u32, route: &Route) -> Result<()> {
    let builder = RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(route.network, route.prefix)
        .output_interface(index);
    let message = match route.gateway {
        Some(gateway) => builder.gateway(gateway).build(),
        None => builder.scope(RouteScope::Link).build(),
    };
    let what = format!("adding the route to {}/{}", route.network, route.prefix);
    handle.route().add(message).replace().execute().await.map_err(Error::network(what))
}

/// Removes the cluster's links; nodes' veths go with their namespaces, but a half-made one may be left.
pub(crate) async fn remove(handle: &Handle, layout: &Layout, nodes: &[String]) -> Result<()> {
    for node in nodes {
        delete(handle, &layout.veth(node)).await?;
        delete(handle, &layout.veth_peer(node)).await?;
        delete(handle, &layout.tunnel_veth(node)).await?;
        delete(handle, &layout.tunnel_peer(node)).await?;
    }
    delete(handle, &layout.tunnel_bridge()).await?;
    delete(handle, &layout.bridge()).await
}

pub(crate) async fn find(handle: &Handle, name: &str) -> Result<Option<u32>> {
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    match links.try_next().await {
        Ok(link) => Ok(link.map(|link| link.header.index)),
        Err(error) if is_errno(&error, nix::libc::ENODEV) => Ok(None),
        Err(error) => Err(Error::network(format!("looking for {name}"))(error)),
    }
}

async fn found(handle: &Handle, name: &str) -> Result<u32> {
    find(handle, name).await?.ok_or_else(|| Error::Network {
        what: format!("looking for {name}"),
        reason: "it is not there".into(),
    })
}

async fn delete(handle: &Handle, name: &str) -> Result<()> {
    let Some(index) = find(handle, name).await? else { return Ok(()) };
    match handle.link().del(index).execute().await {
        Err(error) if !is_errno(&error, nix::libc::ENODEV) => {
            Err(Error::network(format!("removing {name}"))(error))
        }
        _ => Ok(()),
    }
}

async fn add_address(handle: &Handle, index: u32, address: Ipv4Addr, prefix: u8) -> Result<()> {
    match handle.address().add(index, IpAddr::V4(address), prefix).execute().await {
        Err(error) if !is_errno(&error, nix::libc::EEXIST) => {
            Err(Error::network(format!("adding the address {address}"))(error))
        }
        _ => Ok(()),
    }
}

fn is_errno(error: &rtnetlink::Error, errno: i32) -> bool {
    matches!(error, rtnetlink::Error::NetlinkError(message) if message.raw_code() == -errno)
}

/// A link of the host with its IPv4 addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLink {
    pub name: String,
    pub addresses: Vec<(Ipv4Addr, u8)>,
}

/// What of the host's network matters before a cluster is made.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) links: Vec<HostLink>,
    /// Network, prefix, and the link that it is reached by; the default route is not among them.
    pub(crate) routes: Vec<(Ipv4Addr, u8, String)>,
}

pub(crate) async fn survey(handle: &Handle) -> Result<Survey> {
    let mut links: Vec<(u32, HostLink)> = Vec::new();
    let mut stream = handle.link().get().execute();
    while let Some(link) = stream.try_next().await.map_err(Error::network("listing links"))? {
        let name = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.clone()),
            _ => None,
        });
        if let Some(name) = name {
            links.push((link.header.index, HostLink { name, addresses: Vec::new() }));
        }
    }
    let mut stream = handle.address().get().execute();
    while let Some(address) = stream.try_next().await.map_err(Error::network("listing addresses"))? {
        for attribute in &address.attributes {
            if let AddressAttribute::Address(IpAddr::V4(ip)) = attribute
                && let Some((_, link)) = links.iter_mut().find(|(index, _)| *index == address.header.index)
            {
                link.addresses.push((*ip, address.header.prefix_len));
            }
        }
    }
    let mut routes = Vec::new();
    let mut stream = handle.route().get(RouteMessageBuilder::<Ipv4Addr>::new().build()).execute();
    while let Some(route) = stream.try_next().await.map_err(Error::network("listing routes"))? {
        if route.header.address_family != AddressFamily::Inet || route.header.destination_prefix_length == 0 {
            continue;
        }
        let (mut destination, mut link) = (None, 0);
        for attribute in &route.attributes {
            match attribute {
                RouteAttribute::Destination(RouteAddress::Inet(address)) => destination = Some(*address),
                RouteAttribute::Oif(index) => link = *index,
                _ => {}
            }
        }
        if let Some(destination) = destination {
            let name = links.iter().find(|(index, _)| *index == link).map(|(_, link)| link.name.clone());
            let prefix = route.header.destination_prefix_length;
            routes.push((destination, prefix, name.unwrap_or_default()));
        }
    }
    Ok(Survey { links: links.into_iter().map(|(_, link)| link).collect(), routes })
}

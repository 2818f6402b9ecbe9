//! The pictures as Mermaid flowcharts.

use std::fmt::Write as _;

use landfall_config::Language;

use super::{Cluster, Health, Network, count};
use crate::say;
use crate::words::pick;

const CLASSES: &str = "  classDef up fill:#e6f4ea,stroke:#188038,color:#111\n  \
    classDef partly fill:#fef7e0,stroke:#b06000,color:#111,stroke-dasharray:6 3\n  \
    classDef down fill:#fce8e6,stroke:#c5221f,color:#111,stroke-dasharray:3 3\n  \
    classDef absent fill:#f1f3f4,stroke:#9aa0a6,color:#5f6368,stroke-dasharray:1 3\n";

fn class(health: Health) -> &'static str {
    match health {
        Health::Up => "up",
        Health::Partly => "partly",
        Health::Down => "down",
        Health::Absent => "absent",
    }
}

/// An id of letters and digits only; dots and hyphens have a meaning of their own.
fn id(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Text between double quotes.
fn quoted(text: &str) -> String {
    text.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}

pub(super) fn network(network: &Network, language: Language) -> String {
    let mut text = String::from("flowchart TD\n");
    let outside = pick(language, "external network", "외부 네트워크");
    let address = network.address.as_deref().unwrap_or("✗");
    let _ = writeln!(text, "  outside([\"{outside}<br/>{}\"])", quoted(address));
    for service in &network.services {
        let _ = writeln!(
            text,
            "  {}[\"{}<br/>{}<br/>{} {}\"]:::{}",
            id(&service.name),
            quoted(&service.name),
            quoted(say(&service.summary, language)),
            service.health.mark(),
            count(service, language),
            class(service.health)
        );
    }
    for service in &network.services {
        for name in &service.names {
            let _ = writeln!(text, "  outside -->|\"{}\"| {}", quoted(name), id(&service.name));
        }
        for used in &service.uses {
            let _ = writeln!(text, "  {} --> {}", id(&service.name), id(used));
        }
    }
    text + CLASSES
}

pub(super) fn cluster(cluster: &Cluster, language: Language) -> String {
    let title = format!("{} {}", pick(language, "Kubernetes cluster", "Kubernetes 클러스터"), cluster.name);
    let mut text = format!("flowchart TB\n  subgraph cluster[\"{}\"]\n", quoted(&title));
    for node in &cluster.nodes {
        let own = id(&node.name);
        let roles =
            if node.roles.is_empty() { String::new() } else { format!(" ({})", node.roles.join(", ")) };
        let _ = writeln!(
            text,
            "    subgraph {own}[\"{} {}{}\"]",
            node.health.mark(),
            quoted(&node.name),
            quoted(&roles)
        );
        for share in &node.shares {
            let health = Health::of(share.ready, share.wanted);
            let _ = writeln!(
                text,
                "      {own}_{}[\"{} {} {}/{}\"]:::{}",
                id(&share.service),
                health.mark(),
                quoted(&share.service),
                share.ready,
                share.wanted,
                class(health)
            );
        }
        for (daemon, health) in &node.ceph {
            let (mark, class) = (health.mark(), class(*health));
            let _ = writeln!(text, "      {own}_{}[(\"{mark} {}\")]:::{class}", id(daemon), quoted(daemon));
        }
        text.push_str("    end\n");
    }
    for name in &cluster.nowhere {
        let _ = writeln!(text, "    nowhere_{}[\"✗ {}\"]:::down", id(name), quoted(name));
    }
    text.push_str("  end\n");
    for node in &cluster.nodes {
        let _ = writeln!(text, "  class {} {}", id(&node.name), class(node.health));
    }
    text + CLASSES
}

//! The pictures in box drawing.

use landfall_config::Language;
use unicode_width::UnicodeWidthStr;

use super::blocks::{Block, Border};
use super::{Cluster, Health, Network, Node, Service, count};
use crate::say;
use crate::words::pick;

const GAP: usize = 2;
const NARROWEST: usize = 40;

fn border(health: Health) -> Border {
    match health {
        Health::Up => Border::Solid,
        Health::Partly | Health::Down => Border::Broken,
        Health::Absent => Border::Dotted,
    }
}

fn service(service: &Service, language: Language) -> Block {
    let mut lines = vec![
        say(&service.summary, language).to_owned(),
        format!("{} {}", service.health.mark(), count(service, language)),
    ];
    if !service.uses.is_empty() {
        lines.push(format!("→ {}", service.uses.join(", ")));
    }
    Block::new(lines).boxed(&service.name, border(service.health))
}

fn arrow(label: &str) -> Block {
    Block::new(vec![format!("     │ {label}"), "     ▼".to_owned()])
}

pub(super) fn network(network: &Network, language: Language, width: usize) -> String {
    let word = |en, ko| pick(language, en, ko);
    let width = width.max(NARROWEST);
    let names: Vec<String> = network
        .services
        .iter()
        .flat_map(|service| {
            service.names.iter().map(move |name| format!("Ingress: {name} → {}", service.name))
        })
        .collect();
    let outside = match &network.address {
        Some(address) => format!("[{}] {address}", word("external network", "외부 네트워크")),
        None => format!(
            "[{}] ✗ {}",
            word("external network", "외부 네트워크"),
            word("no Ingress controller", "Ingress 컨트롤러 없음")
        ),
    };
    let mut blocks = vec![Block::new(vec![outside])];
    let mut way: Vec<String> = names.iter().map(|name| format!("     │ {name}")).collect();
    way.push("     ▼".to_owned());
    blocks.push(Block::new(way));
    let rows = network.rows();
    let labels = [
        "",
        word("what all of them stand on", "모든 서비스의 기반"),
        word("services of the cloud", "클라우드 서비스"),
    ];
    for (row, label) in rows.iter().zip(labels).filter(|(row, _)| !row.is_empty()) {
        if blocks.len() > 2 {
            blocks.push(arrow(label));
        }
        let boxes = row.iter().map(|one| service(one, language)).collect();
        blocks.push(Block::flow(boxes, GAP, width));
    }
    Block::stack(blocks).text()
}

fn node(node: &Node, language: Language) -> Block {
    let word = |en, ko| pick(language, en, ko);
    let mut lines = Vec::new();
    if node.health != Health::Up {
        lines.push(format!("{} {}", node.health.mark(), word("not ready", "준비되지 않음")));
    }
    if !node.roles.is_empty() {
        lines.push(format!("({})", node.roles.join(", ")));
    }
    let names = node.shares.iter().map(|share| share.service.width()).max().unwrap_or(0);
    for share in &node.shares {
        let health =
            if node.health == Health::Up { Health::of(share.ready, share.wanted) } else { Health::Down };
        let pad = " ".repeat(names - share.service.width());
        lines.push(format!("{} {}{pad} {}/{}", health.mark(), share.service, share.ready, share.wanted));
    }
    let mut blocks = vec![Block::new(lines)];
    if !node.ceph.is_empty() {
        let daemons = node.ceph.iter().map(|(name, health)| format!("{} {name}", health.mark())).collect();
        blocks.push(Block::new(daemons).boxed("Rook-Ceph", Border::Solid));
    }
    Block::stack(blocks).boxed(&node.name, border(node.health))
}

pub(super) fn cluster(cluster: &Cluster, language: Language, width: usize) -> String {
    // The border and its blanks are around them.
    let room = width.max(NARROWEST) - 4;
    let nodes: Vec<Block> = cluster.nodes.iter().map(|one| node(one, language)).collect();
    let mut blocks = vec![Block::flow(nodes, GAP, room)];
    if !cluster.nowhere.is_empty() {
        let title = pick(language, "on no node", "노드 없음");
        let lines = cluster.nowhere.iter().map(|name| format!("✗ {name}")).collect();
        blocks.push(Block::new(lines).boxed(title, Border::Broken));
    }
    let title = format!("{} {}", pick(language, "Kubernetes cluster", "Kubernetes 클러스터"), cluster.name);
    Block::stack(blocks).boxed(&title, Border::Solid).text()
}

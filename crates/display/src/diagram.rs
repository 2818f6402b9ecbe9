//! The guide's two pictures, drawn from a small model: the network of services, and the cluster below.
//! Pure: whoever draws has looked at the cluster before.

mod blocks;
mod mermaid;
mod svg;
mod text;

use landfall_catalog::blueprint::Text;
use landfall_config::Language;
use serde::Serialize;

/// How a thing is, and so how it looks: what is down looks down without colours, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    Up,
    /// Some of it is.
    Partly,
    Down,
    /// Not installed.
    Absent,
}

impl Health {
    /// Of `ready` of `wanted`.
    pub fn of(ready: usize, wanted: usize) -> Self {
        match ready {
            0 if wanted > 0 => Self::Down,
            _ if ready < wanted => Self::Partly,
            _ => Self::Up,
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Up => "●",
            Self::Partly => "◐",
            Self::Down => "✗",
            Self::Absent => "○",
        }
    }
}

/// A service of the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    pub name: String,
    pub summary: Text,
    pub health: Health,
    pub ready: usize,
    pub wanted: usize,
    /// Services that its pods wait for or read the settings of.
    pub uses: Vec<String>,
    /// Public names that lead to it.
    pub names: Vec<String>,
}

/// Who speaks to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Where the public names lead; none where no Ingress controller is seen.
    pub address: Option<String>,
    pub services: Vec<Service>,
}

/// A service's pods on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    pub service: String,
    pub ready: usize,
    pub wanted: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    pub name: String,
    pub health: Health,
    /// `control-plane`, `compute`, `network`, …
    pub roles: Vec<String>,
    pub shares: Vec<Share>,
    /// `mon.a`, `osd.0`, `mgr.a` with whether they run.
    pub ceph: Vec<(String, Health)>,
}

/// The cluster below the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    pub name: String,
    pub nodes: Vec<Node>,
    /// Daemons and services that should run and are on no node.
    pub nowhere: Vec<String>,
}

/// Which picture, with its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture<'a> {
    Network(&'a Network),
    Cluster(&'a Cluster),
}

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Box drawing, as in the guide.
    Text,
    Mermaid,
    Svg,
}

/// Draws; `width` is that of a terminal and matters to text only.
pub fn draw(picture: Picture<'_>, format: Format, language: Language, width: usize) -> String {
    match (picture, format) {
        (Picture::Network(network), Format::Text) => text::network(network, language, width),
        (Picture::Cluster(cluster), Format::Text) => text::cluster(cluster, language, width),
        (Picture::Network(network), Format::Mermaid) => mermaid::network(network, language),
        (Picture::Cluster(cluster), Format::Mermaid) => mermaid::cluster(cluster, language),
        (Picture::Network(network), Format::Svg) => svg::network(network, language),
        (Picture::Cluster(cluster), Format::Svg) => svg::cluster(cluster, language),
    }
}

impl Network {
    /// The rows of the guide's picture: what the world reaches first, what all of them stand on, the rest.
    fn rows(&self) -> [Vec<&Service>; 3] {
        let first = self.services.iter().find(|service| !service.names.is_empty());
        let first = first.or_else(|| self.services.iter().find(|service| service.name == "keystone"));
        let is_first = |service: &Service| first.is_some_and(|one| one.name == service.name);
        let below = |service: &Service| service.uses.is_empty() && service.names.is_empty();
        let (mut rows, mut rest) = ([Vec::new(), Vec::new(), Vec::new()], Vec::new());
        for service in &self.services {
            if is_first(service) {
                rows[0].push(service);
            } else if below(service) {
                rows[1].push(service);
            } else {
                rest.push(service);
            }
        }
        rows[2] = rest;
        rows
    }
}

/// `1/1`, or what stands for a service that is not there.
fn count(service: &Service, language: Language) -> String {
    match (service.health, language) {
        (Health::Absent, Language::En) => "not installed".to_owned(),
        (Health::Absent, Language::Ko) => "미설치".to_owned(),
        _ => format!("{}/{}", service.ready, service.wanted),
    }
}

#[cfg(test)]
mod tests;

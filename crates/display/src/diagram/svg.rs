//! The pictures as SVG: rows of boxes, and lines from who uses to what is used.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use landfall_config::Language;
use unicode_width::UnicodeWidthStr;

use super::{Cluster, Health, Network, Node, Service, count};
use crate::say;
use crate::words::pick;

const WIDE: usize = 190;
const TALL: usize = 66;
const GAP: usize = 30;
/// Between rows there is room for lines.
const DOWN: usize = 70;
const MARGIN: usize = 20;
const IN_A_ROW: usize = 4;
const LINE: usize = 18;
/// Columns of text that a box holds.
const COLUMNS: usize = 26;

/// Stroke, fill, dashes.
fn look(health: Health) -> (&'static str, &'static str, &'static str) {
    match health {
        Health::Up => ("#188038", "#e6f4ea", "none"),
        Health::Partly => ("#b06000", "#fef7e0", "8 4"),
        Health::Down => ("#c5221f", "#fce8e6", "4 4"),
        Health::Absent => ("#9aa0a6", "#f1f3f4", "2 4"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What fits into a box; the rest is told by its tool tip.
fn fitting(text: &str) -> String {
    if text.width() <= COLUMNS {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.width() + 2 > COLUMNS {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

struct Svg {
    body: String,
    width: usize,
    height: usize,
}

impl Svg {
    fn new() -> Self {
        Self { body: String::new(), width: 0, height: 0 }
    }

    fn rect(&mut self, at: (usize, usize), size: (usize, usize), health: Health, tip: &str) {
        let (stroke, fill, dash) = look(health);
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.5\" stroke-dasharray=\"{dash}\"><title>{}</title></rect>",
            at.0,
            at.1,
            size.0,
            size.1,
            escaped(tip)
        );
        self.reach(at.0 + size.0, at.1 + size.1);
    }

    fn text(&mut self, x: usize, y: usize, bold: bool, text: &str) {
        let weight = if bold { "bold" } else { "normal" };
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-weight=\"{weight}\">{}</text>",
            escaped(&fitting(text))
        );
    }

    fn line(&mut self, from: (usize, usize), to: (usize, usize), dead: bool) {
        let (colour, dash) = if dead { ("#c5221f", "4 4") } else { ("#5f6368", "none") };
        let middle = usize::midpoint(from.1, to.1);
        let _ = writeln!(
            self.body,
            "<path d=\"M{} {} C{} {middle} {} {middle} {} {}\" fill=\"none\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\" marker-end=\"url(#arrow)\"/>",
            from.0, from.1, from.0, to.0, to.0, to.1
        );
    }

    fn reach(&mut self, x: usize, y: usize) {
        self.width = self.width.max(x);
        self.height = self.height.max(y);
    }

    fn finish(self, title: &str) -> String {
        let (width, height) = (self.width + MARGIN, self.height + MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
             <title>{}</title>\n\
             <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#5f6368\"/></marker></defs>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{}</svg>\n",
            escaped(title),
            self.body
        )
    }
}

pub(super) fn network(network: &Network, language: Language) -> String {
    let mut svg = Svg::new();
    let outside = pick(language, "external network", "외부 네트워크");
    svg.rect(
        (MARGIN, MARGIN),
        (WIDE, TALL),
        if network.address.is_some() { Health::Up } else { Health::Down },
        outside,
    );
    svg.text(MARGIN + 10, MARGIN + 20, true, outside);
    svg.text(MARGIN + 10, MARGIN + 38, false, network.address.as_deref().unwrap_or("✗"));
    let rows = network.rows();
    let mut at: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut y = MARGIN + TALL + DOWN;
    for row in rows.iter().flat_map(|row| row.chunks(IN_A_ROW)) {
        for (column, service) in row.iter().enumerate() {
            at.insert(&service.name, (MARGIN + column * (WIDE + GAP), y));
        }
        y += TALL + DOWN;
    }
    let bottom = |place: (usize, usize)| (place.0 + WIDE / 2, place.1 + TALL);
    let top = |place: (usize, usize)| (place.0 + WIDE / 2, place.1);
    for service in &network.services {
        let Some(own) = at.get(service.name.as_str()).copied() else { continue };
        if !service.names.is_empty() {
            svg.line(bottom((MARGIN, MARGIN)), top(own), service.health == Health::Down);
        }
        for used in &service.uses {
            let Some(other) = at.get(used.as_str()).copied() else { continue };
            let dead = network.services.iter().any(|one| one.name == *used && one.health != Health::Up);
            let (from, to) =
                if own.1 < other.1 { (bottom(own), top(other)) } else { (top(own), bottom(other)) };
            svg.line(from, to, dead);
        }
    }
    for service in &network.services {
        if let Some(place) = at.get(service.name.as_str()).copied() {
            service_box(&mut svg, place, service, language);
        }
    }
    svg.finish(pick(language, "the network of services", "OpenStack 서비스 네트워크 구성"))
}

fn service_box(svg: &mut Svg, place: (usize, usize), service: &Service, language: Language) {
    let names = service.names.join(", ");
    let tip = format!("{}: {} {names}", service.name, say(&service.summary, language));
    svg.rect(place, (WIDE, TALL), service.health, tip.trim_end());
    svg.text(place.0 + 10, place.1 + 20, true, &service.name);
    svg.text(place.0 + 10, place.1 + 38, false, say(&service.summary, language));
    let state = format!("{} {}", service.health.mark(), count(service, language));
    svg.text(place.0 + 10, place.1 + 56, false, &state);
}

pub(super) fn cluster(cluster: &Cluster, language: Language) -> String {
    let mut svg = Svg::new();
    let title = format!("{} {}", pick(language, "Kubernetes cluster", "Kubernetes 클러스터"), cluster.name);
    svg.text(MARGIN, MARGIN + 14, true, &title);
    let mut y = MARGIN + 30;
    for row in cluster.nodes.chunks(IN_A_ROW) {
        let tall = row.iter().map(node_height).max().unwrap_or(TALL);
        for (column, node) in row.iter().enumerate() {
            node_box(&mut svg, (MARGIN + column * (WIDE + GAP), y), tall, node);
        }
        y += tall + GAP;
    }
    for name in &cluster.nowhere {
        svg.rect((MARGIN, y), (WIDE, 30), Health::Down, name);
        svg.text(MARGIN + 10, y + 20, false, &format!("✗ {name}"));
        y += 40;
    }
    svg.finish(&title)
}

fn node_height(node: &Node) -> usize {
    let lines = 2 + node.shares.len() + node.ceph.len();
    lines * LINE + 16
}

fn node_box(svg: &mut Svg, place: (usize, usize), tall: usize, node: &Node) {
    svg.rect(place, (WIDE, tall), node.health, &node.name);
    let (x, mut y) = (place.0 + 10, place.1 + 20);
    svg.text(x, y, true, &format!("{} {}", node.health.mark(), node.name));
    y += LINE;
    svg.text(x, y, false, &node.roles.join(", "));
    for share in &node.shares {
        y += LINE;
        let mark = Health::of(share.ready, share.wanted).mark();
        svg.text(x, y, false, &format!("{mark} {} {}/{}", share.service, share.ready, share.wanted));
    }
    for (daemon, health) in &node.ceph {
        y += LINE;
        svg.text(x, y, false, &format!("{} ceph {daemon}", health.mark()));
    }
}

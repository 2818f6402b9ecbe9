//! Whether the cloud is reached: DNS within, the Ingress, public names on this machine, and clocks.

use std::collections::BTreeMap;

use super::{Facts, Finding, Level};

/// A public name of the cloud, and what this machine makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub name: String,
    /// Where it should lead.
    pub address: String,
    /// What it resolves to here; empty where it does not.
    pub resolved: Vec<String>,
}

/// A node's clock, seen by the Lease that its kubelet renews by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    pub node: String,
    /// Milliseconds since the renewal, by the clock here: below 0, the node's is ahead.
    pub age_ms: i64,
    /// Milliseconds between renewals.
    pub period_ms: i64,
}

/// Certificates and tokens stand this much.
const TOLERATED_MS: i64 = 5_000;

pub(super) fn examine(facts: &Facts, found: &mut Vec<Finding>) {
    if let Some(lacking) = &facts.coredns_lacks {
        found.push(coredns(lacking));
    }
    ingress(facts, found);
    clocks(facts, found);
    names(facts, found);
}

fn coredns(lacking: &[String]) -> Finding {
    let id = "dns/coredns";
    if lacking.is_empty() {
        return Finding::new(
            id,
            Level::Ok,
            "CoreDNS may list and watch what it serves",
            "CoreDNS가 필요한 리소스를 조회할 수 있음",
        );
    }
    Finding::new(
        id,
        Level::Warning,
        format!("ClusterRole coredns does not allow list and watch on {}", lacking.join(", ")),
        format!("ClusterRole coredns가 다음 조회를 허용하지 않습니다: {}", lacking.join(", ")),
    )
    .remedy("`landfall up` restores the rules (guide O02)", "`landfall up`이 규칙을 복구합니다 (가이드 O02)")
}

fn ingress(facts: &Facts, found: &mut Vec<Finding>) {
    let Some(classes) = &facts.ingress_classes else { return };
    let wanted = &facts.wanted_ingress;
    found.push(class(wanted, classes));
    found.push(match &facts.ingress_address {
        Some(address) => Finding::new(
            "ingress/address",
            Level::Ok,
            format!("HTTP for the cloud's names goes to {address}"),
            format!("클라우드 이름의 HTTP 주소: {address}"),
        ),
        None => Finding::new(
            "ingress/address",
            Level::Warning,
            "no Ingress controller publishes an address, and none listens on a node's port 80",
            "Ingress 컨트롤러의 주소가 없고, 노드의 80번 포트에서 받는 것도 없습니다",
        )
        .remedy(
            "see that the controller's pods run; public names lead nowhere without it",
            "컨트롤러 파드가 실행 중인지 확인하세요. 없으면 공개 이름이 연결되지 않습니다",
        ),
    });
}

fn class(wanted: &str, classes: &BTreeMap<String, String>) -> Finding {
    if let Some(controller) = classes.get(wanted) {
        return Finding::new(
            "ingress/class",
            Level::Ok,
            format!("IngressClass {wanted} is there"),
            format!("IngressClass {wanted} 있음"),
        )
        .seen(format!("controller {controller}"));
    }
    let there: Vec<&str> = classes.keys().map(String::as_str).collect();
    let listed = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Finding::new(
        "ingress/class",
        Level::Problem,
        format!("there is no IngressClass {wanted}"),
        format!("IngressClass {wanted}이(가) 없습니다"),
    )
    .seen(format!("classes: {listed}"))
    .remedy(
        "install an Ingress controller, or name its class under `spec.ingress.class` of the cloud file",
        "Ingress 컨트롤러를 설치하거나 클라우드 파일의 `spec.ingress.class`에 그 클래스를 적으세요",
    )
}

fn clocks(facts: &Facts, found: &mut Vec<Finding>) {
    let mut well = Vec::new();
    for clock in &facts.clocks {
        let node = &clock.node;
        // A renewal lies between now and one period ago; what is outside of that is the clock's.
        let ahead = -clock.age_ms;
        let behind = clock.age_ms - clock.period_ms;
        let ready = facts.nodes.iter().any(|one| one.name == *node && one.ready);
        let off = if ahead > TOLERATED_MS {
            Some((ahead, "ahead of", "빠릅니다"))
        } else if behind > TOLERATED_MS && ready {
            Some((behind, "behind", "느립니다"))
        } else {
            None
        };
        let Some((by, en, ko)) = off else {
            well.push(node.as_str());
            continue;
        };
        let seconds = by / 1000;
        found.push(
            Finding::new(
                format!("clock/{node}"),
                Level::Problem,
                format!("the clock of node {node} is {seconds} s or more {en} the one here"),
                format!("노드 {node}의 시계가 이 머신보다 {seconds}초 이상 {ko}"),
            )
            .seen(format!(
                "its Lease was renewed {:.1} s ago by the clock here",
                clock.age_ms as f64 / 1000.0
            ))
            .remedy(
                "keep both by NTP (chrony): tokens, certificates and Ceph's monitors go by the time",
                "양쪽 시계를 NTP(chrony)로 맞추세요. 토큰, 인증서, Ceph 모니터가 시간에 의존합니다",
            ),
        );
    }
    if !well.is_empty() {
        found.push(
            Finding::new(
                "clock/nodes",
                Level::Ok,
                "the nodes' clocks agree with the one here",
                "노드의 시계가 이 머신과 일치함",
            )
            .seen(well.join(", ")),
        );
    }
}

fn names(facts: &Facts, found: &mut Vec<Finding>) {
    for name in &facts.names {
        let id = format!("names/{}", name.name);
        let line = format!("{} {}", name.address, name.name);
        if name.resolved.contains(&name.address) {
            found.push(
                Finding::new(
                    id,
                    Level::Ok,
                    format!("{} resolves on this machine", name.name),
                    format!("이 머신에서 {} 접근 가능", name.name),
                )
                .seen(&line),
            );
            continue;
        }
        let remedy = (
            format!(
                "map the address and the name in /etc/hosts: `{line}` (`landfall hosts --write` does it)"
            ),
            format!("/etc/hosts에 IP와 도메인 매핑을 확인하세요: `{line}` (`landfall hosts --write`로 추가)"),
        );
        let finding = if name.resolved.is_empty() {
            Finding::new(
                id,
                Level::Warning,
                format!("{} does not resolve on this machine", name.name),
                format!("이 머신에서 {} 도메인에 접근할 수 없습니다", name.name),
            )
        } else {
            Finding::new(
                id,
                Level::Warning,
                format!("{} resolves to another address on this machine", name.name),
                format!("이 머신에서 {} 도메인이 다른 주소를 가리킵니다", name.name),
            )
            .seen(format!("{}; the Ingress is at {}", name.resolved.join(", "), name.address))
        };
        found.push(finding.remedy(remedy.0, remedy.1));
    }
}

//! Ceph as its own toolbox shows it: health, version, and keys that a newer Ceph would not take.

use std::collections::BTreeMap;

use super::{Facts, Finding, Level};

/// What there is of Ceph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceph {
    pub namespace: String,
    /// Why the toolbox could not be asked; the rest is empty then.
    pub unseen: Option<String>,
    /// `HEALTH_OK`
    pub health: String,
    /// Code and message of what Ceph complains of: `OSD_DOWN`, `1 osds down`.
    pub complaints: Vec<(String, String)>,
    /// `18.2.7`
    pub version: String,
    pub osds: (u64, u64),
    pub monitors: (u64, u64),
    pub clients: Vec<CephClient>,
}

/// A user of Ceph with its caps (by `mon`, `osd`, `mgr`); its key is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CephClient {
    /// `client.glance`
    pub name: String,
    pub caps: BTreeMap<String, String>,
}

/// From this release on, caps in the manner of old are not enough for RBD's clients.
const STRICT: u64 = 20;

pub(super) fn examine(facts: &Facts, found: &mut Vec<Finding>) {
    let Some(ceph) = &facts.ceph else { return };
    if let Some(why) = &ceph.unseen {
        let level = if facts.installed { Level::Warning } else { Level::Note };
        found.push(
            Finding::new(
                "ceph/health",
                level,
                format!("no Ceph could be asked in namespace {}", ceph.namespace),
                format!("네임스페이스 {}의 Ceph에 물어볼 수 없습니다", ceph.namespace),
            )
            .seen(why)
            .remedy(
                "Rook's toolbox (Deployment rook-ceph-tools) is asked; on the embedded cluster `landfall up` brings Ceph along",
                "Rook 툴박스(Deployment rook-ceph-tools)로 확인합니다. 내장 클러스터에서는 `landfall up`이 Ceph를 설치합니다",
            ),
        );
        return;
    }
    found.push(health(ceph));
    found.push(version(ceph));
    found.extend(caps(ceph));
}

fn health(ceph: &Ceph) -> Finding {
    let level = match ceph.health.as_str() {
        "HEALTH_OK" => Level::Ok,
        "HEALTH_WARN" => Level::Warning,
        _ => Level::Problem,
    };
    let mut seen = format!(
        "mon: {} of {} in quorum; osd: {} of {} up",
        ceph.monitors.0, ceph.monitors.1, ceph.osds.0, ceph.osds.1
    );
    for (code, message) in &ceph.complaints {
        seen.push_str(&format!("\n{code}: {message}"));
    }
    let finding = Finding::new(
        "ceph/health",
        level,
        format!("Ceph's health is {}", ceph.health),
        format!("Ceph 상태: {}", ceph.health),
    )
    .seen(seen);
    if level == Level::Ok {
        return finding;
    }
    let namespace = &ceph.namespace;
    let command = format!("kubectl -n {namespace} exec deploy/rook-ceph-tools -- ceph health detail");
    // The clock is a matter of the nodes, not of Ceph.
    if ceph.complaints.iter().any(|(code, _)| code == "MON_CLOCK_SKEW") {
        return finding.remedy(
            "let the nodes' clocks be kept by NTP (chrony): Ceph's monitors stand 0.05 s at most",
            "노드의 시계를 NTP(chrony)로 맞추세요. Ceph 모니터는 0.05초까지만 허용합니다",
        );
    }
    finding.remedy(
        format!("`{command}`; `landfall why -o name` shows pods of Ceph that do not run"),
        format!("`{command}`. `landfall why -o name`이 실행되지 않는 Ceph 파드를 보여줍니다"),
    )
}

fn version(ceph: &Ceph) -> Finding {
    let major = major(ceph);
    if major != 0 && major < 18 {
        return Finding::new(
            "ceph/version",
            Level::Warning,
            format!("Ceph {} is older than any that this is tried with (18.2 and later)", ceph.version),
            format!("Ceph {}은(는) 확인된 버전(18.2 이상)보다 오래되었습니다", ceph.version),
        )
        .remedy(
            "upgrade Ceph by Rook: `spec.cephVersion` of the CephCluster",
            "CephCluster의 `spec.cephVersion`으로 Ceph를 올리세요",
        );
    }
    if major >= STRICT {
        return Finding::new(
            "ceph/version",
            Level::Note,
            format!("Ceph {}: keys of its new type (aes256k) are not understood by clients of Ceph 19 and before", ceph.version),
            format!("Ceph {}: 새 키 형식(aes256k)은 Ceph 19 이하의 클라이언트가 이해하지 못합니다", ceph.version),
        )
        .remedy(
            "let old clients in: `ceph config set mon auth_allowed_ciphers aes,aes256k`, and make their keys of the type aes",
            "이전 클라이언트를 허용하세요: `ceph config set mon auth_allowed_ciphers aes,aes256k`. 키는 aes 형식으로 만드세요",
        );
    }
    Finding::new(
        "ceph/version",
        Level::Ok,
        format!("Ceph {}", ceph.version),
        format!("Ceph {}", ceph.version),
    )
}

fn major(ceph: &Ceph) -> u64 {
    ceph.version.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Keys whose caps are written in the manner of before Ceph 12: a strict Ceph refuses RBD with them, and
/// in an older one they can not fence a dead client.
fn caps(ceph: &Ceph) -> Option<Finding> {
    let old: Vec<&CephClient> = ceph.clients.iter().filter(|client| is_of_old(client)).collect();
    if old.is_empty() {
        return None;
    }
    let strict = major(ceph) >= STRICT;
    let seen: Vec<String> = old
        .iter()
        .map(|client| {
            let caps: Vec<String> = client.caps.iter().map(|(of, cap)| format!("{of} '{cap}'")).collect();
            format!("{}: {}", client.name, caps.join(" "))
        })
        .collect();
    let names: Vec<&str> = old.iter().map(|client| client.name.as_str()).collect();
    let names = names.join(", ");
    let first = &old[0].name;
    let (level, en, ko) = if strict {
        (
            Level::Problem,
            format!("caps that this Ceph refuses for RBD: {names}"),
            format!("이 Ceph가 RBD에서 거부하는 권한: {names}"),
        )
    } else {
        (
            Level::Warning,
            format!("caps that Ceph {STRICT} will refuse for RBD: {names}"),
            format!("Ceph {STRICT}부터 RBD에서 거부될 권한: {names}"),
        )
    };
    let command = format!(
        "ceph auth caps {first} mon 'profile rbd' osd 'profile rbd pool=POOL' mgr 'profile rbd pool=POOL'"
    );
    Some(Finding::new("ceph/caps", level, en, ko).seen(seen.join("\n")).remedy(
        format!("profiles say the same for good: `{command}`"),
        format!("프로파일로 바꾸세요: `{command}`"),
    ))
}

fn is_of_old(client: &CephClient) -> bool {
    let cap = |of: &str| client.caps.get(of).map(String::as_str).unwrap_or_default();
    let (mon, osd) = (cap("mon"), cap("osd"));
    client.name.starts_with("client.")
        && (osd.contains("object_prefix rbd_children")
            || (mon == "allow r" && osd.contains("allow rwx pool=")))
}

//! Judges what preflight saw: a pure function.

use crate::layout::{Layout, POD_RANGE, SERVICE_RANGE};
use crate::preflight::{CgroupVersion, Earlier, Finding, Host, Remedy, Severity, Topic};
use crate::spec::Spec;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// What the daemons of k1, and of each further node, take; a cloud on top takes more.
const FIRST_NODE: u64 = 1400 * MIB;
const OTHER_NODE: u64 = 400 * MIB;
const COMFORTABLE_MEMORY: u64 = 6 * GIB;
const LEAST_DISK: u64 = 4 * GIB;
const COMFORTABLE_DISK: u64 = 15 * GIB;
/// Each node's daemons hold about twenty, each pod a few.
const INOTIFY_PER_NODE: u64 = 96;

/// What stands in the way, the worst first.
pub fn evaluate(spec: &Spec, host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    kernel(host, &mut findings);
    cgroups(host, &mut findings);
    room(spec, host, &mut findings);
    network(spec, host, &mut findings);
    earlier(spec, host, &mut findings);
    if !host.bundle_missing.is_empty() {
        findings.push(error(
            format!("the bundle lacks {}", host.bundle_missing.join(", ")),
            "build it: `cargo xtask up` builds all of it",
            "번들을 먼저 만드십시오: `cargo xtask up` 이 모두 만듭니다",
        ));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn kernel(host: &Host, findings: &mut Vec<Finding>) {
    if !host.root {
        findings.push(error(
            "not run as root".into(),
            "run it by sudo: nodes are made of namespaces, mounts and links of this machine",
            "sudo 로 실행하십시오: 노드는 이 머신의 네임스페이스, 마운트, 링크로 만들어집니다",
        ));
    }
    if !host.overlay {
        findings.push(error(
            "the kernel has no overlay file system".into(),
            "load it: `modprobe overlay`; a kernel without the module cannot be used",
            "`modprobe overlay` 로 불러오십시오. 모듈이 없는 커널은 쓸 수 없습니다",
        ));
    }
    for (namespace, name) in [
        ("net", "network"),
        ("mnt", "mount"),
        ("pid", "process"),
        ("uts", "host name"),
        ("ipc", "IPC"),
        ("cgroup", "cgroup"),
    ] {
        if !host.namespaces.contains(namespace) {
            findings.push(error(
                format!("the kernel has no {name} namespaces"),
                "use a kernel with CONFIG_NAMESPACES and all kinds of it, as distributions build it",
                "CONFIG_NAMESPACES 와 그 모든 종류가 켜진 배포판 커널을 쓰십시오",
            ));
        }
    }
    if !host.nf_tables {
        findings.push(error(
            "the kernel has no nf_tables, which Services are made of".into(),
            "load it: `modprobe nf_tables`",
            "`modprobe nf_tables` 로 불러오십시오",
        ));
    }
}

fn cgroups(host: &Host, findings: &mut Vec<Finding>) {
    let needed: &[&str] = match host.cgroup {
        CgroupVersion::None => {
            findings.push(error(
                "no cgroups are mounted".into(),
                "mount them: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`",
                "`mount -t cgroup2 cgroup2 /sys/fs/cgroup` 로 마운트하십시오",
            ));
            return;
        }
        CgroupVersion::V2 => &["cpu", "cpuset", "memory", "pids"],
        CgroupVersion::V1 | CgroupVersion::Hybrid => {
            &["cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"]
        }
    };
    let missing: Vec<&str> =
        needed.iter().copied().filter(|controller| !host.controllers.contains(*controller)).collect();
    if !missing.is_empty() {
        findings.push(error(
            format!("cgroup controllers are missing: {}", missing.join(", ")),
            "enable them on the kernel's command line (for memory: `cgroup_enable=memory`) and start the machine again",
            "커널 명령줄에서 켜고(memory 는 `cgroup_enable=memory`) 머신을 다시 시작하십시오",
        ));
    }
}

fn room(spec: &Spec, host: &Host, findings: &mut Vec<Finding>) {
    let running = matches!(host.earlier, Earlier::Running { .. });
    let needed = FIRST_NODE + OTHER_NODE * u64::from(spec.nodes.saturating_sub(1));
    let free = host.memory_available;
    if !running && free < needed {
        findings.push(
            error(
                format!("too little memory: {} free, {} nodes take {}", mib(free), spec.nodes, mib(needed)),
                "end other programs, or ask for fewer nodes",
                "다른 프로그램을 끝내거나 노드 수를 줄이십시오",
            )
            .about(Topic::Memory),
        );
    } else if !running && free < COMFORTABLE_MEMORY.max(needed) {
        findings.push(warning(
            format!("little memory: {} free; the nodes run, a cloud on them may not", mib(free)),
            "6 GiB or more are comfortable for MariaDB, RabbitMQ and Keystone",
            "MariaDB, RabbitMQ, Keystone 까지 띄우려면 6 GiB 이상이 좋습니다",
        ));
    }
    if host.disk_free < LEAST_DISK {
        findings.push(
            error(
                format!("too little disk at {}: {} free", spec.state_root.display(), mib(host.disk_free)),
                "make room, or keep the cluster elsewhere (another state folder)",
                "공간을 비우거나 다른 상태 폴더를 지정하십시오",
            )
            .about(Topic::Disk),
        );
    } else if host.disk_free < COMFORTABLE_DISK {
        findings.push(warning(
            format!("little disk at {}: {} free", spec.state_root.display(), mib(host.disk_free)),
            "images of a whole cloud take 10 GiB and more",
            "클라우드 전체의 이미지는 10 GiB 이상을 차지합니다",
        ));
    }
    if host.state_on_overlay {
        findings.push(error(
            format!(
                "{} is on an overlay file system, on which a node's cannot be put",
                spec.state_root.display()
            ),
            "keep the cluster on a real disk (a volume, if this is a container): another state folder",
            "실제 디스크(컨테이너라면 볼륨)에 있는 다른 상태 폴더를 지정하십시오",
        ));
    }
    let instances = INOTIFY_PER_NODE * u64::from(spec.nodes);
    if host.inotify_instances < instances {
        findings.push(warning(
            format!("fs.inotify.max_user_instances is {}: pods may run out of it", host.inotify_instances),
            &format!("`sysctl fs.inotify.max_user_instances={}`", instances.max(512)),
            &format!("`sysctl fs.inotify.max_user_instances={}` 로 올리십시오", instances.max(512)),
        ));
    }
}

fn network(spec: &Spec, host: &Host, findings: &mut Vec<Finding>) {
    // kube-proxy takes what goes to a range of Kubernetes' own, so that the nodes would not reach each other.
    for (range, whose) in [(SERVICE_RANGE, "Services"), (POD_RANGE, "pods")] {
        let (network, prefix) = range.split_once('/').unwrap_or((range, "32"));
        let taken = network.parse().ok().zip(prefix.parse().ok());
        if taken.is_some_and(|(network, prefix)| spec.subnet.overlaps(network, prefix)) {
            findings.push(error(
                format!("the nodes' network {} lies in that of {whose}, {range}", spec.subnet),
                "give the cluster another one, such as `--subnet 10.91.0.0/24`",
                "`--subnet 10.91.0.0/24` 처럼 다른 대역을 지정하십시오",
            ));
        }
    }
    let bridge = Layout::new(&spec.state_root, &spec.name).bridge();
    let mut taken: Vec<String> = host
        .links
        .iter()
        .filter(|link| link.name != bridge)
        .filter(|link| link.addresses.iter().any(|(address, _)| spec.subnet.overlaps(*address, 32)))
        .map(|link| link.name.clone())
        .collect();
    taken.extend(
        host.routes
            .iter()
            .filter(|(network, prefix, link)| *link != bridge && spec.subnet.overlaps(*network, *prefix))
            .map(|(_, _, link)| link.clone()),
    );
    taken.sort();
    taken.dedup();
    if !taken.is_empty() {
        findings.push(error(
            format!("the nodes' network {} is in use here already, on {}", spec.subnet, taken.join(", ")),
            "give the cluster another one, such as `--subnet 10.91.0.0/24` (another cluster or podman may have it)",
            "`--subnet 10.91.0.0/24` 처럼 다른 대역을 지정하십시오(다른 클러스터나 podman 이 쓰고 있을 수 있습니다)",
        ));
    }
    if host.bridges_filtered && spec.nodes > 1 && host.links.iter().any(|link| link.name == "docker0") {
        findings.push(warning(
            "Docker's firewall sees the packets between nodes and may drop them".into(),
            &format!("allow them: `iptables -I FORWARD -i {bridge} -o {bridge} -j ACCEPT`"),
            &format!("`iptables -I FORWARD -i {bridge} -o {bridge} -j ACCEPT` 로 허용하십시오"),
        ));
    }
}

fn earlier(spec: &Spec, host: &Host, findings: &mut Vec<Finding>) {
    match &host.earlier {
        Earlier::Broken(what) => findings.push(error(
            format!("an earlier cluster `{}` was left half-made: {what}", spec.name),
            "remove what is left of it: `landfall local down`",
            "`landfall local down` 으로 남은 것을 지우십시오",
        )),
        Earlier::Stopped { nodes } => findings.push(note(
            format!("the cluster `{}` is there with {nodes} nodes and is started again", spec.name),
            "nothing to do; `landfall local down` would remove it",
            "할 일이 없습니다. 지우려면 `landfall local down`",
        )),
        Earlier::None | Earlier::Running { .. } => {}
    }
}

fn mib(bytes: u64) -> String {
    if bytes >= 10 * GIB { format!("{} GiB", bytes / GIB) } else { format!("{} MiB", bytes / MIB) }
}

fn error(what: String, en: &str, ko: &str) -> Finding {
    finding(Severity::Error, what, en, ko)
}

fn warning(what: String, en: &str, ko: &str) -> Finding {
    finding(Severity::Warning, what, en, ko)
}

fn note(what: String, en: &str, ko: &str) -> Finding {
    finding(Severity::Note, what, en, ko)
}

fn finding(severity: Severity, what: String, en: &str, ko: &str) -> Finding {
    Finding {
        what,
        topic: Topic::default(),
        severity,
        remedy: Remedy { en: en.to_owned(), ko: ko.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::network::HostLink;
    use crate::spec::Bundle;

    fn spec(nodes: u32) -> Spec {
        let bundle = Bundle { bin: BTreeMap::new(), node_tree: "/tree".into(), images: None };
        Spec::new("landfall", nodes, bundle)
    }

    fn good() -> Host {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Host {
            root: true,
            overlay: true,
            namespaces: set(&["net", "mnt", "pid", "uts", "ipc", "cgroup", "user"]),
            nf_tables: true,
            cgroup: CgroupVersion::V2,
            controllers: set(&["cpu", "cpuset", "memory", "pids", "io"]),
            memory_available: 16 * GIB,
            disk_free: 50 * GIB,
            state_on_overlay: false,
            links: vec![HostLink { name: "eth0".into(), addresses: vec![(Ipv4Addr::new(192, 0, 2, 2), 24)] }],
            routes: vec![(Ipv4Addr::new(192, 0, 2, 0), 24, "eth0".into())],
            bridges_filtered: false,
            inotify_instances: 8192,
            bundle_missing: Vec::new(),
            earlier: Earlier::None,
        }
    }

    fn errors(host: &Host) -> Vec<String> {
        evaluate(&spec(1), host)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn nothing_is_found_on_a_good_host() {
        assert_eq!(evaluate(&spec(4), &good()), []);
    }

    #[test]
    fn each_thing_missing_is_named_once() {
        type Break = fn(&mut Host);
        let breaks: [(Break, &str); 10] = [
            (|host| host.root = false, "root"),
            (|host| host.overlay = false, "overlay"),
            (|host| host.namespaces.retain(|name| name != "ipc"), "IPC namespaces"),
            (|host| host.nf_tables = false, "nf_tables"),
            (|host| host.cgroup = CgroupVersion::None, "no cgroups"),
            (|host| host.controllers.retain(|name| name != "memory"), "missing: memory"),
            (|host| host.memory_available = GIB, "too little memory"),
            (|host| host.disk_free = GIB, "too little disk"),
            (|host| host.bundle_missing = vec!["landfall-kube".into()], "landfall-kube"),
            (|host| host.earlier = Earlier::Broken("a link".into()), "half-made"),
        ];
        for (break_it, word) in breaks {
            let mut host = good();
            break_it(&mut host);
            let found = errors(&host);
            assert_eq!(found.len(), 1, "{word}: {found:?}");
            assert!(found[0].contains(word), "{word}: {found:?}");
        }
    }

    #[test]
    fn every_finding_has_a_remedy_in_both_languages() {
        let mut host = good();
        host.root = false;
        host.disk_free = 5 * GIB;
        host.memory_available = 3 * GIB;
        host.inotify_instances = 1;
        let findings = evaluate(&spec(1), &host);
        assert_eq!(findings.len(), 4);
        assert_eq!(findings[0].severity, Severity::Error, "the worst comes first");
        for Finding { remedy, .. } in findings {
            assert!(!remedy.en.is_empty());
            assert!(remedy.ko.chars().any(|c| ('가'..='힣').contains(&c)), "{}", remedy.ko);
        }
    }

    #[test]
    fn a_network_in_use_is_told_unless_it_is_the_clusters_own() {
        let mut host = good();
        host.routes.push((Ipv4Addr::new(10, 0, 0, 0), 8, "vpn0".into()));
        assert!(errors(&host)[0].contains("vpn0"));
        let mut host = good();
        host.links.push(HostLink {
            name: "lf-landfall".into(),
            addresses: vec![(Ipv4Addr::new(10, 89, 0, 1), 24)],
        });
        host.routes.push((Ipv4Addr::new(10, 89, 0, 0), 24, "lf-landfall".into()));
        assert_eq!(errors(&host), Vec::<String>::new());
    }

    #[test]
    fn a_network_within_kubernetes_own_ranges_is_refused() {
        for (subnet, whose) in [("10.96.0.0/24", "Services"), ("10.244.7.0/24", "pods")] {
            let mut spec = spec(1);
            spec.subnet = subnet.parse().unwrap();
            let found = evaluate(&spec, &good());
            assert!(found.len() == 1 && found[0].what.contains(whose), "{subnet}: {found:?}");
        }
    }

    #[test]
    fn a_running_cluster_is_not_counted_as_lack_of_memory() {
        let mut host = good();
        host.memory_available = GIB;
        host.earlier = Earlier::Running { nodes: 1 };
        assert_eq!(errors(&host), Vec::<String>::new());
    }

    #[test]
    fn version_one_needs_the_controllers_that_version_two_has_in_others() {
        let mut host = good();
        host.cgroup = CgroupVersion::Hybrid;
        let found = errors(&host);
        assert!(found[0].contains("cpuacct, devices, freezer"), "{found:?}");
    }
}

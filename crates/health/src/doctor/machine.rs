//! The machines below the nodes: modules of the kernel, KVM, cgroups, Open vSwitch's datapath.

use std::collections::BTreeMap;

use super::{Facts, Finding, Level, size};

/// How a kernel has a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// Loaded, or built in.
    Present,
    /// There as a file, and loaded when it is needed.
    Loadable,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kvm {
    Works,
    /// The device is there, but a guest does not run in it as it should.
    Broken,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    V1,
    V2,
    /// Version 1 with its controllers, and version 2 beside it.
    Hybrid,
    None,
}

/// What Open vSwitch forwards packets with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datapath {
    Kernel,
    Userspace,
}

/// One kernel, as far as a cloud depends on it. What is none could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Nodes on it, or that it is this machine: `k1, k2`.
    pub name: String,
    pub kernel: String,
    pub modules: BTreeMap<String, Module>,
    pub kvm: Option<Kvm>,
    pub cgroups: Option<Cgroups>,
    /// Bytes that programs may still take.
    pub memory_free: Option<u64>,
    /// Bytes that are free where the nodes keep their data.
    pub disk_free: Option<u64>,
    /// As Open vSwitch's pod found by trying, and why.
    pub datapath: Option<(Datapath, String)>,
}

/// What is comfortable for a whole cloud on one machine.
const MEMORY: u64 = 6 << 30;
const DISK: u64 = 15 << 30;
/// Below these a running cloud gets into trouble soon.
const LEAST_MEMORY: u64 = 512 << 20;
const LEAST_DISK: u64 = 2 << 30;

/// What each module is for, and what Landfall does without it.
const MODULES: [(&str, [&str; 2], [&str; 2]); 4] = [
    (
        "openvswitch",
        ["Open vSwitch forwards in the kernel", "커널이 Open vSwitch 패킷을 처리함"],
        [
            "no kernel datapath: Open vSwitch runs in userspace (netdev), which works and is slower",
            "커널 데이터패스 없음: Open vSwitch를 사용자 공간(netdev)으로 실행합니다. 동작하지만 느립니다",
        ],
    ),
    (
        "rbd",
        ["volumes of Ceph can be mapped", "Ceph 볼륨을 매핑할 수 있음"],
        [
            "volumes of Ceph's StorageClass can not be mounted here; images and servers do not need it (librbd)",
            "Ceph StorageClass의 볼륨을 마운트할 수 없습니다. 이미지와 서버는 librbd를 써서 영향이 없습니다",
        ],
    ),
    (
        "nbd",
        ["disk images can be attached", "디스크 이미지를 연결할 수 있음"],
        [
            "disk images can not be attached as devices; nothing that the guide installs needs it",
            "디스크 이미지를 장치로 연결할 수 없습니다. 가이드의 서비스에는 필요하지 않습니다",
        ],
    ),
    (
        "vxlan",
        ["tunnels between nodes", "노드 간 터널"],
        [
            "no tunnels by the kernel: only Open vSwitch's own (userspace) can join nodes",
            "커널 터널 없음: Open vSwitch 자체 터널(사용자 공간)만 쓸 수 있습니다",
        ],
    ),
];

pub(super) fn examine(facts: &Facts, found: &mut Vec<Finding>) {
    for machine in &facts.machines {
        let on = &machine.name;
        for (module, with, without) in MODULES {
            if let Some(state) = machine.modules.get(module) {
                found.push(of_module(on, &machine.kernel, module, *state, with, without));
            }
        }
        if let Some((datapath, why)) = &machine.datapath {
            let (en, ko) = match datapath {
                Datapath::Kernel => ("the kernel", "커널"),
                Datapath::Userspace => ("userspace (netdev)", "사용자 공간(netdev)"),
            };
            found.push(
                Finding::new(
                    "network/datapath",
                    Level::Ok,
                    format!("Open vSwitch's datapath on {on}: {en}"),
                    format!("{on}의 Open vSwitch 데이터패스: {ko}"),
                )
                .seen(why),
            );
        }
        if let Some(kvm) = machine.kvm {
            found.push(of_kvm(on, kvm));
        }
        if let Some(cgroups) = machine.cgroups {
            found.push(of_cgroups(on, cgroups));
        }
        room(facts, machine, found);
    }
}

fn of_module(
    on: &str,
    kernel: &str,
    module: &str,
    state: Module,
    with: [&str; 2],
    without: [&str; 2],
) -> Finding {
    let id = format!("kernel/{module}");
    let seen = format!("{on}: kernel {kernel}");
    match state {
        Module::Present => Finding::new(
            id,
            Level::Ok,
            format!("kernel module {module}: {}", with[0]),
            format!("커널 모듈 {module}: {}", with[1]),
        )
        .seen(seen),
        Module::Loadable => Finding::new(
            id,
            Level::Ok,
            format!("kernel module {module} is there and loaded when it is needed: {}", with[0]),
            format!("커널 모듈 {module}이(가) 있으며 필요할 때 적재됩니다: {}", with[1]),
        )
        .seen(seen),
        Module::Absent => Finding::new(
            id,
            Level::Note,
            format!("no kernel module {module}: {}", without[0]),
            format!("커널 모듈 {module} 없음: {}", without[1]),
        )
        .seen(seen)
        .remedy(
            format!("on a kernel that has it: `modprobe {module}`"),
            format!("모듈이 있는 커널에서: `modprobe {module}`"),
        ),
    }
}

fn of_kvm(on: &str, kvm: Kvm) -> Finding {
    let id = "kernel/kvm";
    match kvm {
        Kvm::Works => Finding::new(
            id,
            Level::Ok,
            format!("KVM works on {on}: a guest ran in it"),
            format!("{on}에서 KVM 동작: 게스트를 실행해 확인함"),
        ),
        Kvm::Broken => Finding::new(
            id,
            Level::Warning,
            format!("/dev/kvm is there on {on}, but a guest does not run in it: servers run by QEMU's emulation, slowly"),
            format!("{on}에 /dev/kvm이 있지만 게스트가 실행되지 않습니다: 서버는 QEMU 에뮬레이션으로 느리게 실행됩니다"),
        )
        .seen("a small guest did not come to its end in time")
        .remedy(
            "where this machine is a virtual one, its host must allow nested virtualization",
            "이 머신이 가상 머신이면 호스트에서 중첩 가상화를 허용해야 합니다",
        ),
        Kvm::Absent => Finding::new(
            id,
            Level::Note,
            format!("no KVM on {on}: servers run by QEMU's emulation, slowly"),
            format!("{on}에 KVM 없음: 서버는 QEMU 에뮬레이션으로 느리게 실행됩니다"),
        )
        .remedy(
            "switch virtualization on in the firmware, and `modprobe kvm_intel` or `modprobe kvm_amd`",
            "펌웨어에서 가상화를 켜고 `modprobe kvm_intel` 또는 `modprobe kvm_amd`를 실행하세요",
        ),
    }
}

fn of_cgroups(on: &str, cgroups: Cgroups) -> Finding {
    let id = "kernel/cgroups";
    let version = match cgroups {
        Cgroups::V1 => "version 1",
        Cgroups::V2 => "version 2",
        Cgroups::Hybrid => "version 1, with version 2 beside it",
        Cgroups::None => {
            return Finding::new(
                id,
                Level::Problem,
                format!("no cgroups are mounted on {on}"),
                format!("{on}에 cgroup이 마운트되어 있지 않습니다"),
            )
            .remedy(
                "mount them: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`",
                "`mount -t cgroup2 cgroup2 /sys/fs/cgroup`로 마운트하세요",
            );
        }
    };
    Finding::new(id, Level::Ok, format!("cgroups on {on}: {version}"), format!("{on}의 cgroup: {version}"))
}

fn room(facts: &Facts, machine: &Machine, found: &mut Vec<Finding>) {
    let on = &machine.name;
    let mut judge =
        |id: &str, what: [&str; 2], free: u64, least: u64, comfortable: u64, remedy: [&str; 2]| {
            // What runs has taken its share already.
            let wanted = if facts.installed { least } else { comfortable };
            let level = match free {
                _ if free < least => Level::Problem,
                _ if free < wanted => Level::Warning,
                _ => Level::Ok,
            };
            let mut finding = Finding::new(
                id,
                level,
                format!("{} free on {on}: {}", what[0], size(free)),
                format!("{on}의 남은 {}: {}", what[1], size(free)),
            );
            if level > Level::Ok {
                finding = finding.seen(format!("comfortable: {}", size(wanted))).remedy(remedy[0], remedy[1]);
            }
            found.push(finding);
        };
    if let Some(free) = machine.memory_free {
        let remedy = [
            "end other programs, or bring up less: `landfall up --through keystone`",
            "다른 프로그램을 끝내거나 일부만 설치하세요: `landfall up --through keystone`",
        ];
        judge("memory/free", ["memory", "메모리"], free, LEAST_MEMORY, MEMORY, remedy);
    }
    if let Some(free) = machine.disk_free {
        let remedy =
            ["make room where the nodes keep their data", "노드 데이터가 있는 디스크의 공간을 확보하세요"];
        judge("disk/free", ["disk", "디스크"], free, LEAST_DISK, DISK, remedy);
    }
}

//! This machine, where it carries the nodes or could: /proc, /sys, and what the embedded cluster needs.

use std::collections::BTreeMap;
use std::path::Path;

use landfall_health::doctor::{Cgroups, Finding, Kvm, Level, Machine, Module, Words};
use landfall_image::Bundle;
use landfall_node::preflight::{CgroupVersion, Host, evaluate};
use landfall_node::{Severity, Spec, Topic};

use crate::Session;
use crate::bundle::store;

/// Modules with a symbol of theirs that a kernel shows which has them built in.
const MODULES: [(&str, &str); 4] = [
    ("openvswitch", "ovs_vport_add"),
    ("rbd", "rbd_dev_create"),
    ("nbd", "nbd_dev_add"),
    ("vxlan", "vxlan_dev_create"),
];

/// What the kernel says of its modules.
#[derive(Debug, Default)]
struct Kernel {
    /// Names below /sys/module.
    loaded: Vec<String>,
    /// `modules.builtin` and `modules.dep` of the running kernel.
    builtin: String,
    files: String,
    /// /proc/kallsyms
    symbols: String,
}

impl Kernel {
    fn module(&self, name: &str, symbol: &str) -> Module {
        let file = format!("/{name}.ko");
        let is_symbol = |line: &str| line.split_whitespace().nth(2) == Some(symbol);
        if self.loaded.iter().any(|loaded| loaded == name)
            || self.builtin.lines().any(|line| line.ends_with(&file))
            || self.symbols.lines().any(is_symbol)
        {
            return Module::Present;
        }
        // Compressed ones end in .ko.xz or .ko.zst.
        let there = self.files.lines().filter_map(|line| line.split(':').next());
        if there.into_iter().any(|path| path.contains(&file)) { Module::Loadable } else { Module::Absent }
    }
}

/// The machine below the embedded cluster, with what it is called.
pub(super) async fn look(session: &Session, name: &str) -> (Machine, Option<Host>) {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let folder = Path::new("/lib/modules").join(&release);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let kernel = Kernel {
        loaded: std::fs::read_dir("/sys/module")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect(),
        builtin: read(&folder.join("modules.builtin")),
        files: read(&folder.join("modules.dep")),
        symbols: read(Path::new("/proc/kallsyms")),
    };
    let modules: BTreeMap<String, Module> =
        MODULES.iter().map(|(name, symbol)| ((*name).to_owned(), kernel.module(name, symbol))).collect();
    let kvm = if !Path::new("/dev/kvm").exists() {
        Kvm::Absent
    } else if landfall_node::kvm_works().await {
        Kvm::Works
    } else {
        Kvm::Broken
    };
    let host = Host::look(&spec(session)).await.ok();
    let machine = Machine {
        name: name.to_owned(),
        kernel: release,
        modules,
        kvm: Some(kvm),
        cgroups: host.as_ref().map(|host| cgroups(host.cgroup)),
        memory_free: host.as_ref().map(|host| host.memory_available),
        disk_free: host.as_ref().map(|host| host.disk_free),
        datapath: None,
    };
    (machine, host)
}

fn spec(session: &Session) -> Spec {
    let files =
        landfall_node::Bundle { bin: BTreeMap::new(), node_tree: std::path::PathBuf::new(), images: None };
    let mut spec = Spec::new(crate::target::EMBEDDED, 1, files);
    spec.state_root.clone_from(&session.environment.state);
    spec
}

fn cgroups(version: CgroupVersion) -> Cgroups {
    match version {
        CgroupVersion::None => Cgroups::None,
        CgroupVersion::V1 => Cgroups::V1,
        CgroupVersion::V2 => Cgroups::V2,
        CgroupVersion::Hybrid => Cgroups::Hybrid,
    }
}

/// Whether an embedded cluster can be made here, by the same judgement that `local up` goes by.
pub(super) fn fitness(session: &Session, mut host: Host) -> Vec<Finding> {
    // What is not built yet is no lack of the machine's.
    host.bundle_missing.clear();
    let mut found: Vec<Finding> = evaluate(&spec(session), &host)
        .into_iter()
        .map(|finding| {
            let id = match finding.topic {
                Topic::Memory => "machine/memory",
                Topic::Disk => "machine/disk",
                Topic::Other => "machine/fitness",
            };
            let level = match finding.severity {
                Severity::Note => Level::Note,
                Severity::Warning => Level::Warning,
                Severity::Error => Level::Problem,
            };
            Finding {
                remedy: Some(Words::new(finding.remedy.en, finding.remedy.ko)),
                ..Finding::new(id, level, finding.what.clone(), finding.what)
            }
        })
        .collect();
    if found.iter().all(|finding| finding.level < Level::Problem) {
        let (en, ko) =
            ("this machine can carry an embedded cluster", "이 머신에 내장 클러스터를 만들 수 있음");
        found.insert(0, Finding::new("machine/fitness", Level::Ok, en, ko));
    }
    found.push(bundle(session));
    found
}

/// Whether all that the embedded cluster is made of is built, or can be.
fn bundle(session: &Session) -> Finding {
    let id = "machine/bundle";
    let built = store(session).ok().is_some_and(|store| Bundle::find(&store).is_ok());
    if built {
        return Finding::new(
            id,
            Level::Ok,
            "the bundle (Kubernetes, images) is built",
            "번들(Kubernetes, 이미지)이 빌드되어 있음",
        );
    }
    let missing = landfall_image::requirements();
    if missing.is_empty() {
        return Finding::new(
            id,
            Level::Note,
            "the bundle (Kubernetes, images) is not built yet, and this machine can build it",
            "번들(Kubernetes, 이미지)이 아직 없으며 이 머신에서 빌드할 수 있음",
        )
        .remedy(
            "`landfall up` builds it at first; that takes some minutes",
            "`landfall up`이 처음에 빌드합니다. 몇 분 걸립니다",
        );
    }
    let mut packages: Vec<&str> = missing.iter().map(|need| need.debian_package).collect();
    packages.sort_unstable();
    packages.dedup();
    let command = format!("apt-get install {}", packages.join(" "));
    Finding::new(
        id,
        Level::Problem,
        "the bundle is not built yet, and this machine lacks what builds it",
        "번들이 아직 없고 빌드에 필요한 것이 이 머신에 없습니다",
    )
    .seen(missing.iter().map(|need| format!("{}: {}", need.what, need.why)).collect::<Vec<_>>().join("\n"))
    .remedy(format!("`{command}`"), format!("`{command}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_there_loaded_built_in_or_as_a_file() {
        let kernel = Kernel {
            loaded: vec!["vxlan".into()],
            builtin: "kernel/drivers/block/nbd.ko\n".into(),
            files: "kernel/net/openvswitch/openvswitch.ko.xz: kernel/net/nsh/nsh.ko.xz\n\
                    kernel/x/other.ko: kernel/drivers/block/rbd.ko\n"
                .into(),
            symbols: "0000000000000000 T rbd_dev_create_not\n".into(),
        };
        let state = |name| {
            let (_, symbol) = MODULES.iter().find(|(module, _)| *module == name).copied().unwrap_or_default();
            kernel.module(name, symbol)
        };
        assert_eq!(state("vxlan"), Module::Present);
        assert_eq!(state("nbd"), Module::Present);
        assert_eq!(state("openvswitch"), Module::Loadable);
        // Another's need of it is no proof that the file is there.
        assert_eq!(state("rbd"), Module::Absent);
    }

    #[test]
    fn a_symbol_tells_of_a_module_that_is_built_in() {
        let kernel = Kernel { symbols: "0000000000000000 t ovs_vport_add\n".into(), ..Kernel::default() };
        assert_eq!(kernel.module("openvswitch", "ovs_vport_add"), Module::Present);
    }
}

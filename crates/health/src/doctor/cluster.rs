//! What Kubernetes shows: nodes and their room, labels, storage classes, API versions.

use super::{Facts, Finding, Level, size};

/// One node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub ready: bool,
    /// What its Ready condition says.
    pub says: String,
    pub cordoned: bool,
    /// Conditions that should not be: `DiskPressure`, `MemoryPressure`, `PIDPressure`.
    pub pressure: Vec<String>,
    pub kubelet: String,
    pub kernel: String,
    /// Bytes that pods may take together, and those that pods ask for.
    pub memory: u64,
    pub memory_asked: u64,
    /// Milli-CPU, in the same manner.
    pub cpu: u64,
    pub cpu_asked: u64,
}

/// A label that the cloud puts on nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// `openstack-control-plane=enabled`
    pub label: String,
    /// Nodes that are to carry it.
    pub wanted: Vec<String>,
    pub lacking: Vec<String>,
    /// Services whose pods look for it.
    pub services: Vec<String>,
    /// Any of these services is installed: without the label it has no place.
    pub needed_now: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    pub provisioner: String,
    pub default: bool,
}

/// What all nodes together should have for a whole cloud.
const MEMORY: u64 = 6 << 30;
/// The provisioners of volumes that a kernel must map.
const RBD_DRIVER: &str = ".rbd.csi.ceph.com";

pub(super) fn examine(facts: &Facts, found: &mut Vec<Finding>) {
    nodes(facts, found);
    labels(facts, found);
    if let Some(classes) = &facts.classes {
        storage(facts, classes, found);
    }
    apis(facts, found);
}

fn nodes(facts: &Facts, found: &mut Vec<Finding>) {
    for node in &facts.nodes {
        let name = &node.name;
        let id = format!("nodes/{name}");
        if !node.ready {
            found.push(
                Finding::new(
                    &id,
                    Level::Problem,
                    format!("node {name} is not ready"),
                    format!("노드 {name}이(가) 준비되지 않았습니다"),
                )
                .seen(&node.says)
                .remedy(
                    format!("`landfall why node/{name}`; on the embedded cluster `landfall local up` brings nodes back"),
                    format!("`landfall why node/{name}`. 내장 클러스터에서는 `landfall local up`이 노드를 되살립니다"),
                ),
            );
        } else if !node.pressure.is_empty() {
            found.push(
                Finding::new(
                    &id,
                    Level::Problem,
                    format!("node {name} is short of something: {}", node.pressure.join(", ")),
                    format!("노드 {name}의 자원이 부족합니다: {}", node.pressure.join(", ")),
                )
                .remedy(
                    "make room there: pods are evicted until it has some",
                    "여유를 만드세요. 여유가 생길 때까지 파드가 축출됩니다",
                ),
            );
        } else if node.cordoned {
            found.push(
                Finding::new(
                    &id,
                    Level::Warning,
                    format!("node {name} takes no new pods"),
                    format!("노드 {name}은(는) 새 파드를 받지 않습니다"),
                )
                .remedy(
                    format!("`kubectl uncordon {name}` opens it again"),
                    format!("`kubectl uncordon {name}`으로 다시 엽니다"),
                ),
            );
        } else {
            found.push(
                Finding::new(&id, Level::Ok, format!("node {name} is ready"), format!("노드 {name} 준비됨"))
                    .seen(format!(
                        "kubelet {}, kernel {}; memory {} of {} asked for, CPU {}m of {}m",
                        node.kubelet,
                        node.kernel,
                        size(node.memory_asked),
                        size(node.memory),
                        node.cpu_asked,
                        node.cpu
                    )),
            );
        }
    }
    let memory: u64 = facts.nodes.iter().map(|node| node.memory).sum();
    if !facts.nodes.is_empty() && memory < MEMORY {
        found.push(
            Finding::new(
                "memory/nodes",
                Level::Warning,
                format!(
                    "the nodes have {} of memory in all: a whole cloud wants {}",
                    size(memory),
                    size(MEMORY)
                ),
                format!("노드 메모리 합계 {}: 클라우드 전체에는 {}가 필요합니다", size(memory), size(MEMORY)),
            )
            .remedy(
                "add a node, or bring up less: `landfall up --through keystone`",
                "노드를 더하거나 일부만 설치하세요: `landfall up --through keystone`",
            ),
        );
    }
}

fn labels(facts: &Facts, found: &mut Vec<Finding>) {
    for label in &facts.labels {
        let key = label.label.split('=').next().unwrap_or_default();
        let id = format!("labels/{key}");
        let text = &label.label;
        if label.lacking.is_empty() {
            found.push(
                Finding::new(
                    id,
                    Level::Ok,
                    format!("nodes carry {text}"),
                    format!("노드에 {text} 레이블이 있음"),
                )
                .seen(label.wanted.join(", ")),
            );
            continue;
        }
        let level = if label.needed_now { Level::Problem } else { Level::Note };
        let by_hand = format!("kubectl label node {} {text}", label.lacking.join(" "));
        let whose = if label.services.is_empty() {
            String::new()
        } else {
            format!(" ({})", label.services.join(", "))
        };
        found.push(
            Finding::new(
                id,
                level,
                format!("label {text}{whose} is not on {}", label.lacking.join(", ")),
                format!("레이블 {text}{whose}이(가) 다음 노드에 없습니다: {}", label.lacking.join(", ")),
            )
            .remedy(
                format!("`landfall up` puts it there; by hand: `{by_hand}`"),
                format!("`landfall up`이 붙입니다. 직접 하려면: `{by_hand}`"),
            ),
        );
    }
}

fn storage(facts: &Facts, classes: &[Class], found: &mut Vec<Finding>) {
    let id = "storage/class";
    let there: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
    let listed = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    let chosen = match &facts.wanted_class {
        Some(wanted) => classes.iter().find(|class| class.name == *wanted),
        None => classes.iter().find(|class| class.default),
    };
    let Some(class) = chosen else {
        let (en, ko) = match &facts.wanted_class {
            Some(wanted) => (
                format!("there is no StorageClass {wanted} for the databases' volumes"),
                format!("데이터베이스 볼륨에 쓸 StorageClass {wanted}이(가) 없습니다"),
            ),
            None => (
                "no StorageClass is the default: the databases' volumes stay unbound".to_owned(),
                "기본 StorageClass가 없어 데이터베이스 볼륨이 바인딩되지 않습니다".to_owned(),
            ),
        };
        let first = there.first().copied().unwrap_or("NAME");
        found.push(
            Finding::new(id, Level::Problem, en, ko).seen(format!("classes: {listed}")).remedy(
                format!(
                    "name one under `spec.storage.class` of the cloud file, or make one the default: `kubectl annotate storageclass {first} storageclass.kubernetes.io/is-default-class=true`"
                ),
                format!(
                    "클라우드 파일의 `spec.storage.class`에 적거나 기본 클래스로 정하세요: `kubectl annotate storageclass {first} storageclass.kubernetes.io/is-default-class=true`"
                ),
            ),
        );
        return;
    };
    let rbd = class.provisioner.ends_with(RBD_DRIVER);
    if rbd && !facts.drivers.contains(&class.provisioner) {
        found.push(
            Finding::new(
                id,
                Level::Problem,
                format!("StorageClass {}: the driver {} does not run in this cluster", class.name, class.provisioner),
                format!("StorageClass {}: 드라이버 {}이(가) 이 클러스터에 없습니다", class.name, class.provisioner),
            )
            .seen(format!("classes: {listed}; drivers: {}", facts.drivers.join(", ")))
            .remedy(
                "install Rook's CSI driver, or name another class under `spec.storage.class` of the cloud file",
                "Rook의 CSI 드라이버를 설치하거나 클라우드 파일의 `spec.storage.class`에 다른 클래스를 적으세요",
            ),
        );
        return;
    }
    found.push(
        Finding::new(
            id,
            Level::Ok,
            format!("the databases' volumes are of StorageClass {}", class.name),
            format!("데이터베이스 볼륨의 StorageClass: {}", class.name),
        )
        .seen(format!("provisioner {}; classes: {listed}", class.provisioner)),
    );
}

fn apis(facts: &Facts, found: &mut Vec<Finding>) {
    if facts.wanted_apis.is_empty() {
        return;
    }
    let id = "api/versions";
    if facts.missing_apis.is_empty() {
        found.push(Finding::new(
            id,
            Level::Ok,
            format!("the cluster serves all {} kinds that the charts bring", facts.wanted_apis.len()),
            format!("차트가 쓰는 종류 {}개를 클러스터가 모두 제공함", facts.wanted_apis.len()),
        ));
        return;
    }
    found.push(
        Finding::new(
            id,
            Level::Problem,
            format!("the cluster does not serve what the charts bring: {}", facts.missing_apis.join(", ")),
            format!("차트가 쓰는 종류를 클러스터가 제공하지 않습니다: {}", facts.missing_apis.join(", ")),
        )
        .remedy(
            "a Kubernetes of 1.33 or later serves them; kinds of an operator come with its CRDs",
            "Kubernetes 1.33 이상이 제공합니다. 오퍼레이터의 종류는 그 CRD와 함께 설치됩니다",
        ),
    );
}

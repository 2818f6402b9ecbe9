//! What to do about each cause, in English and Korean. Words only.

use super::{Code, Remedy};
use crate::object::ObjectRef;
use crate::scheduling::Lack;

fn both(en: impl Into<String>, ko: impl Into<String>) -> Remedy {
    Remedy { en: en.into(), ko: ko.into() }
}

/// The remedy where nothing more precise is known.
pub fn general(code: Code) -> Remedy {
    match code {
        Code::Healthy => Remedy::default(),
        Code::Starting => {
            both("Nothing to do: it takes its time.", "할 일이 없습니다. 시간이 걸릴 뿐입니다.")
        }
        Code::DependencyMissing => both(
            "It comes with another release or hook; if that is not being installed, install it (`landfall up`).",
            "다른 릴리스나 훅이 만듭니다. 설치 중이 아니라면 설치하세요 (`landfall up`).",
        ),
        Code::ImageMissing | Code::ImageUnreachable => both(
            "Load the image into the nodes, or correct its name.",
            "이미지를 노드에 올리거나 이미지 이름을 고치세요.",
        ),
        Code::CrashLoop | Code::Failed => {
            both("Read the log and correct what it names.", "로그를 읽고 거기에 나온 원인을 고치세요.")
        }
        Code::ContainerCannotStart => both(
            "The command, user or mounts do not fit the image: correct them in the values, or use the image that the chart names.",
            "명령, 사용자 또는 마운트가 이미지와 맞지 않습니다. 값을 고치거나 차트가 지정한 이미지를 쓰세요.",
        ),
        Code::OutOfMemory => both("Raise the memory limit.", "메모리 제한을 올리세요."),
        Code::Unschedulable => {
            both("Make room on a node, or ask for less.", "노드에 여유를 만들거나 요청량을 줄이세요.")
        }
        Code::VolumeUnbound => {
            both("Look at the provisioner of its StorageClass.", "StorageClass의 프로비저너를 확인하세요.")
        }
        Code::VolumeMount => both(
            "Look at the storage driver on the node (`landfall local logs NODE kubelet` on the embedded cluster).",
            "노드의 스토리지 드라이버를 확인하세요 (내장 클러스터에서는 `landfall local logs NODE kubelet`).",
        ),
        Code::ConfigMissing => both("Make what is missing.", "없는 객체를 만드세요."),
        Code::JobFailed => both(
            "Read the Job's log, correct the cause, delete the Job and run `landfall up` again.",
            "Job의 로그를 읽고 원인을 고친 뒤 Job을 지우고 `landfall up`을 다시 실행하세요.",
        ),
        Code::ProbeFailing => both(
            "Read the log: the service is up but does not answer its probe.",
            "로그를 읽으세요. 서비스는 떠 있으나 프로브에 답하지 않습니다.",
        ),
        Code::DatabaseAccessDenied => both(
            "The password in the Secret is not the database's.",
            "Secret의 비밀번호가 데이터베이스의 것과 다릅니다.",
        ),
        Code::QueueAccessRefused => queue_refused(),
        Code::QuotaExceeded => both(
            "Raise the namespace's ResourceQuota, or ask for less.",
            "네임스페이스의 ResourceQuota를 올리거나 요청량을 줄이세요.",
        ),
        Code::AdmissionRefused => both(
            "A policy of this cluster refuses the pods: exempt the namespace, or change what the message names.",
            "클러스터의 정책이 파드를 거부합니다. 네임스페이스를 예외로 두거나 메시지에 나온 항목을 고치세요.",
        ),
        Code::NodeNotReady => both("Bring the node back.", "노드를 복구하세요."),
        Code::SandboxFailed => both(
            "Look at the network plugin (CNI) and containerd on the node.",
            "노드의 네트워크 플러그인(CNI)과 containerd를 확인하세요.",
        ),
        Code::Evicted => both(
            "The node ran short of disk or memory: make room there.",
            "노드의 디스크나 메모리가 모자랐습니다. 여유를 만드세요.",
        ),
        Code::ServiceWithoutPods => both(
            "Install what serves it, or correct the selector.",
            "서비스를 제공하는 것을 설치하거나 셀렉터를 고치세요.",
        ),
        Code::DiskFull => {
            both("Make room on the volume, or give it more.", "볼륨에 여유를 만들거나 크기를 늘리세요.")
        }
        Code::RolloutFailed => both(
            "Look at its pods: `kubectl describe` says why they do not get ready.",
            "파드를 확인하세요. `kubectl describe`가 준비되지 않는 까닭을 보여 줍니다.",
        ),
    }
}

pub fn node_not_ready(node: &str) -> Remedy {
    both(
        format!(
            "Bring node {node} back (`kubectl describe node {node}`; on the embedded cluster `landfall local logs {node} kubelet`)."
        ),
        format!(
            "노드 {node}를 복구하세요 (`kubectl describe node {node}`, 내장 클러스터에서는 `landfall local logs {node} kubelet`)."
        ),
    )
}

pub fn unschedulable(lack: Option<&Lack>, figures: &str, pod: &ObjectRef) -> Remedy {
    match lack {
        Some(Lack::Label(Some(label))) => both(
            format!(
                "Label a node: `kubectl label node NODE {}`, or name its nodes under `spec.nodes` of the cloud file and run `landfall up`.",
                label.replace(',', " ")
            ),
            format!(
                "노드에 레이블을 붙이세요: `kubectl label node NODE {}`. 또는 클라우드 파일의 `spec.nodes`에 노드를 적고 `landfall up`을 실행하세요.",
                label.replace(',', " ")
            ),
        ),
        Some(Lack::Taint(taint)) => both(
            format!(
                "Take the taint from a node (`kubectl taint node NODE {taint}-`), or let the pod tolerate it."
            ),
            format!("노드의 테인트를 지우거나 (`kubectl taint node NODE {taint}-`) 파드가 견디게 하세요."),
        ),
        Some(Lack::Cordoned) => both(
            "Let pods onto a node again: `kubectl uncordon NODE`.",
            "노드를 다시 열어 주세요: `kubectl uncordon NODE`.",
        ),
        Some(Lack::Resource(resource)) => {
            let seen = if figures.is_empty() { String::new() } else { format!(" ({figures})") };
            both(
                format!(
                    "Lower the request for {resource} in `pod.resources` of its values, or add a node or {resource}{seen}."
                ),
                format!(
                    "값의 `pod.resources`에서 {resource} 요청량을 줄이거나 노드 또는 {resource}를 늘리세요{seen}."
                ),
            )
        }
        Some(Lack::TooManyPods) => both(
            "Add a node, or raise the kubelet's `maxPods`.",
            "노드를 더하거나 kubelet의 `maxPods`를 올리세요.",
        ),
        Some(Lack::NoNodes) => both("Add a node to the cluster.", "클러스터에 노드를 더하세요."),
        Some(Lack::NodeCondition(_)) => both(
            "Bring a node back: `kubectl get nodes` says which is not ready.",
            "노드를 복구하세요. `kubectl get nodes`가 준비되지 않은 노드를 보여 줍니다.",
        ),
        Some(Lack::Neighbour(_)) => both(
            "Its copies must not share a node: add nodes, lower `pod.replicas`, or make the anti-affinity soft.",
            "같은 노드에 함께 둘 수 없습니다. 노드를 더하거나 `pod.replicas`를 줄이거나 반친화성을 완화하세요.",
        ),
        Some(Lack::Volume(_)) => both(
            format!("Look at the volume claims of the pod: `kubectl -n {} get pvc`.", pod.namespace),
            format!("파드의 볼륨 클레임을 확인하세요: `kubectl -n {} get pvc`.", pod.namespace),
        ),
        _ => general(Code::Unschedulable),
    }
}

pub fn image(image: &str, never: bool) -> Remedy {
    if image.contains("localhost/landfall/") {
        return both(
            format!(
                "Build and load it: `landfall images build` and `landfall images load` ({image}); or correct `images.tags` in the values."
            ),
            format!(
                "이미지를 만들어 올리세요: `landfall images build`, `landfall images load` ({image}). 또는 값의 `images.tags`를 고치세요."
            ),
        );
    }
    if never {
        both(
            format!(
                "Correct the name or tag of {image} in `images.tags` of the values, or give the pull Secret if the registry asks for one."
            ),
            format!(
                "값의 `images.tags`에서 {image}의 이름이나 태그를 고치세요. 레지스트리가 인증을 요구하면 풀 시크릿을 주세요."
            ),
        )
    } else {
        both(
            format!(
                "The nodes cannot reach the registry of {image}: check network, DNS and proxy of the nodes; it is tried again."
            ),
            format!(
                "노드가 {image}의 레지스트리에 닿지 못합니다. 노드의 네트워크, DNS, 프록시를 확인하세요. 다시 시도됩니다."
            ),
        )
    }
}

pub fn crash(pod: &ObjectRef, container: &str) -> Remedy {
    let command = format!("kubectl -n {} logs {} -c {container} --previous", pod.namespace, pod.name);
    both(
        format!("Correct what its last lines name; all of them: `{command}`."),
        format!("마지막 로그에 나온 원인을 고치세요. 전체 로그: `{command}`."),
    )
}

pub fn probe(pod: &ObjectRef, container: &str) -> Remedy {
    let command = format!("kubectl -n {} logs {} -c {container}", pod.namespace, pod.name);
    both(
        format!("It runs but does not answer its probe yet; its log: `{command}`."),
        format!("실행 중이지만 아직 프로브에 답하지 않습니다. 로그: `{command}`."),
    )
}

pub fn out_of_memory(container: &str, limit: Option<&str>) -> Remedy {
    let now = limit.map(|l| format!(" ({l})")).unwrap_or_default();
    both(
        format!(
            "Raise the memory limit of {container}{now} under `pod.resources` in the values, or run fewer workers."
        ),
        format!("값의 `pod.resources`에서 {container}의 메모리 제한{now}을 올리거나 워커 수를 줄이세요."),
    )
}

pub fn config_missing(object: &ObjectRef, key: Option<&str>) -> Remedy {
    let (kind, name) = (object.kind.to_lowercase(), &object.name);
    match key {
        Some(key) => both(
            format!("Add the key {key} to {kind} {name} in namespace {}.", object.namespace),
            format!("네임스페이스 {}의 {kind} {name}에 키 {key}를 더하세요.", object.namespace),
        ),
        None => both(
            format!(
                "Make {kind} {name} in namespace {}: its chart, or the release that should make it, is missing.",
                object.namespace
            ),
            format!(
                "네임스페이스 {}에 {kind} {name}을 만드세요. 이것을 만드는 차트나 릴리스가 빠져 있습니다.",
                object.namespace
            ),
        ),
    }
}

pub fn job_failed(job: &ObjectRef) -> Remedy {
    both(
        format!(
            "Correct what its log names, then `kubectl -n {} delete job {}` and `landfall up`.",
            job.namespace, job.name
        ),
        format!(
            "로그에 나온 원인을 고친 뒤 `kubectl -n {} delete job {}` 와 `landfall up`을 실행하세요.",
            job.namespace, job.name
        ),
    )
}

pub fn database_denied(user: &str) -> Remedy {
    both(
        format!(
            "The password for database user {user} in the Secret is not the one MariaDB has: put the right one into the Secret, or delete the service's db-init Job and run `landfall up`, which sets it anew."
        ),
        format!(
            "Secret에 있는 데이터베이스 사용자 {user}의 비밀번호가 MariaDB의 것과 다릅니다. Secret을 바로잡거나, 서비스의 db-init Job을 지우고 `landfall up`으로 다시 설정하세요."
        ),
    )
}

pub fn queue_refused() -> Remedy {
    both(
        "RabbitMQ refuses the user or password of `transport_url`: put the right one into the Secret, or delete the service's rabbit-init Job and run `landfall up`.",
        "RabbitMQ가 `transport_url`의 사용자나 비밀번호를 거부합니다. Secret을 바로잡거나, 서비스의 rabbit-init Job을 지우고 `landfall up`을 실행하세요.",
    )
}

pub fn no_class(name: &str, there: &[&str]) -> Remedy {
    let (en, ko) = classes(there);
    both(
        format!(
            "Make StorageClass {name}, or name one that exists under `spec.storage.class` of the cloud file ({en}); then delete the unbound claim."
        ),
        format!(
            "StorageClass {name}을 만들거나, 클라우드 파일의 `spec.storage.class`에 있는 것을 적으세요 ({ko}). 그 뒤 바인딩되지 않은 클레임을 지우세요."
        ),
    )
}

pub fn no_default_class(there: &[&str]) -> Remedy {
    let (en, ko) = classes(there);
    let name = there.first().copied().unwrap_or("NAME");
    both(
        format!(
            "Name a StorageClass under `spec.storage.class` of the cloud file, or make one the default ({en}): `kubectl annotate storageclass {name} storageclass.kubernetes.io/is-default-class=true`."
        ),
        format!(
            "클라우드 파일의 `spec.storage.class`에 StorageClass를 적거나 기본 클래스로 정하세요 ({ko}): `kubectl annotate storageclass {name} storageclass.kubernetes.io/is-default-class=true`."
        ),
    )
}

fn classes(there: &[&str]) -> (String, String) {
    if there.is_empty() {
        ("the cluster has none".to_owned(), "클러스터에 하나도 없습니다".to_owned())
    } else {
        (format!("there are: {}", there.join(", ")), format!("있는 것: {}", there.join(", ")))
    }
}

pub fn service_without_pods(selector: &str) -> Remedy {
    both(
        format!("Install what serves it: no pod carries {selector}."),
        format!("서비스를 제공하는 것을 설치하세요. {selector} 레이블을 가진 파드가 없습니다."),
    )
}

pub fn scaled_to_none(workload: &ObjectRef) -> Remedy {
    let (home, kind, name) = (&workload.namespace, workload.kind.to_lowercase(), &workload.name);
    let command = format!("kubectl -n {home} scale {kind}/{name} --replicas=1");
    both(format!("Let it run again: `{command}`."), format!("다시 실행하세요: `{command}`."))
}

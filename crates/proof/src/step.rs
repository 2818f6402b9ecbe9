//! The proof as a graph of named steps, as plain data.

use landfall_catalog::blueprint::Text;

/// Everything that a proof makes is named so, with the proof's own word after it.
pub const PREFIX: &str = "landfall-proof-";

/// One thing that is seen of the cloud, or taken away again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `proof/floating-ip`
    pub id: &'static str,
    pub title: Text,
    pub remedy: Text,
    /// Steps that must have held before.
    pub needs: Vec<&'static str>,
    /// Steps that must have ended before, however they ended.
    pub after: Vec<&'static str>,
    /// Takes away what was made: carried out whatever happened before, once all that is no removal has ended.
    pub removal: bool,
}

impl Step {
    fn new(id: &'static str, needs: &[&'static str], title: (&str, &str), remedy: (&str, &str)) -> Self {
        Self {
            id,
            title: Text::new(title.0, title.1),
            remedy: Text::new(remedy.0, remedy.1),
            needs: needs.to_vec(),
            after: Vec::new(),
            removal: false,
        }
    }

    fn after(mut self, steps: &[&'static str]) -> Self {
        self.after = steps.to_vec();
        self
    }

    fn removal(mut self) -> Self {
        self.removal = true;
        self
    }
}

const SERVICES: (&str, &str) = (
    "the answer is the service's own: `landfall verify` tells which service is not well",
    "메시지는 해당 서비스의 응답입니다. `landfall verify`로 어느 서비스에 문제가 있는지 확인하세요",
);
const COMPUTE: (&str, &str) = (
    "`landfall logs nova` and `landfall logs libvirt`: what the compute service and libvirt said of this server",
    "`landfall logs nova`와 `landfall logs libvirt`에서 이 서버에 관한 메시지를 확인하세요",
);
const NETWORK: (&str, &str) = (
    "`landfall verify neutron openvswitch` tells whether agents, bridges and tunnels are well",
    "`landfall verify neutron openvswitch`로 에이전트, 브리지, 터널 상태를 확인하세요",
);
const VOLUMES: (&str, &str) = (
    "`landfall logs cinder` and `landfall ceph status`: whether the back end takes and gives volumes",
    "`landfall logs cinder`와 `landfall ceph status`로 백엔드가 볼륨을 다룰 수 있는지 확인하세요",
);
const REMOVAL: (&str, &str) = (
    "what is named here is still there; `landfall verify --full --clean` tries again to remove it",
    "여기 나온 것이 남아 있습니다. `landfall verify --full --clean`으로 다시 지울 수 있습니다",
);
const METADATA: (&str, &str) = (
    "`landfall logs nova` (nova-metadata) and the metadata agent's log: both must have the same shared secret",
    "`landfall logs nova`(nova-metadata)와 metadata 에이전트 로그를 확인하세요. 두 쪽의 공유 비밀이 같아야 합니다",
);

/// All steps, each after those that it needs.
pub fn full_steps() -> Vec<Step> {
    let mut steps = making();
    steps.extend(seeing());
    steps.extend(storing());
    steps.extend(removing());
    steps
}

/// What only takes away what earlier proofs left.
pub fn clean_steps() -> Vec<Step> {
    let kept = |step: &Step| ["proof/leftovers", "proof/nothing-left"].contains(&step.id);
    let mut steps: Vec<Step> = full_steps().into_iter().filter(kept).collect();
    for step in &mut steps {
        step.after.clear();
    }
    steps
}

const SERVER: &[&str] =
    &["proof/image", "proof/network", "proof/security-group", "proof/keypair", "proof/flavor"];

fn making() -> Vec<Step> {
    vec![
        Step::new(
            "proof/leftovers",
            &[],
            ("Nothing is left of an earlier proof", "이전 증명이 남긴 것이 없음"),
            REMOVAL,
        ),
        Step::new(
            "proof/accounts",
            &["proof/leftovers"],
            ("A project with a user who is a member only", "일반 사용자(member)만 있는 프로젝트"),
            SERVICES,
        ),
        Step::new(
            "proof/flavor",
            &["proof/leftovers"],
            ("The administrator makes flavors", "관리자가 플레이버를 만듦"),
            SERVICES,
        ),
        Step::new(
            "proof/image",
            &["proof/accounts"],
            (
                "A bootable image goes into Glance, its bytes into Ceph",
                "부팅 가능한 이미지가 Glance와 Ceph에 들어감",
            ),
            SERVICES,
        ),
        Step::new(
            "proof/external-network",
            &["proof/leftovers"],
            ("There is an external network", "외부 네트워크가 있음"),
            (
                "a bridge to the outside needs an address on the node (network.bridge_addresses of the chart openvswitch), or name an external network that is there with --external",
                "외부 브리지에 노드 주소가 필요합니다(openvswitch 차트의 network.bridge_addresses). 이미 있는 외부 네트워크는 --external로 지정하세요",
            ),
        ),
        Step::new(
            "proof/network",
            &["proof/accounts", "proof/external-network"],
            ("Network, subnet, and a router with a way outside", "네트워크, 서브넷, 외부로 연결된 라우터"),
            NETWORK,
        ),
        Step::new(
            "proof/security-group",
            &["proof/accounts"],
            ("A security group with rules", "규칙이 있는 보안 그룹"),
            NETWORK,
        ),
        Step::new("proof/keypair", &["proof/accounts"], ("A key pair", "키 페어"), SERVICES),
        Step::new("proof/server", SERVER, ("A server is ACTIVE", "서버가 ACTIVE"), COMPUTE),
        Step::new(
            "proof/second-server",
            SERVER,
            ("A second server is ACTIVE", "두 번째 서버가 ACTIVE"),
            COMPUTE,
        ),
    ]
}

fn seeing() -> Vec<Step> {
    let seen = ["proof/user-data"];
    vec![
        Step::new(
            "proof/address",
            &["proof/server"],
            ("The server has its address by DHCP", "서버가 DHCP로 주소를 받음"),
            NETWORK,
        ),
        Step::new(
            "proof/metadata",
            &["proof/address"],
            ("The server reads its metadata and its key", "서버가 메타데이터와 키를 읽음"),
            METADATA,
        ),
        Step::new(
            "proof/user-data",
            &["proof/metadata"],
            ("The server reads its user data", "서버가 사용자 데이터를 읽음"),
            METADATA,
        ),
        Step::new(
            "proof/router",
            &seen,
            ("Ping and TCP from the router reach the server", "라우터에서 서버로 ping과 TCP가 닿음"),
            NETWORK,
        ),
        Step::new(
            "proof/floating-ip",
            &seen,
            ("Ping and TCP through a floating IP reach the server", "플로팅 IP로 서버에 ping과 TCP가 닿음"),
            NETWORK,
        ),
        Step::new(
            "proof/blocked-port",
            &seen,
            (
                "A port that no rule opens stays blocked, until a rule opens it",
                "규칙이 없는 포트는 막혀 있고, 규칙을 넣으면 열림",
            ),
            NETWORK,
        ),
        Step::new(
            "proof/console",
            &["proof/server"],
            ("The console URL answers", "콘솔 URL이 응답함"),
            COMPUTE,
        ),
        Step::new(
            "proof/isolation",
            &["proof/server"],
            (
                "A member of another project sees nothing of it",
                "다른 프로젝트의 사용자에게 아무것도 보이지 않음",
            ),
            SERVICES,
        )
        .after(&["proof/volume"]),
        Step::new("proof/quota", &["proof/server"], ("A quota holds", "쿼터가 지켜짐"), SERVICES)
            .after(&["proof/volume"]),
        Step::new(
            "proof/hard-reboot",
            &seen,
            (
                "After a hard reboot the server is back with its disk",
                "강제 재부팅 뒤 서버가 디스크와 함께 돌아옴",
            ),
            COMPUTE,
        )
        .after(&[
            "proof/router",
            "proof/floating-ip",
            "proof/blocked-port",
            "proof/console",
            "proof/volume-detached",
        ]),
        Step::new(
            "proof/migration",
            &["proof/second-server"],
            ("A server moves to another compute", "서버가 다른 컴퓨트로 옮겨감"),
            COMPUTE,
        )
        .after(&["proof/volume-moved", "proof/snapshot-read", "proof/restore"]),
    ]
}

fn storing() -> Vec<Step> {
    let volumes = |id, needs: &[&'static str], en, ko| Step::new(id, needs, (en, ko), VOLUMES);
    vec![
        volumes("proof/volume", &["proof/accounts"], "A volume is made, in Ceph", "볼륨이 Ceph에 만들어짐"),
        volumes(
            "proof/volume-attached",
            &["proof/volume", "proof/user-data"],
            "The server sees the volume as a disk",
            "서버가 볼륨을 디스크로 봄",
        ),
        volumes(
            "proof/volume-written",
            &["proof/volume-attached"],
            "The server writes into it",
            "서버가 볼륨에 씀",
        ),
        volumes(
            "proof/volume-detached",
            &["proof/volume-written"],
            "Detached, the disk goes away",
            "분리하면 디스크가 사라짐",
        ),
        volumes("proof/snapshot", &["proof/volume-detached"], "A snapshot of it", "볼륨 스냅샷"),
        volumes(
            "proof/volume-moved",
            &["proof/snapshot", "proof/second-server"],
            "The second server reads the same bytes from it",
            "두 번째 서버가 같은 바이트를 읽음",
        ),
        volumes(
            "proof/snapshot-read",
            &["proof/snapshot", "proof/second-server"],
            "A volume of the snapshot has the same bytes",
            "스냅샷으로 만든 볼륨에 같은 바이트가 있음",
        ),
        volumes("proof/backup", &["proof/snapshot"], "A backup, in Ceph", "백업이 Ceph에 만들어짐"),
        volumes(
            "proof/restore",
            &["proof/backup", "proof/second-server"],
            "What the backup is restored to has the same bytes",
            "백업에서 복원한 볼륨에 같은 바이트가 있음",
        ),
        Step::new(
            "proof/boot-from-volume",
            &[SERVER, &["proof/volume"]].concat(),
            ("A server boots from a volume", "서버가 볼륨으로 부팅함"),
            COMPUTE,
        ),
    ]
}

fn removing() -> Vec<Step> {
    let removal =
        |id, en, ko, after: &[&'static str]| Step::new(id, &[], (en, ko), REMOVAL).after(after).removal();
    vec![
        removal("proof/servers-removed", "All servers are gone", "서버가 모두 지워짐", &[]),
        removal(
            "proof/volumes-removed",
            "All volumes, snapshots and backups are gone",
            "볼륨, 스냅샷, 백업이 모두 지워짐",
            &["proof/servers-removed"],
        ),
        removal(
            "proof/network-removed",
            "Networks, routers and addresses are gone",
            "네트워크, 라우터, 주소가 모두 지워짐",
            &["proof/servers-removed"],
        ),
        removal(
            "proof/images-removed",
            "The images are gone",
            "이미지가 모두 지워짐",
            &["proof/volumes-removed"],
        ),
        removal(
            "proof/accounts-removed",
            "Users, projects and flavors are gone",
            "사용자, 프로젝트, 플레이버가 모두 지워짐",
            &["proof/images-removed", "proof/network-removed"],
        ),
        removal(
            "proof/nothing-left",
            "Nothing is left in Ceph, Open vSwitch or libvirt",
            "Ceph, Open vSwitch, libvirt에 아무것도 남지 않음",
            &["proof/accounts-removed"],
        ),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ids that a step is to come after, those that it needs among them.
    fn before(step: &Step) -> Vec<&'static str> {
        step.needs.iter().chain(&step.after).copied().collect()
    }

    #[test]
    fn every_step_is_known_once_and_none_waits_for_itself() {
        for steps in [full_steps(), clean_steps()] {
            let mut open: Vec<&Step> = steps.iter().collect();
            let mut ended: Vec<&str> = Vec::new();
            while !open.is_empty() {
                let able: Vec<&str> = open
                    .iter()
                    .filter(|step| before(step).iter().all(|id| ended.contains(id)))
                    .map(|step| step.id)
                    .collect();
                assert!(!able.is_empty(), "a ring, or an id that is no step's: {open:?}");
                open.retain(|step| !able.contains(&step.id));
                ended.extend(able);
            }
            let count = ended.len();
            ended.sort_unstable();
            ended.dedup();
            assert_eq!(ended.len(), count, "an id twice");
        }
    }

    #[test]
    fn every_step_speaks_both_languages() {
        for step in full_steps() {
            assert!(step.id.starts_with("proof/"), "{}", step.id);
            for text in [&step.title, &step.remedy] {
                assert!(!text.en.is_empty() && !text.ko.is_empty(), "{}", step.id);
                assert!(text.ko.chars().any(|c| ('가'..='힣').contains(&c)), "{}: {}", step.id, text.ko);
            }
        }
    }

    #[test]
    fn removal_needs_nothing_to_have_held() {
        assert!(full_steps().iter().filter(|step| step.removal).all(|step| step.needs.is_empty()));
    }
}

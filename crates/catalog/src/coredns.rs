//! CoreDNS, guide O02: no release of ours, but a prerequisite and its check point.

use crate::blueprint::{CheckKind, CheckSpec, Text};

pub(crate) fn check() -> CheckSpec {
    CheckSpec {
        id: "coredns/rbac".into(),
        service: "coredns".into(),
        guide: "O02".into(),
        title: Text::new(
            "CoreDNS may list and watch endpoints, services, pods and namespaces",
            "CoreDNS가 엔드포인트, 서비스, 파드, 네임스페이스를 조회할 수 있음",
        ),
        remedy: Text::new(
            "`kubectl describe clusterrole coredns` shows what is granted; `landfall up` restores the rules",
            "`kubectl describe clusterrole coredns`로 권한을 확인하세요. `landfall up`이 규칙을 복구합니다",
        ),
        kind: CheckKind::CorednsRole,
    }
}

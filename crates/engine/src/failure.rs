//! Failures of steps from diagnoses and from the cluster's errors.

use landfall_catalog::blueprint::Text;
use landfall_cluster::api::ClusterError;
use landfall_health::Diagnosis;

use crate::event::{Cause, Failure};

pub(crate) fn of_diagnosis(diagnosis: &Diagnosis) -> Failure {
    Failure {
        code: diagnosis.code.as_str().to_owned(),
        causes: diagnosis
            .links
            .iter()
            .map(|link| Cause {
                object: link.object.clone(),
                says: link.says.clone(),
                evidence: link.evidence.clone(),
            })
            .collect(),
        remedy: Text::new(diagnosis.remedy.en.clone(), diagnosis.remedy.ko.clone()),
    }
}

pub(crate) fn plain(code: &str, object: &str, says: impl Into<String>, en: &str, ko: &str) -> Failure {
    Failure {
        code: code.to_owned(),
        causes: vec![Cause { object: object.to_owned(), says: says.into(), evidence: String::new() }],
        remedy: Text::new(en, ko),
    }
}

/// `object` is what was worked on.
pub(crate) fn of_cluster(error: &ClusterError, object: &str) -> Failure {
    let (code, en, ko) = match error {
        ClusterError::Unreachable { .. } => (
            "cluster-unreachable",
            "see that the cluster runs and answers (`landfall local status`), then run `landfall up` again: it goes on from here",
            "클러스터가 동작하는지 확인한 뒤(`landfall local status`) `landfall up`을 다시 실행하세요: 이어서 진행합니다",
        ),
        ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. } => (
            "forbidden",
            "give this user the permission, or use a kubeconfig of an administrator",
            "이 사용자에게 권한을 주거나 관리자 kubeconfig를 사용하세요",
        ),
        ClusterError::Conflict { .. } => (
            "conflict",
            "another program manages this field: let it give the field up (`kubectl apply --server-side --field-manager=…`), or leave the field out of the values",
            "다른 프로그램이 이 필드를 관리합니다: 그 관리를 해제하거나 values에서 해당 필드를 빼세요",
        ),
        ClusterError::UnknownKind(_) => (
            "unknown-kind",
            "install the operator or CRDs that bring this kind, or switch the feature off in the values",
            "이 종류를 제공하는 오퍼레이터나 CRD를 설치하거나 values에서 해당 기능을 끄세요",
        ),
        _ => (
            "refused",
            "correct what the message names in the values or the cloud file, then run `landfall up` again",
            "메시지가 가리키는 값을 고친 뒤 `landfall up`을 다시 실행하세요",
        ),
    };
    plain(code, object, error.to_string(), en, ko)
}

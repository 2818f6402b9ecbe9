//! From kube's errors to errors that say what the operator can act on.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status as ExecStatus;
use kube::core::Status;
use kube::runtime::watcher;

use super::connect::told;
use crate::api::ClusterError;

/// What was asked, to name it when it is refused.
pub(super) struct Asked<'a> {
    cluster: &'a str,
    verb: &'a str,
    resource: String,
    namespace: Option<String>,
    object: String,
}

impl<'a> Asked<'a> {
    pub fn new(cluster: &'a str, verb: &'a str, resource: &str) -> Self {
        Self { cluster, verb, resource: resource.to_owned(), namespace: None, object: resource.to_owned() }
    }

    pub fn group(mut self, group: &str) -> Self {
        if !group.is_empty() {
            self.resource = format!("{}.{group}", self.resource);
        }
        self
    }

    pub fn object(mut self, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        self.namespace = namespace.map(str::to_owned);
        self.object = format!("{kind}/{}/{name}", namespace.unwrap_or_default());
        self
    }

    pub fn explain(self, error: kube::Error) -> ClusterError {
        match error {
            kube::Error::Api(status) => self.refused(&status),
            kube::Error::UpgradeConnection(error) => {
                ClusterError::Other(format!("{}: no stream: {}", self.object, told(&error)))
            }
            kube::Error::SerdeError(_)
            | kube::Error::BuildRequest(_)
            | kube::Error::HttpError(_)
            | kube::Error::FromUtf8(_) => {
                ClusterError::Other(format!("{}: not what was expected: {error}", self.object))
            }
            other => ClusterError::Unreachable {
                cluster: self.cluster.to_owned(),
                source_text: told(&other).trim_start_matches("ServiceError: ").to_owned(),
            },
        }
    }

    pub fn explain_watch(self, error: watcher::Error) -> ClusterError {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => self.explain(error),
            watcher::Error::WatchError(status) => self.refused(&status),
            other @ watcher::Error::NoResourceVersion => ClusterError::Other(other.to_string()),
        }
    }

    fn refused(self, status: &Status) -> ClusterError {
        let message = status.message.clone();
        match (status.code, status.reason.as_str()) {
            (401, _) => ClusterError::Unauthorized { cluster: self.cluster.to_owned(), message },
            // Admission (quota, a namespace that ends) forbids too, but that is not a lack of permission.
            (403, _) if message.contains(" cannot ") => ClusterError::Forbidden {
                verb: self.verb.to_owned(),
                resource: self.resource,
                namespace: self.namespace,
                message,
            },
            (404, _) => ClusterError::NotFound { object: self.object },
            (409, "AlreadyExists") => ClusterError::Exists { object: self.object },
            (409, _) => conflict(self.object, status),
            (429 | 500 | 502 | 503 | 504, _) => {
                ClusterError::Unreachable { cluster: self.cluster.to_owned(), source_text: message }
            }
            _ => ClusterError::Invalid { object: self.object, message },
        }
    }
}

/// `conflict with "kubectl" using apps/v1` and `.spec.replicas`, from the causes.
fn conflict(object: String, status: &Status) -> ClusterError {
    let causes: Vec<_> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .collect();
    if causes.is_empty() {
        return ClusterError::Stale { object };
    }
    let mut managers: Vec<&str> = causes.iter().filter_map(|c| c.message.split('"').nth(1)).collect();
    managers.sort_unstable();
    managers.dedup();
    let fields: Vec<&str> = causes.iter().map(|c| c.field.trim_start_matches('.')).collect();
    ClusterError::Conflict { object, manager: managers.join(", "), fields: fields.join(", ") }
}

/// The code that the kubelet puts into the status of an exec; with what it says where it never ran.
pub(super) fn exit_code(status: &ExecStatus) -> (i32, Option<String>) {
    if status.status.as_deref() == Some("Success") {
        return (0, None);
    }
    let causes = status.details.iter().filter_map(|details| details.causes.as_ref()).flatten();
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_ref()?.parse().ok());
    match code {
        Some(code) => (code, None),
        None => (-1, status.message.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn status(value: serde_json::Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    fn asked() -> Asked<'static> {
        Asked::new("test", "patch", "deployments").group("apps").object("Deployment", Some("openstack"), "x")
    }

    #[test]
    fn a_conflict_names_the_other_manager_and_the_field() {
        let told = asked().refused(&status(json!({
            "code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict",
            "details": {"causes": [{"reason": "FieldManagerConflict",
                "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.replicas"}]},
        })));
        assert_eq!(told.to_string(), "Deployment/openstack/x: field spec.replicas belongs to kubectl");
    }

    #[test]
    fn a_lack_of_permission_names_verb_and_resource() {
        let told = asked().refused(&status(json!({
            "code": 403, "reason": "Forbidden",
            "message": "deployments.apps \"x\" is forbidden: User \"u\" cannot patch resource \"deployments\"",
        })));
        assert_eq!(told.to_string(), "no permission to patch deployments.apps in namespace openstack");
    }

    #[test]
    fn a_quota_is_not_told_as_a_lack_of_permission() {
        let told = asked().refused(&status(json!({
            "code": 403, "reason": "Forbidden", "message": "exceeded quota: small, requested: pods=1",
        })));
        assert!(matches!(told, ClusterError::Invalid { .. }), "{told}");
    }

    #[test]
    fn the_exit_code_of_a_command_is_read_from_its_status() {
        let read = |value: serde_json::Value| exit_code(&serde_json::from_value(value).unwrap());
        let failed = json!({
            "status": "Failure", "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
        });
        assert_eq!(read(failed), (7, None));
        assert_eq!(read(json!({"status": "Success"})), (0, None));
        let never = json!({"status": "Failure", "reason": "InternalError", "message": "container not found"});
        assert_eq!(read(never), (-1, Some("container not found".into())));
    }
}

//! What CoreDNS must be allowed to read (guide O02), and whether rules allow it.

use serde_json::{Value, json};

/// Group and resource; `list` and `watch` on each.
pub const NEEDED: [(&str, &str); 5] = [
    ("", "endpoints"),
    ("", "namespaces"),
    ("", "pods"),
    ("", "services"),
    ("discovery.k8s.io", "endpointslices"),
];

/// `endpointslices.discovery.k8s.io`, `pods`: resources that these rules do not let be listed and watched.
pub fn lacking(rules: &[Value]) -> Vec<String> {
    let has = |rule: &Value, field: &str, word: &str| {
        rule[field].as_array().is_some_and(|words| words.iter().any(|w| w == word || w == "*"))
    };
    let allowed = |group: &str, resource: &str, verb: &str| {
        rules.iter().any(|rule| {
            rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
                && has(rule, "apiGroups", group)
                && has(rule, "resources", resource)
                && has(rule, "verbs", verb)
        })
    };
    NEEDED
        .iter()
        .filter(|(group, resource)| !(allowed(group, resource, "list") && allowed(group, resource, "watch")))
        .map(
            |(group, resource)| {
                if group.is_empty() { (*resource).to_owned() } else { format!("{resource}.{group}") }
            },
        )
        .collect()
}

/// The rules of a ClusterRole.
pub fn rules(role: &Value) -> &[Value] {
    role["rules"].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a ClusterRoleBinding gives ClusterRole `coredns` to this service account.
pub fn is_bound(binding: &Value, namespace: &str, account: &str) -> bool {
    binding["roleRef"]["name"] == "coredns"
        && binding["subjects"].as_array().is_some_and(|subjects| {
            subjects
                .iter()
                .any(|s| s["kind"] == "ServiceAccount" && s["name"] == account && s["namespace"] == namespace)
        })
}

/// The guide's ClusterRole.
pub fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "coredns"},
        "rules": [
            {"apiGroups": [""], "resources": ["endpoints", "namespaces", "pods", "services"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ],
    })
}

/// Its binding, to CoreDNS's own service account.
pub fn binding(namespace: &str, account: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "coredns"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_guides_role_lacks_nothing() {
        assert!(lacking(rules(&role())).is_empty());
    }

    #[test]
    fn a_role_without_endpointslices_lacks_them() {
        let rules = [json!({"apiGroups": [""], "resources": ["*"], "verbs": ["list", "watch"]})];
        assert_eq!(lacking(&rules), ["endpointslices.discovery.k8s.io"]);
        let named = [json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["x"]})];
        assert_eq!(lacking(&named).len(), 5);
    }
}

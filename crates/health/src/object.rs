//! Reading Kubernetes objects that are plain JSON: names, labels, owners, conditions.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names one object. Written `Kind/namespace/name`; cluster-scoped objects have an empty namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl ObjectRef {
    pub fn new(kind: impl Into<String>, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Of an object that carries its kind; none where kind or name are missing.
    pub fn of(object: &Value) -> Option<Self> {
        let kind = object.get("kind")?.as_str()?;
        Some(Self::new(kind, namespace(object), name(object)?))
    }

    /// From `Kind/namespace/name`.
    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        (!kind.is_empty() && !name.is_empty()).then(|| Self::new(kind, namespace, name))
    }

    /// The key in [`crate::World::objects`].
    pub fn key(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

pub fn name(object: &Value) -> Option<&str> {
    field(object, "/metadata/name")?.as_str()
}

/// Empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// What is at a JSON pointer (RFC 6901). `Value::pointer` takes every token apart for escapes, and diagnoses ask a
/// thousand times for each change in the cluster.
pub fn field<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.contains('~') {
        return object.pointer(pointer);
    }
    pointer.split('/').skip(1).try_fold(object, |value, token| match value {
        Value::Object(map) => map.get(token),
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The string at a JSON pointer, or an empty one.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    field(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer.
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    field(object, pointer).and_then(Value::as_i64)
}

/// The list at a JSON pointer, or an empty one.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    field(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub fn is_terminating(object: &Value) -> bool {
    field(object, "/metadata/deletionTimestamp").is_some()
}

/// A condition of `status.conditions` by its type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|c| text(c, "/type") == kind)
}

/// Whether a condition has this status (`True`, `False`, `Unknown`).
pub fn condition_is(object: &Value, kind: &str, status: &str) -> bool {
    condition(object, kind).is_some_and(|c| text(c, "/status") == status)
}

/// `reason: message` of a condition, as far as there is one.
pub fn condition_says(object: &Value, kind: &str) -> String {
    condition(object, kind).map(|c| says(text(c, "/reason"), text(c, "/message"))).unwrap_or_default()
}

/// Joins a reason and a message, either of which may be empty.
pub fn says(reason: &str, message: &str) -> String {
    match (reason.is_empty(), message.is_empty()) {
        (false, false) => format!("{reason}: {message}"),
        (false, true) => reason.to_owned(),
        _ => message.to_owned(),
    }
}

/// Whether `child` is owned by the object of this kind and name (and UID, where both are known).
pub fn is_owned_by(child: &Value, owner: &Value) -> bool {
    let (kind, name, uid) =
        (text(owner, "/kind"), text(owner, "/metadata/name"), text(owner, "/metadata/uid"));
    list(child, "/metadata/ownerReferences").iter().any(|o| {
        let its = text(o, "/uid");
        text(o, "/kind") == kind
            && text(o, "/name") == name
            && (its.is_empty() || uid.is_empty() || its == uid)
    })
}

/// Whether labels satisfy a plain map of `key: value`.
pub fn labels_match(labels: Option<&Value>, wanted: &serde_json::Map<String, Value>) -> bool {
    wanted.iter().all(|(key, value)| labels.and_then(|l| l.get(key)) == Some(value))
}

/// Whether labels satisfy a LabelSelector (`matchLabels` and `matchExpressions`).
pub fn selector_matches(labels: Option<&Value>, selector: &Value) -> bool {
    let plain =
        selector.get("matchLabels").and_then(Value::as_object).is_none_or(|m| labels_match(labels, m));
    plain && list(selector, "/matchExpressions").iter().all(|e| expression_matches(labels, e))
}

/// One requirement of a label or node selector: In, NotIn, Exists, DoesNotExist, Gt, Lt.
pub fn expression_matches(labels: Option<&Value>, expression: &Value) -> bool {
    let value = labels.and_then(|l| l.get(text(expression, "/key"))).and_then(Value::as_str);
    let values = list(expression, "/values");
    let among = |v: &str| values.iter().any(|w| w.as_str() == Some(v));
    let against = |holds: fn(i64, i64) -> bool| {
        let bound = values.first().and_then(Value::as_str).and_then(|b| b.parse().ok());
        value.and_then(|v| v.parse().ok()).zip(bound).is_some_and(|(v, b)| holds(v, b))
    };
    match text(expression, "/operator") {
        "In" => value.is_some_and(among),
        "NotIn" => value.is_none_or(|v| !among(v)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => against(|v, b| v > b),
        "Lt" => against(|v, b| v < b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_survives_its_key() {
        for key in ["Pod/openstack/keystone-api-1", "Node//k1"] {
            assert_eq!(ObjectRef::parse(key).unwrap().key(), key);
        }
        assert_eq!(ObjectRef::parse("Pod/openstack"), None);
        assert_eq!(ObjectRef::parse("Pod/openstack/"), None);
    }

    #[test]
    fn selectors_match_as_kubernetes_does() {
        let labels = json!({"a": "1", "b": "x"});
        let hit = |selector: Value| selector_matches(Some(&labels), &selector);
        assert!(hit(
            json!({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "In", "values": ["x", "y"]}]})
        ));
        assert!(!hit(json!({"matchLabels": {"a": "2"}})));
        assert!(hit(
            json!({"matchExpressions": [{"key": "c", "operator": "NotIn", "values": ["x"]}, {"key": "c", "operator": "DoesNotExist"}]})
        ));
        assert!(hit(json!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["0"]}]})));
        assert!(!hit(json!({"matchExpressions": [{"key": "b", "operator": "Lt", "values": ["5"]}]})));
        assert!(!selector_matches(None, &json!({"matchExpressions": [{"key": "a", "operator": "Exists"}]})));
    }

    #[test]
    fn an_owner_of_the_same_name_but_another_uid_is_not_the_owner() {
        let job = json!({"kind": "Job", "metadata": {"name": "sync", "uid": "new"}});
        let pod = |uid: &str| json!({"metadata": {"ownerReferences": [{"kind": "Job", "name": "sync", "uid": uid}]}});
        assert!(is_owned_by(&pod("new"), &job));
        assert!(!is_owned_by(&pod("old"), &job));
    }
}

//! Which objects a dependency has to be judged by, and what is held of them.

use std::collections::BTreeMap;

use kube::core::{ApiResource, GroupVersionKind};
use landfall_health::dependency::Dependency;
use serde_json::Value;

use super::evaluate::Own;

/// One stream of objects: a kind in a namespace, by name, label or field. Equal sources are watched once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub namespace: String,
    pub name: Option<String>,
    pub labels: String,
    pub node: Option<String>,
}

impl Source {
    fn new(group: &str, kind: &str, namespace: &str) -> Self {
        let plural = format!("{}s", kind.to_lowercase()).replace("endpointss", "endpoints");
        Self {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural,
            namespace: namespace.to_owned(),
            name: None,
            labels: String::new(),
            node: None,
        }
    }

    fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    fn labelled(mut self, labels: String) -> Self {
        self.labels = labels;
        self
    }

    fn on(mut self, node: Option<&String>) -> Self {
        self.node = node.cloned();
        self
    }

    pub fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk(&self.group, &self.version, &self.kind),
            &self.plural,
        )
    }

    /// The field selector that picks the object or the node.
    pub fn fields(&self) -> Option<String> {
        match (&self.name, &self.node) {
            (Some(name), _) => Some(format!("metadata.name={name}")),
            (None, Some(node)) => Some(format!("spec.nodeName={node}")),
            (None, None) => None,
        }
    }
}

/// What a source told.
#[derive(Debug)]
pub enum Update {
    /// All there is.
    Listed(Vec<Value>),
    Applied(Box<Value>),
    Deleted(String),
    /// It cannot be asked at the moment, or not at all.
    Trouble(String),
}

/// What is known from one source.
#[derive(Debug, Default)]
pub struct Held {
    pub objects: BTreeMap<String, Value>,
    /// A first answer has come.
    pub listed: bool,
    pub trouble: Option<String>,
}

impl Held {
    pub fn take(&mut self, update: Update) {
        match update {
            Update::Listed(objects) => {
                self.objects = objects.into_iter().map(|o| (name_of(&o), o)).collect();
                self.listed = true;
                self.trouble = None;
            }
            Update::Applied(object) => {
                self.objects.insert(name_of(&object), *object);
                self.trouble = None;
            }
            Update::Deleted(name) => {
                self.objects.remove(&name);
            }
            Update::Trouble(why) => self.trouble = Some(why),
        }
    }
}

fn name_of(object: &Value) -> String {
    landfall_health::object::name(object).unwrap_or_default().to_owned()
}

/// What a dependency is judged by; the order is the one that [`super::evaluate`] reads. Sources after the
/// first of a Job only say why.
pub fn sources_of(dependency: &Dependency, own: &Own, own_namespace: &str) -> Vec<Source> {
    match dependency {
        Dependency::Service { namespace, name } => vec![
            Source::new("discovery.k8s.io", "EndpointSlice", namespace)
                .labelled(format!("kubernetes.io/service-name={name}")),
            Source::new("", "Endpoints", namespace).named(name),
        ],
        Dependency::Job { namespace, name } => vec![
            Source::new("batch", "Job", namespace).named(name),
            Source::new("", "Pod", namespace).labelled(format!("job-name={name}")),
        ],
        Dependency::Jobs { namespace, labels } => {
            vec![Source::new("batch", "Job", namespace).labelled(join(labels))]
        }
        Dependency::DaemonSet { namespace, name } => vec![
            Source::new("apps", "DaemonSet", namespace).named(name),
            Source::new("", "Pod", namespace).on(own.node.as_ref()),
        ],
        Dependency::Pod { namespace, labels, same_node } => {
            let pods = Source::new("", "Pod", namespace).labelled(join(labels));
            vec![if *same_node { pods.on(own.node.as_ref()) } else { pods }]
        }
        Dependency::Container { .. } => vec![Source::new("", "Pod", own_namespace).named(&own.pod)],
        Dependency::Secret { namespace, name, .. } => vec![Source::new("", "Secret", namespace).named(name)],
        Dependency::ConfigMap { namespace, name, .. } => {
            vec![Source::new("", "ConfigMap", namespace).named(name)]
        }
        Dependency::CustomResource(custom) => {
            let (group, version) = custom.group_version();
            vec![Source {
                version: version.to_owned(),
                plural: custom.plural(),
                ..Source::new(group, &custom.kind, &custom.namespace).named(&custom.name)
            }]
        }
        Dependency::Config { .. } | Dependency::Socket { .. } => Vec::new(),
    }
}

fn join(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dependencies_that_need_the_same_objects_share_a_source() {
        let own = Own { node: Some("k1".into()), pod: "p".into() };
        let set = |name: &str| Dependency::DaemonSet { namespace: "openstack".into(), name: name.into() };
        let (a, b) = (sources_of(&set("a"), &own, "x"), sources_of(&set("b"), &own, "x"));
        assert_ne!(a[0], b[0]);
        assert_eq!(a[1], b[1]);
        assert_eq!(a[1].fields().as_deref(), Some("spec.nodeName=k1"));
    }

    #[test]
    fn plurals_are_the_apis_own() {
        let service = Dependency::Service { namespace: "n".into(), name: "s".into() };
        let plurals: Vec<String> =
            sources_of(&service, &Own::default(), "n").into_iter().map(|s| s.plural).collect();
        assert_eq!(plurals, ["endpointslices", "endpoints"]);
    }

    #[test]
    fn a_new_listing_forgets_what_is_gone() {
        let mut held = Held::default();
        held.take(Update::Applied(Box::new(json!({"metadata": {"name": "a"}}))));
        held.take(Update::Trouble("refused".into()));
        assert!(!held.listed && held.trouble.is_some());
        held.take(Update::Listed(vec![json!({"metadata": {"name": "b"}})]));
        assert!(held.listed && held.trouble.is_none());
        assert_eq!(held.objects.keys().collect::<Vec<_>>(), ["b"]);
        held.take(Update::Deleted("b".into()));
        assert!(held.objects.is_empty());
    }
}

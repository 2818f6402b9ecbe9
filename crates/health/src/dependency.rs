//! kubernetes-entrypoint's `DEPENDENCY_*` words: what a container waits for, read from its environment.
//! Parsing only; whether a dependency is met is judged where the objects are at hand.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// One thing that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// One endpoint is ready.
    Service {
        namespace: String,
        name: String,
    },
    /// The Job has succeeded at least once.
    Job {
        namespace: String,
        name: String,
    },
    /// Every Job with these labels has succeeded, and there is one.
    Jobs {
        namespace: String,
        labels: BTreeMap<String, String>,
    },
    /// The DaemonSet's pod on this node is ready, or it has none here.
    DaemonSet {
        namespace: String,
        name: String,
    },
    /// One pod with these labels is ready, on this node where `same_node`.
    Pod {
        namespace: String,
        labels: BTreeMap<String, String>,
        same_node: bool,
    },
    /// This container of the own pod is ready.
    Container {
        name: String,
    },
    /// A file to be written from its template in `/configmaps`.
    Config {
        path: String,
    },
    /// A file that must exist and be readable.
    Socket {
        path: String,
    },
    CustomResource(CustomResource),
    /// Exists, and holds a non-empty `key` where one is named.
    Secret {
        namespace: String,
        name: String,
        key: Option<String>,
    },
    ConfigMap {
        namespace: String,
        name: String,
        key: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomResource {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub namespace: String,
    /// The plural, where it is not the lower-case kind with an `s`.
    #[serde(default)]
    pub resource: Option<String>,
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// A value at a dotted path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Field {
    pub key: String,
    pub value: String,
}

/// A condition's status; `True` where none is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default = "yes")]
    pub status: String,
}

fn yes() -> String {
    "True".to_owned()
}

impl CustomResource {
    /// `(group, version)` of `apiVersion`; the core group is empty.
    pub fn group_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }

    pub fn plural(&self) -> String {
        self.resource.clone().unwrap_or_else(|| format!("{}s", self.kind.to_lowercase()))
    }
}

impl fmt::Display for Dependency {
    /// As people read it: `job keystone-db-sync`, `service mariadb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labelled = |labels: &BTreeMap<String, String>| {
            labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
        };
        match self {
            Self::Service { name, .. } => write!(f, "service {name}"),
            Self::Job { name, .. } => write!(f, "job {name}"),
            Self::Jobs { labels, .. } => write!(f, "jobs {}", labelled(labels)),
            Self::DaemonSet { name, .. } => write!(f, "daemonset {name}"),
            Self::Pod { labels, same_node: true, .. } => write!(f, "pod {} on this node", labelled(labels)),
            Self::Pod { labels, .. } => write!(f, "pod {}", labelled(labels)),
            Self::Container { name } => write!(f, "container {name}"),
            Self::Config { path } => write!(f, "config {path}"),
            Self::Socket { path } => write!(f, "socket {path}"),
            Self::CustomResource(c) => write!(f, "{} {}", c.kind.to_lowercase(), c.name),
            Self::Secret { name, key: None, .. } => write!(f, "secret {name}"),
            Self::Secret { name, key: Some(key), .. } => write!(f, "secret {name}/{key}"),
            Self::ConfigMap { name, key: None, .. } => write!(f, "configmap {name}"),
            Self::ConfigMap { name, key: Some(key), .. } => write!(f, "configmap {name}/{key}"),
        }
    }
}

/// The variables that [`parse`] reads.
pub const VARIABLES: [&str; 11] = [
    "DEPENDENCY_SERVICE",
    "DEPENDENCY_JOBS",
    "DEPENDENCY_JOBS_JSON",
    "DEPENDENCY_DAEMONSET",
    "DEPENDENCY_POD_JSON",
    "DEPENDENCY_CONTAINER",
    "DEPENDENCY_CONFIG",
    "DEPENDENCY_SOCKET",
    "DEPENDENCY_CUSTOM_RESOURCE",
    "DEPENDENCY_SECRETS",
    "DEPENDENCY_CONFIGMAPS",
];

/// What was asked for, and sentences on what could not be understood (the original ignores those; who
/// carries it out decides).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    pub dependencies: Vec<Dependency>,
    pub problems: Vec<String>,
}

#[derive(Deserialize)]
struct PodJson {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    namespace: String,
    #[serde(default, rename = "requireSameNode")]
    require_same_node: bool,
}

#[derive(Deserialize)]
struct JobJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    namespace: String,
}

/// Reads the dependencies that an environment asks for. `namespace` is where names without one are.
pub fn parse<'a>(variable: impl Fn(&str) -> Option<&'a str>, namespace: &str) -> Parsed {
    let mut reader = Reader { namespace, parsed: Parsed::default() };
    let value = |name: &str| variable(name).map(str::trim).filter(|v| !v.is_empty());

    for (ns, name) in reader.names("DEPENDENCY_SERVICE", value("DEPENDENCY_SERVICE")) {
        reader.add(Dependency::Service { namespace: ns, name });
    }
    match value("DEPENDENCY_JOBS_JSON") {
        Some(text) => reader.jobs_json(text),
        None => {
            for (ns, name) in reader.names("DEPENDENCY_JOBS", value("DEPENDENCY_JOBS")) {
                reader.add(Dependency::Job { namespace: ns, name });
            }
        }
    }
    for (ns, name) in reader.names("DEPENDENCY_DAEMONSET", value("DEPENDENCY_DAEMONSET")) {
        reader.add(Dependency::DaemonSet { namespace: ns, name });
    }
    for pod in reader.json::<PodJson>("DEPENDENCY_POD_JSON", value("DEPENDENCY_POD_JSON")) {
        let namespace = reader.or_own(pod.namespace);
        reader.add(Dependency::Pod { namespace, labels: pod.labels, same_node: pod.require_same_node });
    }
    for name in words(value("DEPENDENCY_CONTAINER")) {
        reader.add(Dependency::Container { name });
    }
    for path in words(value("DEPENDENCY_CONFIG")) {
        reader.add(Dependency::Config { path });
    }
    for path in words(value("DEPENDENCY_SOCKET")) {
        reader.add(Dependency::Socket { path });
    }
    for mut custom in
        reader.json::<CustomResource>("DEPENDENCY_CUSTOM_RESOURCE", value("DEPENDENCY_CUSTOM_RESOURCE"))
    {
        custom.namespace = reader.or_own(custom.namespace);
        reader.add(Dependency::CustomResource(custom));
    }
    for (ns, name) in reader.names("DEPENDENCY_SECRETS", value("DEPENDENCY_SECRETS")) {
        let (name, key) = name_and_key(name);
        reader.add(Dependency::Secret { namespace: ns, name, key });
    }
    for (ns, name) in reader.names("DEPENDENCY_CONFIGMAPS", value("DEPENDENCY_CONFIGMAPS")) {
        let (name, key) = name_and_key(name);
        reader.add(Dependency::ConfigMap { namespace: ns, name, key });
    }
    reader.parsed
}

struct Reader<'a> {
    namespace: &'a str,
    parsed: Parsed,
}

impl Reader<'_> {
    fn add(&mut self, dependency: Dependency) {
        if !self.parsed.dependencies.contains(&dependency) {
            self.parsed.dependencies.push(dependency);
        }
    }

    fn or_own(&self, namespace: String) -> String {
        if namespace.is_empty() { self.namespace.to_owned() } else { namespace }
    }

    /// `name,namespace:name`
    fn names(&mut self, variable: &str, value: Option<&str>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for word in words(value) {
            match word.split(':').collect::<Vec<_>>().as_slice() {
                [name] => found.push((self.namespace.to_owned(), (*name).to_owned())),
                [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                    found.push(((*namespace).to_owned(), (*name).to_owned()));
                }
                _ => self
                    .parsed
                    .problems
                    .push(format!("{variable}: `{word}` is not `name` or `namespace:name`")),
            }
        }
        found
    }

    fn json<T: serde::de::DeserializeOwned>(&mut self, variable: &str, value: Option<&str>) -> Vec<T> {
        let Some(text) = value else { return Vec::new() };
        serde_json::from_str(text).unwrap_or_else(|e| {
            self.parsed.problems.push(format!("{variable} is not the JSON that it should be: {e}"));
            Vec::new()
        })
    }

    fn jobs_json(&mut self, text: &str) {
        for job in self.json::<JobJson>("DEPENDENCY_JOBS_JSON", Some(text)) {
            let namespace = self.or_own(job.namespace);
            match (job.name.is_empty(), job.labels) {
                (false, None) => self.add(Dependency::Job { namespace, name: job.name }),
                (true, Some(labels)) if !labels.is_empty() => {
                    self.add(Dependency::Jobs { namespace, labels });
                }
                (false, Some(_)) => {
                    self.parsed
                        .problems
                        .push(format!("DEPENDENCY_JOBS_JSON: job {} has both a name and labels", job.name));
                }
                (true, _) => self
                    .parsed
                    .problems
                    .push("DEPENDENCY_JOBS_JSON: a job has neither a name nor labels".to_owned()),
            }
        }
    }
}

fn words(value: Option<&str>) -> Vec<String> {
    value
        .into_iter()
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

fn name_and_key(word: String) -> (String, Option<String>) {
    match word.split_once('/') {
        Some((name, key)) if !key.is_empty() => (name.to_owned(), Some(key.to_owned())),
        Some((name, _)) => (name.to_owned(), None),
        None => (word, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Parsed {
        let pairs = pairs.to_vec();
        parse(|n| pairs.iter().find(|(k, _)| *k == n).map(|(_, v)| *v), "openstack")
    }

    fn shown(pairs: &[(&'static str, &'static str)]) -> Vec<String> {
        of(pairs).dependencies.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_take_the_own_namespace_unless_they_bring_one() {
        let parsed = of(&[("DEPENDENCY_SERVICE", "mariadb, infra:memcached,,mariadb")]);
        assert_eq!(
            parsed.dependencies,
            [
                Dependency::Service { namespace: "openstack".into(), name: "mariadb".into() },
                Dependency::Service { namespace: "infra".into(), name: "memcached".into() },
            ]
        );
    }

    #[test]
    fn empty_variables_ask_for_nothing() {
        assert_eq!(
            of(&[
                ("DEPENDENCY_SERVICE", ""),
                ("DEPENDENCY_POD_JSON", " "),
                ("DEPENDENCY_CUSTOM_RESOURCE", "")
            ]),
            Parsed::default()
        );
    }

    #[test]
    fn jobs_json_wins_over_plain_jobs() {
        let both = [
            ("DEPENDENCY_JOBS", "old"),
            ("DEPENDENCY_JOBS_JSON", r#"[{"name":"sync"},{"labels":{"app":"nova"},"namespace":"x"}]"#),
        ];
        assert_eq!(shown(&both), ["job sync", "jobs app=nova"]);
        assert_eq!(shown(&both[..1]), ["job old"]);
    }

    #[test]
    fn pods_may_have_to_be_on_the_same_node() {
        let json = r#"[{"requireSameNode":true,"labels":{"application":"libvirt","component":"libvirt"}},{"labels":{"a":"b"}}]"#;
        assert_eq!(
            shown(&[("DEPENDENCY_POD_JSON", json)]),
            ["pod application=libvirt,component=libvirt on this node", "pod a=b"]
        );
    }

    #[test]
    fn custom_resources_default_their_namespace_and_condition_status() {
        let json = r#"[{"apiVersion":"ceph.rook.io/v1","kind":"CephCluster","name":"c","conditions":[{"type":"Ready"}]}]"#;
        let parsed = of(&[("DEPENDENCY_CUSTOM_RESOURCE", json)]);
        assert!(matches!(&parsed.dependencies[..], [Dependency::CustomResource(c)]
            if c.namespace == "openstack" && c.conditions[0].status == "True" && c.plural() == "cephclusters" && c.group_version() == ("ceph.rook.io", "v1")));
    }

    #[test]
    fn a_secret_may_name_the_key_it_needs() {
        assert_eq!(
            shown(&[("DEPENDENCY_SECRETS", "keystone-fernet-keys/0,infra:tls")]),
            ["secret keystone-fernet-keys/0", "secret tls"]
        );
    }

    #[test]
    fn what_is_not_understood_is_told_and_the_rest_kept() {
        let parsed = of(&[
            ("DEPENDENCY_SERVICE", "a:b:c,:x,ok"),
            ("DEPENDENCY_POD_JSON", "{"),
            ("DEPENDENCY_JOBS_JSON", r#"[{"name":"a","labels":{"k":"v"}},{}]"#),
        ]);
        assert_eq!(parsed.dependencies.len(), 1);
        assert_eq!(parsed.problems.len(), 5, "{:?}", parsed.problems);
    }
}

//! The blueprint: everything a cloud file asks for, as plain data, before any cluster is looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A sentence in both of Landfall's languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub en: String,
    pub ko: String,
}

impl Text {
    pub fn new(en: impl Into<String>, ko: impl Into<String>) -> Self {
        Self { en: en.into(), ko: ko.into() }
    }
}

/// Passwords and keys by name (`keystone-admin`, `mariadb-root`, …), generated once per cloud and
/// kept in the cluster. `Debug` never shows the values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secrets").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

/// One release to install: a chart with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseSpec {
    /// Service of the catalog, e.g. `keystone`.
    pub service: String,
    /// Helm release name; equal to the service for bundled charts.
    pub name: String,
    pub namespace: String,
    /// Folder name of the bundled chart under `charts/`.
    pub chart: String,
    /// Values laid over the chart's own, as from one `-f` file.
    pub values: Value,
}

/// Something that must hold before releases are applied. `id` in steps: `<subject>/<verb>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Prerequisite {
    /// Step `namespace/<name>`; labels are merged, never removed.
    Namespace { name: String, labels: BTreeMap<String, String> },
    /// Step `nodes/label-<key>`: every node in `nodes` (`["*"]` is all) carries `key=value`.
    NodeLabel { key: String, value: String, nodes: Vec<String> },
    /// Step `coredns/rbac`, guide O02: the ClusterRole lets CoreDNS list and watch endpoints,
    /// namespaces, pods, services and endpointslices; a rolling restart only where it changed.
    CorednsRbac,
    /// Step `secrets/<name>`: an Opaque Secret with these keys, whose values come from [`Secrets`].
    Secret { namespace: String, name: String, keys: BTreeMap<String, String> },
}

/// A check point of the guide, made executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// `<service>/<what>`, e.g. `mariadb/live`.
    pub id: String,
    pub service: String,
    /// The guide's step, e.g. `O04`; empty where the guide has none.
    pub guide: String,
    pub title: Text,
    pub remedy: Text,
    pub kind: CheckKind,
}

/// How a check is carried out. Each yields evidence: the line, table or number that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CheckKind {
    /// The ClusterRole's rules cover what CoreDNS needs.
    CorednsRole,
    /// All pods selected are Ready; at least `at_least` of them.
    PodsReady { namespace: String, selector: String, at_least: usize },
    /// A log line of a container contains `contains`.
    LogLine { namespace: String, selector: String, container: String, contains: String },
    /// A command in a container exits 0 and its stdout contains `contains` (empty: anything).
    Exec { namespace: String, selector: String, container: String, command: Vec<String>, contains: String },
    /// GET through the Ingress answers one of `status`, and the body contains `contains`.
    Ingress { host: String, path: String, status: Vec<u16>, contains: String },
    /// A token is issued to the administrator by Keystone through the Ingress.
    KeystoneToken { host: String },
    /// The service list holds these names with these types.
    KeystoneServices { host: String, services: BTreeMap<String, String> },
}

/// What the cloud file asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blueprint {
    pub cloud: String,
    pub domain: String,
    pub namespace: String,
    pub prerequisites: Vec<Prerequisite>,
    /// In the catalog's order: what others need comes first.
    pub releases: Vec<ReleaseSpec>,
    pub checks: Vec<CheckSpec>,
}

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

/// A prerequisite with its place in the order of things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Services whose releases wait for it; empty: all of them do.
    #[serde(default)]
    pub services: Vec<String>,
    /// The guide's step, e.g. `O08`; empty where the guide has none.
    #[serde(default)]
    pub guide: String,
    /// Services that must be ready before it. Those that the plan does not bring are there already.
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(flatten)]
    pub what: Prerequisite,
}

impl From<Prerequisite> for Requirement {
    /// One that all releases wait for.
    fn from(what: Prerequisite) -> Self {
        Self { services: Vec::new(), guide: String::new(), after: Vec::new(), what }
    }
}

/// Something that must hold before releases are applied. `id` in steps: `<subject>/<verb>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Step `id` (e.g. `storage/class-rook-ceph-block`): an object that no chart brings, made or
    /// brought to what is said here by server-side apply; fields of others stay.
    Object { id: String, object: Value },
    /// Step `ceph/pool-<name>`: an RBD pool, by Rook's CephBlockPool where its operator serves that
    /// kind, else by its toolbox. A pool that is there stays as it is.
    CephPool {
        /// Rook's namespace.
        rook: String,
        name: String,
        /// Copies of each object; `None` leaves it to the cluster's default.
        replicas: Option<u32>,
    },
    /// Step `ceph/key-<client>`: the user `client.<client>` with exactly these caps (by `mon`, `osd`,
    /// `mgr`), and its key in a Secret of the type `kubernetes.io/rbd` with the data `key` (the key
    /// alone, as upstream's charts read it) and `keyring` (a keyring file).
    CephKey {
        rook: String,
        client: String,
        caps: BTreeMap<String, String>,
        namespace: String,
        secret: String,
    },
    /// Step `ceph/conf`: a ConfigMap whose `ceph.conf` names the monitors as they are now.
    CephConf { rook: String, namespace: String, name: String },
}

/// A check point of the guide, made executable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl CheckSpec {
    /// The check `<service>/<what>` of the guide's step `guide`.
    pub(crate) fn new(
        service: &str,
        guide: &str,
        what: &str,
        title: Text,
        remedy: Text,
        kind: CheckKind,
    ) -> Self {
        Self {
            id: format!("{service}/{what}"),
            service: service.to_owned(),
            guide: guide.to_owned(),
            title,
            remedy,
            kind,
        }
    }
}

/// How a check is carried out. Each yields evidence: the line, table or number that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// An object is there, and at each of these JSON pointers it has this value.
    Object {
        api_version: String,
        object_kind: String,
        namespace: String,
        name: String,
        fields: BTreeMap<String, Value>,
    },
    /// Ceph is healthy and has these pools.
    CephHealth { rook: String, pools: Vec<String> },
    /// The `ceph.conf` of this ConfigMap names the monitors as they are now.
    CephConf { rook: String, namespace: String, name: String },
    /// GET at a service's public name, with the administrator's token, answers 200 and contains this.
    OpenstackGet { keystone: String, host: String, path: String, contains: String },
    /// An image is uploaded, lies in the RBD pool (where one is named), comes back with equal bytes
    /// and is removed.
    GlanceImage { keystone: String, host: String, rook: String, pool: Option<String> },
    /// Each of these agents (binary to host names) is alive and up.
    NetworkAgents { keystone: String, host: String, agents: BTreeMap<String, Vec<String>> },
    /// Nova's services are up, and each of these hosts has an enabled compute whose hypervisor the API lists and
    /// Placement (a host name) knows.
    ComputeServices { keystone: String, host: String, placement: String, computes: Vec<String> },
    /// Network, subnet and router are made; two namespaces with ports of Neutron's, on two of these
    /// nodes where there are two, get their addresses by DHCP and reach each other; all is removed.
    NetworkPorts { keystone: String, host: String, namespace: String, nodes: Vec<String> },
    /// Of each of these binaries there is a service, and all of Cinder's services that are enabled are up.
    VolumeServices { keystone: String, host: String, binaries: Vec<String> },
    /// An empty volume of the default type becomes available, lies in the RBD pool, into which `client` may write, and
    /// is removed.
    CinderVolume { keystone: String, host: String, rook: String, pool: String, client: String },
    /// The dashboard's login page answers, the administrator logs in by its form, and a page of the project is shown:
    /// the overview, or the access to its APIs where the cloud has no Nova.
    HorizonLogin { keystone: String, host: String },
}

/// What the cloud file asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blueprint {
    pub cloud: String,
    pub domain: String,
    pub namespace: String,
    pub prerequisites: Vec<Requirement>,
    /// In the catalog's order: what others need comes first.
    pub releases: Vec<ReleaseSpec>,
    pub checks: Vec<CheckSpec>,
}

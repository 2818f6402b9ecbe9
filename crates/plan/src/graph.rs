//! Who waits for whom, read from the rendered pods: their init containers' `DEPENDENCY_*` variables.
//!
//! Nodes are workloads and hooks; an edge says that the pod of one does not go on before the other is
//! ready (a Job: has succeeded). Releases come in only to tell which of them need each other mutually.

use std::collections::{BTreeMap, BTreeSet};

use landfall_health::dependency::{self, Dependency};
use serde_json::Value;

use crate::error::PlanError;
use crate::model::{RenderedRelease, Snapshot};
use crate::object::{is_workload, key, kind, name, namespace, pod_template};

/// A workload of a release, or one of its hooks.
#[derive(Debug, Clone)]
pub struct Node {
    /// Index into the releases.
    pub release: usize,
    /// `Kind/namespace/name`.
    pub key: String,
    /// Index into the release's hooks; none for its ordinary objects.
    pub hook: Option<usize>,
    /// Whether its pod declares anything to wait for.
    pub declares: bool,
    /// Nodes that it waits for.
    pub needs: BTreeSet<usize>,
    /// Releases whose objects it waits for, where no workload stands behind them.
    pub needs_applied: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
pub struct Graph {
    pub nodes: Vec<Node>,
    /// `mutual[a][b]`: release a needs b and b needs a, by whatever way (a needs itself so).
    mutual: Vec<Vec<bool>>,
}

/// What the containers of this object's pod wait for; sentences on what could not be understood.
pub fn declared(object: &Value, release_namespace: &str) -> dependency::Parsed {
    let mut all = dependency::Parsed::default();
    let Some(spec) = pod_template(object).map(|t| &t["spec"]) else { return all };
    let own = namespace(object, release_namespace);
    let containers = ["initContainers", "containers"].iter().filter_map(|f| spec[*f].as_array()).flatten();
    for container in containers {
        let variable = |wanted: &str| {
            let variables = container["env"].as_array()?;
            variables.iter().find(|v| v["name"] == wanted)?["value"].as_str()
        };
        let where_names_are = variable("NAMESPACE").unwrap_or(own);
        let parsed = dependency::parse(variable, where_names_are);
        for dependency in parsed.dependencies {
            if !all.dependencies.contains(&dependency) {
                all.dependencies.push(dependency);
            }
        }
        all.problems.extend(parsed.problems);
    }
    all
}

impl Graph {
    /// # Errors
    /// A pod that waits for what no release brings and the snapshot does not hold; a ring of waits.
    pub fn new(releases: &[RenderedRelease], snapshot: &Snapshot) -> Result<Self, PlanError> {
        let mut found = Vec::new();
        for (index, release) in releases.iter().enumerate() {
            let workloads = release.objects.iter().filter(|o| is_workload(kind(o)));
            found.extend(workloads.map(|object| (index, None, object)));
            let hooks = release.hooks.iter().enumerate().filter(|(_, h)| is_workload(kind(&h.object)));
            found.extend(hooks.map(|(at, hook)| (index, Some(at), &hook.object)));
        }
        let finder = Finder { releases, snapshot, nodes: &found };
        let nodes = found
            .iter()
            .enumerate()
            .map(|(at, (release, hook, object))| {
                let home = &releases[*release];
                let parsed = declared(object, &home.namespace);
                if let Some(problem) = parsed.problems.first() {
                    return Err(PlanError::Malformed {
                        release: home.name.clone(),
                        message: format!("{}: {problem}", key(object, &home.namespace)),
                    });
                }
                let mut node = Node {
                    release: *release,
                    key: key(object, &home.namespace),
                    hook: *hook,
                    declares: !parsed.dependencies.is_empty(),
                    needs: BTreeSet::new(),
                    needs_applied: BTreeSet::new(),
                };
                for dependency in &parsed.dependencies {
                    finder.bring(dependency, at, &mut node)?;
                }
                Ok(node)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mutual = mutual(releases.len(), &nodes);
        let graph = Self { nodes, mutual };
        graph.refuse_rings()?;
        Ok(graph)
    }

    pub fn node_of_hook(&self, release: usize, hook: usize) -> Option<usize> {
        self.nodes.iter().position(|n| n.release == release && n.hook == Some(hook))
    }

    /// Whether two releases need each other, so that neither can be ready as a whole before the other begins.
    pub fn are_mutual(&self, a: usize, b: usize) -> bool {
        a == b || self.mutual[a][b]
    }

    /// Releases whose workloads or hooks this release's ones wait for; itself left out.
    pub fn releases_needed(&self, release: usize) -> BTreeSet<usize> {
        let own = self.nodes.iter().filter(|n| n.release == release);
        own.flat_map(|n| {
            n.needs.iter().map(|at| self.nodes[*at].release).chain(n.needs_applied.iter().copied())
        })
        .filter(|other| *other != release)
        .collect()
    }

    fn refuse_rings(&self) -> Result<(), PlanError> {
        let edges: BTreeMap<usize, Vec<usize>> =
            self.nodes.iter().enumerate().map(|(at, n)| (at, n.needs.iter().copied().collect())).collect();
        match crate::order::ring(&edges) {
            Some(ring) => {
                Err(PlanError::Cycle { path: ring.iter().map(|at| self.nodes[*at].key.clone()).collect() })
            }
            None => Ok(()),
        }
    }
}

struct Finder<'a> {
    releases: &'a [RenderedRelease],
    snapshot: &'a Snapshot,
    nodes: &'a [(usize, Option<usize>, &'a Value)],
}

impl Finder<'_> {
    /// Adds to `node` (number `me`) the edges that one dependency means.
    fn bring(&self, dependency: &Dependency, me: usize, node: &mut Node) -> Result<(), PlanError> {
        let providers: Vec<usize> = match dependency {
            Dependency::Service { namespace: ns, name: wanted } => {
                let Some((release, service)) = self.object("Service", ns, wanted) else {
                    return self.elsewhere("Service", ns, wanted, dependency, node);
                };
                node.needs_applied.insert(release);
                self.selected(ns, &service["spec"]["selector"])
            }
            Dependency::Job { namespace: ns, name: wanted } => {
                let jobs = self.named("Job", ns, wanted);
                if jobs.is_empty() {
                    return self.elsewhere("Job", ns, wanted, dependency, node);
                }
                jobs
            }
            Dependency::DaemonSet { namespace: ns, name: wanted } => {
                let sets = self.named("DaemonSet", ns, wanted);
                if sets.is_empty() {
                    return self.elsewhere("DaemonSet", ns, wanted, dependency, node);
                }
                sets
            }
            Dependency::Jobs { namespace: ns, labels } => {
                self.matching(ns, |object| kind(object) == "Job" && carries(&object["metadata"]["labels"], labels))
            }
            Dependency::Pod { namespace: ns, labels, .. } => self.matching(ns, |object| {
                pod_template(object).is_some_and(|t| carries(&t["metadata"]["labels"], labels))
            }),
            // Made by Jobs at run time as often as by charts: the pod's own wait covers them.
            Dependency::Secret { .. } | Dependency::ConfigMap { .. } | Dependency::CustomResource(_)
            // Within the pod.
            | Dependency::Container { .. } | Dependency::Config { .. } | Dependency::Socket { .. } => Vec::new(),
        };
        node.needs.extend(providers.into_iter().filter(|provider| *provider != me));
        Ok(())
    }

    fn elsewhere(
        &self,
        kind: &str,
        ns: &str,
        wanted: &str,
        dependency: &Dependency,
        node: &Node,
    ) -> Result<(), PlanError> {
        if self.snapshot.objects.contains_key(&format!("{kind}/{ns}/{wanted}")) {
            return Ok(());
        }
        Err(PlanError::Unmet { who: node.key.clone(), what: dependency.to_string() })
    }

    fn object(&self, wanted_kind: &str, ns: &str, wanted: &str) -> Option<(usize, &Value)> {
        self.releases.iter().enumerate().find_map(|(index, release)| {
            let hooks = release.hooks.iter().map(|h| &h.object);
            release
                .objects
                .iter()
                .chain(hooks)
                .find(|o| {
                    kind(o) == wanted_kind && name(o) == wanted && namespace(o, &release.namespace) == ns
                })
                .map(|object| (index, object))
        })
    }

    fn matching(&self, ns: &str, fits: impl Fn(&Value) -> bool) -> Vec<usize> {
        let all = self.nodes.iter().enumerate();
        all.filter(|(_, (release, _, object))| {
            namespace(object, &self.releases[*release].namespace) == ns && fits(object)
        })
        .map(|(at, _)| at)
        .collect()
    }

    fn named(&self, wanted_kind: &str, ns: &str, wanted: &str) -> Vec<usize> {
        self.matching(ns, |object| kind(object) == wanted_kind && name(object) == wanted)
    }

    /// Workloads behind a Service. A label that is put on pods while they run (a primary's) is not in
    /// any template: then those that match by all labels they do have.
    fn selected(&self, ns: &str, selector: &Value) -> Vec<usize> {
        let Some(selector) = selector.as_object().filter(|s| !s.is_empty()) else { return Vec::new() };
        // A finished Job serves nobody.
        let labels = |object: &Value| {
            if kind(object) == "Job" {
                Value::Null
            } else {
                pod_template(object).map_or(Value::Null, |t| t["metadata"]["labels"].clone())
            }
        };
        let whole = self.matching(ns, |object| {
            let labels = labels(object);
            selector.iter().all(|(label, value)| labels.get(label) == Some(value))
        });
        if !whole.is_empty() {
            return whole;
        }
        self.matching(ns, |object| {
            let labels = labels(object);
            let shared = selector.iter().filter(|(label, _)| labels.get(label.as_str()).is_some());
            let (mut some, mut all) = (false, true);
            for (label, value) in shared {
                some = true;
                all &= labels.get(label) == Some(value);
            }
            some && all
        })
    }
}

fn carries(labels: &Value, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(label, value)| labels[label] == value.as_str())
}

/// Transitive closure over releases; there are few of them.
fn mutual(count: usize, nodes: &[Node]) -> Vec<Vec<bool>> {
    let mut reach = vec![vec![false; count]; count];
    for node in nodes {
        for at in &node.needs {
            reach[node.release][nodes[*at].release] = true;
        }
        for release in &node.needs_applied {
            reach[node.release][*release] = true;
        }
    }
    for via in 0..count {
        for from in 0..count {
            for to in 0..count {
                reach[from][to] |= reach[from][via] && reach[via][to];
            }
        }
    }
    (0..count).map(|a| (0..count).map(|b| reach[a][b] && reach[b][a]).collect()).collect()
}

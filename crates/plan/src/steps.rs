//! The steps of a plan with their needs, before sorting.

use std::collections::BTreeSet;

use landfall_catalog::blueprint::{Blueprint, Prerequisite, Requirement};

use crate::change;
use crate::error::PlanError;
use crate::graph::Graph;
use crate::model::{Action, Change, RenderedHook, RenderedRelease, Snapshot, Step};
use crate::object::{kind, name};
use crate::{Options, Ordering};

pub(crate) fn steps(
    blueprint: &Blueprint,
    releases: &[RenderedRelease],
    snapshot: &Snapshot,
    options: &Options,
    graph: &Graph,
) -> Result<Vec<Step>, PlanError> {
    let mut steps = Vec::new();
    for requirement in &blueprint.prerequisites {
        steps.push(ensure(requirement, releases, snapshot, &steps)?);
    }
    let prepared: Vec<(String, &Requirement)> =
        steps.iter().map(|s| s.id.clone()).zip(&blueprint.prerequisites).collect();
    let planner = Planner { releases, snapshot, options, graph };
    for (index, release) in releases.iter().enumerate() {
        let first: Vec<String> = prepared
            .iter()
            .filter(|(_, wanted)| wanted.services.is_empty() || wanted.services.contains(&release.service))
            // What is made with a service's help comes after it.
            .filter(|(_, wanted)| !wanted.after.contains(&release.service))
            .map(|(id, _)| id.clone())
            .collect();
        planner.release(index, &first, &mut steps);
    }
    // A hook of an event that this plan has no occasion for is no step.
    let known: BTreeSet<String> = steps.iter().map(|s| s.id.clone()).collect();
    for step in &mut steps {
        step.needs.retain(|need| known.contains(need));
    }
    for check in &blueprint.checks {
        let what = check.id.split_once('/').map_or(check.id.as_str(), |(_, what)| what);
        let released = releases.iter().find(|r| r.service == check.service);
        let own = prepared
            .iter()
            .filter(|(id, wanted)| {
                id.split('/').next() == Some(&check.service) || wanted.services.contains(&check.service)
            })
            .map(|(id, _)| id.clone());
        let needs = released.map(ready_id).into_iter().chain(own).collect();
        steps.push(Step {
            id: format!("{}/check/{what}", check.service),
            service: check.service.clone(),
            guide: check.guide.clone(),
            needs,
            action: Action::Check { check: check.clone() },
            change: Change::None,
            weight: 1,
        });
    }
    // The guide numbers its steps by service; the checks say which.
    let guides: Vec<(String, String)> =
        blueprint.checks.iter().map(|c| (c.service.clone(), c.guide.clone())).collect();
    for step in steps.iter_mut().filter(|s| s.guide.is_empty()) {
        if let Some((_, guide)) = guides.iter().find(|(service, _)| *service == step.service) {
            step.guide.clone_from(guide);
        }
    }
    Ok(steps)
}

fn ensure(
    requirement: &Requirement,
    releases: &[RenderedRelease],
    snapshot: &Snapshot,
    before: &[Step],
) -> Result<Step, PlanError> {
    let prerequisite = &requirement.what;
    let (id, service, home, weight) = match prerequisite {
        Prerequisite::Namespace { name, .. } => (format!("namespace/{name}"), "cluster", "", 1),
        Prerequisite::NodeLabel { key, .. } => (format!("nodes/label-{key}"), "cluster", "", 1),
        Prerequisite::CorednsRbac => ("coredns/rbac".to_owned(), "coredns", "", 4),
        Prerequisite::Secret { namespace, name, .. } => {
            (format!("secrets/{name}"), "cluster", namespace.as_str(), 1)
        }
        Prerequisite::Object { id, object } => {
            let home = object["metadata"]["namespace"].as_str().unwrap_or_default();
            (id.clone(), id.split('/').next().unwrap_or_default(), home, 1)
        }
        Prerequisite::CephPool { name, .. } => (format!("ceph/pool-{name}"), "ceph", "", 2),
        Prerequisite::CephKey { client, namespace, .. } => {
            (format!("ceph/key-{client}"), "ceph", namespace.as_str(), 1)
        }
        Prerequisite::CephConf { namespace, .. } => ("ceph/conf".to_owned(), "ceph", namespace.as_str(), 1),
    };
    let home = format!("namespace/{home}");
    let mut needs: Vec<String> = before.iter().filter(|s| s.id == home).map(|s| s.id.clone()).collect();
    needs.extend(releases.iter().filter(|r| requirement.after.contains(&r.service)).map(ready_id));
    Ok(Step {
        id,
        service: service.to_owned(),
        guide: requirement.guide.clone(),
        needs,
        action: Action::Ensure { prerequisite: prerequisite.clone() },
        change: change::of_prerequisite(prerequisite, snapshot)?,
        weight,
    })
}

fn apply_id(release: &RenderedRelease) -> String {
    format!("{}/release", release.name)
}

fn ready_id(release: &RenderedRelease) -> String {
    format!("{}/ready", release.name)
}

/// `keystone/job/keystone-db-sync`; hooks of other kinds: `keystone/hook/configmap-x`.
fn hook_id(release: &RenderedRelease, hook: &RenderedHook) -> String {
    match kind(&hook.object) {
        "Job" => format!("{}/job/{}", release.name, name(&hook.object)),
        other => format!("{}/hook/{}-{}", release.name, other.to_lowercase(), name(&hook.object)),
    }
}

struct Planner<'a> {
    releases: &'a [RenderedRelease],
    snapshot: &'a Snapshot,
    options: &'a Options,
    graph: &'a Graph,
}

impl Planner<'_> {
    fn release(&self, index: usize, prepared: &[String], steps: &mut Vec<Step>) {
        let release = &self.releases[index];
        let apply_change = if self.options.force && change::of_release(release, self.snapshot) == Change::None
        {
            Change::Update
        } else {
            change::of_release(release, self.snapshot)
        };
        let upgrade = change::is_upgrade(release, self.snapshot);
        let (pre, post) =
            if upgrade { ("pre-upgrade", "post-upgrade") } else { ("pre-install", "post-install") };

        let mut first: BTreeSet<String> = prepared.iter().cloned().collect();
        if self.options.ordering == Ordering::Helm && index > 0 {
            first.insert(ready_id(&self.releases[index - 1]));
        }
        let before = self.hooks(index, pre, &first, apply_change, steps);
        let mut needs = first;
        needs.extend(before);
        steps.push(Step {
            id: apply_id(release),
            service: release.service.clone(),
            guide: String::new(),
            needs: needs.into_iter().collect(),
            action: Action::Apply { release: release.name.clone(), namespace: release.namespace.clone() },
            change: apply_change,
            weight: 2,
        });
        let applied = BTreeSet::from([apply_id(release)]);
        let after = self.hooks(index, post, &applied, apply_change, steps);

        let hooks_change = steps.iter().any(|s| after.contains(&s.id) && s.change != Change::None);
        let mut needs: BTreeSet<String> = applied.into_iter().chain(after).collect();
        let others = self.graph.releases_needed(index);
        needs.extend(
            others
                .into_iter()
                .filter(|o| !self.graph.are_mutual(index, *o))
                .map(|o| ready_id(&self.releases[o])),
        );
        steps.push(Step {
            id: ready_id(release),
            service: release.service.clone(),
            guide: String::new(),
            needs: needs.into_iter().collect(),
            action: Action::Ready { release: release.name.clone(), namespace: release.namespace.clone() },
            change: if apply_change == Change::None && !hooks_change { Change::None } else { Change::Update },
            weight: ready_weight(release),
        });
    }

    /// Adds the hooks of one event; gives back their ids.
    fn hooks(
        &self,
        index: usize,
        event: &str,
        first: &BTreeSet<String>,
        release_change: Change,
        steps: &mut Vec<Step>,
    ) -> BTreeSet<String> {
        let release = &self.releases[index];
        let mut hooks: Vec<(usize, &RenderedHook)> =
            release.hooks.iter().enumerate().filter(|(_, h)| h.events.iter().any(|e| e == event)).collect();
        hooks.sort_by(|(_, a), (_, b)| {
            (a.weight, kind(&a.object), name(&a.object)).cmp(&(b.weight, kind(&b.object), name(&b.object)))
        });
        let ids: BTreeSet<String> = hooks.iter().map(|(_, h)| hook_id(release, h)).collect();
        let mut previous: Option<String> = None;
        let heavier = self.by_weight(index, &hooks);
        for (at, hook) in &hooks {
            let id = hook_id(release, hook);
            let mut needs = first.clone();
            if let Some(node) = self.graph.node_of_hook(index, *at) {
                self.needs_of(node, index, &mut BTreeSet::new(), &mut needs);
            }
            if self.options.ordering == Ordering::Helm {
                needs.extend(previous.replace(id.clone()));
            } else {
                let lighter = hooks.iter().filter(|(other, _)| heavier.contains(&(*at, *other)));
                needs.extend(lighter.map(|(_, h)| hook_id(release, h)));
            }
            needs.remove(&id);
            let change =
                if self.options.force && !ids.is_empty() && change::is_deployed(release, self.snapshot) {
                    Change::Replace
                } else {
                    change::of_hook(hook, release, self.snapshot, release_change)
                };
            steps.push(Step {
                id,
                service: release.service.clone(),
                guide: String::new(),
                needs: needs.into_iter().collect(),
                action: Action::Hook {
                    release: release.name.clone(),
                    namespace: release.namespace.clone(),
                    kind: kind(&hook.object).to_owned(),
                    name: name(&hook.object).to_owned(),
                },
                change,
                weight: hook_weight(release, hook),
            });
        }
        ids
    }

    /// Step ids that stand for all that a node waits for. A release that needs ours in turn can not be
    /// waited for as a whole: then by its objects, and what the workload there waits for itself.
    fn needs_of(&self, node: usize, home: usize, seen: &mut BTreeSet<usize>, needs: &mut BTreeSet<String>) {
        if !seen.insert(node) {
            return;
        }
        let node = &self.graph.nodes[node];
        for release in &node.needs_applied {
            if !self.graph.are_mutual(home, *release) {
                needs.insert(ready_id(&self.releases[*release]));
            } else if *release != home {
                needs.insert(apply_id(&self.releases[*release]));
            }
        }
        for provider in &node.needs {
            let other = &self.graph.nodes[*provider];
            let release = &self.releases[other.release];
            if !self.graph.are_mutual(home, other.release) {
                needs.insert(ready_id(release));
                continue;
            }
            if let Some(hook) = other.hook {
                needs.insert(hook_id(release, &release.hooks[hook]));
            } else {
                needs.insert(apply_id(release));
                self.needs_of(*provider, home, seen, needs);
            }
        }
    }

    /// `(a, b)`: hook a, which declares nothing, goes after b, which is lighter. Left out where b waits
    /// for a in whatever way: a declared need wins over a weight.
    fn by_weight(&self, release: usize, hooks: &[(usize, &RenderedHook)]) -> BTreeSet<(usize, usize)> {
        let node = |hook: usize| self.graph.node_of_hook(release, hook);
        let silent = |hook: usize| !node(hook).is_some_and(|n| self.graph.nodes[n].declares);
        let mut edges: BTreeSet<(usize, usize)> = hooks
            .iter()
            .flat_map(|(a, _)| hooks.iter().map(move |(b, _)| (*a, *b)))
            .filter(|(a, b)| a != b && node(*a).zip(node(*b)).is_some_and(|(a, b)| self.waits_for(a, b)))
            .collect();
        let mut added = BTreeSet::new();
        // Those that declare nothing are in order among themselves first of all.
        for also_declared in [false, true] {
            for (a, heavy) in hooks.iter().filter(|(a, _)| silent(*a)) {
                for (b, light) in hooks.iter().filter(|(b, _)| silent(*b) != also_declared) {
                    if light.weight < heavy.weight && !reaches(&edges, *b, *a) {
                        edges.insert((*a, *b));
                        added.insert((*a, *b));
                    }
                }
            }
        }
        added
    }

    /// Whether node `from` waits, by whatever way, for node `to`.
    fn waits_for(&self, from: usize, to: usize) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                next.extend(self.graph.nodes[at].needs.iter().copied());
            }
        }
        false
    }
}

fn reaches(edges: &BTreeSet<(usize, usize)>, from: usize, to: usize) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            next.extend(edges.iter().filter(|(a, _)| *a == at).map(|(_, b)| *b));
        }
    }
    false
}

/// Rough seconds on a small machine: the catalog's, else by what such Jobs are called in OpenStack's charts.
fn hook_weight(release: &RenderedRelease, hook: &RenderedHook) -> u32 {
    let (kind, name) = (kind(&hook.object), name(&hook.object));
    known_weight(release, kind, name).unwrap_or(match kind {
        "Job" | "Pod" if name.contains("db-sync") => 25,
        "Job" | "Pod" if name.contains("bootstrap") => 15,
        "Job" | "Pod" => 6,
        _ => 1,
    })
}

fn known_weight(release: &RenderedRelease, kind: &str, name: &str) -> Option<u32> {
    let mut services = landfall_catalog::services().iter();
    services.find(|s| s.name == release.service)?.weight(&format!("{kind}/{name}"))
}

/// The slowest of its workloads; a database or a broker takes longer than a stateless service.
fn ready_weight(release: &RenderedRelease) -> u32 {
    let own = release.objects.iter().filter_map(|o| known_weight(release, kind(o), name(o))).max();
    own.unwrap_or_else(|| if release.objects.iter().any(|o| kind(o) == "StatefulSet") { 30 } else { 15 })
}

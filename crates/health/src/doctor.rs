//! Whether a cluster, or a machine for one, is fit for a cloud: facts in, findings out. Nothing is
//! fetched here, and nothing is changed; `landfall doctor` gathers the [`Facts`].

mod ceph;
mod cluster;
mod machine;
mod reach;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use ceph::{Ceph, CephClient};
pub use cluster::{Class, Label, Node};
pub use machine::{Cgroups, Datapath, Kvm, Machine, Module};
pub use reach::{Clock, Name};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, but not as well as it could; or it will be a problem.
    Warning,
    /// Something does not work, or can not.
    Problem,
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub en: String,
    pub ko: String,
}

impl Words {
    pub fn new(en: impl Into<String>, ko: impl Into<String>) -> Self {
        Self { en: en.into(), ko: ko.into() }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `<topic>/<what>`: `kernel/openvswitch`, `names/keystone.citec.com`.
    pub id: String,
    pub level: Level,
    pub says: Words,
    /// What was seen; may be empty.
    pub evidence: String,
    /// What to do; none where there is nothing to be done.
    pub remedy: Option<Words>,
}

impl Finding {
    pub fn new(id: impl Into<String>, level: Level, en: impl Into<String>, ko: impl Into<String>) -> Self {
        Self { id: id.into(), level, says: Words::new(en, ko), evidence: String::new(), remedy: None }
    }

    pub fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = evidence.into();
        self
    }

    pub fn remedy(mut self, en: impl Into<String>, ko: impl Into<String>) -> Self {
        self.remedy = Some(Words::new(en, ko));
        self
    }
}

/// A check point that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub id: String,
    pub title: Words,
    pub passed: bool,
    pub evidence: String,
    pub remedy: Words,
}

/// All that is looked at. What could not be seen is absent and gives no finding.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Some of the cloud is installed: what is lacking now is lacking in earnest.
    pub installed: bool,
    pub machines: Vec<Machine>,
    pub nodes: Vec<Node>,
    pub labels: Vec<Label>,
    pub classes: Option<Vec<Class>>,
    /// The class that the databases' volumes are to have; none: the cluster's default.
    pub wanted_class: Option<String>,
    /// CSI drivers that the cluster has.
    pub drivers: Vec<String>,
    pub ceph: Option<Ceph>,
    /// What CoreDNS may not list and watch; none where the cluster's DNS is not the Deployment `coredns`.
    pub coredns_lacks: Option<Vec<String>>,
    /// Name and controller of each IngressClass.
    pub ingress_classes: Option<BTreeMap<String, String>>,
    pub wanted_ingress: String,
    /// Where HTTP for the cloud's names goes.
    pub ingress_address: Option<String>,
    pub clocks: Vec<Clock>,
    /// API versions with kinds that the charts bring: `apps/v1/Deployment`.
    pub wanted_apis: Vec<String>,
    /// Those of them that this cluster does not serve.
    pub missing_apis: Vec<String>,
    pub names: Vec<Name>,
    pub checks: Vec<Check>,
}

/// Judges all facts, topic by topic.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    machine::examine(facts, &mut found);
    cluster::examine(facts, &mut found);
    ceph::examine(facts, &mut found);
    reach::examine(facts, &mut found);
    for check in &facts.checks {
        let level = if check.passed { Level::Ok } else { Level::Problem };
        let mut finding =
            Finding::new(format!("check/{}", check.id), level, &check.title.en, &check.title.ko)
                .seen(&check.evidence);
        if !check.passed {
            finding.remedy = Some(check.remedy.clone());
        }
        found.push(finding);
    }
    found
}

/// `5.8 GiB`, `512 MiB`.
fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB {
        format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

#[cfg(test)]
mod tests;

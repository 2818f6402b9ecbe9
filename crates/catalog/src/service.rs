//! The entries of the catalog, and which of them a request means.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::blueprint::{CheckSpec, Requirement, Secrets};
use crate::inputs::Inputs;
use crate::{
    ceph, ceph_config, cinder, glance, horizon, keystone, libvirt, mariadb, memcached, neutron, nova,
    openstackclient, openvswitch, placement, rabbitmq,
};

/// How a secret is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Random letters and digits.
    Password,
    /// As a password; shared by the members of a cluster, never typed by a person.
    Key,
    /// By [`crate::ssh::private_key`].
    PrivateKey,
}

/// A secret that must be there before a service's values can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpec {
    pub name: String,
    pub kind: SecretKind,
}

/// What a service leaves in its namespace that no release owns: made while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftover {
    pub kind: &'static str,
    /// The object's name, or its beginning where it ends in `*`.
    pub name: &'static str,
    /// Whether user data goes with it. What holds no data must go along with the data it speaks of.
    pub data: bool,
}

/// What Landfall knows of one service.
pub struct Service {
    pub name: &'static str,
    pub summary_en: &'static str,
    pub summary_ko: &'static str,
    /// Folder below `charts/`.
    pub chart: &'static str,
    /// The guide's step; empty where the guide has none.
    pub guide: &'static str,
    /// Services that it can not run without.
    pub needs: &'static [&'static str],
    /// Services that come along although it would run without them.
    pub companions: &'static [&'static str],
    /// First label of its public name.
    pub public: Option<&'static str>,
    /// `Kind/name` with rough seconds on two cores, images at hand.
    pub weights: &'static [(&'static str, u32)],
    pub leftovers: &'static [Leftover],
    pub(crate) secrets: &'static [(&'static str, SecretKind)],
    /// Namespace of its release; `None`: this cloud has the service from elsewhere, and no release of it.
    pub(crate) home: fn(&Inputs) -> Option<String>,
    /// What must be there before its release.
    pub(crate) prerequisites: fn(&Inputs) -> Vec<Requirement>,
    pub(crate) values: fn(&Inputs, &Secrets) -> Value,
    /// From the inputs and the values as they are after overrides.
    pub(crate) checks: fn(&Inputs, &Value) -> Vec<CheckSpec>,
}

/// The usual [`Service::home`]: the cloud's own namespace.
#[allow(clippy::unnecessary_wraps)] // Its kind: others give none.
pub(crate) fn in_the_cloud(inputs: &Inputs) -> Option<String> {
    Some(inputs.namespace.clone())
}

/// The usual [`Service::prerequisites`]: none beyond those of all services.
pub(crate) fn none(_: &Inputs) -> Vec<Requirement> {
    Vec::new()
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Service {
    /// The secrets that its values are made with.
    pub fn secrets(&self) -> impl Iterator<Item = SecretSpec> + '_ {
        self.secrets.iter().map(|(name, kind)| SecretSpec { name: (*name).to_owned(), kind: *kind })
    }

    /// Rough seconds of one of its objects, e.g. of `Job/keystone-db-sync`.
    pub fn weight(&self, object: &str) -> Option<u32> {
        self.weights.iter().find(|(name, _)| *name == object).map(|(_, seconds)| *seconds)
    }
}

static SERVICES: [Service; 15] = [
    mariadb::SERVICE,
    rabbitmq::SERVICE,
    memcached::SERVICE,
    keystone::SERVICE,
    openstackclient::SERVICE,
    ceph::SERVICE,
    ceph_config::SERVICE,
    glance::SERVICE,
    placement::SERVICE,
    openvswitch::SERVICE,
    libvirt::SERVICE,
    neutron::SERVICE,
    nova::SERVICE,
    cinder::SERVICE,
    horizon::SERVICE,
];

/// All services, each after those that it needs.
pub fn services() -> &'static [Service] {
    &SERVICES
}

/// A name that is no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct UnknownService {
    pub name: String,
    pub nearest: Option<&'static str>,
}

impl UnknownService {
    fn message(&self) -> String {
        let known = services().iter().map(|service| service.name).collect::<Vec<_>>().join(", ");
        match self.nearest {
            Some(nearest) => {
                format!("there is no service {}; did you mean {nearest}? (known: {known})", self.name)
            }
            None => format!("there is no service {}; known are {known}", self.name),
        }
    }
}

/// The services asked for with all that they need, in the catalog's order; all of them for an empty request.
///
/// # Errors
/// The first name that is no service, with the nearest that is.
pub fn expand(requested: &[String]) -> Result<Vec<&'static Service>, UnknownService> {
    if requested.is_empty() {
        return Ok(services().iter().collect());
    }
    let mut wanted = BTreeSet::new();
    let mut next: Vec<&str> = requested.iter().map(String::as_str).collect();
    while let Some(name) = next.pop() {
        let Some(service) = services().iter().find(|service| service.name == name) else {
            return Err(UnknownService { name: name.to_owned(), nearest: nearest(name) });
        };
        if wanted.insert(service.name) {
            next.extend(service.needs);
            next.extend(service.companions);
        }
    }
    Ok(services().iter().filter(|service| wanted.contains(service.name)).collect())
}

/// Of the services asked for (all, for an empty request) those that the guide brings no later than
/// `last`, with all that they need, in the catalog's order. A service that was not asked for is
/// brought too where it is the last: who names it wants it.
///
/// # Errors
/// A name that is no service, with the nearest that is.
pub fn through(last: &str, requested: &[String]) -> Result<Vec<&'static Service>, UnknownService> {
    let Some(end) = services().iter().position(|service| service.name == last) else {
        return Err(UnknownService { name: last.to_owned(), nearest: nearest(last) });
    };
    let asked = expand(requested)?;
    let before = services()[..end].iter().filter(|service| asked.contains(service));
    let names: Vec<String> = before.map(|service| service.name.to_owned()).chain([last.to_owned()]).collect();
    expand(&names)
}

/// Near enough to be what was meant; `rabbit` means `rabbitmq`.
fn nearest(given: &str) -> Option<&'static str> {
    let given = given.to_lowercase();
    let names = || services().iter().map(|service| service.name);
    names().find(|name| given.len() > 2 && name.starts_with(&given)).or_else(|| {
        names()
            .map(|name| (strsim::damerau_levenshtein(&given, name), name))
            .filter(|(distance, name)| *distance <= name.len() / 3)
            .min()
            .map(|(_, name)| name)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(requested: &[&str]) -> Vec<&'static str> {
        let requested: Vec<String> = requested.iter().map(|name| (*name).to_owned()).collect();
        expand(&requested).unwrap().iter().map(|service| service.name).collect()
    }

    #[test]
    fn what_a_service_needs_comes_along_and_before_it() {
        assert_eq!(names(&["keystone"]), ["mariadb", "memcached", "keystone", "openstackclient"]);
        assert_eq!(names(&["memcached", "mariadb"]), ["mariadb", "memcached"]);
    }

    #[test]
    fn an_empty_request_means_all() {
        assert_eq!(names(&[]).len(), services().len());
    }

    fn names_through(last: &str, requested: &[&str]) -> Vec<&'static str> {
        let requested: Vec<String> = requested.iter().map(|name| (*name).to_owned()).collect();
        through(last, &requested).unwrap().iter().map(|service| service.name).collect()
    }

    #[test]
    fn through_a_service_means_all_that_the_guide_brings_until_then() {
        assert_eq!(names_through("rabbitmq", &[]), ["mariadb", "rabbitmq"]);
        // The client belongs to Keystone though it comes after it.
        let all = ["mariadb", "rabbitmq", "memcached", "keystone", "openstackclient"];
        assert_eq!(names_through("keystone", &[]), all);
        let last = services().last().unwrap().name;
        assert_eq!(names_through(last, &[]).len(), services().len());
    }

    #[test]
    fn through_a_service_stays_within_what_was_asked_for() {
        assert_eq!(names_through("rabbitmq", &["mariadb", "memcached"]), ["mariadb", "rabbitmq"]);
        assert_eq!(names_through("memcached", &["memcached"]), ["memcached"]);
    }

    #[test]
    fn through_an_unknown_service_is_told_with_the_nearest() {
        assert_eq!(through("memcache", &[]).unwrap_err().nearest, Some("memcached"));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_known() {
        let message = |name: &str| expand(&[name.to_owned()]).unwrap_err().to_string();
        assert!(message("keystoen").contains("did you mean keystone?"));
        assert!(message("Rabbit").contains("did you mean rabbitmq?"));
        assert!(!message("zookeeper").contains("did you mean"));
    }

    #[test]
    fn needs_come_before_and_charts_are_embedded() {
        for (index, service) in services().iter().enumerate() {
            for need in service.needs {
                assert!(
                    services()[..index].iter().any(|before| before.name == *need),
                    "{need} before {}",
                    service.name
                );
            }
            assert!(
                crate::CHARTS.get_file(format!("{}/Chart.yaml", service.chart)).is_some(),
                "{}",
                service.chart
            );
        }
    }
}

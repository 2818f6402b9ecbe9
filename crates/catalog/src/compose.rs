//! From inputs and secrets to a blueprint.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::{Blueprint, Prerequisite, ReleaseSpec, Requirement, Secrets};
use crate::coredns;
use crate::inputs::Inputs;
use crate::service::{SecretSpec, Service, services};
use crate::values::overlay;

/// What upstream's charts select their nodes by.
const CONTROL_PLANE: &str = "openstack-control-plane";

/// The secrets that [`blueprint`] wants for these services, each once.
pub fn required_secrets(services: &[&Service]) -> Vec<SecretSpec> {
    let mut seen = BTreeSet::new();
    services
        .iter()
        .flat_map(|service| service.secrets())
        .filter(|spec| seen.insert(spec.name.clone()))
        .collect()
}

/// Everything that these services ask for. `services` is what [`crate::expand`] gave.
pub fn blueprint(inputs: &Inputs, secrets: &Secrets, services: &[&Service]) -> Blueprint {
    let mut checks = vec![coredns::check()];
    let mut releases = Vec::new();
    let mut prerequisites = prerequisites(inputs);
    for service in services {
        let mut values = (service.values)(inputs, secrets);
        if let Some(over) = inputs.overrides.get(service.name) {
            overlay(&mut values, over);
        }
        checks.extend((service.checks)(inputs, &values));
        for wanted in (service.prerequisites)(inputs) {
            add(&mut prerequisites, wanted);
        }
        if let Some(namespace) = (service.home)(inputs) {
            releases.push(ReleaseSpec {
                service: service.name.to_owned(),
                name: service.name.to_owned(),
                namespace,
                chart: service.chart.to_owned(),
                values,
            });
        }
    }
    Blueprint {
        cloud: inputs.cloud.clone(),
        domain: inputs.domain.clone(),
        namespace: inputs.namespace.clone(),
        prerequisites,
        releases,
        checks,
    }
}

/// Other namespaces than the cloud's own in which it has objects, and which services are at home there. A
/// Rook that somebody else runs is one, with none.
pub fn elsewhere(inputs: &Inputs) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut all = BTreeMap::from([(inputs.ceph.namespace.clone(), BTreeSet::new())]);
    for service in services() {
        if let Some(namespace) = (service.home)(inputs) {
            all.entry(namespace).or_default().insert(service.name);
        }
    }
    all.remove(&inputs.namespace);
    all
}

/// What several services want is one requirement that all of them wait for.
fn add(all: &mut Vec<Requirement>, wanted: Requirement) {
    match all.iter_mut().find(|one| one.what == wanted.what) {
        Some(one) if one.services.is_empty() => {}
        Some(one) => {
            for service in wanted.services {
                if !one.services.contains(&service) {
                    one.services.push(service);
                }
            }
        }
        None => all.push(wanted),
    }
}

fn prerequisites(inputs: &Inputs) -> Vec<Requirement> {
    let nodes = if inputs.control_plane_nodes.is_empty() {
        vec!["*".to_owned()]
    } else {
        inputs.control_plane_nodes.clone()
    };
    vec![
        Prerequisite::Namespace {
            name: inputs.namespace.clone(),
            // Upstream's network policies select namespaces by it.
            labels: BTreeMap::from([("name".to_owned(), inputs.namespace.clone())]),
        },
        Prerequisite::NodeLabel { key: CONTROL_PLANE.to_owned(), value: "enabled".to_owned(), nodes },
    ]
    .into_iter()
    .map(Requirement::from)
    .chain([Requirement { guide: "O02".to_owned(), ..Prerequisite::CorednsRbac.into() }])
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::inputs::tests::inputs;
    use crate::{expand, services};

    /// A secret is its own name, so that snapshots show where it goes.
    fn secrets() -> Secrets {
        let all: Vec<&Service> = services().iter().collect();
        Secrets(
            required_secrets(&all)
                .into_iter()
                .map(|spec| (spec.name.clone(), format!("<{}>", spec.name)))
                .collect(),
        )
    }

    #[test]
    fn the_whole_blueprint() {
        let all: Vec<&Service> = services().iter().collect();
        insta::assert_json_snapshot!(blueprint(&inputs(), &secrets(), &all));
    }

    #[test]
    fn secrets_are_wanted_once() {
        let all = expand(&[]).unwrap();
        let names: Vec<String> = required_secrets(&all).into_iter().map(|spec| spec.name).collect();
        assert_eq!(
            names,
            [
                "mariadb-root",
                "mariadb-sst",
                "rabbitmq-admin",
                "rabbitmq-erlang-cookie",
                "rabbitmq-neutron",
                "rabbitmq-nova",
                "rabbitmq-cinder",
                "keystone-admin",
                "keystone-db",
                "memcache-key",
                "glance-db",
                "glance-keystone",
                "placement-db",
                "placement-keystone",
                "neutron-db",
                "neutron-keystone",
                "neutron-metadata",
                "nova-db",
                "nova-keystone",
                "nova-ssh",
                "cinder-db",
                "cinder-keystone",
                "horizon-secret-key"
            ]
        );
    }

    #[test]
    fn overrides_change_values_and_what_is_checked() {
        let mut inputs = inputs();
        inputs.overrides.insert("rabbitmq".into(), json!({"pod": {"replicas": {"server": 3}}}));
        let blueprint = blueprint(&inputs, &secrets(), &expand(&["rabbitmq".into()]).unwrap());
        assert_eq!(blueprint.releases[0].values["pod"]["replicas"]["server"], 3);
        let checks = serde_json::to_string(&blueprint.checks).unwrap();
        assert!(checks.contains("running members: 3"), "{checks}");
    }

    #[test]
    fn images_given_replace_all_of_the_charts_own() {
        let mut inputs = inputs();
        for name in [
            "agent",
            "ceph",
            "cinder",
            "glance",
            "horizon",
            "keystone",
            "libvirt",
            "mariadb",
            "libvirt",
            "memcached",
            "neutron",
            "nova",
            "openstackclient",
            "openvswitch",
            "placement",
            "rabbitmq",
        ] {
            inputs.images.insert(name.into(), format!("registry.example/{name}@sha256:0"));
        }
        let all: Vec<&Service> = services().iter().collect();
        for release in blueprint(&inputs, &secrets(), &all).releases {
            let chart = crate::CHARTS.get_file(format!("{}/values.yaml", release.chart)).unwrap();
            let text = chart.contents_utf8().unwrap();
            let tags = release.values["images"]["tags"].as_object().unwrap();
            let own = text.lines().filter(|line| line.contains("localhost/landfall/"));
            for line in own {
                let tag = line.trim().split(':').next().unwrap();
                assert!(tags.contains_key(tag), "{}: {tag}", release.chart);
            }
        }
    }

    #[test]
    fn a_cluster_without_a_class_uses_its_default() {
        let mut inputs = inputs();
        inputs.storage_class = None;
        let blueprint = blueprint(&inputs, &secrets(), &expand(&["mariadb".into()]).unwrap());
        assert_eq!(blueprint.releases[0].values["volume"]["class_name"], "default");
    }
}

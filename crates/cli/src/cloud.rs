//! From the cloud file, the flags and what the cluster shows to the inputs of the catalog.

use std::collections::BTreeMap;

use landfall_catalog::{Ceph, Inputs};
use landfall_cluster::api::{Cluster, Gvk};
use landfall_config::{Cloud, NodeSelection};
use serde_json::Value;

use crate::Session;
use crate::args::CloudFile;
use crate::exit::{Exit, Failure, Result};
use crate::target::Target;
use crate::terminal::{ask, interactive, tell};

/// Domain of a cloud that nobody named; `.test` never resolves outside (RFC 6761).
pub(crate) const DEFAULT_DOMAIN: &str = "landfall.test";

/// The cloud file that is named, else `cloud.yaml` here, else the defaults.
pub(crate) fn read(session: &Session, named: &CloudFile) -> Result<Cloud> {
    if let Some(path) = &named.file {
        return Ok(landfall_config::load(path)?);
    }
    let here = std::path::Path::new("cloud.yaml");
    if here.exists() {
        tell(&format!("{} cloud.yaml", session.say("cloud file:", "클라우드 파일:")));
        return Ok(landfall_config::load(here)?);
    }
    Ok(Cloud::default())
}

/// Which services a verb is asked about.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Asked {
    /// Services, with what they need; all where none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    /// All services up to and including this one, in the guide's order
    #[arg(long, value_name = "SERVICE", conflicts_with = "services")]
    pub(crate) through: Option<String>,
}

impl Asked {
    pub(crate) fn named(services: &[String]) -> Self {
        Self { services: services.to_vec(), through: None }
    }
}

/// The cloud with what can be told of bad input before a cluster is asked, or made.
pub(crate) fn wanted(session: &Session, named: &CloudFile, asked: &Asked) -> Result<Cloud> {
    let cloud = read(session, named)?;
    services(&cloud, asked)?;
    for name in cloud.overrides.keys() {
        landfall_catalog::expand(std::slice::from_ref(name))
            .map_err(|error| inside("spec.overrides", error))?;
    }
    Ok(cloud)
}

/// An unknown name with the field of the cloud file that has it.
fn inside(field: &str, error: landfall_catalog::UnknownService) -> Failure {
    let failure = Failure::from(error);
    let (en, ko) = (format!("{field}: {}", failure.message.en), format!("{field}: {}", failure.message.ko));
    Failure::told(failure.exit, en, ko)
}

/// `--domain`, or an answer, by the rule of the cloud file's own field.
pub(crate) fn check_domain(domain: &str) -> Result {
    match landfall_config::parse(&format!("spec: {{domain: {domain:?}}}"), "--domain") {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::told(
            Exit::BadValue,
            format!("the domain {domain:?} is not a DNS name"),
            format!("도메인 {domain:?}은(는) DNS 이름이 아닙니다"),
        )
        .hint(
            "lower-case letters, digits and '-', as in citec.com",
            "소문자, 숫자, '-'만 쓸 수 있습니다. 예: citec.com",
        )),
    }
}

pub(crate) fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

/// The domain of the cloud as its Keystone's Ingress has it: observed, so that a second run agrees.
pub(crate) async fn domain_of(cluster: &dyn Cluster, namespace: &str) -> Result<Option<String>> {
    let ingress =
        cluster.get(&gvk("networking.k8s.io", "v1", "Ingress"), Some(namespace), "keystone-ingress").await?;
    let hosts = ingress.as_ref().and_then(|object| object["spec"]["rules"].as_array()).into_iter().flatten();
    let domain = hosts
        .filter_map(|rule| rule["host"].as_str())
        .filter_map(|host| host.strip_prefix("keystone."))
        // The short names that work inside the cluster are no public domain.
        .find(|domain| domain.contains('.') && !domain.contains("svc"))
        .map(str::to_owned);
    Ok(domain)
}

/// Where HTTP for the cloud's names goes.
pub(crate) async fn ingress_address(cluster: &dyn Cluster) -> Result<Option<String>> {
    let ingresses = cluster.list(&gvk("networking.k8s.io", "v1", "Ingress"), None, "").await?;
    let published = ingresses
        .iter()
        .find_map(|object| object["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().map(str::to_owned));
    if published.is_some() {
        return Ok(published);
    }
    let pods = cluster.list(&gvk("", "v1", "Pod"), Some("ingress-nginx"), "").await?;
    Ok(pods.iter().find_map(|pod| pod["status"]["hostIP"].as_str().map(str::to_owned)))
}

/// The names that the cloud publishes through Ingresses, sorted; not those that work inside only.
pub(crate) async fn public_names(cluster: &dyn Cluster, namespace: &str) -> Result<Vec<String>> {
    let ingresses = cluster.list(&gvk("networking.k8s.io", "v1", "Ingress"), Some(namespace), "").await?;
    let within = format!(".{namespace}");
    let mut names: Vec<String> = ingresses
        .iter()
        .flat_map(|ingress| ingress["spec"]["rules"].as_array().into_iter().flatten())
        .filter_map(|rule| rule["host"].as_str())
        .filter(|host| host.contains('.') && !host.contains(".svc") && !host.ends_with(&within))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Flag, cloud file, what the cluster has, the user's answer, the default: in this order.
pub(crate) async fn domain(
    session: &Session,
    target: &Target,
    cloud: &Cloud,
    flag: Option<&str>,
) -> Result<String> {
    if let Some(domain) = flag.or(cloud.domain.as_deref()) {
        check_domain(domain)?;
        return Ok(domain.to_owned());
    }
    if let Some(domain) = domain_of(target.cluster.as_ref(), &cloud.namespace).await? {
        return Ok(domain);
    }
    if interactive() && !session.global.yes {
        let question = match session.language() {
            landfall_config::Language::En => {
                format!("Domain of the cloud, as in keystone.<domain> [{DEFAULT_DOMAIN}]: ")
            }
            landfall_config::Language::Ko => {
                format!("클라우드 도메인 (keystone.<도메인>) [{DEFAULT_DOMAIN}]: ")
            }
        };
        let answer = ask(&question)?;
        if !answer.is_empty() {
            let answer = answer.trim_start_matches("keystone.").to_owned();
            check_domain(&answer)?;
            return Ok(answer);
        }
    }
    Ok(DEFAULT_DOMAIN.to_owned())
}

/// All that the catalog needs to know.
pub(crate) async fn inputs(
    target: &Target,
    cloud: &Cloud,
    domain: String,
    images: BTreeMap<String, String>,
) -> Result<Inputs> {
    let cluster = target.cluster.as_ref();
    let nodes = cluster.list(&gvk("", "v1", "Node"), None, "").await?;
    let classes = cluster.list(&gvk("storage.k8s.io", "v1", "StorageClass"), None, "").await?;
    let names: Vec<String> =
        nodes.iter().filter_map(|node| node["metadata"]["name"].as_str().map(str::to_owned)).collect();
    let chosen = |role: &str, selection: &NodeSelection| selected(&names, role, selection);
    Ok(Inputs {
        cloud: cloud.name.clone(),
        domain,
        namespace: cloud.namespace.clone(),
        storage_class: cloud.storage.class.clone().or_else(|| default_class(&classes)),
        ingress_class: cloud.ingress.class.clone(),
        ingress_address: ingress_address(cluster).await?,
        control_plane_nodes: chosen("control-plane", &cloud.nodes.control_plane)?,
        compute_nodes: chosen("compute", &cloud.nodes.compute)?,
        network_nodes: chosen("network", &cloud.nodes.network)?,
        // The embedded cluster's nodes have a link of their own for tunnels.
        tunnel_interface: target.embedded().map(|_| "eth1".to_owned()),
        // Nothing leads out of this machine: for floating IPs its nodes are the world (RFC 5737).
        outside: target.embedded().map(|_| "203.0.113.1/24".to_owned()),
        ceph: Ceph {
            namespace: cloud.storage.ceph.namespace.clone(),
            stand_in: target.embedded().is_some(),
            class: "rook-ceph-block".to_owned(),
        },
        overrides: cloud.overrides.clone(),
        images,
        nodes: names.clone(),
        cores: nodes
            .iter()
            .filter_map(|node| node["status"]["capacity"]["cpu"].as_str()?.parse().ok())
            .min()
            .unwrap_or(1),
    })
}

/// The nodes that a role of the cloud file means.
fn selected(names: &[String], role: &str, selection: &NodeSelection) -> Result<Vec<String>> {
    let wanted = selection.names();
    if wanted.iter().any(|name| name == "*") {
        return Ok(names.to_vec());
    }
    match wanted.iter().find(|name| !names.contains(name)) {
        None => Ok(wanted),
        Some(name) => Err(Failure::told(
            Exit::BadValue,
            format!("spec.nodes.{role} names {name}, which is no node of this cluster"),
            format!("spec.nodes.{role}의 {name}은(는) 이 클러스터의 노드가 아닙니다"),
        )
        .hint(
            format!("its nodes are {}", names.join(", ")),
            format!("이 클러스터의 노드: {}", names.join(", ")),
        )),
    }
}

fn default_class(classes: &[Value]) -> Option<String> {
    let default = |class: &&Value| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"].as_str()
            == Some("true")
    };
    classes.iter().find(default).and_then(|class| class["metadata"]["name"].as_str()).map(str::to_owned)
}

/// The services asked for, those of the cloud file, or all.
pub(crate) fn services(cloud: &Cloud, asked: &Asked) -> Result<Vec<&'static landfall_catalog::Service>> {
    if let Some(last) = &asked.through {
        let known = std::slice::from_ref(last);
        landfall_catalog::expand(known)?;
        return landfall_catalog::through(last, &cloud.services)
            .map_err(|error| inside("spec.services", error));
    }
    let wanted = if asked.services.is_empty() { &cloud.services } else { &asked.services };
    landfall_catalog::expand(wanted).map_err(|error| match asked.services[..] {
        [] => inside("spec.services", error),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_default_class_is_the_one_that_says_so() {
        let class = |name: &str, default: &str| json!({"metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}}});
        assert_eq!(default_class(&[class("a", "false"), class("b", "true")]).as_deref(), Some("b"));
        assert_eq!(default_class(&[json!({"metadata": {"name": "a"}})]), None);
    }
}

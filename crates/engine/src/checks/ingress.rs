//! Where HTTP for a host of an Ingress goes: its published address, else a node on whose port 80 a
//! controller listens.

use std::net::{IpAddr, SocketAddr};

use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_health::readiness;
use serde_json::Value;

use super::Tried;

const HTTP: u16 = 80;

pub(super) async fn address(cluster: &dyn Cluster, host: &str) -> Result<SocketAddr, Tried> {
    let told = |error: ClusterError| Tried::NotYet(error.to_string());
    let all = cluster.list(&Gvk::new("networking.k8s.io/v1", "Ingress"), None, "").await.map_err(told)?;
    let mine: Vec<&Value> = all.iter().filter(|ingress| serves(ingress, host)).collect();
    if mine.is_empty() {
        return Err(Tried::NotYet(format!("no Ingress for {host}")));
    }
    if let Some(ip) = mine.iter().find_map(|ingress| published(ingress)) {
        return Ok(SocketAddr::new(ip, HTTP));
    }
    let pods = cluster.list(&Gvk::new("v1", "Pod"), None, "").await.map_err(told)?;
    let on_node = pods.iter().filter(|pod| listens(pod) && readiness(pod).is_ready());
    let mut addresses = on_node.filter_map(|pod| pod["status"]["hostIP"].as_str()?.parse().ok());
    addresses.next().map(|ip| SocketAddr::new(ip, HTTP)).ok_or_else(|| {
        Tried::NotYet(format!(
            "the Ingress for {host} has no address, and no ready pod listens on a node's port 80"
        ))
    })
}

fn serves(ingress: &Value, host: &str) -> bool {
    let mut rules = ingress["spec"]["rules"].as_array().into_iter().flatten();
    rules.any(|rule| rule["host"] == host)
}

fn published(ingress: &Value) -> Option<IpAddr> {
    let mut all = ingress["status"]["loadBalancer"]["ingress"].as_array()?.iter();
    all.find_map(|one| one["ip"].as_str()?.parse().ok())
}

fn listens(pod: &Value) -> bool {
    let on_host = pod["spec"]["hostNetwork"] == true;
    let mut ports = pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["ports"].as_array())
        .flatten();
    ports.any(|port| port["hostPort"] == HTTP || (on_host && port["containerPort"] == HTTP))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_published_address_is_read() {
        let ingress =
            json!({"status": {"loadBalancer": {"ingress": [{"hostname": "x"}, {"ip": "10.89.0.11"}]}}});
        assert_eq!(published(&ingress).unwrap().to_string(), "10.89.0.11");
        assert_eq!(published(&json!({})), None);
    }

    #[test]
    fn a_controller_is_known_by_the_nodes_port() {
        assert!(listens(&json!({"spec": {"containers": [{"ports": [{"hostPort": 80}]}]}})));
        assert!(listens(
            &json!({"spec": {"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}]}]}})
        ));
        assert!(!listens(&json!({"spec": {"containers": [{"ports": [{"containerPort": 80}]}]}})));
    }
}

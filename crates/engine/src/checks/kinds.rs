//! One try of each kind of check.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use landfall_catalog::blueprint::{CheckKind, Secrets};
use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_health::readiness;
use landfall_openstack::{
    Compute, Credentials, Dashboard, Keystone, Network, Placement, Token, Volumes, Web,
};
use landfall_plan::coredns;
use serde_json::Value;

use super::{CheckContext, Tried, ceph, compute, dashboard, ingress, network, object, openstack, volume};

/// Lines of a log that are searched.
const LOG_LINES: i64 = 5000;
/// Lines of a command's output that are shown.
const SHOWN_LINES: usize = 8;

pub(super) async fn carry_out(
    cluster: &Arc<dyn Cluster>,
    kind: &CheckKind,
    secrets: &Secrets,
    ctx: &CheckContext,
) -> Tried {
    match seen(&**cluster, kind, secrets, ctx).await {
        Ok(Ok(tried)) | Err(tried) => tried,
        Ok(Err(error @ (ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. }))) => {
            Tried::Never(error.to_string())
        }
        Ok(Err(other)) => Tried::NotYet(other.to_string()),
    }
}

type Seen = Result<Tried, ClusterError>;

/// # Errors
/// What was tried, where already the way to the API did not hold.
async fn seen(
    cluster: &dyn Cluster,
    kind: &CheckKind,
    secrets: &Secrets,
    ctx: &CheckContext,
) -> Result<Seen, Tried> {
    Ok(match kind {
        CheckKind::CorednsRole => coredns_role(cluster).await,
        CheckKind::PodsReady { namespace, selector, at_least } => {
            pods_ready(cluster, namespace, selector, *at_least).await
        }
        CheckKind::LogLine { namespace, selector, container, contains } => {
            log_line(cluster, namespace, selector, container, contains).await
        }
        CheckKind::Exec { namespace, selector, container, command, contains } => {
            exec(cluster, namespace, selector, container, command, contains).await
        }
        CheckKind::Ingress { host, path, status, contains } => {
            answered(&web(cluster, host, ctx).await?, host, path, status, contains).await
        }
        CheckKind::KeystoneToken { host } => {
            let (_, token) = token(cluster, host, secrets, ctx).await?;
            Ok(Tried::Passed(format!(
                "a token for user {} in project {} with the roles {}, until {}",
                token.user,
                token.project,
                token.roles.join(", "),
                token.expires
            )))
        }
        CheckKind::KeystoneServices { host, services } => {
            let (keystone, token) = token(cluster, host, secrets, ctx).await?;
            Ok(listed(&keystone, &token, services).await)
        }
        CheckKind::Object { api_version, object_kind, namespace, name, fields } => {
            object::has(cluster, (api_version, object_kind, namespace, name), fields).await
        }
        CheckKind::CephHealth { rook, pools } => ceph::health(cluster, rook, pools).await,
        CheckKind::CephConf { rook, namespace, name } => ceph::conf(cluster, rook, namespace, name).await,
        CheckKind::OpenstackGet { keystone, host, path, contains } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            Ok(openstack::get(&api, host, path, contains).await)
        }
        CheckKind::GlanceImage { keystone, host, rook, pool } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            openstack::image(cluster, &api, rook, pool.as_deref()).await
        }
        CheckKind::NetworkAgents { keystone, host, agents } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            Ok(network::agents(&Network::new(api.web, api.token), agents).await)
        }
        CheckKind::ComputeServices { keystone, host, placement, computes } => {
            let nova = open(cluster, keystone, host, secrets, ctx).await?;
            let placement = Placement::new(behind(cluster, placement, ctx).await?, nova.token.clone());
            let compute = Compute::new(nova.web, nova.token);
            Ok(compute::services(&compute, &placement, computes).await)
        }
        CheckKind::NetworkPorts { keystone, host, namespace, nodes } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            Ok(network::ports(cluster, &Network::new(api.web, api.token), namespace, nodes).await)
        }
        CheckKind::VolumeServices { keystone, host, binaries } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            Ok(volume::services(&Volumes::new(api.web, api.token), binaries).await)
        }
        CheckKind::CinderVolume { keystone, host, rook, pool, client } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            volume::volume(cluster, &Volumes::new(api.web, api.token), rook, pool, client).await
        }
        CheckKind::HorizonLogin { keystone, host } => {
            let api = open(cluster, keystone, host, secrets, ctx).await?;
            let password = &secrets.0[&ctx.admin_secret];
            Ok(dashboard::login(Dashboard::new(api.web), &api.token, host, password).await)
        }
    })
}

async fn coredns_role(cluster: &dyn Cluster) -> Seen {
    let deployment = cluster.get(&Gvk::new("apps/v1", "Deployment"), Some("kube-system"), "coredns").await?;
    if deployment.is_none() {
        return Ok(Tried::Passed("this cluster's DNS is not the Deployment coredns in kube-system".into()));
    }
    let role = cluster.get(&Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRole"), None, "coredns").await?;
    let Some(role) = role else { return Ok(Tried::Never("no ClusterRole coredns".into())) };
    let lacking = coredns::lacking(coredns::rules(&role));
    if lacking.is_empty() {
        let names: Vec<&str> = coredns::NEEDED.iter().map(|(_, resource)| *resource).collect();
        return Ok(Tried::Passed(format!("ClusterRole coredns: list, watch on {}", names.join(", "))));
    }
    Ok(Tried::Never(format!("ClusterRole coredns does not allow list and watch on {}", lacking.join(", "))))
}

/// Pods that are meant to run: those of finished Jobs, and those that go, are left out.
async fn pods(cluster: &dyn Cluster, namespace: &str, selector: &str) -> Result<Vec<Value>, ClusterError> {
    let mut found = cluster.list(&Gvk::new("v1", "Pod"), Some(namespace), selector).await?;
    found.retain(|pod| {
        pod["status"]["phase"] != "Succeeded" && pod["metadata"]["deletionTimestamp"].is_null()
    });
    Ok(found)
}

fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap_or_default()
}

async fn pods_ready(cluster: &dyn Cluster, namespace: &str, selector: &str, at_least: usize) -> Seen {
    let found = pods(cluster, namespace, selector).await?;
    let (ready, not): (Vec<&Value>, Vec<&Value>) = found.iter().partition(|pod| readiness(pod).is_ready());
    let names = |pods: &[&Value]| pods.iter().map(|p| name(p)).collect::<Vec<_>>().join(", ");
    if not.is_empty() && ready.len() >= at_least.max(1) {
        return Ok(Tried::Passed(format!(
            "{} of {} pods ready: {}",
            ready.len(),
            found.len(),
            names(&ready)
        )));
    }
    let mut seen = format!("{} of {} pods ready", ready.len(), found.len().max(at_least));
    for pod in not {
        let why = readiness(pod).reason().unwrap_or_default().to_owned();
        seen.push_str(&format!("; {}: {why}", name(pod)));
    }
    Ok(Tried::NotYet(seen))
}

async fn log_line(
    cluster: &dyn Cluster,
    namespace: &str,
    selector: &str,
    container: &str,
    contains: &str,
) -> Seen {
    let found = pods(cluster, namespace, selector).await?;
    if found.is_empty() {
        return Ok(Tried::NotYet(format!("no pod with {selector}")));
    }
    let mut last = String::new();
    for pod in &found {
        let text = cluster.logs(namespace, name(pod), container, LOG_LINES, false).await?;
        if let Some(line) = text.lines().rev().find(|line| line.contains(contains)) {
            return Ok(Tried::Passed(format!("{}: {}", name(pod), line.trim())));
        }
        text.lines().next_back().unwrap_or_default().clone_into(&mut last);
    }
    Ok(Tried::NotYet(format!("no line with {contains:?} in the logs; the last line: {last}")))
}

async fn exec(
    cluster: &dyn Cluster,
    namespace: &str,
    selector: &str,
    container: &str,
    command: &[String],
    contains: &str,
) -> Seen {
    let found = pods(cluster, namespace, selector).await?;
    let Some(pod) = found.iter().find(|pod| readiness(pod).is_ready()) else {
        return Ok(Tried::NotYet(format!("no ready pod with {selector}")));
    };
    let output = cluster.exec(namespace, name(pod), container, command, None).await?;
    let shown = |text: &str| text.trim().lines().take(SHOWN_LINES).collect::<Vec<_>>().join("\n");
    if output.code == 0 && output.stdout.contains(contains) {
        let seen = shown(&output.stdout);
        return Ok(Tried::Passed(if seen.is_empty() { format!("{}: done", name(pod)) } else { seen }));
    }
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    let missing =
        if output.code == 0 { format!(", but its output lacks {contains:?}") } else { String::new() };
    Ok(Tried::NotYet(format!("{}: exit code {}{missing}: {}", name(pod), output.code, shown(said))))
}

async fn web(cluster: &dyn Cluster, host: &str, ctx: &CheckContext) -> Result<Keystone, Tried> {
    Keystone::new(host, address(cluster, host, ctx).await?).map_err(|e| Tried::Never(e.to_string()))
}

async fn answered(web: &Keystone, host: &str, path: &str, status: &[u16], contains: &str) -> Seen {
    let answer = match web.get(path).await {
        Ok(answer) => answer,
        Err(error) => return Ok(Tried::NotYet(error.to_string())),
    };
    let body: String = answer.body.trim().chars().take(300).collect();
    let seen = format!("GET http://{host}{path}: {}: {body}", answer.status);
    let good = (status.is_empty() || status.contains(&answer.status)) && answer.body.contains(contains);
    Ok(if good { Tried::Passed(seen) } else { Tried::NotYet(seen) })
}

async fn token(
    cluster: &dyn Cluster,
    host: &str,
    secrets: &Secrets,
    ctx: &CheckContext,
) -> Result<(Keystone, Token), Tried> {
    let Some(password) = secrets.0.get(&ctx.admin_secret) else {
        return Err(Tried::Never(format!(
            "the administrator's password ({}) is not known",
            ctx.admin_secret
        )));
    };
    let keystone = web(cluster, host, ctx).await?;
    match keystone.token(&Credentials::admin(password)).await {
        Ok(token) => Ok((keystone, token)),
        // Right after bootstrap one worker may not have seen the user yet.
        Err(error) => Err(Tried::NotYet(error.to_string())),
    }
}

/// An API at its public name, opened to the administrator.
async fn open(
    cluster: &dyn Cluster,
    keystone: &str,
    host: &str,
    secrets: &Secrets,
    ctx: &CheckContext,
) -> Result<openstack::Opened, Tried> {
    let (_, token) = token(cluster, keystone, secrets, ctx).await?;
    Ok(openstack::Opened { web: behind(cluster, host, ctx).await?, token })
}

/// What answers at a public name.
async fn behind(cluster: &dyn Cluster, host: &str, ctx: &CheckContext) -> Result<Web, Tried> {
    Web::behind(host, address(cluster, host, ctx).await?).map_err(|e| Tried::Never(e.to_string()))
}

async fn address(cluster: &dyn Cluster, host: &str, ctx: &CheckContext) -> Result<SocketAddr, Tried> {
    match ctx.ingress {
        Some(address) => Ok(address),
        None => ingress::address(cluster, host).await,
    }
}

async fn listed(keystone: &Keystone, token: &Token, wanted: &BTreeMap<String, String>) -> Tried {
    let services = match keystone.services(token).await {
        Ok(services) => services,
        Err(error) => return Tried::NotYet(error.to_string()),
    };
    let table: Vec<String> = services.iter().map(|s| format!("{} | {} | {}", s.id, s.name, s.kind)).collect();
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(name, kind)| !services.iter().any(|s| s.name == **name && s.kind == **kind))
        .map(|(name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        Tried::Passed(table.join("\n"))
    } else {
        Tried::NotYet(format!(
            "not in the service list: {}; it has:\n{}",
            missing.join(", "),
            table.join("\n")
        ))
    }
}

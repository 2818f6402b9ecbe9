//! Prerequisites: namespaces, node labels, CoreDNS's role (guide O02), Secrets.

use std::collections::BTreeMap;

use landfall_catalog::blueprint::Prerequisite;
use landfall_cluster::MANAGER;
use landfall_cluster::api::{Applied, Gvk};
use landfall_health::ObjectRef;
use landfall_plan::coredns;
use serde_json::{Value, json};

use super::{Acted, Scope, Shared, refused};
use crate::again::again;
use crate::{failure, secrets};

impl Shared {
    pub async fn ensure(&self, step: &str, prerequisite: &Prerequisite) -> Acted {
        match prerequisite {
            Prerequisite::Namespace { name, labels } => {
                let wanted = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
                self.put(&wanted, &format!("Namespace//{name}")).await
            }
            Prerequisite::NodeLabel { key, value, nodes } => self.label(key, value, nodes).await,
            Prerequisite::CorednsRbac => self.coredns(step).await,
            Prerequisite::Secret { namespace, name, keys } => self.secret(namespace, name, keys).await,
            Prerequisite::Object { object, .. } => {
                self.put(object, &landfall_plan::object::key(object, "")).await
            }
            Prerequisite::CephPool { .. } | Prerequisite::CephKey { .. } | Prerequisite::CephConf { .. } => {
                self.ceph(step, prerequisite).await
            }
        }
    }

    pub(super) async fn put(&self, object: &Value, key: &str) -> Acted {
        let (applied, _) = again(|| self.cluster.apply(object, MANAGER, true)).await.map_err(refused(key))?;
        Ok(applied != Applied::Unchanged)
    }

    async fn label(&self, key: &str, value: &str, nodes: &[String]) -> Acted {
        let kind = Gvk::new("v1", "Node");
        let all = again(|| self.cluster.list(&kind, None, "")).await.map_err(refused("Node"))?;
        let everywhere = nodes.iter().any(|n| n == "*");
        let mut changed = false;
        for node in all {
            let name = node["metadata"]["name"].as_str().unwrap_or_default();
            let wanted = everywhere || nodes.iter().any(|n| n == name);
            if wanted && node["metadata"]["labels"][key] != value {
                let patch = json!({"metadata": {"labels": {key: value}}});
                again(|| self.cluster.patch(&kind, None, name, &patch))
                    .await
                    .map_err(refused(&format!("Node//{name}")))?;
                changed = true;
            }
        }
        Ok(changed)
    }

    /// The role and its binding; a rolling restart of CoreDNS only where they changed.
    async fn coredns(&self, step: &str) -> Acted {
        let (deployments, roles, bindings) = (
            Gvk::new("apps/v1", "Deployment"),
            Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRole"),
            Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        );
        let symptom = "Deployment/kube-system/coredns";
        let found = again(|| self.cluster.get(&deployments, Some("kube-system"), "coredns"))
            .await
            .map_err(refused(symptom))?;
        let Some(deployment) = found else {
            self.emit.note(
                "no Deployment coredns in kube-system: this cluster's DNS is another, nothing to allow",
                "kube-system에 coredns Deployment가 없습니다: 다른 DNS를 쓰는 클러스터이므로 권한 설정을 건너뜁니다",
            );
            return Ok(false);
        };
        let account =
            deployment["spec"]["template"]["spec"]["serviceAccountName"].as_str().unwrap_or("default");

        let role = again(|| self.cluster.get(&roles, None, "coredns"))
            .await
            .map_err(refused("ClusterRole//coredns"))?;
        let mut changed = false;
        let known = role.as_ref().map(coredns::rules).unwrap_or_default();
        if !coredns::lacking(known).is_empty() {
            // Rules of another's making stay; a list is one value, so it is written whole.
            let mut wanted = coredns::role();
            let mut rules = known.to_vec();
            rules.extend(coredns::rules(&wanted).iter().cloned());
            wanted["rules"] = Value::Array(rules);
            changed |= self.put(&wanted, "ClusterRole//coredns").await?;
        }
        let key = "ClusterRoleBinding//coredns";
        let binding = again(|| self.cluster.get(&bindings, None, "coredns")).await.map_err(refused(key))?;
        if !binding.is_some_and(|b| coredns::is_bound(&b, "kube-system", account)) {
            changed |= self.put(&coredns::binding("kube-system", account), key).await?;
        }
        if changed {
            let restart = json!({"spec": {"template": {"metadata": {"annotations":
                {"kubectl.kubernetes.io/restartedAt": jiff::Timestamp::now().to_string()}}}}});
            again(|| self.cluster.patch(&deployments, Some("kube-system"), "coredns", &restart))
                .await
                .map_err(refused(symptom))?;
            let targets = [ObjectRef::new("Deployment", "kube-system", "coredns")];
            self.until_ready(step, &targets, Scope::All).await?;
        }
        Ok(changed)
    }

    async fn secret(&self, namespace: &str, name: &str, keys: &BTreeMap<String, String>) -> Acted {
        let key = format!("Secret/{namespace}/{name}");
        let missing: Vec<&str> =
            keys.values().filter(|from| !self.secrets.0.contains_key(*from)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(failure::plain(
                "secret-unknown",
                &key,
                format!("no value is known for {}", missing.join(", ")),
                "this is a defect of Landfall: report it",
                "Landfall의 결함입니다: 신고해 주세요",
            )
            .into());
        }
        let gvk = Gvk::new("v1", "Secret");
        let live = again(|| self.cluster.get(&gvk, Some(namespace), name)).await.map_err(refused(&key))?;
        let known = live.as_ref().map(secrets::decoded).unwrap_or_default();
        let differs =
            keys.iter().any(|(k, from)| known.get(k).is_some_and(|v| Some(v) != self.secrets.0.get(from)));
        if name == secrets::NAME && differs {
            return Err(failure::plain(
                "secrets-changed",
                &key,
                "another run made passwords after this one had looked",
                "run `landfall up` again",
                "`landfall up`을 다시 실행하세요",
            )
            .into());
        }
        self.put(&secrets::object(namespace, name, keys, &self.secrets), &key).await
    }
}

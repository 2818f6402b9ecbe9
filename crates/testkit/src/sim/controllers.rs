//! Deployments, StatefulSets, DaemonSets, Jobs, claims and Services: what Kubernetes' controllers make
//! of them, one pass at a time.

use serde_json::{Value, json};

use super::{Key, State};

impl State {
    /// One pass over all; whether anything moved.
    pub(super) fn step(&mut self) -> bool {
        let before = self.revision;
        for kind in ["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/Job"] {
            let keys: Vec<Key> = self.of_kind(kind).map(|(k, _)| k.clone()).collect();
            for key in keys {
                self.control(&key);
            }
        }
        self.claims();
        self.pods();
        self.endpoints();
        // With a seed, pods that could go on may not have: then there is more to do.
        before != self.revision || self.has_pending_choice()
    }

    fn control(&mut self, key: &Key) {
        let Some(owner) = self.objects.get(key).cloned() else { return };
        match key.0.as_str() {
            "apps/Deployment" => self.deployment(key, owner),
            "apps/StatefulSet" => self.stateful_set(key, owner),
            "apps/DaemonSet" => self.daemon_set(key, owner),
            _ => self.job(key, owner),
        }
    }

    fn deployment(&mut self, key: &Key, mut owner: Value) {
        let wanted = owner["spec"]["replicas"].as_i64().unwrap_or(1);
        let hash = format!("{:x}", fingerprint(&owner["spec"]["template"]));
        let set_name = format!("{}-{hash}", key.2);
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": set_name, "namespace": key.1, "labels": owner["spec"]["template"]["metadata"]["labels"],
                "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": [reference(&owner)]},
            "spec": {"replicas": wanted, "selector": owner["spec"]["selector"], "template": owner["spec"]["template"]},
        });
        let set_key: Key = ("apps/ReplicaSet".into(), key.1.clone(), set_name.clone());
        if let Some(known) = self.objects.get(&set_key) {
            set["status"] = known["status"].clone();
            set["metadata"]["uid"] = known["metadata"]["uid"].clone();
        }
        let set = self.put(set);
        let old: Vec<Key> = self
            .of_kind("apps/ReplicaSet")
            .filter(|(k, o)| k.1 == key.1 && k.2 != set_name && owned_by(o, &owner))
            .map(|(k, _)| k.clone())
            .collect();
        let names: Vec<String> = (0..wanted).map(|n| format!("{set_name}-{n}")).collect();
        for name in &names {
            self.pod_of(&set, &key.2, name, &key.1, None);
        }
        let ready = self.ready(&key.1, &names);
        let mut shown_set = set;
        shown_set["status"] = json!({"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready,
            "observedGeneration": shown_set["metadata"]["generation"]});
        self.put(shown_set);
        if ready == wanted {
            for key in old {
                self.remove(&key);
            }
        }
        let available = if ready == wanted { "True" } else { "False" };
        owner["status"] = json!({
            "observedGeneration": owner["metadata"]["generation"],
            "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready,
            "conditions": [{"type": "Available", "status": available},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        });
        if ready < wanted {
            owner["status"]["unavailableReplicas"] = json!(wanted - ready);
        }
        self.put(owner);
    }

    fn stateful_set(&mut self, key: &Key, mut owner: Value) {
        let wanted = owner["spec"]["replicas"].as_i64().unwrap_or(1);
        let names: Vec<String> = (0..wanted).map(|n| format!("{}-{n}", key.2)).collect();
        let templates = owner["spec"]["volumeClaimTemplates"].as_array().cloned().unwrap_or_default();
        let parallel = owner["spec"]["podManagementPolicy"] == "Parallel";
        let revision = format!("{:x}", fingerprint(&owner["spec"]["template"]));
        for (at, name) in names.iter().enumerate() {
            for template in &templates {
                let claim = format!("{}-{name}", template["metadata"]["name"].as_str().unwrap_or_default());
                let claim_key: Key = ("/PersistentVolumeClaim".into(), key.1.clone(), claim.clone());
                if !self.objects.contains_key(&claim_key) {
                    self.put(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                        "metadata": {"name": claim, "namespace": key.1, "labels": owner["spec"]["template"]["metadata"]["labels"]},
                        "spec": template["spec"], "status": {"phase": "Pending"}}));
                }
            }
            let known = self.objects.get(&("/Pod".into(), key.1.clone(), name.clone()));
            // As the real one: in order, a pod that is not ready holds back all else.
            let blocked = !parallel && known.is_some_and(|pod| !is_ready(pod));
            if !blocked && (parallel || at == 0 || self.ready(&key.1, &names[..at]) == at as i64) {
                self.pod_of(&owner, &key.2, name, &key.1, Some(&templates));
            }
        }
        let ready = self.ready(&key.1, &names);
        owner["status"] = json!({"observedGeneration": owner["metadata"]["generation"], "replicas": wanted,
            "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": wanted, "currentReplicas": wanted,
            "currentRevision": revision, "updateRevision": revision});
        self.put(owner);
    }

    fn daemon_set(&mut self, key: &Key, mut owner: Value) {
        let selector = owner["spec"]["template"]["spec"]["nodeSelector"].clone();
        let nodes: Vec<String> = self
            .of_kind("/Node")
            .filter(|(_, node)| fits(&selector, &node["metadata"]["labels"]))
            .map(|(k, _)| k.2.clone())
            .collect();
        let names: Vec<String> = nodes.iter().map(|node| format!("{}-{node}", key.2)).collect();
        for name in &names {
            self.pod_of(&owner, &key.2, name, &key.1, None);
        }
        let (ready, wanted) = (self.ready(&key.1, &names), names.len());
        owner["status"] = json!({"observedGeneration": owner["metadata"]["generation"], "desiredNumberScheduled": wanted,
            "currentNumberScheduled": wanted, "updatedNumberScheduled": wanted, "numberReady": ready,
            "numberAvailable": ready, "numberMisscheduled": 0});
        self.put(owner);
    }

    fn job(&mut self, key: &Key, mut owner: Value) {
        let name = format!("{}-x", key.2);
        self.pod_of(&owner, &key.2, &name, &key.1, None);
        let pod = self.objects.get(&("/Pod".into(), key.1.clone(), name));
        owner["status"] = match pod.and_then(|p| p["status"]["phase"].as_str()) {
            Some("Succeeded") => {
                json!({"succeeded": 1, "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01Z",
                "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]})
            }
            Some("Failed") => json!({"failed": 1, "startTime": "2026-01-01T00:00:00Z",
                "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                    "message": "Job has reached the specified backoff limit"}]}),
            _ => json!({"active": 1, "startTime": "2026-01-01T00:00:00Z"}),
        };
        self.put(owner);
    }

    fn pod_of(
        &mut self,
        owner: &Value,
        workload: &str,
        name: &str,
        namespace: &str,
        claims: Option<&[Value]>,
    ) {
        let key: Key = ("/Pod".into(), namespace.to_owned(), name.to_owned());
        let template = &owner["spec"]["template"];
        let mark = format!("{:x}", fingerprint(template));
        if let Some(pod) = self.objects.get(&key) {
            if pod["metadata"]["annotations"]["simulated/template"] == mark.as_str() {
                return;
            }
            self.remove(&key);
        }
        let mut spec = template["spec"].clone();
        for claim in claims.unwrap_or_default() {
            let volume = &claim["metadata"]["name"];
            let claimed = json!({"name": volume, "persistentVolumeClaim":
                {"claimName": format!("{}-{name}", volume.as_str().unwrap_or_default())}});
            match spec["volumes"].as_array_mut() {
                Some(volumes) => volumes.push(claimed),
                None => spec["volumes"] = json!([claimed]),
            }
        }
        let mut labels = template["metadata"]["labels"].clone();
        if owner["kind"] == "StatefulSet" {
            labels["controller-revision-hash"] = json!(mark);
        }
        self.put(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels,
                "annotations": {"simulated/template": mark, "simulated/workload": workload},
                "ownerReferences": [reference(owner)]},
            "spec": spec, "status": {"phase": "Pending"}}));
    }

    fn ready(&self, namespace: &str, names: &[String]) -> i64 {
        let pods =
            names.iter().filter_map(|n| self.objects.get(&("/Pod".into(), namespace.to_owned(), n.clone())));
        pods.filter(|pod| is_ready(pod)).count() as i64
    }

    fn claims(&mut self) {
        let pending: Vec<Value> = self
            .of_kind("/PersistentVolumeClaim")
            .filter(|(_, c)| c["status"]["phase"] != "Bound")
            .map(|(_, c)| c.clone())
            .collect();
        let classes: Vec<String> =
            self.of_kind("storage.k8s.io/StorageClass").map(|(k, _)| k.2.clone()).collect();
        for mut claim in pending {
            let class = claim["spec"]["storageClassName"].as_str();
            let known = class.map_or(!classes.is_empty(), |class| classes.iter().any(|c| c == class));
            if known && !self.faults.no_storage {
                claim["spec"]["volumeName"] =
                    json!(format!("pv-{}", claim["metadata"]["name"].as_str().unwrap_or_default()));
                claim["status"] = json!({"phase": "Bound"});
                self.put(claim);
            }
        }
    }

    fn endpoints(&mut self) {
        let services: Vec<(Key, Value)> =
            self.of_kind("/Service").map(|(k, v)| (k.clone(), v.clone())).collect();
        for (key, service) in services {
            let Some(selector) = service["spec"]["selector"].as_object() else { continue };
            let endpoints: Vec<Value> = self
                .of_kind("/Pod")
                .filter(|(k, pod)| {
                    k.1 == key.1 && selector.iter().all(|(l, v)| pod["metadata"]["labels"].get(l) == Some(v))
                })
                .map(|(k, pod)| {
                    json!({"addresses": ["127.0.0.1"], "conditions": {"ready": is_ready(pod)},
                    "targetRef": {"kind": "Pod", "name": k.2, "namespace": k.1}})
                })
                .collect();
            self.put(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {"name": format!("{}-0", key.2), "namespace": key.1, "labels": {"kubernetes.io/service-name": key.2},
                    "ownerReferences": [reference(&service)]},
                "addressType": "IPv4", "endpoints": endpoints}));
        }
    }
}

pub(super) fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

pub(super) fn fits(selector: &Value, labels: &Value) -> bool {
    selector.as_object().is_none_or(|s| s.iter().all(|(label, value)| labels.get(label) == Some(value)))
}

fn owned_by(object: &Value, owner: &Value) -> bool {
    object["metadata"]["ownerReferences"]
        .as_array()
        .is_some_and(|all| all.iter().any(|r| r["uid"] == owner["metadata"]["uid"]))
}

fn reference(owner: &Value) -> Value {
    json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true})
}

/// FNV-1a of the JSON text.
fn fingerprint(value: &Value) -> u32 {
    value
        .to_string()
        .bytes()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

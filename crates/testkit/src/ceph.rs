//! A Ceph for the simulated cluster: what Rook writes down of it, and a toolbox that answers as Ceph's
//! command line does, as far as pools and users go. What is asked otherwise ends with EINVAL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use landfall_cluster::api::ExecOutput;
use serde_json::{Value, json};

use crate::Sim;

/// Caps by daemon.
type Caps = BTreeMap<String, String>;

const FSID: &str = "5b8e7e0c-52a1-4a53-9b0e-3a6f5f1c7a11";
const ENOENT: i32 = 2;
const EPERM: i32 = 1;
const EINVAL: i32 = 22;

/// What it has; a handle, clones are the same Ceph.
#[derive(Debug, Clone, Default)]
pub struct SimCeph(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
pub struct Known {
    /// Pools with what each is for.
    pub pools: BTreeMap<String, BTreeSet<String>>,
    /// Users without `client.`, with key and caps.
    pub clients: BTreeMap<String, (String, Caps)>,
    /// Whoever asks is refused.
    pub refuses: bool,
}

impl SimCeph {
    /// Puts it into a cluster, below this namespace of Rook's. It answers all `exec` from then on.
    pub fn put(sim: &Sim, namespace: &str) -> Self {
        let ceph = Self::default();
        let object = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}});
        sim.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        let mut toolbox = object("Pod", "rook-ceph-tools-0");
        toolbox["metadata"]["labels"] = json!({"app": "rook-ceph-tools"});
        toolbox["spec"] = json!({"containers": [{"name": "rook-ceph-tools", "image": "simulated"}]});
        toolbox["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        sim.put(toolbox);
        Self::monitor(sim, namespace, "10.96.0.5");
        let answering = ceph.clone();
        sim.on_exec(move |_, _, command| answering.answer(command));
        ceph
    }

    /// Its one monitor is at this address from now on.
    pub fn monitor(sim: &Sim, namespace: &str, address: &str) {
        sim.put(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"data": format!("a={address}:6789")},
            "metadata": {"name": "rook-ceph-mon-endpoints", "namespace": namespace}}),
        );
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn answer(&self, command: &[String]) -> ExecOutput {
        let mut known = self.known();
        if known.refuses {
            return ended(EPERM, "Error EPERM: access denied");
        }
        // Time limits and the form of the answer are the caller's affair.
        let words: Vec<&str> = command
            .iter()
            .map(String::as_str)
            .skip_while(|word| !matches!(*word, "osd" | "auth" | "fsid" | "pool"))
            .collect();
        match words.as_slice() {
            ["fsid"] => said(&json!({"fsid": FSID})),
            ["osd", "pool", "ls", "detail"] => said(&known.listed()),
            ["osd", "pool", "create", name, ..] => {
                known.pools.entry((*name).to_owned()).or_default();
                said(&Value::Null)
            }
            ["pool", "init", name] => match known.pools.get_mut(*name) {
                Some(purposes) => {
                    purposes.insert("rbd".to_owned());
                    said(&Value::Null)
                }
                None => ended(ENOENT, "rbd: error opening pool: (2) No such file or directory"),
            },
            ["auth", "ls"] => {
                let all: Vec<Value> =
                    known.clients.iter().map(|(name, (key, caps))| user(name, key, caps)).collect();
                said(&json!({"auth_dump": all}))
            }
            ["auth", verb, entity, caps @ ..] => known.auth(verb, entity, caps),
            _ => ended(EINVAL, "Error EINVAL: invalid command"),
        }
    }
}

impl Known {
    fn listed(&self) -> Value {
        let each = self.pools.iter().map(|(name, purposes)| {
            let purposes: BTreeMap<&String, Value> = purposes.iter().map(|p| (p, json!({}))).collect();
            json!({"pool_name": name, "application_metadata": purposes})
        });
        each.collect()
    }

    fn auth(&mut self, verb: &str, entity: &str, caps: &[&str]) -> ExecOutput {
        let Some(name) = entity.strip_prefix("client.") else {
            return ended(EINVAL, "Error EINVAL: not a client");
        };
        let wanted: Caps =
            caps.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
        match (verb, self.clients.get_mut(name)) {
            ("get", None) => return ended(ENOENT, &format!("Error ENOENT: failed to find {entity}")),
            ("get" | "get-or-create", Some(_)) => {}
            ("caps", Some((_, held))) => *held = wanted,
            ("get-or-create", None) => {
                self.clients.insert(name.to_owned(), (format!("simulated-{name}=="), wanted));
            }
            _ => return ended(EINVAL, "Error EINVAL: invalid command"),
        }
        let (key, caps) = &self.clients[name];
        said(&json!([user(name, key, caps)]))
    }
}

fn user(name: &str, key: &str, caps: &Caps) -> Value {
    json!({"entity": format!("client.{name}"), "key": key, "caps": caps})
}

fn said(answer: &Value) -> ExecOutput {
    ExecOutput { stdout: answer.to_string(), ..ExecOutput::default() }
}

fn ended(code: i32, stderr: &str) -> ExecOutput {
    ExecOutput { code, stderr: stderr.to_owned(), ..ExecOutput::default() }
}

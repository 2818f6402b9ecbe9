//! The simulated side of the trait.

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use landfall_cluster::api::{
    Access, Applied, Cascade, Cluster, ClusterError, Duplex, ExecOutput, Gvk, Result, Seen,
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::apply::merge;
use super::{Key, Sim, State, Watcher, key_of, select, shown};

impl Sim {
    /// A call of the client: hangs for ever once the program is dead.
    async fn call<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let answer = {
            let mut state = self.shared.lock();
            if state.is_killed() { None } else { Some(act(&mut state)) }
        };
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn change<T>(
        &self,
        what: &'static str,
        key: &Key,
        act: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let answer = self
            .call(|state| {
                state.write(what, key)?;
                let answer = act(state);
                state.count_down();
                answer
            })
            .await;
        self.shared.changed.notify_one();
        // As over a network: others come in between.
        tokio::task::yield_now().await;
        answer
    }
}

fn target(object: &Value) -> Result<(Gvk, Key)> {
    let gvk =
        Gvk::of(object).ok_or_else(|| ClusterError::Other("an object without apiVersion or kind".into()))?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let key = key_of(&gvk, object["metadata"]["namespace"].as_str(), name);
    Ok((gvk, key))
}

#[async_trait]
impl Cluster for Sim {
    #[allow(clippy::unnecessary_literal_bound)]
    fn name(&self) -> &str {
        "simulated"
    }

    async fn version(&self) -> Result<(String, Vec<String>)> {
        let served =
            ["apps/v1", "apps/v1/Deployment", "batch/v1", "batch/v1/Job", "networking.k8s.io/v1", "v1"];
        Ok(("v1.36.3".into(), served.map(str::to_owned).to_vec()))
    }

    async fn apply(&self, object: &Value, manager: &str, force: bool) -> Result<(Applied, Value)> {
        let (gvk, key) = target(object)?;
        self.change("apply", &key, |state| state.apply(&gvk, &key, object, manager, force)).await
    }

    async fn get(&self, gvk: &Gvk, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        let key = key_of(gvk, namespace, name);
        Ok(self.call(|state| state.objects.get(&key).cloned()).await)
    }

    async fn list(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>> {
        let (kind, _, _) = key_of(gvk, None, "");
        Ok(self.call(|state| listed(state, &kind, namespace, selector)).await)
    }

    async fn create_as(&self, object: &Value, _manager: &str) -> Result<Value> {
        let (_, key) = target(object)?;
        self.change("create", &key, |state| {
            if state.objects.contains_key(&key) {
                return Err(ClusterError::Exists { object: shown(&key) });
            }
            if !key.1.is_empty()
                && !state.objects.contains_key(&("/Namespace".into(), String::new(), key.1.clone()))
            {
                return Err(ClusterError::NotFound { object: format!("Namespace//{}", key.1) });
            }
            Ok(state.put(object.clone()))
        })
        .await
    }

    async fn replace(&self, object: &Value) -> Result<Value> {
        let (_, key) = target(object)?;
        self.change("replace", &key, |state| {
            let live =
                state.objects.get(&key).ok_or_else(|| ClusterError::NotFound { object: shown(&key) })?;
            let version = &object["metadata"]["resourceVersion"];
            if !version.is_null() && *version != live["metadata"]["resourceVersion"] {
                return Err(ClusterError::Stale { object: shown(&key) });
            }
            Ok(state.put(object.clone()))
        })
        .await
    }

    async fn patch_as(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        _manager: &str,
    ) -> Result<Value> {
        let key = key_of(gvk, namespace, name);
        self.change("patch", &key, |state| {
            let mut live = state
                .objects
                .get(&key)
                .cloned()
                .ok_or_else(|| ClusterError::NotFound { object: shown(&key) })?;
            let version = &patch["metadata"]["resourceVersion"];
            if !version.is_null() && *version != live["metadata"]["resourceVersion"] {
                return Err(ClusterError::Stale { object: shown(&key) });
            }
            merge(&mut live, patch);
            Ok(state.put(live))
        })
        .await
    }

    async fn delete_by(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        cascade: Cascade,
        _wait: bool,
    ) -> Result<bool> {
        let key = key_of(gvk, namespace, name);
        if !self.call(|state| state.objects.contains_key(&key)).await {
            return Ok(false);
        }
        self.change("delete", &key, |state| {
            if cascade == Cascade::Orphan {
                orphan(state, &key);
            }
            Ok(state.remove(&key).is_some())
        })
        .await
    }

    fn watch(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> BoxStream<'static, Result<Seen>> {
        let (kind, _, _) = key_of(gvk, None, "");
        let (to, from) = mpsc::unbounded_channel();
        {
            let mut state = self.shared.lock();
            if !state.is_killed() {
                let now = listed(&state, &kind, namespace, selector);
                // The receiver is at hand: this can not fail.
                let _ = to.send(Ok(Seen::Listed(now)));
            }
            state.watchers.push(Watcher {
                kind,
                namespace: namespace.map(str::to_owned),
                selector: selector.to_owned(),
                to,
            });
        }
        stream::unfold(from, |mut from| async move { from.recv().await.map(|seen| (seen, from)) }).boxed()
    }

    async fn exec(
        &self,
        _namespace: &str,
        pod: &str,
        container: &str,
        command: &[String],
        _stdin: Option<&[u8]>,
    ) -> Result<ExecOutput> {
        let answer = self.call(|state| state.exec.clone()).await;
        Ok(answer.map(|answer| answer(pod, container, command)).unwrap_or_default())
    }

    async fn logs(
        &self,
        _namespace: &str,
        pod: &str,
        _container: &str,
        tail: i64,
        _previous: bool,
    ) -> Result<String> {
        let text = self
            .call(|state| {
                state
                    .logs
                    .iter()
                    .find(|(begin, _)| pod.starts_with(begin.as_str()))
                    .map(|(_, text)| text.clone())
            })
            .await
            .unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        Ok(lines[from..].join("\n"))
    }

    /// What is there now: a simulated container says no more.
    fn follow(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: i64,
    ) -> BoxStream<'static, Result<String>> {
        let sim = self.clone();
        let (namespace, pod, container) = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        let text = async move { sim.logs(&namespace, &pod, &container, tail, false).await };
        let lines = |text: String| {
            let lines: Vec<Result<String>> = text.lines().map(|line| Ok(line.to_owned())).collect();
            stream::iter(lines)
        };
        stream::once(text).map_ok(lines).try_flatten().boxed()
    }

    async fn forward(&self, _namespace: &str, _pod: &str, port: u16) -> Result<Box<dyn Duplex>> {
        let Some(address) = self.call(|state| state.forward).await else {
            return Err(ClusterError::Other(format!("nothing listens on {port}")));
        };
        let stream =
            tokio::net::TcpStream::connect(address).await.map_err(|e| ClusterError::Other(e.to_string()))?;
        Ok(Box::new(stream))
    }

    async fn denied(&self, asked: &[Access]) -> Result<Vec<Access>> {
        let denied = self.call(|state| state.faults.denied.clone()).await;
        Ok(asked.iter().filter(|a| denied.contains(a)).cloned().collect())
    }
}

/// What an object owns is nobody's.
fn orphan(state: &mut State, key: &Key) {
    let uid = state.objects.get(key).map(|object| object["metadata"]["uid"].clone());
    for object in state.objects.values_mut() {
        if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| Some(&owner["uid"]) != uid.as_ref());
        }
    }
}

fn listed(state: &State, kind: &str, namespace: Option<&str>, selector: &str) -> Vec<Value> {
    state
        .of_kind(kind)
        .filter(|(key, object)| {
            namespace.is_none_or(|n| n == key.1 || key.1.is_empty())
                && select::matches(selector, &object["metadata"]["labels"])
        })
        .map(|(_, object)| object.clone())
        .collect()
}

//! The real side of [`Cluster`](crate::api::Cluster), by kube-rs with plain JSON.

mod connect;
mod discovery;
mod errors;

use std::pin::pin;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{AsyncBufReadExt as _, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{
    Api, AttachParams, DeleteParams, DynamicObject, GetParams, ListParams, LogParams, Patch, PatchParams,
    PostParams,
};
use kube::core::{ApiResource, Request};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use connect::{connect, connect_as};
use discovery::Discovery;
use errors::Asked;

use crate::api::{Access, Applied, Cascade, Cluster, ClusterError, Duplex, ExecOutput, Gvk, Result, Seen};

/// Pages of a list; one request for all but the largest clusters.
const PAGE: u32 = 500;

#[derive(Clone)]
struct Real {
    name: String,
    client: Client,
    discovery: Discovery,
}

impl std::fmt::Debug for Real {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Real").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a call needs to know of its kind and object.
struct Target {
    resource: ApiResource,
    namespace: Option<String>,
    request: Request,
}

impl Target {
    /// Without a namespace where the kind has none.
    fn placed(&self, object: &Value) -> Value {
        let mut object = object.clone();
        if self.namespace.is_none()
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("namespace");
        }
        object
    }
}

impl Real {
    async fn target(&self, gvk: &Gvk, namespace: Option<&str>) -> Result<Target> {
        let found = self.discovery.resolve(&self.client, gvk).await.map_err(|error| match error {
            discovery::Missing::Kind => ClusterError::UnknownKind(gvk.to_string()),
            discovery::Missing::Asking(error) => {
                Asked::new(&self.name, "get", &gvk.to_string()).explain(*error)
            }
        })?;
        let namespace = namespace.filter(|_| found.namespaced).map(str::to_owned);
        let path = DynamicObject::url_path(&found.resource, namespace.as_deref());
        Ok(Target { resource: found.resource, namespace, request: Request::new(path) })
    }

    async fn target_of(&self, object: &Value) -> Result<(Target, Gvk, String)> {
        let gvk = Gvk::of(object)
            .ok_or_else(|| ClusterError::Other("an object without apiVersion or kind".to_owned()))?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let target = self.target(&gvk, object["metadata"]["namespace"].as_str()).await?;
        Ok((target, gvk, name))
    }

    fn asked<'a>(&'a self, verb: &'a str, target: &Target, kind: &str, name: &str) -> Asked<'a> {
        Asked::new(&self.name, verb, &target.resource.plural).group(&target.resource.group).object(
            kind,
            target.namespace.as_deref(),
            name,
        )
    }

    async fn send(
        &self,
        request: std::result::Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        asked: Asked<'_>,
    ) -> Result<Value> {
        let request = request.map_err(|e| ClusterError::Other(e.to_string()))?;
        self.client.request::<Value>(request).await.map_err(|e| asked.explain(e))
    }

    async fn may(&self, access: &Access) -> Result<bool> {
        let (resource, subresource) = access.resource.split_once('/').unwrap_or((&access.resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": {
                "verb": access.verb,
                "group": access.group,
                "resource": resource,
                "subresource": subresource,
                "namespace": access.namespace.as_deref().unwrap_or_default(),
            }},
        });
        let answer = self.create(&review).await?;
        Ok(answer["status"]["allowed"] == json!(true))
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Ends when the object with this uid is no more.
    async fn gone(&self, target: &Target, name: &str, uid: Option<&str>) -> Result<()> {
        let api = dynamic(&self.client, target);
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let mut events = pin!(watcher(api, config).default_backoff());
        let mut present = false;
        while let Some(event) = events.next().await {
            let same = |o: &DynamicObject| uid.is_none() || o.metadata.uid.as_deref() == uid;
            match event {
                Ok(watcher::Event::Init) => present = false,
                Ok(watcher::Event::InitApply(o)) => present |= same(&o),
                Ok(watcher::Event::InitDone) if !present => return Ok(()),
                Ok(watcher::Event::Delete(o)) if same(&o) => return Ok(()),
                Ok(watcher::Event::Apply(o)) if !same(&o) => return Ok(()),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "watching a deletion"),
            }
        }
        Ok(())
    }
}

fn dynamic(client: &Client, target: &Target) -> Api<DynamicObject> {
    match &target.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &target.resource),
        None => Api::all_with(client.clone(), &target.resource),
    }
}

/// The object without what the server keeps for itself, to tell a change from none.
fn essence(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    object
}

#[async_trait]
impl Cluster for Real {
    fn name(&self) -> &str {
        &self.name
    }

    async fn version(&self) -> Result<(String, Vec<String>)> {
        let asked = || Asked::new(&self.name, "get", "version");
        let version = self.client.apiserver_version().await.map_err(|e| asked().explain(e))?.git_version;
        let served = self.discovery.served(&self.client).await.map_err(|e| asked().explain(e))?;
        Ok((version, served))
    }

    async fn apply(&self, object: &Value, manager: &str, force: bool) -> Result<(Applied, Value)> {
        let (target, gvk, name) = self.target_of(object).await?;
        let object = target.placed(object);
        let before = self.get(&gvk, target.namespace.as_deref(), &name).await?;
        let mut params = PatchParams::apply(manager);
        params.force = force;
        let request = target.request.patch(&name, &params, &Patch::Apply(&object));
        let after = self.send(request, self.asked("patch", &target, &gvk.kind, &name)).await?;
        let how = match before {
            None => Applied::Created,
            Some(before) if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"] => {
                Applied::Unchanged
            }
            // A controller's status may have come in between.
            Some(before) if essence(&before) == essence(&after) => Applied::Unchanged,
            Some(_) => Applied::Changed,
        };
        Ok((how, after))
    }

    async fn get(&self, gvk: &Gvk, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        let target = self.target(gvk, namespace).await?;
        let request = target.request.get(name, &GetParams::default());
        match self.send(request, self.asked("get", &target, &gvk.kind, name)).await {
            Ok(object) => Ok(Some(object)),
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>> {
        let target = self.target(gvk, namespace).await?;
        let mut found = Vec::new();
        let mut params = ListParams::default().labels(selector).limit(PAGE);
        loop {
            let mut page =
                self.send(target.request.list(&params), self.asked("list", &target, &gvk.kind, "")).await?;
            if let Some(items) = page["items"].as_array_mut() {
                found.extend(items.drain(..).map(|mut item| {
                    // Items of a list do not repeat what they are.
                    item["apiVersion"] = json!(gvk.api_version());
                    item["kind"] = json!(gvk.kind);
                    item
                }));
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(found),
            }
        }
    }

    async fn create_as(&self, object: &Value, manager: &str) -> Result<Value> {
        let (target, gvk, name) = self.target_of(object).await?;
        let body =
            serde_json::to_vec(&target.placed(object)).map_err(|e| ClusterError::Other(e.to_string()))?;
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        self.send(target.request.create(&params, body), self.asked("create", &target, &gvk.kind, &name)).await
    }

    async fn replace(&self, object: &Value) -> Result<Value> {
        let (target, gvk, name) = self.target_of(object).await?;
        let body = serde_json::to_vec(object).map_err(|e| ClusterError::Other(e.to_string()))?;
        let params = PostParams { field_manager: Some(crate::MANAGER.into()), ..PostParams::default() };
        let request = target.request.replace(&name, &params, body);
        self.send(request, self.asked("update", &target, &gvk.kind, &name)).await
    }

    async fn patch_as(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        manager: &str,
    ) -> Result<Value> {
        let target = self.target(gvk, namespace).await?;
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let request = target.request.patch(name, &params, &Patch::Merge(patch));
        self.send(request, self.asked("patch", &target, &gvk.kind, name)).await
    }

    async fn delete_by(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        cascade: Cascade,
        wait: bool,
    ) -> Result<bool> {
        let target = self.target(gvk, namespace).await?;
        let uid = match self.get(gvk, namespace, name).await? {
            Some(object) => object["metadata"]["uid"].as_str().map(str::to_owned),
            None => return Ok(false),
        };
        let params = match cascade {
            Cascade::Background => DeleteParams::background(),
            Cascade::Foreground => DeleteParams::foreground(),
            Cascade::Orphan => DeleteParams::orphan(),
        };
        let request = target.request.delete(name, &params);
        match self.send(request, self.asked("delete", &target, &gvk.kind, name)).await {
            Ok(_) => {}
            Err(ClusterError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        if wait {
            self.gone(&target, name, uid.as_deref()).await?;
        }
        Ok(true)
    }

    fn watch(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> BoxStream<'static, Result<Seen>> {
        let this = self.clone();
        let (gvk, namespace, selector) = (gvk.clone(), namespace.map(str::to_owned), selector.to_owned());
        stream::once(async move {
            let target = this.target(&gvk, namespace.as_deref()).await?;
            Ok::<_, ClusterError>(events(this, gvk, target, selector))
        })
        .try_flatten()
        .boxed()
    }

    async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[String],
        stdin: Option<&[u8]>,
    ) -> Result<ExecOutput> {
        let asked = || Asked::new(&self.name, "create", "pods/exec").object("Pod", Some(namespace), pod);
        let params = AttachParams::default().container(container).stdin(stdin.is_some());
        let mut process =
            self.pods(namespace).exec(pod, command, &params).await.map_err(|e| asked().explain(e))?;
        let status = process.take_status();
        let (input, out, err) = (process.stdin(), process.stdout(), process.stderr());
        let write = async {
            if let (Some(mut input), Some(bytes)) = (input, stdin) {
                // A command that ends without reading is told by its exit code.
                let _ = input.write_all(bytes).await;
                let _ = input.shutdown().await;
            }
        };
        let ((), stdout, stderr) = tokio::join!(write, read_all(out), read_all(err));
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        process.join().await.map_err(|e| ClusterError::Other(format!("exec in {namespace}/{pod}: {e}")))?;
        let (code, never_ran) = status.map_or((0, None), |status| errors::exit_code(&status));
        let mut stderr = stderr?;
        stderr.extend(never_ran);
        Ok(ExecOutput { stdout: stdout?, stderr, code })
    }

    async fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: i64,
        previous: bool,
    ) -> Result<String> {
        let params = LogParams {
            container: (!container.is_empty()).then(|| container.to_owned()),
            tail_lines: Some(tail),
            previous,
            ..LogParams::default()
        };
        self.pods(namespace).logs(pod, &params).await.map_err(|e| {
            Asked::new(&self.name, "get", "pods/log").object("Pod", Some(namespace), pod).explain(e)
        })
    }

    fn follow(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: i64,
    ) -> BoxStream<'static, Result<String>> {
        let params = LogParams {
            container: (!container.is_empty()).then(|| container.to_owned()),
            tail_lines: Some(tail),
            follow: true,
            ..LogParams::default()
        };
        let (pods, cluster) = (self.pods(namespace), self.name.clone());
        let (namespace, pod) = (namespace.to_owned(), pod.to_owned());
        let begun = async move {
            match pods.log_stream(&pod, &params).await {
                Ok(reader) => Ok(reader.lines().map(move |line| {
                    line.map_err(|error| ClusterError::Other(format!("log of pod {pod}: {error}")))
                })),
                Err(error) => Err(Asked::new(&cluster, "get", "pods/log")
                    .object("Pod", Some(&namespace), &pod)
                    .explain(error)),
            }
        };
        stream::once(begun).try_flatten().boxed()
    }

    async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Box<dyn Duplex>> {
        let mut forwarder = self.pods(namespace).portforward(pod, &[port]).await.map_err(|e| {
            Asked::new(&self.name, "create", "pods/portforward")
                .object("Pod", Some(namespace), pod)
                .explain(e)
        })?;
        let stream = forwarder.take_stream(port).ok_or_else(|| {
            ClusterError::Other(format!("no stream to port {port} of pod {namespace}/{pod}"))
        })?;
        Ok(Box::new(stream))
    }

    async fn denied(&self, asked: &[Access]) -> Result<Vec<Access>> {
        let reviews = asked.iter().cloned().map(|access| async move {
            let allowed = self.may(&access).await?;
            Ok::<_, ClusterError>((access, allowed))
        });
        let answers: Vec<_> = stream::iter(reviews).buffered(8).try_collect().await?;
        Ok(answers.into_iter().filter(|(_, allowed)| !allowed).map(|(access, _)| access).collect())
    }
}

/// A watch in the words of the trait; errors pass through once and the watch goes on behind a back-off.
fn events(
    real: Real,
    gvk: Gvk,
    target: Target,
    selector: String,
) -> impl futures::Stream<Item = Result<Seen>> + Send + 'static {
    let api = dynamic(&real.client, &target);
    let config = watcher::Config::default().labels(&selector);
    let resource = target.resource.plural.clone();
    let namespace = target.namespace.clone();
    let plain = move |object: DynamicObject| {
        let mut value = serde_json::to_value(object).unwrap_or_default();
        value["apiVersion"] = json!(gvk.api_version());
        value["kind"] = json!(gvk.kind);
        value
    };
    let mut listing = Vec::new();
    watcher(api, config).default_backoff().filter_map(move |event| {
        let seen = match event {
            Ok(watcher::Event::Init) => {
                listing = Vec::new();
                None
            }
            Ok(watcher::Event::InitApply(object)) => {
                listing.push(plain(object));
                None
            }
            Ok(watcher::Event::InitDone) => Some(Ok(Seen::Listed(std::mem::take(&mut listing)))),
            Ok(watcher::Event::Apply(object)) => Some(Ok(Seen::Applied(plain(object)))),
            Ok(watcher::Event::Delete(object)) => Some(Ok(Seen::Deleted(plain(object)))),
            Err(error) => {
                let asked =
                    Asked::new(&real.name, "watch", &resource).object(&resource, namespace.as_deref(), "");
                Some(Err(asked.explain_watch(error)))
            }
        };
        futures::future::ready(seen)
    })
}

async fn read_all(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream
            .read_to_end(&mut bytes)
            .await
            .map_err(|e| ClusterError::Other(format!("reading a command's output: {e}")))?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

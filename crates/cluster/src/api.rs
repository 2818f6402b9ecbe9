//! The trait that the engine speaks; objects are plain JSON as the API gives them.

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

/// Names one kind of the API, e.g. `apps/v1` `StatefulSet`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvk {
    pub group: String,
    pub version: String,
    pub kind: String,
}

impl Gvk {
    /// From `apps/v1` (or `v1`) and a kind.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// Of an object; none where it lacks `apiVersion` or `kind`.
    pub fn of(object: &Value) -> Option<Self> {
        Some(Self::new(object.get("apiVersion")?.as_str()?, object.get("kind")?.as_str()?))
    }

    /// `apps/v1` or `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl std::fmt::Display for Gvk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Created,
    Changed,
    Unchanged,
}

/// What becomes of the objects that a deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cascade {
    /// They go after it.
    #[default]
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// One change seen by a watch.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The listing that begins (or renews) the watch.
    Listed(Vec<Value>),
    Applied(Value),
    Deleted(Value),
}

#[derive(Debug, Clone, Default)]
pub struct ExecOutput {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

/// A byte stream to a port of a pod.
pub trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// A question to the API's authorisation: may this user do `verb` on `resource`?
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Access {
    /// `create`, `patch`, …
    pub verb: String,
    pub group: String,
    /// Plural, with a subresource after a slash: `pods`, `pods/exec`.
    pub resource: String,
    /// None: all namespaces, or cluster-scoped.
    pub namespace: Option<String>,
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

/// Errors carry what the operator can act on.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("the cluster {cluster} does not answer: {source_text}")]
    Unreachable { cluster: String, source_text: String },
    #[error("no permission to {verb} {resource}{}", namespace.as_deref().map(|n| format!(" in namespace {n}")).unwrap_or_default())]
    Forbidden { verb: String, resource: String, namespace: Option<String>, message: String },
    #[error("{object} is not there")]
    NotFound { object: String },
    #[error("{object}: field {fields} belongs to {manager}")]
    Conflict { object: String, manager: String, fields: String },
    #[error("{object} was refused: {message}")]
    Invalid { object: String, message: String },
    #[error("this cluster has no kind {0}")]
    UnknownKind(String),
    #[error("the cluster {cluster} does not accept these credentials: {message}")]
    Unauthorized { cluster: String, message: String },
    /// `create` of what exists.
    #[error("{object} exists already")]
    Exists { object: String },
    /// `replace` of what was changed meanwhile.
    #[error("{object} was changed by another meanwhile")]
    Stale { object: String },
    #[error("{0}")]
    Other(String),
}

impl ClusterError {
    /// Worth another try: the server was away, or busy.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Stale { .. })
    }
}

pub type Result<T> = std::result::Result<T, ClusterError>;

#[async_trait]
pub trait Cluster: Send + Sync + std::fmt::Debug {
    /// How people know it: context name, or `landfall (embedded)`.
    fn name(&self) -> &str;
    /// Server version, e.g. `v1.36.3`, and the API versions served (`apps/v1`, `apps/v1/Deployment`).
    async fn version(&self) -> Result<(String, Vec<String>)>;
    /// Server-side apply; `force` takes over fields of other managers. With it, the object as it is now.
    async fn apply(&self, object: &Value, manager: &str, force: bool) -> Result<(Applied, Value)>;
    async fn get(&self, gvk: &Gvk, namespace: Option<&str>, name: &str) -> Result<Option<Value>>;
    /// `selector` is a label selector, empty for all; `namespace` none for all or cluster-scoped.
    async fn list(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>>;
    /// Create as is, failing where it exists; the fields are then the manager's.
    async fn create_as(&self, object: &Value, manager: &str) -> Result<Value>;
    /// As [`create_as`](Self::create_as), for what Landfall itself keeps.
    async fn create(&self, object: &Value) -> Result<Value> {
        self.create_as(object, crate::MANAGER).await
    }
    /// Replace with optimistic locking by `metadata.resourceVersion`.
    async fn replace(&self, object: &Value) -> Result<Value>;
    /// JSON merge patch; what it changes is then the manager's. With `metadata.resourceVersion` it is refused as stale where
    /// the object was changed meanwhile.
    async fn patch_as(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        manager: &str,
    ) -> Result<Value>;
    /// As [`patch_as`](Self::patch_as), for what Landfall itself keeps.
    async fn patch(&self, gvk: &Gvk, namespace: Option<&str>, name: &str, patch: &Value) -> Result<Value> {
        self.patch_as(gvk, namespace, name, patch, crate::MANAGER).await
    }
    /// Deletion; waits until it is gone when `wait`. Absent is no error: false.
    async fn delete_by(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        name: &str,
        cascade: Cascade,
        wait: bool,
    ) -> Result<bool>;
    /// As [`delete_by`](Self::delete_by), in the background.
    async fn delete(&self, gvk: &Gvk, namespace: Option<&str>, name: &str, wait: bool) -> Result<bool> {
        self.delete_by(gvk, namespace, name, Cascade::Background, wait).await
    }
    /// Starts with `Listed`; survives disconnects by listing anew.
    fn watch(&self, gvk: &Gvk, namespace: Option<&str>, selector: &str) -> BoxStream<'static, Result<Seen>>;
    async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[String],
        stdin: Option<&[u8]>,
    ) -> Result<ExecOutput>;
    /// The last `tail` lines; `previous` reads the container before its restart.
    async fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: i64,
        previous: bool,
    ) -> Result<String>;
    /// Lines of a container's log from its last `tail` on, as they come; ends with the container.
    fn follow(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: i64,
    ) -> BoxStream<'static, Result<String>>;
    /// A stream to `port` of a pod, through the API server.
    async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Box<dyn Duplex>>;
    /// Those of `asked` that this user may not do.
    async fn denied(&self, asked: &[Access]) -> Result<Vec<Access>>;
}

//! Rendering upon a cluster: with its version and APIs, and with `lookup` answered by it.

use std::sync::Arc;

use landfall_cluster::api::{Cluster, ClusterError, Gvk};
use landfall_helm::{Chart, KubeVersion, Lookup, Options, Rendered, Values, render};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::{Actions, DryRun, Error, Result};

/// `lookup` of templates. Rendering is on a thread of its own, which waits for the answer.
#[derive(Debug)]
struct Asked {
    cluster: Arc<dyn Cluster>,
    runtime: Handle,
}

impl Lookup for Asked {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> std::result::Result<Option<Value>, String> {
        let gvk = Gvk::new(api_version, kind);
        let namespace = (!namespace.is_empty()).then_some(namespace);
        let answer = self.runtime.block_on(async {
            if name.is_empty() {
                let items = self.cluster.list(&gvk, namespace, "").await?;
                let list = json!({"apiVersion": api_version, "kind": format!("{kind}List"), "items": items});
                return Ok(Some(list));
            }
            self.cluster.get(&gvk, namespace, name).await
        });
        match answer {
            // As Helm: what the cluster does not know is not there.
            Err(ClusterError::UnknownKind(_) | ClusterError::NotFound { .. }) => Ok(None),
            answer => answer.map_err(|error| error.to_string()),
        }
    }
}

impl Actions {
    /// The chart as this cluster makes it; `install` says which of `.Release.IsInstall` and `.IsUpgrade` holds.
    pub(crate) async fn rendered(
        &self,
        name: &str,
        chart: &Arc<Chart>,
        values: &Values,
        revision: i64,
        install: bool,
    ) -> Result<Rendered> {
        let (version, served) = self.cluster.version().await?;
        let mut options = Options::new(name, &self.namespace);
        options.revision = revision;
        options.is_install = install;
        options.kube_version = KubeVersion::parse(&version);
        options.api_versions = Some(served);
        if self.options.dry_run != Some(DryRun::Client) {
            options.lookup =
                Some(Arc::new(Asked { cluster: Arc::clone(&self.cluster), runtime: Handle::current() }));
        }
        let (chart, values) = (Arc::clone(chart), values.clone());
        let rendered = tokio::task::spawn_blocking(move || render(&chart, &values, &options)).await;
        let rendered =
            rendered.map_err(|error| Error::Record { name: name.to_owned(), why: error.to_string() })?;
        Ok(rendered?)
    }
}

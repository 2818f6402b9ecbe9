//! Ceph's own command line, in the pod of `rook-ceph-tools`.

use std::collections::BTreeSet;

use landfall_cluster::api::{Cluster, Gvk};
use serde_json::Value;

use crate::answers::{self, Caps};
use crate::error::{Error, Result};

const LABEL: &str = "app=rook-ceph-tools";
/// ENOENT: no such user.
const ABSENT: i32 = 2;
/// Monitors that do not answer are given this long; without a limit the client waits for five minutes.
const PATIENCE: &str = "10";
/// `rbd` has no such limit of its own.
const LIMIT: &str = "60";

/// A ready pod in which commands are run as `client.admin`.
#[derive(Debug)]
pub(crate) struct Toolbox<'a> {
    cluster: &'a dyn Cluster,
    namespace: &'a str,
    pod: String,
    container: String,
}

impl<'a> Toolbox<'a> {
    /// None where no pod is ready.
    pub(crate) async fn find(cluster: &'a dyn Cluster, namespace: &'a str) -> Result<Option<Self>> {
        let pods = cluster.list(&Gvk::new("v1", "Pod"), Some(namespace), LABEL).await?;
        let ready = pods.iter().find(|pod| is_ready(pod));
        Ok(ready.map(|pod| Self {
            cluster,
            namespace,
            pod: name(&pod["metadata"]),
            container: name(&pod["spec"]["containers"][0]),
        }))
    }

    async fn run(&self, command: &[&str]) -> Result<String> {
        let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let done = self.cluster.exec(self.namespace, &self.pod, &self.container, &words, None).await?;
        if done.code == 0 {
            return Ok(done.stdout);
        }
        Err(Error::command(&command.join(" "), done.code, &done.stdout, &done.stderr))
    }

    /// `ceph`, answering in JSON.
    async fn ceph(&self, words: &[&str]) -> Result<String> {
        let first = ["ceph", "--connect-timeout", PATIENCE, "-f", "json"];
        self.run(&[&first[..], words].concat()).await
    }

    pub(crate) async fn pools(&self) -> Result<String> {
        self.ceph(&["osd", "pool", "ls", "detail"]).await
    }

    pub(crate) async fn clients(&self) -> Result<String> {
        self.ceph(&["auth", "ls"]).await
    }

    pub(crate) async fn status(&self) -> Result<String> {
        self.ceph(&["-s"]).await
    }

    pub(crate) async fn fsid(&self) -> Result<String> {
        let answer = self.ceph(&["fsid"]).await?;
        let read: Value = serde_json::from_str(answer.trim()).unwrap_or_default();
        match read["fsid"].as_str() {
            Some(fsid) => Ok(fsid.to_owned()),
            None => Err(Error::Answer { what: "ceph fsid".to_owned(), message: answer }),
        }
    }

    /// Makes the pool for RBD. Each part does nothing where it was done before.
    pub(crate) async fn pool(&self, name: &str, replicas: Option<u32>) -> Result<()> {
        let size = replicas.map(|replicas| format!("--size={replicas}"));
        let mut create = vec!["osd", "pool", "create", name];
        create.extend(size.as_deref());
        if replicas == Some(1) {
            create.push("--yes-i-really-mean-it");
        }
        self.ceph(&create).await?;
        self.run(&["timeout", LIMIT, "rbd", "pool", "init", name]).await.map(drop)
    }

    pub(crate) async fn images(&self, pool: &str) -> Result<BTreeSet<String>> {
        let listed = self.run(&["timeout", LIMIT, "rbd", "ls", pool]).await?;
        Ok(listed.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }

    /// The key of `client.<client>`, whose caps are these afterwards; and whether anything was changed.
    pub(crate) async fn key(&self, client: &str, caps: &Caps) -> Result<(String, bool)> {
        let entity = format!("client.{client}");
        let wanted: Vec<&str> =
            caps.iter().flat_map(|(daemon, allowed)| [daemon.as_str(), allowed]).collect();
        let known = match self.ceph(&["auth", "get", &entity]).await {
            Ok(answer) => Some(answers::user(&answer)?),
            Err(Error::Command { code: ABSENT, .. }) => None,
            Err(error) => return Err(error),
        };
        match known {
            Some((key, held)) if held == *caps => Ok((key, false)),
            Some((key, _)) => {
                self.ceph(&[&["auth", "caps", &entity], &wanted[..]].concat()).await?;
                Ok((key, true))
            }
            None => {
                let answer = self.ceph(&[&["auth", "get-or-create", &entity], &wanted[..]].concat()).await?;
                Ok((answers::user(&answer)?.0, true))
            }
        }
    }
}

fn name(of: &Value) -> String {
    of["name"].as_str().unwrap_or_default().to_owned()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions.into_iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

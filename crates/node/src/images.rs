//! Images into the nodes, without a registry: a tar is streamed to `ctr` inside each node.

use std::collections::BTreeSet;
use std::process::Stdio;

use futures::future::{join_all, try_join_all};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::layout::inside;

/// Where Kubernetes looks for images.
const NAMESPACE: &str = "k8s.io";
/// Tells the kubelet that it must not collect an image: here it could not be pulled again.
const PINNED: &str = "io.cri-containerd.pinned=pinned";

impl Cluster {
    /// The references of the images that a node holds.
    pub async fn images(&self, node: &str) -> Result<BTreeSet<String>> {
        let command = self.ctr(node, &["images", "list", "--quiet"])?;
        let output = tokio::process::Command::from(command)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(Error::system("listing images"))?;
        if !output.status.success() {
            return Err(failed(node, &output.stderr));
        }
        // By digest alone an image appears once more; nobody asks for it so.
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| !line.starts_with("sha256:"))
            .map(str::to_owned)
            .collect())
    }

    /// Loads a tar of images (an OCI layout or `docker save`) into nodes, all at once: it is read only once.
    pub async fn load_images(&self, nodes: &[String], mut tar: impl AsyncRead + Unpin) -> Result<()> {
        let mut imports = Vec::new();
        for node in nodes {
            let import = ["images", "import", "--all-platforms", "--no-unpack=false", "--label", PINNED, "-"];
            let command = self.ctr(node, &import)?;
            let mut child = tokio::process::Command::from(command)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(Error::system("importing images"))?;
            let stdin = child.stdin.take();
            imports.push((node, child, stdin));
        }
        let mut buffer = vec![0_u8; 1 << 20];
        loop {
            let length = tar.read(&mut buffer).await.map_err(Error::system("reading images"))?;
            if length == 0 {
                break;
            }
            let chunk = &buffer[..length];
            join_all(imports.iter_mut().map(|(_, _, stdin)| async move {
                if let Some(pipe) = stdin
                    && pipe.write_all(chunk).await.is_err()
                {
                    // It has ended; its own words say why, below.
                    *stdin = None;
                }
            }))
            .await;
        }
        try_join_all(imports.into_iter().map(|(node, child, stdin)| async move {
            drop(stdin);
            let output = child.wait_with_output().await.map_err(Error::system("importing images"))?;
            if output.status.success() { Ok(()) } else { Err(failed(node, &output.stderr)) }
        }))
        .await?;
        Ok(())
    }

    fn ctr(&self, node: &str, args: &[&str]) -> Result<std::process::Command> {
        let base = ["ctr", "--address", inside::CONTAINERD, "--namespace", NAMESPACE];
        self.enter(node, base.iter().chain(args))
    }
}

fn failed(node: &str, stderr: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stderr);
    let reason = text.trim().lines().last().unwrap_or("ctr failed without a word").to_owned();
    Error::Images { node: node.to_owned(), reason }
}

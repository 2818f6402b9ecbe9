//! containerd: its configuration (version 3, containerd 2.x) and how it is run.

use crate::config::go_memory;
use crate::layout::{PAUSE_IMAGE, inside};
use crate::manifest::{Component, Ready};

pub(crate) fn config() -> String {
    let socket = inside::CONTAINERD;
    format!(
        r#"version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
# What a node of this kind cannot have, or has no use for.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.differ.v1.erofs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]

[plugins."io.containerd.nri.v1.nri"]
  disable = true

[grpc]
  address = "{socket}"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  max_concurrent_downloads = 3

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  # A score below that of the node itself is refused to us: so it is not asked for.
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_selinux = false
  max_container_log_line_size = 16384

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.cri.v1.runtime".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "/usr/sbin/runc"
  SystemdCgroup = false
"#
    )
}

pub(crate) fn component() -> Component {
    Component {
        name: "containerd".into(),
        program: format!("{}/containerd", inside::BIN),
        args: vec![
            "--config".into(),
            "/etc/containerd/config.toml".into(),
            "--log-level".into(),
            "info".into(),
        ],
        env: go_memory(75, 160),
        after: Vec::new(),
        ready: vec![Ready::Notify],
        stop_seconds: 10,
    }
}

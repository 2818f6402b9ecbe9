//! Which certificates, keys and kubeconfigs each node gets: only those that its own components use.

use std::path::Path;

use crate::config::{Credentials, in_kubernetes, kubeconfig};
use crate::error::Result;
use crate::files::{make_private_dir, write_public, write_secret};
use crate::layout::{API_PORT, Layout, NodeDir, api_server, node_name};
use crate::pki::{Authority, Subject, api_server_subject, service_account_key};
use crate::spec::Subnet;

/// The cluster's three authorities and its service account key.
#[derive(Debug)]
pub(crate) struct Authorities {
    ca: Authority,
    etcd: Authority,
    front_proxy: Authority,
}

impl Authorities {
    pub(crate) fn open_or_make(layout: &Layout) -> Result<Self> {
        let dir = layout.pki();
        make_private_dir(&dir)?;
        service_account_key(&dir)?;
        Ok(Self {
            ca: Authority::open_or_make(&dir, "ca", &format!("landfall {}", layout.name))?,
            etcd: Authority::open_or_make(&dir, "etcd-ca", &format!("landfall {} etcd", layout.name))?,
            front_proxy: Authority::open_or_make(
                &dir,
                "front-proxy-ca",
                &format!("landfall {} front proxy", layout.name),
            )?,
        })
    }

    /// The administrator's kubeconfig, to be used from the host.
    pub(crate) fn write_admin(&self, layout: &Layout, subnet: Subnet) -> Result<()> {
        let text = self.admin(layout, subnet)?;
        write_secret(&layout.kubeconfig(), text.as_bytes())
    }

    fn admin(&self, layout: &Layout, subnet: Subnet) -> Result<String> {
        let pair = self.ca.issue(&Subject::client("landfall-admin", Some("system:masters")))?;
        let name = format!("landfall-{}", layout.name);
        let server = api_server(subnet);
        Ok(kubeconfig(&name, &server, &self.ca.pair.cert, "admin", &Credentials::Embedded(&pair)))
    }

    /// Issues everything for node `number` into its folder.
    pub(crate) fn issue(&self, layout: &Layout, subnet: Subnet, number: u32) -> Result<()> {
        let node = node_name(number);
        let address = subnet.node(number);
        let dir = layout.node(&node).kubernetes();
        make_private_dir(&dir)?;
        write_public(&dir.join("ca.crt"), self.ca.pair.cert.as_bytes())?;
        let server = api_server(subnet);
        self.user(&dir, "kubelet", &server, &format!("system:node:{node}"), Some("system:nodes"))?;
        self.user(&dir, "kube-proxy", &server, "system:kube-proxy", None)?;
        let serving = Subject::server(format!("system:node:{node}"), &[&node], &[address]);
        self.ca.issue_into(&dir, "kubelet-server", &serving)?;
        if number == 1 {
            self.issue_control_plane(layout, subnet, &dir)?;
        }
        Ok(())
    }

    fn issue_control_plane(&self, layout: &Layout, subnet: Subnet, dir: &Path) -> Result<()> {
        let loopback = [std::net::Ipv4Addr::LOCALHOST];
        self.ca.issue_into(dir, "apiserver", &api_server_subject("k1", subnet.node(1)))?;
        let kubelet_client = Subject::client("kube-apiserver-kubelet-client", Some("system:masters"));
        self.ca.issue_into(dir, "apiserver-kubelet-client", &kubelet_client)?;
        self.ca.issue_into(
            dir,
            "loopback-server",
            &Subject::server("localhost", &["localhost"], &loopback),
        )?;
        write_public(&dir.join("etcd-ca.crt"), self.etcd.pair.cert.as_bytes())?;
        // One process is client, server and its own only peer.
        let etcd = Subject::server("etcd", &["localhost"], &loopback).and_client();
        self.etcd.issue_into(dir, "etcd", &etcd)?;
        let etcd_client = Subject::client("kube-apiserver-etcd-client", None);
        self.etcd.issue_into(dir, "apiserver-etcd-client", &etcd_client)?;
        write_public(&dir.join("front-proxy-ca.crt"), self.front_proxy.pair.cert.as_bytes())?;
        let front_proxy = Subject::client("front-proxy-client", None);
        self.front_proxy.issue_into(dir, "front-proxy-client", &front_proxy)?;
        let local = format!("https://127.0.0.1:{API_PORT}");
        self.user(dir, "controller-manager", &local, "system:kube-controller-manager", None)?;
        self.user(dir, "scheduler", &local, "system:kube-scheduler", None)?;
        // May read the health paths and metrics, by a role that Kubernetes brings along.
        self.user(dir, "probe", &local, "landfall-supervisor", Some("system:monitoring"))?;
        let (key, public) = service_account_key(&layout.pki())?;
        write_secret(&dir.join("sa.key"), key.as_bytes())?;
        write_public(&dir.join("sa.pub"), public.as_bytes())?;
        // The controller manager signs certificate requests by it.
        write_secret(&dir.join("ca.key"), self.ca.pair.key.as_bytes())?;
        write_secret(&dir.join("admin.conf"), self.admin(layout, subnet)?.as_bytes())
    }

    /// `<name>.conf`, `<name>.crt` and `<name>.key`.
    fn user(
        &self,
        dir: &Path,
        name: &str,
        server: &str,
        common_name: &str,
        organization: Option<&'static str>,
    ) -> Result<()> {
        self.ca.issue_into(dir, name, &Subject::client(common_name, organization))?;
        let (cert, key) = (in_kubernetes(&format!("{name}.crt")), in_kubernetes(&format!("{name}.key")));
        let with = Credentials::Files { cert: Path::new(&cert), key: Path::new(&key) };
        let text = kubeconfig("landfall", server, &self.ca.pair.cert, common_name, &with);
        write_secret(&dir.join(format!("{name}.conf")), text.as_bytes())
    }
}

/// The folders of a node on the host.
pub(crate) fn make_dirs(dir: &NodeDir) -> Result<()> {
    make_private_dir(dir.path())?;
    for path in [dir.upper(), dir.work(), dir.root(), dir.var_lib(), dir.component_logs(), dir.kubernetes()] {
        crate::files::make_dir(&path)?;
    }
    Ok(())
}

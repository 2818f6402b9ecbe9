//! A cloud under test: an embedded cluster of the tests' own, and the services that it is for.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Landfall, Outcome, Ran, check, ran};

#[derive(Debug)]
pub struct World {
    pub landfall: Landfall,
    /// Real Helm.
    pub helm: PathBuf,
    pub subnet: &'static str,
    pub nodes: &'static str,
    /// What `up` and `verify` are asked for; all services where it is empty.
    pub services: &'static [&'static str],
    /// The cloud's domain.
    pub domain: String,
}

impl World {
    /// # Errors
    /// Where the binary, Helm or a clean start can not be had.
    pub fn new(
        cluster: &str,
        subnet: &'static str,
        nodes: &'static str,
        services: &'static [&'static str],
    ) -> Result<Self, String> {
        let landfall = Landfall::new(cluster)?;
        let helm = landfall.run(&["images", "bundle", "--oracle"]).ended(0)?.stdout.trim().into();
        let world =
            Self { domain: format!("{cluster}.landfall.test"), landfall, helm, subnet, nodes, services };
        // Leftovers of a run that was killed are to be expected; who looks for a fault may want them.
        if std::env::var_os("LANDFALL_REUSE").is_none() {
            world.down().ended(0)?;
        }
        Ok(world)
    }

    fn down(&self) -> Ran {
        self.landfall.run(&["local", "down", "--name", &self.landfall.cluster, "--yes"])
    }

    pub fn remove(&self) {
        let _ = self.down();
    }

    /// A fresh, empty cluster.
    ///
    /// # Errors
    /// The binary's own words.
    pub fn fresh(&self) -> Outcome {
        self.down().ended(0)?;
        self.cluster().map(drop)
    }

    /// The cluster, made or brought back.
    ///
    /// # Errors
    /// The binary's own words.
    pub fn cluster(&self) -> Result<Ran, String> {
        let name = &self.landfall.cluster;
        let arguments =
            ["local", "up", "--name", name, "--nodes", self.nodes, "--subnet", self.subnet, "--yes"];
        self.landfall.run(&arguments).ended(0)
    }

    /// The arguments of `up` for this cloud, before `more`.
    pub fn up_arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = vec!["up"];
        // A scenario that names services means those alone.
        if more.first().is_none_or(|first| first.starts_with('-')) {
            arguments.extend(self.services);
        }
        arguments.extend(["--domain", self.domain.as_str(), "--yes"]);
        arguments.extend(more);
        arguments
    }

    pub fn up(&self, more: &[&str]) -> Ran {
        self.landfall.run(&self.up_arguments(more))
    }

    /// Events of a run with `-o json`.
    pub fn events(ran: &Ran) -> Vec<Value> {
        ran.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// All check points, carried out now.
    ///
    /// # Errors
    /// Those that do not hold or show no evidence.
    pub fn verified(&self) -> Result<Vec<Value>, String> {
        let mut arguments = vec!["verify", "-o", "json"];
        arguments.extend(self.services);
        let verify = self.landfall.run(&arguments);
        let checks: Value = serde_json::from_str(&verify.stdout)
            .map_err(|error| format!("{error}: {}{}", verify.stdout, verify.stderr))?;
        let checks = checks.as_array().cloned().unwrap_or_default();
        let bare: Vec<_> =
            checks.iter().filter(|check| check["passed"] != true || check["evidence"] == "").collect();
        check(verify.code == 0 && checks.len() >= 6 && bare.is_empty(), || {
            format!("exit code {}; checks without evidence or failed: {bare:#?}", verify.code)
        })?;
        Ok(checks)
    }

    /// Each of these releases is there and deployed, as real Helm says; `scope` is its flag for namespaces.
    ///
    /// # Errors
    /// The one that is not, with Helm's whole list.
    pub fn deployed(&self, scope: &[&str], names: &[&str]) -> Outcome {
        let list = self.helm(&[&["list", "-o", "json"], scope].concat()).ended(0)?;
        let releases: Value = serde_json::from_str(&list.stdout).map_err(|error| error.to_string())?;
        let deployed: Vec<&str> = releases
            .as_array()
            .into_iter()
            .flatten()
            .filter(|release| release["status"] == "deployed")
            .filter_map(|release| release["name"].as_str())
            .collect();
        for name in names {
            check(deployed.contains(name), || format!("{name}: {}", list.stdout))?;
        }
        Ok(())
    }

    /// Real Helm on this cluster.
    pub fn helm(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(&self.helm);
        command
            .args(arguments)
            .env("HOME", &self.landfall.home)
            .env("KUBECONFIG", format!("/var/lib/landfall/{}/kubeconfig", self.landfall.cluster));
        ran(command)
    }
}

/// Copies the repository's charts into a folder, since Helm writes into a chart's own.
///
/// # Errors
/// `cp`'s own words.
pub fn copy_charts(into: &Path) -> Result<PathBuf, String> {
    let charts = into.join("charts");
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../charts")).arg(&charts);
    ran(copy).ended(0)?;
    Ok(charts)
}

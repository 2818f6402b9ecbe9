//! `landfall-agent`: the one program that runs inside pods. It waits for what a pod depends on, starts
//! MariaDB by the state of all its members, keeps the primary Service on a live server, makes and rotates
//! Keystone's keys, and registers services with it. README.md beside this crate is the contract with the charts.
//!
//! Decisions are pure (`wait::evaluate`, `mariadb::decide`, `mariadb::primary`, `keystone::keys`); what
//! touches the cluster, processes or files is thin.

mod ceph;
mod child;
mod folder;
mod install;
mod keystone;
mod libvirt;
mod mariadb;
mod openvswitch;
mod pod;
mod port;
mod wait;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Wrong arguments or a wrong environment.
const WRONG_USE: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "landfall-agent",
    version,
    about = "Runs inside Landfall's pods; configured by the environment"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Wait for what the `DEPENDENCY_*` variables name, then run COMMAND
    Wait,
    /// Copy this program into a folder
    Install { dir: PathBuf },
    /// MariaDB: the server, its controller, its probes
    #[command(subcommand)]
    Mariadb(mariadb::Command),
    /// Keystone's keys, and services' entries in it
    #[command(subcommand)]
    Keystone(keystone::Command),
    /// Ceph's daemons where nobody runs Rook, and the clients' configuration
    #[command(subcommand)]
    Ceph(ceph::Command),
    /// Open vSwitch on a node: datapath, database, switch
    #[command(subcommand)]
    Openvswitch(openvswitch::Command),
    /// libvirt on a node
    #[command(subcommand)]
    Libvirt(libvirt::Command),
    /// A port of Neutron's in a namespace of its own, for the check of the cloud's networks
    #[command(subcommand)]
    Port(port::Command),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG_USE } else { 0 });
        }
    };
    // What the client library warns of is told by us, in words that help.
    let level = std::env::var("LANDFALL_LOG").unwrap_or_else(|_| "off".to_owned());
    tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr).with_ansi(false).init();
    // One thread is enough, and keeps memory low: dozens of these wait side by side.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return pod::fail(&format!("cannot start: {error}"), 1),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Wait => wait::run().await,
            Command::Install { dir } => install::run(&dir),
            Command::Mariadb(command) => mariadb::run(command).await,
            Command::Keystone(command) => keystone::run(command).await,
            Command::Ceph(command) => ceph::run(command).await,
            Command::Openvswitch(command) => openvswitch::run(command).await,
            Command::Libvirt(command) => libvirt::run(command).await,
            Command::Port(command) => port::run(command).await,
        }
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => pod::fail(&error.to_string(), error.exit_code()),
    }
}

/// Called as `kubernetes-entrypoint` it takes no arguments and waits.
fn arguments(given: Vec<OsString>) -> Vec<OsString> {
    let called = given.first().map(Path::new).and_then(Path::file_name);
    if called.is_some_and(|name| name == "kubernetes-entrypoint") {
        return vec!["landfall-agent".into(), "wait".into()];
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_it_is_called_by_decides() {
        let args = |words: &[&str]| arguments(words.iter().map(OsString::from).collect());
        assert_eq!(args(&["/usr/bin/kubernetes-entrypoint", "ignored"]), ["landfall-agent", "wait"]);
        assert_eq!(args(&["landfall-agent", "mariadb", "start"]), ["landfall-agent", "mariadb", "start"]);
    }

    #[test]
    fn the_commands_of_the_contract_parse() {
        for line in [
            "wait",
            "install /landfall",
            "mariadb start",
            "mariadb controller",
            "mariadb probe ready",
            "mariadb probe live",
            "mariadb probe startup",
            "keystone fernet-setup",
            "keystone fernet-rotate",
            "keystone credential-setup",
            "keystone credential-rotate",
            "keystone register-service",
            "keystone register-endpoints",
            "keystone register-user",
            "ceph mon",
            "ceph mgr",
            "ceph osd",
            "ceph tools",
            "ceph renew",
            "ceph probe mon",
            "ceph probe mgr",
            "ceph probe osd",
            "ceph probe tools",
            "ceph probe alive",
            "openvswitch datapath",
            "openvswitch db",
            "openvswitch switch",
            "openvswitch probe",
            "openvswitch agent-config /tmp/agent.ini",
            "openvswitch follow neutron-l3-agent --config-file /etc/neutron/neutron.conf",
            "libvirt start",
            "libvirt daemon",
            "libvirt compute-config /tmp/node.conf",
            "port plug --name check-1 --id 1b2f --mac fa:16:3e:00:00:01 --mtu 1450",
            "port ping --name check-1 10.0.0.2 10.0.0.1",
            "port unplug check-1 check-2",
        ] {
            let words = std::iter::once("landfall-agent").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }
}

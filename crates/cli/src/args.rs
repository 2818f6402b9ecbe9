//! The command line: verbs and flags. What a flag means is said here and nowhere else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    ceph, dependency, diagram, doctor, down, hosts, images, lint, local, logs, openrc, openstack, package,
    plan, pull, release, show, status, template, up, verify, why,
};

#[derive(Debug, Parser)]
#[command(
    name = "landfall",
    version,
    about = "From a Kubernetes cluster to a verified OpenStack, in one command",
    long_about = "Takes a Kubernetes cluster to a running, verified OpenStack by Helm charts, says why it waits, \
                  and goes on where it was stopped. Where no cluster is given it makes one on this machine.",
    after_help = "Examples:\n  landfall up                    # all services, on the embedded cluster where no other is given\n  \
                  landfall up keystone --yes     # Keystone and what it needs\n  \
                  landfall verify                # the check points, with their evidence\n  \
                  landfall openstack service list\n  \
                  landfall local up --nodes 4    # a cluster of k1 to k4 on this machine\n\n\
                  Exit codes: docs/exit-codes.md"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The kubeconfig of the cluster to work on
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The embedded cluster, even where a kubeconfig is there; by its name if it has another
    #[arg(long, global = true, value_name = "NAME", num_args = 0..=1, default_missing_value = "landfall",
          require_equals = true, conflicts_with_all = ["kubeconfig", "context"])]
    pub(crate) local: Option<String>,
    /// Do not ask
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// How data is written
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Language of messages; by the locale where it is not given
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,
}

/// The flag of the verbs that read a cloud file.
#[derive(Debug, Clone, Args)]
pub(crate) struct CloudFile {
    /// The cloud file; cloud.yaml of this folder where it is not given
    #[arg(long, short = 'f', value_name = "FILE", env = "LANDFALL_CLOUD")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
    Yaml,
    Name,
    /// Of `verify`: JUnit's XML, as test reports are read
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    En,
    Ko,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Bring the cloud up, or to what the cloud file says now, and check it
    Up(up::Args),
    /// Show what `up` would do
    Plan(plan::Args),
    /// Carry out the check points and show their evidence
    Verify(verify::Args),
    /// Show services, their releases and pods
    Status(status::Args),
    /// Say why something is not well: the chain of causes, evidence, remedy
    Why(why::Args),
    /// Show the logs of a service or an object, what fails first
    Logs(logs::Args),
    /// Look whether the cluster, or this machine for one, is fit for a cloud, and whether all holds
    Doctor(doctor::Args),
    /// Draw the network of services, and the cluster, as they are now
    Diagram(diagram::Args),
    /// Remove services, saying first what data goes
    Down(down::Args),
    /// Write .openstackrc and clouds.yaml for OpenStack's clients
    Openrc(openrc::Args),
    /// Run the OpenStack command line inside the cloud
    Openstack(openstack::Args),
    /// Print the lines of the cloud's names for the hosts file, or write them there
    Hosts(hosts::Args),
    /// Ceph: how it is, and its addresses renewed
    #[command(subcommand)]
    Ceph(ceph::Verb),
    /// The embedded cluster on this machine
    #[command(subcommand)]
    Local(local::Verb),
    /// Images of the services, and the bundle of all that the embedded cluster needs
    #[command(subcommand)]
    Images(images::Verb),
    /// Releases of any chart: installed, upgraded, rolled back, tested, removed, as Helm does it
    #[command(subcommand)]
    Release(release::Verb),
    /// Render a chart as `helm template` does
    Template(template::Args),
    /// Look whether charts are well-formed, as `helm lint` does
    Lint(lint::Args),
    /// Show what a chart is, as `helm show` does
    #[command(subcommand, visible_alias = "inspect")]
    Show(show::Verb),
    /// Pack charts, as `helm package` does
    Package(package::Args),
    /// Bring charts from repositories and registries, as `helm pull` does
    #[command(visible_alias = "fetch")]
    Pull(pull::Args),
    /// Bring what charts depend on, as `helm dependency` does
    #[command(subcommand, visible_aliases = ["dep", "dependencies"])]
    Dependency(dependency::Verb),
    /// Write a cloud file with every default in it
    Init(crate::init::Args),
    /// Write the completions of a shell
    Completions { shell: clap_complete::Shell },
}

//! Open vSwitch on a node: which datapath it has, its database, the switch with its bridges and the address of its
//! tunnels, and what must start anew when the switch did. What is decided here is kept in [`state::PATH`] for the agents
//! of Neutron, and in the database's `external_ids` for people.

mod database;
mod datapath;
mod follow;
mod guests;
mod observe;
mod probe;
mod state;
mod switch;
mod tool;
mod tunnel;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::pod::Result;

use observe::links;
pub use tool::{run as tool, vsctl};

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Try whether the kernel has the datapath, and keep the answer on the node
    Datapath,
    /// Make the database where there is none, and become its server
    Db,
    /// Run and watch over the switch; make its bridges
    Switch,
    /// Answer the kubelet's readiness probe
    Probe,
    /// Write what was decided for this node as a file of Neutron's agents
    AgentConfig { file: PathBuf },
    /// Run an agent whose ports die with the switch: anew whenever the switch was started
    Follow {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Datapath => datapath::run().await,
        Command::Db => database::run().await,
        Command::Switch => switch::run().await,
        Command::Probe => probe::run().await,
        Command::AgentConfig { file } => state::write_agent_config(&file).await,
        Command::Follow { command } => follow::run(&command).await,
    }
}

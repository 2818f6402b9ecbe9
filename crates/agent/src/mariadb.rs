//! MariaDB in a StatefulSet: one server, or several with Galera. How a member starts is decided from the
//! states of all members, which they keep in one ConfigMap (upstream's names and words).

mod controller;
mod decide;
mod grastate;
mod journal;
mod primary;
mod probe;
mod server;
mod settings;
mod sql;
mod start;
mod state;

use clap::{Subcommand, ValueEnum};

use crate::pod::Result;

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Decide how this member starts, run and watch over mariadbd
    Start,
    /// Keep the primary's label on one ready server
    Controller,
    /// Answer the kubelet's probes
    Probe { what: Probe },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    Ready,
    Live,
    Startup,
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Start => start::run().await,
        Command::Controller => controller::run().await,
        Command::Probe { what } => probe::run(what).await,
    }
}

//! Ceph where nobody runs Rook: its daemons under Rook's names, and the clients' `ceph.conf` renewed.
//!
//! A monitor's address is its Service's, which outlives pods. Where that changes, nobody has to lend a
//! hand: the monitor moves in its own map, and those who knew no other address of a monitor start again.

mod addresses;
mod daemon;
mod keys;
mod mgr;
mod mon;
mod monmap;
mod osd;
mod probe;
mod renew;
mod settings;
mod tools;

use clap::{Subcommand, ValueEnum};

use crate::pod::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Make or move the monitor's store, and run it
    Mon,
    /// Run the manager
    Mgr,
    /// Make the disk, announce it, and run it
    Osd,
    /// Keep the command line's configuration up to date
    Tools,
    /// Answer the kubelet's probes
    Probe { what: Probe },
    /// Write the monitors' present addresses into the clients' ceph.conf, once
    Renew,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    Mon,
    Mgr,
    Osd,
    Tools,
    /// Any of the daemons: it answers, whatever it says
    Alive,
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Mon => mon::run().await,
        Command::Mgr => mgr::run().await,
        Command::Osd => osd::run().await,
        Command::Tools => tools::run().await,
        Command::Probe { what } => probe::run(what).await,
        Command::Renew => renew::run().await,
    }
}

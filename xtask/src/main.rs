//! The project's own commands: `cargo xtask up`, `test`, `conformance`, `tidy`. Each is idempotent and says what
//! it does and how long it took.

mod conformance;
mod shell;
mod stages;
mod test;
mod tidy;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Landfall's own commands for its developers and newcomers")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// From a fresh machine to a verified cloud: install, build, make the cluster, bring the cloud up
    Up(up::Args),
    /// Install what tests need and run all of them, or the parts that are named
    Test(test::Args),
    /// Render every chart below some folders by real Helm and by Landfall, and tell what differs
    Conformance(conformance::Args),
    /// Check the walls between crates, file sizes and forbidden names
    Tidy,
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Up(args) => up::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

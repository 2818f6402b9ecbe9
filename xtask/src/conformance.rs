//! `cargo xtask conformance`: charts rendered by real Helm and by Landfall. Built with all optimisations, in a program
//! of its own, so that the other commands stay quick to build.

use std::path::PathBuf;

use crate::shell::{Result, cargo, execute};

#[derive(clap::Args)]
pub struct Args {
    /// Folders of charts; dependencies are looked for in all of them
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// How many charts are compared at a time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Tell of charts that both refuse, too
    #[arg(long)]
    verbose: bool,
}

pub fn run(args: &Args) -> Result {
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "landfall-bench", "--", "conformance"]);
    command.args(["--jobs", &args.jobs.to_string()]);
    if args.verbose {
        command.arg("--verbose");
    }
    for folder in &args.folders {
        // The command runs in the root of the checkout.
        command.arg(std::path::absolute(folder).map_err(|error| format!("{}: {error}", folder.display()))?);
    }
    execute(&mut command)
}

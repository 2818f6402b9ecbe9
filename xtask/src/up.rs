//! `cargo xtask up`: from a fresh machine to a verified cloud.

use std::io::IsTerminal;

use crate::shell::{Result, built, cargo, command, execute, found, output, say};
use crate::stages::Stages;

#[derive(clap::Args)]
pub struct Args {
    /// Install missing packages and change the machine without asking
    #[arg(long, short)]
    yes: bool,
    /// Domain of the cloud's public names
    #[arg(long)]
    domain: Option<String>,
}

pub fn run(args: &Args) -> Result {
    let mut stages = Stages::new();
    let outcome = stages_of_up(&mut stages, args);
    say(&stages.summary());
    outcome
}

fn stages_of_up(stages: &mut Stages, args: &Args) -> Result {
    stages.run("build landfall", build)?;
    stages.run("packages of this machine", || packages(args.yes))?;
    stages.run("bundle: binaries and images", || {
        execute(command(built("landfall")).args(["images", "bundle"]))
    })?;
    stages.run("landfall local up", || execute(command(built("landfall")).args(["local", "up", "--yes"])))?;
    stages.run("landfall up", || {
        let mut up = command(built("landfall"));
        up.args(["up", "--local", "--yes"]);
        if let Some(domain) = &args.domain {
            up.args(["--domain", domain]);
        }
        execute(&mut up)
    })?;
    stages.run("landfall verify", || execute(command(built("landfall")).args(["verify", "--local"])))?;
    stages.run("openstack service list", || {
        execute(command(built("landfall")).args(["openstack", "--local", "service", "list"]))
    })
}

pub fn build() -> Result {
    if !found("go") {
        return Err("Go is not installed; Landfall builds its Kubernetes with it. Install Go 1.26 or later \
                    (https://go.dev/dl) and run this again"
            .to_owned());
    }
    execute(cargo().args(["build", "--package", "landfall", "--package", "landfall-agent"]))
}

/// Installs the Debian packages that the binary says it needs here.
pub fn packages(yes: bool) -> Result {
    install(&needed()?, yes)
}

/// What tests need beyond that: a look at the host's firewall.
pub fn test_packages() -> Result {
    let mut packages = needed()?;
    if !found("nft") {
        packages.push("nftables".to_owned());
    }
    install(&packages, true)
}

/// The browser of the longer run, and what drives it.
pub fn browser_packages() -> Result {
    let wanted = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];
    let lacking = wanted.iter().filter(|(program, _)| !found(program));
    install(&lacking.map(|(_, package)| (*package).to_owned()).collect::<Vec<_>>(), true)
}

fn needed() -> Result<Vec<String>> {
    let needed = output(command(built("landfall")).args(["images", "requirements", "--output", "name"]))?;
    Ok(needed.lines().map(str::to_owned).collect())
}

fn install(packages: &[String], yes: bool) -> Result {
    if packages.is_empty() {
        say("nothing to install");
        return Ok(());
    }
    say(&format!("Debian packages to install: {}", packages.join(" ")));
    if !found("apt-get") {
        return Err(format!("this machine has no apt-get; install these by hand: {}", packages.join(" ")));
    }
    if !yes && std::io::stdin().is_terminal() && !agreed()? {
        return Err("not installed; nothing was changed".to_owned());
    }
    execute(command("apt-get").args(["update", "-q"]))?;
    let mut apt = command("apt-get");
    apt.args(["install", "-q", "-y", "--no-install-recommends"]).args(packages);
    execute(apt.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn agreed() -> Result<bool> {
    say("Install them with apt-get? [y/N]");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| format!("no answer could be read: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

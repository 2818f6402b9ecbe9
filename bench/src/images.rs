//! Images into nodes: from `local up` to a cluster whose DNS, ingress and volumes run, with images that were prepared
//! beside the same with images that each node imports.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Args, Result, median, output};

const CLUSTER: [&str; 2] = ["--name", "bench"];

pub(crate) fn measure(args: &Args, nodes: &[u32]) -> Result {
    let cache = cache()?;
    // The same bundle without what was prepared: nodes start empty, and a second `up` imports.
    let bare = tempfile::tempdir().map_err(|error| error.to_string())?;
    for part in ["bin", "trees", "images"] {
        std::os::unix::fs::symlink(cache.join(part), bare.path().join(part))
            .map_err(|error| error.to_string())?;
    }
    landfall(args, &cache, &["images", "bundle"], &[])?;
    down(args, &cache)?;
    for count in nodes {
        let count = count.to_string();
        let size = ["--nodes", &count, "--subnet", "10.92.0.0/24", "--yes"];
        let (mut prepared, mut imported) = (Vec::new(), Vec::new());
        // By turns, so that both meet the same weather.
        for round in 1..=args.rounds {
            prepared.push(landfall(args, &cache, &["local", "up"], &size)?);
            down(args, &cache)?;
            let empty = landfall(args, bare.path(), &["local", "up", "--bare"], &size)?;
            imported.push(empty + landfall(args, bare.path(), &["local", "up"], &size)?);
            down(args, &cache)?;
            println!(
                "{count} nodes, round {round}: prepared {:.1}s, imported {:.1}s",
                prepared[round - 1].as_secs_f64(),
                imported[round - 1].as_secs_f64()
            );
        }
        let (prepared, imported) = (median(&mut prepared), median(&mut imported));
        println!(
            "{count} nodes, median: prepared {:.1}s, imported {:.1}s, ratio {:.1}",
            prepared.as_secs_f64(),
            imported.as_secs_f64(),
            imported.as_secs_f64() / prepared.as_secs_f64()
        );
    }
    Ok(())
}

fn cache() -> Result<PathBuf> {
    let named = std::env::var_os("LANDFALL_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/landfall"));
    named.or_else(home).ok_or_else(|| "neither LANDFALL_CACHE nor HOME is set".to_owned())
}

fn down(args: &Args, cache: &Path) -> Result {
    landfall(args, cache, &["local", "down", "--yes"], &[]).map(drop)
}

fn landfall(args: &Args, cache: &Path, verb: &[&str], more: &[&str]) -> Result<Duration> {
    let mut command = Command::new(&args.landfall);
    command.args(verb).args(more).env("LANDFALL_CACHE", cache);
    if verb[0] == "local" {
        command.args(CLUSTER);
    }
    Ok(output(&mut command)?.0)
}

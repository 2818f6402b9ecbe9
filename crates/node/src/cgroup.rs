//! The cgroups of a node: one folder in every hierarchy of the host (v1, v2 or both), and in it `daemons` for the
//! supervisor and what it starts. Pods get their own beside it, made by the kubelet.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(crate) const DAEMONS: &str = "daemons";

/// One mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    pub(crate) mount: PathBuf,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Version 1, with its controllers (`cpu`, `memory`, or `name=systemd`).
    V1(Vec<String>),
    V2,
}

/// Reads the hierarchies from the text of /proc/self/mountinfo.
pub(crate) fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let Some(mount) = left.split(' ').nth(4) else { continue };
        let mut right = right.split(' ');
        let (Some(fs), _, Some(options)) = (right.next(), right.next(), right.next()) else { continue };
        let kind = match fs {
            "cgroup2" => Kind::V2,
            "cgroup" => Kind::V1(
                options
                    .split(',')
                    .filter(|option| {
                        !matches!(*option, "rw" | "ro" | "xattr" | "clone_children" | "noprefix")
                            && !option.starts_with("release_agent")
                    })
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => continue,
        };
        // The same hierarchy may be mounted again elsewhere; the first place serves.
        if !found.iter().any(|known| known.kind == kind) {
            found.push(Hierarchy { mount: PathBuf::from(unescape(mount)), kind });
        }
    }
    found
}

pub(crate) fn mounted() -> Result<Vec<Hierarchy>> {
    let path = "/proc/self/mountinfo";
    let text = std::fs::read_to_string(path).map_err(Error::file("reading", path))?;
    Ok(hierarchies(&text))
}

/// Makes the node's folder everywhere, with `daemons` in it. Folders that a killed node left are removed first.
pub(crate) fn make(hierarchies: &[Hierarchy], group: &str) -> Result<()> {
    for hierarchy in hierarchies {
        let dir = hierarchy.mount.join(group);
        remove_tree(&dir)?;
        match &hierarchy.kind {
            Kind::V1(controllers) => {
                let daemons = dir.join(DAEMONS);
                std::fs::create_dir_all(&daemons).map_err(Error::file("making the cgroup", &daemons))?;
                if controllers.iter().any(|controller| controller == "cpuset") {
                    // A new cpuset has no CPU and no memory, and takes no process until it has.
                    for file in ["cpuset.cpus", "cpuset.mems"] {
                        inherit(&hierarchy.mount, &dir, file)?;
                        inherit(&dir, &daemons, file)?;
                    }
                }
            }
            Kind::V2 => {
                enable_controllers(&hierarchy.mount)?;
                std::fs::create_dir_all(&dir).map_err(Error::file("making the cgroup", &dir))?;
            }
        }
    }
    Ok(())
}

/// Puts this process into the node's folder, which so becomes the root of a cgroup namespace unshared next.
pub(crate) fn enter(hierarchies: &[Hierarchy], group: &str) -> Result<()> {
    hierarchies.iter().try_for_each(|hierarchy| join(&hierarchy.mount.join(group)))
}

/// Moves this process on into `daemons`. In version 2 only then can the node's folder hand its controllers down.
pub(crate) fn enter_daemons(hierarchies: &[Hierarchy], group: &str) -> Result<()> {
    for hierarchy in hierarchies {
        let dir = hierarchy.mount.join(group);
        let daemons = dir.join(DAEMONS);
        std::fs::create_dir_all(&daemons).map_err(Error::file("making the cgroup", &daemons))?;
        join(&daemons)?;
        if hierarchy.kind == Kind::V2 {
            enable_controllers(&dir)?;
        }
    }
    Ok(())
}

fn join(dir: &Path) -> Result<()> {
    let file = dir.join("cgroup.procs");
    std::fs::write(&file, "0").map_err(Error::file("joining the cgroup", file))
}

/// Kills whatever is left in the node's folder (version 2 only) and removes it everywhere.
pub(crate) fn remove(hierarchies: &[Hierarchy], group: &str) -> Result<()> {
    for hierarchy in hierarchies {
        let dir = hierarchy.mount.join(group);
        if hierarchy.kind == Kind::V2 && dir.exists() {
            // Kernels before 5.14 lack it; the end of the node's PID 1 has ended all its processes anyway.
            let _ = std::fs::write(dir.join("cgroup.kill"), "1");
        }
        remove_tree(&dir)?;
    }
    Ok(())
}

/// Processes that are in the node's `daemons` of any hierarchy, its PID 1 among them.
pub(crate) fn daemons(hierarchies: &[Hierarchy], group: &str) -> Vec<u32> {
    let mut found: Vec<u32> = hierarchies
        .iter()
        .map(|hierarchy| hierarchy.mount.join(group).join(DAEMONS).join("cgroup.procs"))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .flat_map(|text| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<_>>())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn remove_tree(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for child in children(dir) {
        remove_tree(&child)?;
    }
    match std::fs::remove_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("removing the cgroup", dir)(error))
        }
        _ => Ok(()),
    }
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn inherit(from: &Path, to: &Path, file: &str) -> Result<()> {
    let source = from.join(file);
    let value = std::fs::read_to_string(&source).map_err(Error::file("reading", &source))?;
    let target = to.join(file);
    std::fs::write(&target, value.trim()).map_err(Error::file("writing", target))
}

/// Hands every controller that a folder has down to its children.
fn enable_controllers(dir: &Path) -> Result<()> {
    let source = dir.join("cgroup.controllers");
    let available = std::fs::read_to_string(&source).map_err(Error::file("reading", &source))?;
    let target = dir.join("cgroup.subtree_control");
    for controller in available.split_whitespace() {
        // One by one: what one refuses (cpu with realtime processes about) the others need not lack.
        let _ = std::fs::write(&target, format!("+{controller}"));
    }
    Ok(())
}

/// mountinfo writes blanks and backslashes as octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 25 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
32 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
33 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
34 30 0:30 / /mnt/again rw - cgroup cgroup rw,cpu,cpuacct
";

    #[test]
    fn hierarchies_are_read_once_each_with_their_controllers() {
        let found = hierarchies(HYBRID);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].kind, Kind::V2);
        assert_eq!(found[1].kind, Kind::V1(vec!["name=systemd".into()]));
        assert_eq!(found[2].kind, Kind::V1(vec!["cpu".into(), "cpuacct".into()]));
        assert_eq!(found[2].mount, Path::new("/sys/fs/cgroup/cpu,cpuacct"));
    }
}

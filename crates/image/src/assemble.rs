//! Makes one recipe's tree: the base by mmdebstrap, the rest as the upper folder of an
//! overlay on its parents, with packages, users, files and programs put in.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::apt::{self, Apt};
use crate::error::{Error, IoContext, Result};
use crate::recipe::{Recipe, parse_mode};
use crate::{accounts, command, mounts, scrub};

/// What an assembly works with and on.
pub(crate) struct Assembly<'a> {
    pub recipe: &'a Recipe,
    /// Unpacked layers of the parents, lowest first.
    pub parents: &'a [PathBuf],
    /// Where each program of the recipe lies on the host.
    pub binaries: BTreeMap<String, PathBuf>,
    pub apt: &'a Apt,
    /// Empty; `tree` (the layer) is made in it, all else is scratch.
    pub work: &'a Path,
    pub log: &'a Path,
    /// Copy of the whole tree, parents included, for a recipe that is a tree.
    pub whole: Option<&'a Path>,
}

impl Assembly<'_> {
    /// Leaves the layer in `work/tree` and gives the packages of the whole tree.
    pub(crate) fn run(
        &self,
        stage: &(dyn Fn(&'static str, &str) + Sync),
    ) -> Result<BTreeMap<String, String>> {
        // File systems date files by a clock that may lag.
        let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64) - 2;
        let tree = self.work.join("tree");
        mounts::in_private(|| {
            if self.parents.is_empty() {
                std::fs::create_dir(&tree).on("make", &tree)?;
                if !self.recipe.packages.is_empty() {
                    stage("install", "");
                    self.bootstrap(&tree, stage)?;
                }
                self.shape(&tree, start)?;
                return Ok(packages(&tree));
            }
            let (scratch, merged) = (self.work.join("overlay"), self.work.join("merged"));
            for dir in [&tree, &scratch, &merged] {
                std::fs::create_dir(dir).on("make", dir)?;
            }
            mounts::overlay(self.parents, &tree, &scratch, &merged)?;
            accounts::add(&merged, &self.recipe.users)?;
            if !self.recipe.packages.is_empty() {
                self.install(&merged, stage)?;
            }
            self.shape(&merged, start)?;
            let packages = packages(&merged);
            if let Some(whole) = self.whole {
                stage("copy", "");
                let mut copy = Command::new("cp");
                copy.args(["-a", "--reflink=auto", "--"]).arg(merged.join(".")).arg(whole);
                command::run("copying the tree", copy, self.log, &mut |_| {})?;
            }
            mounts::unmount(&merged)?;
            Ok(packages)
        })
    }

    fn bootstrap(&self, tree: &Path, stage: &(dyn Fn(&'static str, &str) + Sync)) -> Result<()> {
        let mut make = Command::new("setpriv");
        make.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--mount-proc",
            "--",
        ])
        .args(["mmdebstrap", "--mode=root", "--variant=essential", "--skip=check/empty,cleanup/reproducible"])
        .args(["--format=directory", "--dpkgopt=force-unsafe-io"])
        .arg(format!("--keyring={}", apt::KEYRING))
        .arg("--aptopt=APT::Install-Recommends \"false\"")
        .arg("--aptopt=Acquire::Languages \"none\"");
        for line in self.apt.acquire() {
            make.arg(format!("--aptopt={}", line.trim_end_matches(';')));
        }
        for option in self.dpkg_options() {
            make.arg(format!("--dpkgopt={}", option.trim_start_matches("--")));
        }
        make.arg(format!("--include={}", self.recipe.packages.join(",")))
            .arg(apt::SUITE)
            .arg(tree)
            .arg(format!("deb [signed-by={}] {} {} main", apt::KEYRING, self.apt.mirror(), apt::SUITE))
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONHASHSEED", "0")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command::run("mmdebstrap", make, self.log, &mut |line| {
            if let Some(text) = line.strip_prefix("I: ") {
                stage("install", text);
            }
        })
    }

    /// `--path-exclude=…` for dpkg.
    fn dpkg_options(&self) -> Vec<String> {
        let excludes = self.recipe.exclude.iter().map(|path| format!("--path-exclude={path}"));
        excludes.chain(self.recipe.include.iter().map(|path| format!("--path-include={path}"))).collect()
    }

    fn install(&self, merged: &Path, stage: &(dyn Fn(&'static str, &str) + Sync)) -> Result<()> {
        let scratch = self.work.join("apt");
        stage("download", "");
        self.apt.download(merged, &self.recipe.packages, &scratch, self.log)?;
        stage("install", "");
        // Folders whose content is of the moment: nothing of it may land in the layer.
        for dir in ["run", "tmp"] {
            mounts::tmpfs(&merged.join(dir))?;
        }
        // Debian asks this before it starts a service.
        let policy = merged.join("usr/sbin/policy-rc.d");
        std::fs::write(&policy, "#!/bin/sh\nexit 101\n").on("write", &policy)?;
        std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o755))
            .on("set the mode of", &policy)?;
        let hosts = merged.join("etc/hosts");
        let own = !hosts.exists();
        if own {
            std::fs::write(&hosts, apt::HOSTS).on("write", &hosts)?;
        }
        self.apt.install(
            merged,
            &self.recipe.packages,
            &self.dpkg_options(),
            &scratch,
            self.log,
            &mut |line| {
                if let Some(package) = line.strip_prefix("Setting up ") {
                    stage("install", package.trim_end_matches(" ..."));
                }
            },
        )?;
        if own {
            std::fs::remove_file(&hosts).on("remove", &hosts)?;
        }
        for dir in ["run", "tmp"] {
            mounts::unmount(&merged.join(dir))?;
        }
        Ok(())
    }

    /// What the recipe says beside packages, and what every tree is freed of.
    fn shape(&self, root: &Path, start: i64) -> Result<()> {
        let recipe = self.recipe;
        for pattern in &recipe.remove {
            scrub::remove(root, pattern)?;
        }
        scrub::clean(root)?;
        let owner = |name: &str| recipe.ids_of(name).unwrap_or((0, 0));
        for directory in &recipe.directories {
            let path = inside(root, &directory.path)?;
            std::fs::create_dir_all(&path).on("make", &path)?;
            settle(&path, owner(&directory.owner), parse_mode(&directory.mode))?;
        }
        for file in &recipe.files {
            let path = inside(root, &file.path)?;
            replace(&path)?;
            std::fs::write(&path, &file.content).on("write", &path)?;
            settle(&path, owner(&file.owner), parse_mode(&file.mode))?;
        }
        for link in &recipe.symlinks {
            let path = inside(root, &link.path)?;
            replace(&path)?;
            symlink(&link.to, &path).on("make", &path)?;
        }
        for program in &recipe.binaries {
            let path = inside(root, &program.path)?;
            let source = self.binaries.get(&program.name).ok_or(Error::Worker)?;
            replace(&path)?;
            std::fs::copy(source, &path).on("copy", source)?;
            settle(&path, (0, 0), Some(0o755))?;
        }
        scrub::refuse_secrets(&recipe.name, &self.work.join("tree"))?;
        scrub::settle_times(root, start)
    }
}

/// A path in the tree, its parents made, and links in it taken as the tree's own.
fn inside(root: &Path, path: &str) -> Result<PathBuf> {
    let mut at = root.to_path_buf();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (i, part) in parts.iter().enumerate() {
        at.push(part);
        if i + 1 == parts.len() {
            break;
        }
        if let Ok(target) = std::fs::read_link(&at) {
            // Debian's own are one step: /bin -> usr/bin, /var/run -> /run.
            at = if target.is_absolute() {
                root.join(target.strip_prefix("/").unwrap_or(&target))
            } else {
                at.with_file_name("").join(target)
            };
        }
        if !at.exists() {
            std::fs::create_dir(&at).on("make", &at)?;
            settle(&at, (0, 0), Some(0o755))?;
        }
    }
    Ok(at)
}

fn settle(path: &Path, (uid, gid): (u32, u32), mode: Option<u32>) -> Result<()> {
    chown(path, Some(uid), Some(gid)).on("give away", path)?;
    let mode = std::fs::Permissions::from_mode(mode.unwrap_or(0o755));
    std::fs::set_permissions(path, mode).on("set the mode of", path)
}

/// Makes way for a file or link.
fn replace(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path).on("remove", path),
        Ok(_) => std::fs::remove_file(path).on("remove", path),
    }
}

/// Installed packages and their versions, of dpkg's status file.
fn packages(root: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read(root.join("var/lib/dpkg/status")).unwrap_or_default();
    parse_status(&String::from_utf8_lossy(&text))
}

fn parse_status(text: &str) -> BTreeMap<String, String> {
    let field = |block: &str, key: &str| {
        block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned))
    };
    text.split("\n\n")
        .filter(|block| field(block, "Status").is_some_and(|s| s.ends_with(" installed")))
        .filter_map(|block| Some((field(block, "Package")?, field(block, "Version")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let text = "Package: a\nStatus: install ok installed\nVersion: 1:2\n\n\
                    Package: b\nStatus: deinstall ok config-files\nVersion: 3\n";
        assert_eq!(parse_status(text), BTreeMap::from([("a".to_owned(), "1:2".to_owned())]));
    }

    #[test]
    fn links_of_the_tree_stay_in_the_tree() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        std::fs::create_dir_all(root.path().join("var")).unwrap();
        std::fs::create_dir_all(root.path().join("run")).unwrap();
        symlink("usr/bin", root.path().join("bin")).unwrap();
        symlink("/run", root.path().join("var/run")).unwrap();
        assert_eq!(inside(root.path(), "/bin/x").unwrap(), root.path().join("usr/bin/x"));
        assert_eq!(inside(root.path(), "/var/run/y").unwrap(), root.path().join("run/y"));
    }
}

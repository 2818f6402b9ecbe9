//! Runs a recipe's own checks inside the finished image: unpacked from its blobs, as its
//! own user, without network.

use std::path::Path;
use std::process::Command;

use crate::apt::{HOSTS, NAME_AND_LOOPBACK, isolated};
use crate::error::{Error, IoContext, Result};
use crate::recipe::Kind;
use crate::store::Store;
use crate::{command, mounts};

/// Longest time of one check; a server that does not come up is killed then.
const CHECK_SECONDS: &str = "120";

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

impl Store {
    /// Gives how many checks passed; the first that fails is the error. Needs root.
    pub fn prove(&self, name: &str) -> Result<usize> {
        let recipe = self.recipes().get(name)?;
        let not_built = || Error::NotBuilt { missing: vec![name.to_owned()] };
        let scratch = tempfile::tempdir_in(self.images_dir()).on("make a folder in", &self.images_dir())?;
        // A fresh temporary folder is 0700; a root that the image's user cannot enter proves nothing.
        let root = scratch.path().join("root");
        std::fs::create_dir(&root).on("make", &root)?;
        match recipe.kind {
            Kind::Image => self.unpack(&self.built(name)?.ok_or_else(not_built)?, &root)?,
            Kind::Guest => {
                crate::guest::prove(&self.guest(name).ok_or_else(not_built)?)?;
                return Ok(0);
            }
            Kind::Tree => self.copy(&self.tree(name).ok_or_else(not_built)?, &root)?,
            Kind::Layer => {
                for layer in self.recipes().parents(name)?.into_iter().chain([recipe]) {
                    let (_, kept) = self.kept_layer(&layer.name)?.ok_or_else(not_built)?;
                    crate::layer::unpack(&self.blobs().join(kept.blob.digest), &root)?;
                }
            }
        }
        let log = self.log(&format!("prove {name}"))?;
        std::fs::write(&log, "").on("write", &log)?;
        mounts::in_private(|| {
            for dir in ["proc", "dev", "tmp"] {
                let path = root.join(dir);
                std::fs::create_dir_all(&path).on("make", &path)?;
            }
            mounts::tmpfs(&root.join("tmp"))?;
            mounts::tmpfs(&root.join("dev"))?;
            for device in DEVICES {
                let target = root.join("dev").join(device);
                std::fs::write(&target, "").on("make", &target)?;
                mounts::bind(&Path::new("/dev").join(device), &target)?;
            }
            let hosts = root.join("etc/hosts");
            if root.join("etc").is_dir() {
                std::fs::write(&hosts, HOSTS).on("write", &hosts)?;
            }
            let fd = root.join("dev/fd");
            std::os::unix::fs::symlink("/proc/self/fd", &fd).on("make", &fd)?;
            for check in &recipe.check {
                let (uid, gid) = recipe.run.user.as_deref().and_then(|u| recipe.ids_of(u)).unwrap_or((0, 0));
                let mut run = isolated(&root);
                run.envs(&recipe.run.env)
                    .args(["sh", "-c", NAME_AND_LOOPBACK, "sh"])
                    .args(["timeout", "--kill-after=5", CHECK_SECONDS])
                    .args(["chroot", &format!("--userspec={uid}:{gid}")])
                    .arg(&root)
                    .args(check);
                command::run(&format!("{name}: {}", check.join(" ")), run, &log, &mut |_| {})?;
            }
            Ok(recipe.check.len())
        })
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let mut copy = Command::new("cp");
        copy.args(["-a", "--reflink=auto", "--"]).arg(from.join(".")).arg(to);
        command::run("copying the tree", copy, &self.log("prove copy")?, &mut |_| {})
    }
}

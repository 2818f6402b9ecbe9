//! A guest: kernel, initrd and disk that a cloud boots as a server, made of Debian's packages and of what its
//! recipe puts below `/guest`. It needs no boot loader: the cloud gives kernel and initrd to the machine itself.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::files;
use crate::recipe::Recipe;

/// Bytes of the disk: as small as a block store takes.
const DISK: usize = 1 << 20;
/// What the disk begins with, for the server to say that it is this one.
pub const DISK_BEGINS: &str = "landfall-guest";
/// Below this folder of the tree is the initrd's root.
const ROOT: &str = "guest";

/// A guest's three files and what is in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub disk: PathBuf,
    /// SHA-256 of each, by its name.
    pub digests: BTreeMap<String, String>,
    /// Of Debian's kernel: `6.12.117+deb13-cloud-amd64`.
    pub release: String,
    pub packages: BTreeMap<String, String>,
}

/// `guest.json`, written last: its presence means whole.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    release: String,
    digests: BTreeMap<String, String>,
    packages: BTreeMap<String, String>,
}

/// The guest in this folder, if it is whole.
pub(crate) fn find(dir: &Path) -> Option<Guest> {
    let made: Made = serde_json::from_slice(&std::fs::read(dir.join("guest.json")).ok()?).ok()?;
    Some(Guest {
        kernel: dir.join("kernel"),
        initrd: dir.join("initrd"),
        disk: dir.join("disk"),
        digests: made.digests,
        release: made.release,
        packages: made.packages,
    })
}

/// Makes the three files of a tree in which the recipe's packages are installed.
pub(crate) fn make(
    recipe: &Recipe,
    tree: &Path,
    packages: BTreeMap<String, String>,
    into: &Path,
) -> Result<u64> {
    let bad = |reason: String| Error::Recipe { file: format!("{}.toml", recipe.name), reason };
    let release = release(tree).ok_or_else(|| bad("its packages bring no kernel".to_owned()))?;
    let busybox = [tree.join("usr/bin/busybox"), tree.join("bin/busybox")]
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| bad("its packages bring no busybox".to_owned()))?;

    let mut archive = Archive::default();
    archive.file("bin/busybox", 0o755, read(&busybox)?);
    let all = tree.join("usr/lib/modules").join(&release);
    for module in &recipe.guest.modules {
        let found = module_file(&all, module)
            .ok_or_else(|| bad(format!("the kernel {release} has no module `{module}`")))?;
        archive.file(&format!("lib/modules/{module}.ko"), 0o644, plain(&busybox, &found)?);
    }
    let listed = recipe.guest.modules.iter().fold(String::new(), |text, module| text + module + "\n");
    archive.file("etc/modules", 0o644, listed.into_bytes());
    let own = tree.join(ROOT);
    for entry in WalkDir::new(&own).sort_by_file_name() {
        let entry = entry.map_err(std::io::Error::from).on("read", &own)?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(&own).unwrap_or(entry.path()).to_string_lossy().into_owned();
            let mode = entry.path().metadata().on("look at", entry.path())?.permissions().mode();
            archive.file(&name, mode & 0o777, read(entry.path())?);
        }
    }

    let mut disk = format!("{DISK_BEGINS}\n").into_bytes();
    disk.resize(DISK, 0);
    let kernel = read(&tree.join(format!("boot/vmlinuz-{release}")))?;
    let mut digests = BTreeMap::new();
    let mut size = 0;
    for (name, bytes) in [("kernel", kernel), ("initrd", archive.bytes()), ("disk", disk)] {
        files::write_atomic(&into.join(name), &bytes)?;
        digests.insert(name.to_owned(), digest::of_bytes(&bytes));
        size += bytes.len() as u64;
    }
    let kept = |name: &String| recipe.packages.iter().any(|p| p == name) || name.ends_with(&release);
    let packages = packages.into_iter().filter(|(name, _)| kept(name)).collect();
    files::write_json(&into.join("guest.json"), &Made { release, digests, packages })?;
    Ok(size)
}

/// Proves that the files are still what was made.
pub(crate) fn prove(guest: &Guest) -> Result<()> {
    for (name, path) in [("kernel", &guest.kernel), ("initrd", &guest.initrd), ("disk", &guest.disk)] {
        if guest.digests.get(name) != Some(&digest::of_bytes(&read(path)?)) {
            return Err(Error::Damaged {
                path: path.clone(),
                reason: "its bytes are not those that were made; remove its folder and build again"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).on("read", path)
}

/// The one kernel of the tree.
fn release(tree: &Path) -> Option<String> {
    let entries = std::fs::read_dir(tree.join("boot")).ok()?.flatten();
    entries.filter_map(|e| Some(e.file_name().to_str()?.strip_prefix("vmlinuz-")?.to_owned())).max()
}

fn module_file(modules: &Path, name: &str) -> Option<PathBuf> {
    let wanted = [format!("{name}.ko"), format!("{name}.ko.xz")];
    WalkDir::new(modules)
        .into_iter()
        .flatten()
        .find(|entry| wanted.iter().any(|one| *one == *entry.file_name().to_string_lossy()))
        .map(walkdir::DirEntry::into_path)
}

/// A module's bytes, unpacked by the guest's own busybox: this host may have no `xz`.
fn plain(busybox: &Path, module: &Path) -> Result<Vec<u8>> {
    if module.extension().is_some_and(|kind| kind == "ko") {
        return read(module);
    }
    let output = Command::new(busybox).args(["unxz", "-c"]).arg(module).output().on("run", busybox)?;
    if !output.status.success() || output.stdout.is_empty() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Damaged { path: module.to_path_buf(), reason });
    }
    Ok(output.stdout)
}

/// An initrd: cpio as the kernel reads it (`newc`, in the kernel's own early-userspace documentation), the same
/// bytes for the same files.
#[derive(Default)]
struct Archive {
    files: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Archive {
    fn file(&mut self, name: &str, mode: u32, bytes: Vec<u8>) {
        self.files.insert(name.to_owned(), (mode, bytes));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut number = 0;
        let mut folders: Vec<String> = Vec::new();
        for (name, (mode, bytes)) in &self.files {
            let parents: Vec<&str> = name.split('/').collect();
            for depth in 1..parents.len() {
                let folder = parents[..depth].join("/");
                if !folders.contains(&folder) {
                    number += 1;
                    entry(&mut out, number, 0o04_0755, &folder, &[]);
                    folders.push(folder);
                }
            }
            number += 1;
            entry(&mut out, number, 0o10_0000 | mode, name, bytes);
        }
        entry(&mut out, 0, 0, "TRAILER!!!", &[]);
        out
    }
}

fn entry(out: &mut Vec<u8>, number: u32, mode: u32, name: &str, bytes: &[u8]) {
    let links = if mode & 0o04_0000 == 0 { 1 } else { 2 };
    let fields = [number, mode, 0, 0, links, 0, bytes.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
    out.extend_from_slice(b"070701");
    for field in fields {
        // Writing into memory can not fail.
        let _ = write!(out, "{field:08x}");
    }
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(bytes);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_archive_has_its_folders_first_and_ends_with_the_trailer() {
        let mut archive = Archive::default();
        archive.file("init", 0o755, b"#!/bin/sh\n".to_vec());
        archive.file("etc/a/b", 0o644, b"x".to_vec());
        let bytes = archive.bytes();
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let at = |word: &str| text.find(word).unwrap();
        assert!(at("etc\0") < at("etc/a\0") && at("etc/a\0") < at("etc/a/b\0"));
        assert!(at("etc/a/b\0") < at("init\0") && at("init\0") < at("TRAILER!!!\0"));
        assert!(text.starts_with("070701"));
        assert_eq!(bytes, archive.bytes());
    }

    #[test]
    fn numbers_of_an_entry_are_where_the_kernel_reads_them() {
        let mut out = Vec::new();
        entry(&mut out, 7, 0o10_0755, "init", b"abcde");
        assert_eq!(&out[6..14], b"00000007");
        assert_eq!(&out[14..22], b"000081ed");
        // File size is the seventh field, the name's length with its zero the twelfth.
        assert_eq!(&out[54..62], b"00000005");
        assert_eq!(&out[94..102], b"00000005");
        assert_eq!(&out[110..115], b"init\0");
        assert_eq!(&out[116..121], b"abcde");
        assert_eq!(out.len(), 124);
    }

    #[test]
    fn a_guest_is_made_of_its_tree_and_damage_is_told() {
        let (tree, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let recipe = Recipe::parse(
            "g.toml",
            "name = \"g\"\nkind = \"guest\"\ndescription = \"d\"\nfrom = \"base\"\n[guest]\nmodules = [\"m\"]\n",
        )
        .unwrap();
        let put = |path: &str, bytes: &str| {
            let path = tree.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        put("usr/bin/busybox", "busybox");
        put("guest/init", "#!/bin/sh\n");
        assert!(make(&recipe, tree.path(), BTreeMap::new(), into.path()).is_err(), "no kernel");
        put("boot/vmlinuz-6.1-cloud", "kernel");
        let said = make(&recipe, tree.path(), BTreeMap::new(), into.path()).unwrap_err().to_string();
        assert!(said.contains("no module `m`"), "{said}");
        assert_eq!(find(into.path()), None);
        put("usr/lib/modules/6.1-cloud/kernel/m.ko", "module");
        make(&recipe, tree.path(), BTreeMap::new(), into.path()).unwrap();
        let guest = find(into.path()).unwrap();
        assert_eq!(guest.release, "6.1-cloud");
        let initrd = std::fs::read_to_string(&guest.initrd).unwrap();
        assert!(initrd.contains("init\0\0#!/bin/sh\n") && initrd.contains("lib/modules/m.ko\0"), "{initrd}");
        assert!(std::fs::read_to_string(&guest.disk).unwrap().starts_with("landfall-guest\n"));
        prove(&guest).unwrap();
        std::fs::write(&guest.initrd, "x").unwrap();
        assert!(prove(&guest).unwrap_err().to_string().contains("initrd"));
    }
}

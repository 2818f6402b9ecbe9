//! Puts a node's root together inside its own mount namespace, and moves into it. Runs in PID 1 of the node, before
//! any thread exists. Nothing here is seen by the host: the mounts go with the namespace.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root, sethostname};

use crate::cgroup::{Hierarchy, Kind};
use crate::devices;
use crate::error::{Error, Result};
use crate::layout::inside;
use crate::manifest::Manifest;

const NONE: Option<&str> = None;

/// Kernel settings that the kubelet insists on. They are the whole machine's, so they are not changed: the node sees
/// these values in place of the real ones.
const SHOWN_SETTINGS: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Makes the node's root and enters it.
pub(crate) fn enter(manifest: &Manifest, hierarchies: &[Hierarchy]) -> Result<()> {
    let root = manifest.root.as_path();
    // Nothing that is mounted from here on may reach the host.
    do_mount(NONE, Path::new("/"), NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    overlay(manifest)?;
    do_mount(Some("proc"), &root.join("proc"), Some("proc"), noexec(), NONE)?;
    do_mount(Some("sysfs"), &root.join("sys"), Some("sysfs"), noexec(), NONE)?;
    cgroups(root, hierarchies, &manifest.cgroup)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    do_mount(Some("tmpfs"), &root.join("run"), Some("tmpfs"), flags, Some("mode=0755"))?;
    do_mount(Some("tmpfs"), &root.join("tmp"), Some("tmpfs"), flags, Some("mode=1777"))?;
    devices::make(&root.join("dev"))?;
    for item in &manifest.binds {
        let target = under(root, &item.target);
        make_dir(&target)?;
        bind(&item.source, &target)?;
        if item.read_only {
            read_only(&target)?;
        }
    }
    modules(root)?;
    binaries(root, manifest)?;
    make_dir(&under(root, Path::new(inside::RUN)))?;
    shown_settings(root)?;
    files(root, manifest)?;
    pivot(root)?;
    sethostname(&manifest.node).map_err(Error::system("setting the host name"))?;
    own_settings();
    Ok(())
}

fn overlay(manifest: &Manifest) -> Result<()> {
    for dir in [&manifest.upper, &manifest.work, &manifest.root] {
        make_dir(dir)?;
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        manifest.tree.display(),
        manifest.upper.display(),
        manifest.work.display()
    );
    do_mount(Some("overlay"), &manifest.root, Some("overlay"), MsFlags::empty(), Some(&options))
}

/// The node sees its own folder of each hierarchy as the root, at the usual place.
fn cgroups(root: &Path, hierarchies: &[Hierarchy], group: &str) -> Result<()> {
    let base = root.join("sys/fs/cgroup");
    if let [Hierarchy { mount, kind: Kind::V2 }] = hierarchies {
        return bind(&mount.join(group), &base);
    }
    do_mount(Some("tmpfs"), &base, Some("tmpfs"), noexec(), Some("mode=0755"))?;
    for hierarchy in hierarchies {
        let Some(name) = hierarchy.mount.file_name() else { continue };
        let target = base.join(name);
        make_dir(&target)?;
        bind(&hierarchy.mount.join(group), &target)?;
        if let Kind::V1(controllers) = &hierarchy.kind {
            for controller in controllers.iter().filter(|controller| Path::new(controller) != Path::new(name))
            {
                if !controller.starts_with("name=") {
                    // `cpu` for `cpu,cpuacct`, as systemd has it.
                    let _ = std::os::unix::fs::symlink(name, base.join(controller));
                }
            }
        }
    }
    Ok(())
}

/// The host's kernel modules, where it has any: pods that need one load it as they would on a machine of their own.
fn modules(root: &Path) -> Result<()> {
    let source = Path::new("/lib/modules");
    if !source.is_dir() {
        return Ok(());
    }
    let target = root.join("usr/lib/modules");
    make_dir(&target)?;
    bind(source, &target)?;
    read_only(&target)
}

fn binaries(root: &Path, manifest: &Manifest) -> Result<()> {
    let dir = under(root, Path::new(inside::BIN));
    make_dir(&dir)?;
    for (source, name) in &manifest.binaries {
        let target = dir.join(name);
        let _ = std::fs::remove_file(&target);
        std::fs::File::create(&target).map_err(Error::file("making", &target))?;
        bind(source, &target)?;
        read_only(&target)?;
    }
    for (name, target) in &manifest.links {
        let link = dir.join(name);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(target, &link).map_err(Error::file("linking", &link))?;
    }
    Ok(())
}

fn shown_settings(root: &Path) -> Result<()> {
    let dir = under(root, Path::new(inside::RUN)).join("settings");
    for (name, value) in SHOWN_SETTINGS {
        let target = root.join("proc/sys").join(name);
        if !target.exists() {
            continue;
        }
        let source = dir.join(name.replace('/', "."));
        make_dir(&dir)?;
        std::fs::write(&source, format!("{value}\n")).map_err(Error::file("writing", &source))?;
        bind(&source, &target)?;
    }
    Ok(())
}

fn files(root: &Path, manifest: &Manifest) -> Result<()> {
    for file in &manifest.files {
        let path = under(root, &file.path);
        if let Some(parent) = path.parent() {
            make_dir(parent)?;
        }
        // The tree may have a symbolic link there: following it could lead out of the root.
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, &file.content).map_err(Error::file("writing", &path))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(file.mode))
            .map_err(Error::file("setting the mode", &path))?;
    }
    Ok(())
}

fn pivot(root: &Path) -> Result<()> {
    chdir(root).map_err(Error::file_errno("entering", root))?;
    pivot_root(".", ".").map_err(Error::system("pivot_root"))?;
    // The old root now lies over the new one at the same place: off with it.
    umount2(".", MntFlags::MNT_DETACH).map_err(Error::system("leaving the old root"))?;
    chdir("/").map_err(Error::system("entering the new root"))?;
    // Pods may hand mounts on to each other and to the node (Bidirectional propagation).
    do_mount(NONE, Path::new("/"), NONE, MsFlags::MS_REC | MsFlags::MS_SHARED, NONE)
}

/// Kernel settings that are the node's own: they belong to its network namespace.
fn own_settings() {
    for (name, value) in [
        ("net/ipv4/ip_forward", "1"),
        ("net/ipv6/conf/all/disable_ipv6", "1"),
        ("net/ipv6/conf/default/disable_ipv6", "1"),
        // A pod that reaches another of its own node through a service needs its bridge's packets translated too.
        ("net/bridge/bridge-nf-call-iptables", "1"),
        ("net/bridge/bridge-nf-call-ip6tables", "1"),
        ("net/ipv4/conf/all/rp_filter", "0"),
        ("net/ipv4/conf/default/rp_filter", "0"),
        ("net/ipv4/ping_group_range", "0 2147483647"),
    ] {
        // A kernel without IPv6 or br_netfilter lacks some of them.
        let _ = std::fs::write(Path::new("/proc/sys").join(name), value);
    }
}

fn noexec() -> MsFlags {
    MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV
}

pub(crate) fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(Some(source), target, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)
        .map_err(Error::file_errno("binding", source))
}

fn read_only(target: &Path) -> Result<()> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    do_mount(NONE, target, NONE, flags, NONE)
}

pub(crate) fn do_mount(
    source: Option<&str>,
    target: &Path,
    kind: Option<&str>,
    flags: MsFlags,
    options: Option<&str>,
) -> Result<()> {
    mount(source, target, kind, flags, options).map_err(Error::system(format!(
        "mounting {} at {}",
        kind.unwrap_or("/"),
        target.display()
    )))
}

pub(crate) fn make_dir(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::file("making the folder", path))
}

fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

//! A node's own /dev: what pods and daemons need, and nothing that hangs. The host's disks and terminals are not in it.

#![allow(unsafe_code)]

use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::MsFlags;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::error::{Error, Result};
use crate::rootfs::{bind, do_mount, make_dir};

/// Character devices: path, major, minor.
const CHARACTER: [(&str, u64, u64); 9] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("kmsg", 1, 11),
    ("tty", 5, 0),
    ("net/tun", 10, 200),
    ("fuse", 10, 229),
];
const LOOP_CONTROL: (u64, u64) = (10, 237);
const LOOP_MAJOR: u64 = 7;
const LOOPS: u64 = 32;
pub(crate) const KVM: (u64, u64) = (10, 232);

pub(crate) fn make(dev: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID;
    do_mount(Some("tmpfs"), dev, Some("tmpfs"), flags, Some("mode=0755,size=16m"))?;
    for (name, major, minor) in CHARACTER {
        node(&dev.join(name), SFlag::S_IFCHR, (major, minor), 0o666)?;
    }
    node(&dev.join("loop-control"), SFlag::S_IFCHR, LOOP_CONTROL, 0o660)?;
    for minor in 0..LOOPS {
        node(&dev.join(format!("loop{minor}")), SFlag::S_IFBLK, (LOOP_MAJOR, minor), 0o660)?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        symlink(target, dev.join(name)).map_err(Error::file("linking", dev.join(name)))?;
    }
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    for (name, kind, flags, options) in [
        ("pts", "devpts", quiet, Some("newinstance,ptmxmode=0666,mode=0620,gid=5")),
        ("shm", "tmpfs", quiet | MsFlags::MS_NODEV, Some("mode=1777")),
        ("mqueue", "mqueue", quiet | MsFlags::MS_NODEV, None),
    ] {
        let target = dev.join(name);
        make_dir(&target)?;
        do_mount(Some(kind), &target, Some(kind), flags, options)?;
    }
    Ok(())
}

/// Makes a device; where that is refused (a host that is a container itself) the host's own is bound.
pub(crate) fn node(path: &Path, kind: SFlag, (major, minor): (u64, u64), mode: u32) -> Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    let made = mknod(path, kind, Mode::from_bits_truncate(mode), makedev(major, minor));
    match made {
        Ok(()) => {
            // mknod's mode is cut by the umask.
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                .map_err(Error::file("setting the mode", path))
        }
        Err(nix::errno::Errno::EEXIST) => Ok(()),
        Err(nix::errno::Errno::EPERM) => {
            let name = path.file_name().unwrap_or_default();
            let parent = path.parent().and_then(Path::file_name).filter(|parent| *parent == "net");
            let source =
                parent.map_or_else(|| Path::new("/dev").to_path_buf(), |p| Path::new("/dev").join(p));
            let source = source.join(name);
            if !source.exists() {
                return Ok(());
            }
            std::fs::File::create(path).map_err(Error::file("making", path))?;
            bind(&source, path)
        }
        Err(errno) => Err(Error::file("making the device", path)(errno.into())),
    }
}

/// From linux/loop.h.
const LOOP_CLR_FD: u64 = 0x4C01;
nix::ioctl_none_bad!(loop_clear, LOOP_CLR_FD);

/// Lets a loop device go. One that something still uses goes when its last user does.
pub(crate) fn release_loop(path: &Path) {
    use std::os::fd::AsRawFd as _;
    if let Ok(device) = std::fs::File::open(path) {
        // SAFETY: the call takes no argument and touches no memory of ours.
        let _ = unsafe { loop_clear(device.as_raw_fd()) };
    }
}

//! What building needs on the host. It only looks; installing is the caller's affair.

use std::path::Path;

use crate::{apt, command};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub what: &'static str,
    pub debian_package: &'static str,
    pub why: &'static str,
}

/// Packages that building images needs and this host lacks; empty when all is there.
/// Go is not among them: `Parts` says what it needs of it.
pub fn requirements() -> Vec<Missing> {
    let programs = [
        ("mmdebstrap", "mmdebstrap", "makes the base of all images of Debian packages"),
        ("apt-get", "apt", "downloads and installs the packages of the images"),
        ("dpkg", "dpkg", "unpacks Debian packages"),
        ("unshare", "util-linux", "keeps package installation away from the host's processes and network"),
        ("setpriv", "util-linux", "ends package installation together with landfall"),
        ("cp", "coreutils", "copies the tree of the nodes"),
    ];
    let mut missing: Vec<_> = programs
        .into_iter()
        .filter(|(program, ..)| !command::exists(program))
        .map(|(what, debian_package, why)| Missing { what, debian_package, why })
        .collect();
    if !Path::new(apt::KEYRING).exists() {
        missing.push(Missing {
            what: apt::KEYRING,
            debian_package: "debian-archive-keyring",
            why: "proves that packages come from Debian",
        });
    }
    missing
}

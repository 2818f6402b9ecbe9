//! Debian's archive: from where, with which keys, and how the host's apt is called
//! for a tree that is not the host's. It never touches the host's own apt state.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::command;
use crate::error::{Error, IoContext, Result};

pub(crate) const SUITE: &str = "trixie";
pub(crate) const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where apt finds the shared package files inside a tree that is being built.
const DEBS_INSIDE: &str = "/.landfall-debs";

#[derive(Debug)]
pub(crate) struct Apt {
    mirror: String,
    /// `Acquire::…` settings of the host: proxies, certificates, retries.
    acquire: Vec<String>,
    dir: PathBuf,
    /// Two downloads at once could write the same file.
    download: Mutex<()>,
}

impl Apt {
    /// `dir` holds package lists and package files, shared by all builds.
    ///
    /// # Errors
    /// Where neither the user nor this machine's apt names a Debian archive.
    pub(crate) fn new(dir: PathBuf, mirror: Option<String>) -> Result<Self> {
        let mirror = mirror.or_else(host_mirror).ok_or(Error::NoMirror)?;
        Ok(Self { mirror, acquire: host_acquire(), dir, download: Mutex::new(()) })
    }

    pub(crate) fn mirror(&self) -> &str {
        &self.mirror
    }

    pub(crate) fn acquire(&self) -> &[String] {
        &self.acquire
    }

    fn lists(&self) -> PathBuf {
        self.dir.join("lists")
    }

    fn debs(&self) -> PathBuf {
        self.dir.join("debs")
    }

    /// Fetches the package lists; once a run.
    pub(crate) fn update(&self, log: &Path) -> Result<()> {
        for dir in [self.lists().join("partial"), self.debs().join("partial")] {
            std::fs::create_dir_all(&dir).on("make", &dir)?;
        }
        let status = self.dir.join("no-packages");
        std::fs::write(&status, "").on("write", &status)?;
        let scratch = self.dir.join("update");
        let config = self.configure(&scratch, None, &self.debs())?;
        let mut update = Command::new("apt-get");
        update.args(["-q", "update", "--error-on=any"]).env("APT_CONFIG", config).env("LC_ALL", "C.UTF-8");
        command::run("apt-get update", update, log, &mut |_| {})
    }

    /// Writes an apt.conf that sees `root` as its system, and gives its path.
    fn configure(&self, scratch: &Path, root: Option<&Path>, debs: &Path) -> Result<PathBuf> {
        use std::fmt::Write as _;
        let etc = scratch.join("etc");
        for dir in
            [etc.join("apt.conf.d"), etc.join("preferences.d"), scratch.join("state"), scratch.join("cache")]
        {
            std::fs::create_dir_all(&dir).on("make", &dir)?;
        }
        let sources = etc.join("sources.list");
        let line = format!("deb [signed-by={KEYRING}] {} {SUITE} main\n", self.mirror);
        std::fs::write(&sources, line).on("write", &sources)?;

        let status =
            root.map_or_else(|| self.dir.join("no-packages"), |root| root.join("var/lib/dpkg/status"));
        let mut text = String::new();
        for (key, value) in [
            ("Dir::Etc", &etc),
            ("Dir::State", &scratch.join("state")),
            ("Dir::State::status", &status),
            ("Dir::State::lists", &self.lists()),
            ("Dir::Cache", &scratch.join("cache")),
            ("Dir::Cache::archives", &debs.to_path_buf()),
        ] {
            let _ = writeln!(text, "{key} \"{}\";", value.display());
        }
        if let Some(root) = root {
            let _ = writeln!(text, "DPkg::Chroot-Directory \"{}\";", root.display());
        }
        // Locks are for the host's apt: here the tree belongs to this build alone.
        text.push_str(
            "APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n\
             APT::Keep-Downloaded-Packages \"true\";\nAcquire::Retries \"3\";\nDebug::NoLocking \"true\";\n\
             DPkg::Use-Pty \"false\";\nDPkg::Options { \"--force-unsafe-io\"; \"--force-confdef\"; \"--force-confold\"; };\n",
        );
        for line in &self.acquire {
            text.push_str(line);
            text.push('\n');
        }
        let config = scratch.join("apt.conf");
        std::fs::write(&config, text).on("write", &config)?;
        Ok(config)
    }

    /// Fetches the packages and what they need into the shared folder.
    pub(crate) fn download(
        &self,
        root: &Path,
        packages: &[String],
        scratch: &Path,
        log: &Path,
    ) -> Result<()> {
        let config = self.configure(scratch, Some(root), &self.debs())?;
        let mut download = Command::new("apt-get");
        download
            .args(["-q", "--yes", "--download-only", "install", "--"])
            .args(packages)
            .env("APT_CONFIG", config)
            .env("LC_ALL", "C.UTF-8");
        let _turn = self.download.lock();
        command::run("the download of Debian packages", download, log, &mut |_| {})
    }

    /// Installs downloaded packages into `root`, whose mounts belong to the calling
    /// thread alone. Without a network, so that no package can fetch something unseen,
    /// and in a process namespace, so that no daemon stays.
    pub(crate) fn install(
        &self,
        root: &Path,
        packages: &[String],
        excludes: &[String],
        scratch: &Path,
        log: &Path,
        line: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let inside = root.join(&DEBS_INSIDE[1..]);
        std::fs::create_dir_all(&inside).on("make", &inside)?;
        crate::mounts::bind(&self.debs(), &inside)?;
        let config = self.configure(scratch, Some(root), &inside)?;
        let mut install = isolated(root);
        // Some packages ask for the address of the machine's name.
        install.env("APT_CONFIG", &config).args(["sh", "-c", NAME_AND_LOOPBACK, "sh"]).args([
            "apt-get",
            "-q",
            "--yes",
            "--no-download",
            "-o",
            "Dpkg::Progress-Fancy=0",
        ]);
        for option in excludes {
            install.arg("-o").arg(format!("DPkg::Options::={option}"));
        }
        install.args(["install", "--"]).args(packages);
        let result = command::run("the installation of Debian packages", install, log, line);
        crate::mounts::unmount(&inside)?;
        std::fs::remove_dir(&inside).on("remove", &inside)?;
        result
    }
}

/// Gives the namespaces a name that [`HOSTS`] knows, then runs the words that follow.
pub(crate) const NAME_AND_LOOPBACK: &str = "ip link set lo up && hostname localhost && exec \"$@\"";
/// What `/etc/hosts` says meanwhile.
pub(crate) const HOSTS: &str = "127.0.0.1 localhost\n";

/// A command in namespaces of its own (processes, network, IPC, host name), with a
/// settled environment and `/proc` of `root` mounted. It ends when this thread ends.
pub(crate) fn isolated(root: &Path) -> Command {
    let mut command = Command::new("setpriv");
    let mut proc = std::ffi::OsString::from("--mount-proc=");
    proc.push(root.join("proc"));
    command
        .args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--net",
            "--ipc",
            "--uts",
            "--mount",
        ])
        .arg(proc)
        .arg("--")
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive")
        // A kernel's package would make an initrd of this tree.
        .env("INITRD", "No")
        .env("DEBCONF_NONINTERACTIVE_SEEN", "true")
        // Sets in compiled Python would be in another order each time.
        .env("PYTHONHASHSEED", "0");
    command
}

fn host_mirror() -> Option<String> {
    let said = command::answer(
        "apt-get",
        &["indextargets", "--format", "$(REPO_URI) $(ORIGIN)", "Created-By: Packages", "Component: main"],
    )?;
    pick_mirror(&said)
}

/// The first Debian archive among "URI ORIGIN" lines; not its security part, which has other packages.
fn pick_mirror(lines: &str) -> Option<String> {
    lines.lines().find_map(|line| {
        let (uri, origin) = line.split_once(' ')?;
        let uri = uri.trim_end_matches('/');
        let known = origin == "Debian" || origin.starts_with('$');
        (known && uri.ends_with("/debian") && uri.starts_with("http")).then(|| uri.to_owned())
    })
}

fn host_acquire() -> Vec<String> {
    let said = command::answer("apt-config", &["dump"]).unwrap_or_default();
    said.lines().filter(|line| carries_over(line)).map(str::to_owned).collect()
}

/// Settings that reach the archive through the user's network.
fn carries_over(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("Acquire::") else { return false };
    ["http::", "https::", "http ", "https "].iter().any(|p| rest.to_lowercase().starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_mirror_is_taken_but_not_its_security_archive() {
        let lines = "http://mirror.example/debian-security/ Debian\nhttps://apt.example/stable/ Other\n\
                     http://mirror.example/debian/ Debian\n";
        assert_eq!(pick_mirror(lines).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(pick_mirror("http://m/debian/ $(ORIGIN)\n").as_deref(), Some("http://m/debian"));
        assert_eq!(pick_mirror("http://m/ubuntu/ Ubuntu\n"), None);
    }

    #[test]
    fn proxies_carry_over_and_nothing_else() {
        assert!(carries_over("Acquire::http::Proxy \"http://proxy:3128\";"));
        assert!(carries_over("Acquire::HTTPS::CaInfo \"/etc/ca\";"));
        assert!(!carries_over("Acquire::Languages \"en\";"));
        assert!(!carries_over("APT::Default-Release \"bookworm\";"));
    }
}

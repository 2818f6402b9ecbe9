//! Servers under test: the bundle's own guest, made by the command line, where a scenario wants them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::{Landfall, Outcome, check};

/// Where files go in the client's pod.
const FOLDER: &str = "/tmp";
/// A shell in the client's pod, which reads.
const INTO_CLIENT: [&str; 10] = [
    "-n",
    "openstack",
    "exec",
    "-i",
    "deployment/openstack-client",
    "-c",
    "openstackclient",
    "--",
    "sh",
    "-c",
];

/// Servers of one test, and what they need; all of it has the same name, or begins with it.
#[derive(Debug)]
pub struct Servers {
    landfall: Landfall,
    pub name: &'static str,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Server {
    pub id: String,
    pub name: String,
    pub address: String,
}

impl Servers {
    /// Made anew: the image, a flavor, a network in which they have addresses, and rules that let ping and their web server through.
    ///
    /// # Errors
    /// What could not be made.
    pub fn prepared(landfall: &Landfall, name: &'static str, range: &str) -> Result<Self, String> {
        let this = Self { landfall: landfall.clone(), name };
        this.remove()?;
        this.image()?;
        this.cloud(&["flavor", "create", name, "--ram", "192", "--disk", "0", "--vcpus", "1"])?;
        this.cloud(&["network", "create", name])?;
        this.cloud(&["subnet", "create", name, "--network", name, "--subnet-range", range])?;
        this.cloud(&["security", "group", "create", name])?;
        this.cloud(&["security", "group", "rule", "create", name, "--protocol", "icmp"])?;
        this.cloud(&["security", "group", "rule", "create", name, "--protocol", "tcp"])?;
        Ok(this)
    }

    fn image(&self) -> Outcome {
        let folder = guest()?;
        for file in ["kernel", "initrd", "disk"] {
            let file_of_guest =
                std::fs::File::open(folder.join(file)).map_err(|e| format!("{}: {e}", folder.display()))?;
            self.bring(file_of_guest, file)?;
        }
        let name = self.name;
        let image = |name: &str, format: &str, file: &str, more: &[&str]| {
            let container = if format == "raw" { "bare" } else { format };
            let path = self.path(file);
            let fixed = ["image", "create", name, "--disk-format", format, "--container-format", container];
            self.cloud(&[&fixed[..], &["--file", path.as_str()], more].concat()).map(|made| id(&made))
        };
        let kernel = format!("kernel_id={}", image(&format!("{name}-kernel"), "aki", "kernel", &[])?);
        let initrd = format!("ramdisk_id={}", image(&format!("{name}-initrd"), "ari", "initrd", &[])?);
        let command_line = "os_command_line=console=ttyS0";
        // It does not listen for the button.
        let shutdown = "os_shutdown_timeout=1";
        let properties = [
            "--property",
            &kernel,
            "--property",
            &initrd,
            "--property",
            command_line,
            "--property",
            shutdown,
        ];
        image(name, "raw", "disk", &properties).map(drop)
    }

    /// A server that is ACTIVE, on this host where one is named; what its user data tells the guest is in
    /// `images/guest.toml`.
    ///
    /// # Errors
    /// The client's own words.
    pub fn server(&self, name: &str, host: Option<&str>, user_data: &str) -> Result<Server, String> {
        let file = self.landfall.home.join(format!("{name}.user-data"));
        std::fs::write(&file, user_data).map_err(|error| error.to_string())?;
        self.bring(std::fs::File::open(&file).map_err(|error| error.to_string())?, "user-data")?;
        let (own, path) = (self.name, self.path("user-data"));
        let zone = host.map(|host| format!("nova:{host}"));
        let mut arguments = vec!["server", "create", name, "--image", own, "--flavor", own, "--network", own];
        arguments.extend(["--security-group", own, "--user-data", path.as_str(), "--wait"]);
        if let Some(zone) = &zone {
            arguments.extend(["--availability-zone", zone]);
        }
        let made = self.cloud(&arguments)?;
        let shown = &made["addresses"][own][0];
        let address = shown.as_str().ok_or_else(|| format!("{name} has no address: {made}"))?;
        Ok(Server { id: id(&made), name: name.to_owned(), address: address.to_owned() })
    }

    /// What the guest has said.
    ///
    /// # Errors
    /// The client's own words.
    pub fn console(&self, server: &Server) -> Result<String, String> {
        let ran = self.landfall.openstack(&["console", "log", "show", &server.id]).ended(0)?;
        Ok(ran.stdout)
    }

    /// Nova says ACTIVE of it.
    ///
    /// # Errors
    /// What it says.
    pub fn active(&self, server: &Server) -> Outcome {
        let shown = self.cloud(&["server", "show", &server.id])?;
        check(shown["status"] == "ACTIVE", || shown.to_string())
    }

    /// It has begun once only, by its console log.
    ///
    /// # Errors
    /// How often it has.
    pub fn booted_once(&self, server: &Server) -> Outcome {
        let log = self.console(server)?;
        let boots = log.lines().filter(|line| line.contains("landfall: boot ")).count();
        check(boots == 1, || format!("{boots} boots: {log}"))
    }

    /// Runs `openstack …` and reads what it answers.
    ///
    /// # Errors
    /// The client's own words.
    pub fn cloud(&self, arguments: &[&str]) -> Result<Value, String> {
        let ran = self.landfall.openstack(&[arguments, &["-f", "json"]].concat()).ended(0)?;
        serde_json::from_str(&ran.stdout).map_err(|error| format!("{error}: {}", ran.stdout))
    }

    /// Whatever of it is there.
    ///
    /// # Errors
    /// Servers that stay.
    pub fn remove(&self) -> Outcome {
        let cloud = |arguments: &[&str]| self.landfall.openstack(arguments);
        let servers = self.cloud(&["server", "list", "--name", self.name])?;
        for server in servers.as_array().into_iter().flatten() {
            cloud(&["server", "delete", server["ID"].as_str().unwrap_or_default(), "--wait"]);
        }
        for image in [self.name.to_owned(), format!("{}-kernel", self.name), format!("{}-initrd", self.name)]
        {
            cloud(&["image", "delete", &image]);
        }
        cloud(&["flavor", "delete", self.name]);
        cloud(&["network", "delete", self.name]);
        cloud(&["security", "group", "delete", self.name]);
        let left = self.cloud(&["server", "list", "--name", self.name])?;
        let left = left.as_array().ok_or_else(|| format!("no list of servers: {left}"))?;
        // With Nova's own word of what went wrong.
        let told =
            |server: &Value| cloud(&["server", "show", server["ID"].as_str().unwrap_or_default()]).stdout;
        check(left.is_empty(), || format!("left: {}", left.iter().map(told).collect::<String>()))
    }

    fn path(&self, file: &str) -> String {
        format!("{FOLDER}/{}-{file}", self.name)
    }

    /// A file of this machine, into the client's pod.
    fn bring(&self, from: std::fs::File, name: &str) -> Outcome {
        let write = format!("cat > {}", self.path(name));
        self.landfall
            .kubectl_reading(&[&INTO_CLIENT[..], &[write.as_str()]].concat(), from)
            .ended(0)
            .map(drop)
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_default().to_owned()
}

/// Kernel, initrd and disk of the bundle's newest guest.
fn guest() -> Result<PathBuf, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cache =
        std::env::var_os("LANDFALL_CACHE").map_or_else(|| home.join(".cache/landfall"), PathBuf::from);
    let folders = std::fs::read_dir(cache.join("guests")).into_iter().flatten().flatten();
    let whole = folders.map(|entry| entry.path()).filter(|folder| folder.join("guest.json").is_file());
    whole
        .max_by_key(|folder| age(folder))
        .ok_or_else(|| "the bundle has no guest to make a server of".to_owned())
}

fn age(folder: &Path) -> SystemTime {
    std::fs::metadata(folder).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

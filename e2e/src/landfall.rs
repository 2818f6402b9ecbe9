//! The binary under test, and what the cluster says through its own kubectl.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One cluster of the tests, and how to run things on it.
#[derive(Debug, Clone)]
pub struct Landfall {
    pub binary: PathBuf,
    /// Name of the embedded cluster; never the user's.
    pub cluster: String,
    /// The home folder of the runs, so that the user's own stays as it is.
    pub home: PathBuf,
}

/// How a program ended.
#[derive(Debug, Clone)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ran {
    /// # Errors
    /// Its output, unless it ended with `code`.
    pub fn ended(self, code: i32) -> Result<Self, String> {
        if self.code == code {
            Ok(self)
        } else {
            Err(format!(
                "ended with {} instead of {code}\nstdout:\n{}\nstderr:\n{}",
                self.code, self.stdout, self.stderr
            ))
        }
    }
}

impl Landfall {
    /// The binary named by `$LANDFALL`.
    ///
    /// # Errors
    /// Where it is not named or not there.
    pub fn new(cluster: &str) -> Result<Self, String> {
        let binary = std::env::var_os("LANDFALL").map(PathBuf::from).filter(|path| path.is_file());
        let binary = binary.ok_or("$LANDFALL does not name the binary; `cargo xtask test` sets it")?;
        let home = std::env::temp_dir().join(format!("landfall-{cluster}-home"));
        std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        Ok(Self { binary, cluster: cluster.to_owned(), home })
    }

    /// A command of the binary with the user's kubeconfig and home out of sight, but their cache.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let cache =
            std::env::var_os("LANDFALL_CACHE").map_or_else(|| home.join(".cache/landfall"), PathBuf::from);
        command
            .args(arguments)
            .env_remove("KUBECONFIG")
            .env("LANDFALL_CACHE", cache)
            .env("HOME", &self.home)
            .env("LANG", "C.UTF-8")
            .current_dir(&self.home)
            .stdin(Stdio::null());
        command
    }

    /// Runs a verb on this cluster to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        // `local` verbs name the cluster themselves.
        if !matches!(arguments.first(), Some(&"local" | &"images" | &"template")) {
            command.arg(format!("--local={}", self.cluster));
        }
        ran(command)
    }

    /// Runs `openstack …` in the cloud.
    pub fn openstack(&self, arguments: &[&str]) -> Ran {
        let local = format!("--local={}", self.cluster);
        let mut all = vec!["openstack", local.as_str()];
        all.extend(arguments);
        ran(self.command(&all))
    }

    /// Runs kubectl as the cluster's administrator, inside its first node.
    pub fn kubectl(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["local", "shell", "--name", self.cluster.as_str(), "k1", "--", "kubectl"];
        all.extend(arguments);
        ran(self.command(&all))
    }

    /// The same, reading from a file.
    pub fn kubectl_reading(&self, arguments: &[&str], from: std::fs::File) -> Ran {
        let mut all = vec!["local", "shell", "--name", self.cluster.as_str(), "k1", "--", "kubectl"];
        all.extend(arguments);
        let mut command = self.command(&all);
        command.stdin(from);
        ran(command)
    }

    /// Applies objects given as JSON.
    ///
    /// # Errors
    /// kubectl's own words.
    pub fn apply(&self, objects: &Value) -> Result<Ran, String> {
        let local =
            ["local", "shell", "--name", self.cluster.as_str(), "k1", "--", "kubectl", "apply", "-f", "-"];
        let mut command = self.command(&local);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(objects.to_string().as_bytes()).map_err(|error| error.to_string())?;
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        }
        .ended(0)
    }

    /// An object, or a list, as JSON.
    ///
    /// # Errors
    /// kubectl's own words.
    pub fn get(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut all = vec!["get", "-o", "json"];
        all.extend(arguments);
        let ran = self.kubectl(&all).ended(0)?;
        serde_json::from_str(&ran.stdout).map_err(|error| format!("kubectl get {arguments:?}: {error}"))
    }
}

/// Runs a command to its end with its output kept.
///
/// # Panics
/// Where the program can not be started at all.
pub fn ran(mut command: Command) -> Ran {
    let began = Instant::now();
    match command.output() {
        Ok(output) => Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        },
        Err(error) => {
            Ran { code: -1, stdout: String::new(), stderr: error.to_string(), took: began.elapsed() }
        }
    }
}

/// SIGKILL to a process that the tests started (by way of the binary).
///
/// # Errors
/// `kill`'s own words.
pub fn kill(pid: u64) -> Result<(), String> {
    let mut command = Command::new("kill");
    command.args(["-KILL", &pid.to_string()]);
    ran(command).ended(0).map(drop)
}

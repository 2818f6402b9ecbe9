//! mariadbd as a child: its files, its arguments, its life. No decisions here.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};

use super::grastate::{self, Grastate};
use super::settings::{Places, Settings};
use super::state::Member;
use crate::pod::{Error, Result};

const GALERA: &str = "/usr/lib/galera/libgalera_smm.so";
/// The account that owns the data where the agent runs as root.
const OWNER: &str = "mysql";

/// How the server is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Single,
    /// The first of a Galera cluster.
    Found,
    Join,
}

/// What the volume holds.
pub fn inspect(places: &Places) -> Member {
    let data = places.data.join("mysql").is_dir() && !places.unfinished().exists();
    let alone = data && places.alone().exists();
    let state = fs::read_to_string(places.grastate()).map(|t| grastate::parse(&t)).unwrap_or_default();
    let state = if data { state } else { Grastate::default() };
    Member {
        data,
        alone,
        uuid: state.uuid,
        seqno: state.seqno,
        safe_to_bootstrap: state.safe_to_bootstrap,
        ..Member::default()
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn as_owner(command: &mut Command) {
    if is_root() {
        command.arg(format!("--user={OWNER}"));
    }
}

/// Makes the system tables. What an earlier try left unfinished goes first.
pub async fn install(places: &Places) -> Result<()> {
    let io = |what: &str| Error::io(format!("cannot {what} {}", places.data.display()));
    if places.unfinished().exists() {
        clear(&places.data).map_err(io("clear"))?;
    }
    fs::write(places.unfinished(), "").map_err(io("write to"))?;
    if is_root()
        && let Ok(Some(owner)) = nix::unistd::User::from_name(OWNER)
    {
        nix::unistd::chown(&places.data, Some(owner.uid), Some(owner.gid))
            .map_err(|e| Error::Failed(format!("cannot hand over {}: {e}", places.data.display())))?;
    }
    let name = if is_root() { OWNER.to_owned() } else { own_name()? };
    let mut command = Command::new("mariadb-install-db");
    command
        .arg(format!("--datadir={}", places.data.display()))
        .args(["--skip-test-db", "--auth-root-authentication-method=socket"])
        .arg(format!("--auth-root-socket-user={name}"))
        .stdin(Stdio::null());
    as_owner(&mut command);
    let output = command.output().await.map_err(Error::io("cannot run mariadb-install-db"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { said };
        let last: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
        return Err(Error::Failed(format!(
            "mariadb-install-db failed ({}): {}",
            output.status,
            last[last.len().saturating_sub(4)..].join(" / ")
        )));
    }
    Ok(())
}

/// Called once the accounts are set: from now on the data counts.
pub fn installed(places: &Places) -> Result<()> {
    match fs::remove_file(places.unfinished()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("cannot finish the installation")(e))
        }
        _ => Ok(()),
    }
}

fn own_name() -> Result<String> {
    let uid = nix::unistd::geteuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(Error::Failed(format!(
            "user {uid} has no name in /etc/passwd, and MariaDB knows local users by name: run the container as the image's user {OWNER}"
        ))),
    }
}

/// Empties a folder but for what file systems put there.
fn clear(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == "lost+found" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Puts Galera's own notes into the state that the mode needs.
pub fn prepare(places: &Places, mode: Mode) -> Result<()> {
    let file = places.grastate();
    let alone = places.alone();
    let gone = |path: &Path| match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    };
    let done = match mode {
        // From here on Galera's position is out of date: it goes, and a mark says so.
        Mode::Single => fs::write(&alone, "").and_then(|()| gone(&file)),
        Mode::Found => {
            let text = fs::read_to_string(&file).ok().filter(|_| !alone.exists());
            fs::write(&file, grastate::allow_bootstrap(text.as_deref()))
        }
        Mode::Join => gone(&alone),
    };
    done.map_err(Error::io(format!("cannot write to {}", places.data.display())))
}

/// Galera vouches for the last server of any component, of one without a quorum, too: others may have newer data.
pub fn ended_apart(places: &Places) -> Result<()> {
    let file = places.grastate();
    match fs::read_to_string(&file) {
        Ok(text) => fs::write(&file, grastate::refuse_bootstrap(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(Error::io(format!("cannot write to {}", places.data.display())))
}

/// After a cluster was founded its positions count again.
pub fn founded(places: &Places) {
    let _ = fs::remove_file(places.alone());
}

/// Where Galera says how far a crashed member's data goes.
pub async fn recover(settings: &Settings) -> Result<(Option<String>, Option<i64>)> {
    // The options of a member, so that all it needs to read its data is as it will be; nothing connects.
    write_options(settings, Mode::Join)?;
    let mut command = Command::new("mariadbd");
    command
        .arg(format!("--defaults-extra-file={}", settings.places.settings().display()))
        .arg(format!("--socket={}", settings.places.run.join("recover.sock").display()))
        .arg(format!("--pid-file={}", settings.places.run.join("recover.pid").display()))
        .args(["--skip-networking", "--wsrep-recover", "--disable-log-error"])
        .stdin(Stdio::null());
    let output = command.output().await.map_err(Error::io("cannot run mariadbd --wsrep-recover"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    grastate::recovered(&said).ok_or_else(|| {
        let last: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
        Error::Failed(format!(
            "mariadbd --wsrep-recover found no position ({}): {}",
            output.status,
            last[last.len().saturating_sub(4)..].join(" / ")
        ))
    })
}

pub struct Server {
    child: Child,
    pid: Pid,
}

/// What mariadbd tells its supervisor (systemd's protocol), where it was built with it.
pub struct Notices(Option<UnixDatagram>);

impl Server {
    pub fn start(settings: &Settings, mode: Mode) -> Result<(Self, Notices)> {
        let places = &settings.places;
        write_options(settings, mode)?;
        let socket = places.run.join("notify");
        let _ = fs::remove_file(&socket);
        let notices = UnixDatagram::bind(&socket).ok();
        if is_root() {
            let _ = fs::set_permissions(&socket, fs::Permissions::from_mode(0o666));
        }
        let mut command = Command::new("mariadbd");
        command.arg(format!("--defaults-extra-file={}", places.settings().display()));
        if mode == Mode::Found {
            command.arg("--wsrep-new-cluster");
        }
        command.env("NOTIFY_SOCKET", &socket).stdin(Stdio::null());
        let child = command.spawn().map_err(Error::io("cannot run mariadbd (is this MariaDB's image?)"))?;
        let pid = Pid::from_raw(child.id().unwrap_or_default() as i32);
        Ok((Self { child, pid }, Notices(notices)))
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.map_err(Error::io("lost sight of mariadbd"))
    }
}

impl Notices {
    /// The next thing that is told, e.g. `READY=1`; waits for ever where nothing is.
    pub async fn next(&self) -> String {
        let mut buffer = [0_u8; 1024];
        match &self.0 {
            None => std::future::pending().await,
            Some(socket) => match socket.recv(&mut buffer).await {
                Ok(length) => String::from_utf8_lossy(&buffer[..length]).into_owned(),
                Err(_) => std::future::pending().await,
            },
        }
    }
}

pub fn stop(server: Pid) {
    let _ = kill(server, Signal::SIGTERM);
}

/// Reaps what mariadbd's helpers leave to us as process 1. Children that others wait for are left alone.
pub fn reap_orphans(server: Pid) {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) = waitid(Id::All, flags) {
        // The next in line is one that is waited for: it goes first, orphans come with the next call.
        if pid == server || is_ours(pid) {
            return;
        }
        let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
    }
}

/// Clients that this program runs itself.
fn is_ours(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .is_ok_and(|c| c.starts_with("mariadb") || c.starts_with("landfall"))
}

/// mariadbd's options, all in a private file: the scripts of state transfer hand arguments on to programs
/// that do not know them, and secrets would show in process lists.
fn options(
    settings: &Settings,
    mode: Mode,
    galera: bool,
    mariabackup: bool,
) -> Vec<(String, Option<String>)> {
    let places = &settings.places;
    let mut options: Vec<(String, Option<String>)> = Vec::new();
    let mut set = |name: &str, value: String| options.push((name.to_owned(), Some(value)));
    set("datadir", places.data.display().to_string());
    set("socket", places.socket().display().to_string());
    set("pid_file", places.run.join("mariadbd.pid").display().to_string());
    set("bind_address", settings.bind_address.clone());
    if is_root() {
        set("user", OWNER.to_owned());
    }
    if mode == Mode::Single {
        set("wsrep_on", "OFF".to_owned());
        if galera {
            set("wsrep_provider", "none".to_owned());
        }
    } else {
        let port = settings.wsrep_port;
        let members: Vec<String> =
            settings.members().iter().map(|m| format!("{}:{port}", settings.host(m))).collect();
        let method = settings
            .sst_method
            .clone()
            .unwrap_or_else(|| if mariabackup { "mariabackup" } else { "rsync" }.to_owned());
        let account = match &settings.sst {
            Some(sst) => format!("{}:{}", sst.user, sst.password),
            // By the unix socket, as the user that mariadbd runs as.
            None => format!("{}:", if is_root() { OWNER.to_owned() } else { own_name().unwrap_or_default() }),
        };
        set("wsrep_on", "ON".to_owned());
        set("wsrep_provider", GALERA.to_owned());
        // Who does not answer is left out after ten seconds. That all agree on it may take longer on a busy machine:
        // members that give up agreeing part without a quorum.
        let evs = "evs.suspect_timeout=PT10S;evs.inactive_timeout=PT30S;evs.install_timeout=PT30S";
        set(
            "wsrep_provider_options",
            format!("gmcast.listen_addr=tcp://0.0.0.0:{port};{evs};gmcast.peer_timeout=PT10S"),
        );
        set("wsrep_cluster_name", settings.prefix.clone());
        set("wsrep_cluster_address", format!("gcomm://{}", members.join(",")));
        set("wsrep_node_address", format!("{}:{port}", settings.ip));
        set("wsrep_node_name", settings.me.clone());
        set("wsrep_sst_method", method);
        set("wsrep_sst_auth", account);
        set("binlog_format", "ROW".to_owned());
        set("default_storage_engine", "InnoDB".to_owned());
        set("innodb_autoinc_lock_mode", "2".to_owned());
    }
    options.push(("skip_name_resolve".to_owned(), None));
    for word in &settings.extra {
        let word = word.trim_start_matches('-');
        options.push(match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        });
    }
    options
}

/// The option file's text; values in quotes, since `#` would begin a comment.
fn option_file(options: &[(String, Option<String>)]) -> String {
    let mut text = "[mysqld]\n".to_owned();
    for (name, value) in options {
        match value {
            None => text.push_str(&format!("{name}\n")),
            Some(value) => {
                text.push_str(&format!("{name}=\"{}\"\n", value.replace('\\', "\\\\").replace('"', "\\\"")));
            }
        }
    }
    text
}

fn has_mariabackup() -> bool {
    ["/usr/bin/mariadb-backup", "/usr/bin/mariabackup"].iter().any(|p| Path::new(p).exists())
}

fn write_options(settings: &Settings, mode: Mode) -> Result<()> {
    let path: PathBuf = settings.places.settings();
    let text = option_file(&options(settings, mode, Path::new(GALERA).exists(), has_mariabackup()));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&settings.places.run)?;
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        if is_root()
            && let Ok(Some(owner)) = nix::unistd::User::from_name(OWNER)
        {
            nix::unistd::chown(&path, Some(owner.uid), Some(owner.gid))?;
            nix::unistd::chown(&settings.places.run, Some(owner.uid), Some(owner.gid))?;
        }
        Ok(())
    };
    write().map_err(Error::io(format!(
        "cannot write {} (MARIADB_RUN_DIR must be an emptyDir that {OWNER} may write)",
        path.display()
    )))
}

/// Runs SQL by the local socket; answers the rows, tab-separated. The SQL never shows in a process list.
pub async fn sql(places: &Places, text: &str) -> std::result::Result<String, String> {
    let mut child = Command::new("mariadb")
        .args(["--no-defaults", "--protocol=socket", "--skip-column-names", "--batch", "--connect-timeout=3"])
        .arg(format!("--socket={}", places.socket().display()))
        .env("MYSQL_HISTFILE", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("cannot run the client mariadb: {e}"))?;
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(text.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // The client names the statement's place, never its text.
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Brings the system tables of an older version up to date; nothing to do is quick.
pub async fn upgrade(places: &Places) -> std::result::Result<bool, String> {
    let run = |args: Vec<String>| async move {
        let mut command = Command::new("mariadb-upgrade");
        command
            .args(args)
            .arg("--protocol=socket")
            .arg(format!("--socket={}", places.socket().display()))
            .stdin(Stdio::null());
        command.output().await.map_err(|e| format!("cannot run mariadb-upgrade: {e}"))
    };
    let needed = run(vec![
        "--no-defaults".to_owned(),
        "--check-if-upgrade-is-needed".to_owned(),
        "--silent".to_owned(),
    ])
    .await?;
    if !needed.status.success() {
        return Ok(false);
    }
    let done = run(vec!["--no-defaults".to_owned(), "--skip-write-binlog".to_owned(), "--silent".to_owned()])
        .await?;
    if done.status.success() {
        Ok(true)
    } else {
        Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::settings::Account;
    use super::*;

    fn settings(dir: &Path, replicas: usize) -> Settings {
        Settings {
            places: Places { data: dir.join("data"), run: dir.join("run"), replicas },
            me: "mariadb-server-1".into(),
            namespace: "openstack".into(),
            prefix: "mariadb-server".into(),
            ip: "10.0.0.2".into(),
            discovery: "mariadb-discovery.openstack.svc".into(),
            wsrep_port: 4567,
            config_map: "state".into(),
            leader_ttl: 60,
            admin: Account { user: "root".into(), password: "s3cret".into() },
            sst: Some(Account { user: "sst".into(), password: "t0psecret".into() }),
            audit: None,
            sst_method: None,
            bind_address: "0.0.0.0".into(),
            ephemeral: false,
            extra: vec!["--max-connections=100".into()],
        }
    }

    #[test]
    fn one_server_runs_without_galera() {
        let text = option_file(&options(&settings(Path::new("/x"), 1), Mode::Single, true, true));
        assert!(text.contains("wsrep_on=\"OFF\"") && text.contains("wsrep_provider=\"none\""));
        assert!(text.contains("max-connections=\"100\""), "what the chart adds comes last");
        assert!(!text.contains("gcomm") && !text.contains("wsrep_sst_auth"));
    }

    #[test]
    fn members_of_a_cluster_know_each_other() {
        let text = option_file(&options(&settings(Path::new("/x"), 3), Mode::Join, true, false));
        assert!(text.contains("wsrep_cluster_address=\"gcomm://mariadb-server-0.mariadb-discovery.openstack.svc:4567,mariadb-server-1."), "{text}");
        assert!(text.contains("wsrep_sst_method=\"rsync\""));
    }

    #[test]
    fn values_survive_the_option_file() {
        let text = option_file(&[("a".into(), Some("x#y\"z\\".into())), ("flag".into(), None)]);
        assert_eq!(text, "[mysqld]\na=\"x#y\\\"z\\\\\"\nflag\n");
    }

    #[test]
    fn passwords_are_in_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path(), 3);
        write_options(&settings, Mode::Found).unwrap();
        let file = settings.places.settings();
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("sst:t0psecret") && !text.contains("s3cret"),
            "the administrator's goes by SQL"
        );
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn data_counts_only_when_the_installation_was_finished() {
        let dir = tempfile::tempdir().unwrap();
        let places = settings(dir.path(), 1).places;
        fs::create_dir_all(places.data.join("mysql")).unwrap();
        fs::write(places.unfinished(), "").unwrap();
        assert!(!inspect(&places).data);
        installed(&places).unwrap();
        installed(&places).unwrap();
        assert!(inspect(&places).data);
    }

    #[test]
    fn data_written_alone_loses_its_position_until_a_cluster_is_founded() {
        let dir = tempfile::tempdir().unwrap();
        let places = settings(dir.path(), 3).places;
        fs::create_dir_all(places.data.join("mysql")).unwrap();
        fs::write(places.grastate(), "uuid:    6c2b\nseqno:   42\nsafe_to_bootstrap: 0\n").unwrap();
        assert_eq!(inspect(&places).seqno, Some(42));
        prepare(&places, Mode::Single).unwrap();
        let alone = inspect(&places);
        assert!(alone.alone && alone.uuid.is_none());
        prepare(&places, Mode::Found).unwrap();
        assert!(inspect(&places).alone, "until the server is up");
        founded(&places);
        let founder = inspect(&places);
        assert!(!founder.alone && founder.safe_to_bootstrap);
    }

    #[test]
    fn clearing_leaves_the_file_systems_own_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lost+found", "mysql"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("ibdata1"), "x").unwrap();
        clear(dir.path()).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["lost+found"]);
    }
}

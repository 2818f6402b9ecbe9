//! The switch's database: made where there is none, brought to the schema of this version, and set aside where it can
//! not be read. Nothing in it is worth keeping over a reboot: all of it is made anew by the agents.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::{state, tool};
use crate::pod::{Error, Result, say};

const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";

pub async fn run() -> Result<u8> {
    let dir = state::dir();
    fs::create_dir_all(&dir).map_err(Error::io(format!("cannot make {}", dir.display())))?;
    let file = dir.join("conf.db");
    prepare(&file).await?;
    let at = |name: &str| dir.join(name).display().to_string();
    let error = Command::new("ovsdb-server")
        .arg(&file)
        .arg(format!("--remote=punix:{}", at("db.sock")))
        .arg(format!("--pidfile={}", at("ovsdb-server.pid")))
        .arg(format!("--unixctl={}", at("ovsdb-server.ctl")))
        .args(["-vconsole:info", "-vfile:off", "-vsyslog:off"])
        .exec();
    Err(Error::io("cannot run ovsdb-server")(error))
}

async fn prepare(file: &Path) -> Result<()> {
    if file.exists() {
        match tool::run("ovsdb-tool", &["needs-conversion".as_ref(), file.as_os_str(), SCHEMA.as_ref()]).await
        {
            Ok(answer) if answer == "no" => return Ok(()),
            Ok(_) => {
                say("the database is of another version: converting it");
                tool::run("ovsdb-tool", &["convert".as_ref(), file.as_os_str(), SCHEMA.as_ref()]).await?;
                return Ok(());
            }
            Err(error) => {
                let aside = file.with_extension("db.broken");
                say(&format!("{error}: moving it to {} and making a new one", aside.display()));
                fs::rename(file, &aside).map_err(Error::io(format!("cannot move {}", file.display())))?;
            }
        }
    }
    // A half-made one must not be taken for a whole one later.
    let fresh = file.with_extension("db.new");
    let _ = fs::remove_file(&fresh);
    tool::run("ovsdb-tool", &["create".as_ref(), fresh.as_os_str(), SCHEMA.as_ref()]).await?;
    fs::rename(&fresh, file).map_err(Error::io(format!("cannot make {}", file.display())))
}

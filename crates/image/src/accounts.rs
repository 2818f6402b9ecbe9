//! The account files of a tree: users with fixed numbers, made before any package
//! that would take whatever number is free.

use std::path::Path;

use crate::error::{IoContext, Result};
use crate::recipe::User;

/// Day of the last password change, as useradd would write today's (days since 1970).
const CHANGED: &str = "20309";

pub(crate) fn add(root: &Path, users: &[User]) -> Result<()> {
    for user in users.iter().filter(|user| !user.existing) {
        let (name, uid, gid) = (&user.name, user.uid, user.gid());
        append(root, "etc/group", name, &format!("{name}:x:{gid}:"))?;
        append(root, "etc/gshadow", name, &format!("{name}:!::"))?;
        append(
            root,
            "etc/passwd",
            name,
            &format!("{name}:x:{uid}:{gid}:{name}:{}:{}", user.home, user.shell),
        )?;
        append(root, "etc/shadow", name, &format!("{name}:!:{CHANGED}::::::"))?;
    }
    Ok(())
}

/// Only to files that the tree has, so that no file gets other rights than Debian's.
fn append(root: &Path, file: &str, name: &str, line: &str) -> Result<()> {
    let path = root.join(file);
    let Ok(mut text) = std::fs::read_to_string(&path) else { return Ok(()) };
    if text.lines().any(|l| l.split(':').next() == Some(name)) {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    std::fs::write(&path, text).on("write", &path)
}

/// Accounts that packages made carry the day of the build: settle it.
pub(crate) fn settle_dates(root: &Path) -> Result<()> {
    let path = root.join("etc/shadow");
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
    let settled = settled(&text);
    if settled != text {
        std::fs::write(&path, settled).on("write", &path)?;
    }
    Ok(())
}

fn settled(shadow: &str) -> String {
    let lines = shadow.lines().map(|line| {
        let mut fields: Vec<&str> = line.split(':').collect();
        if fields.len() > 2 {
            fields[2] = CHANGED;
        }
        fields.join(":") + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn user(name: &str, uid: u32) -> User {
        toml::from_str(&format!("name = \"{name}\"\nuid = {uid}")).unwrap()
    }

    #[test]
    fn a_user_is_added_once_and_only_to_files_that_are_there() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
        std::fs::write(root.path().join("etc/group"), "root:x:0:").unwrap();
        for _ in 0..2 {
            add(root.path(), &[user("mysql", 999)]).unwrap();
        }
        let passwd = std::fs::read_to_string(root.path().join("etc/passwd")).unwrap();
        assert!(passwd.ends_with("\nmysql:x:999:999:mysql:/nonexistent:/usr/sbin/nologin\n"));
        assert_eq!(
            std::fs::read_to_string(root.path().join("etc/group")).unwrap(),
            "root:x:0:\nmysql:x:999:\n"
        );
        assert!(!root.path().join("etc/shadow").exists());
    }

    #[test]
    fn shadow_dates_do_not_tell_the_day_of_the_build() {
        assert_eq!(
            settled("a:!:20777::::::\nb:*:1:0:99999:7:::\n"),
            "a:!:20309::::::\nb:*:20309:0:99999:7:::\n"
        );
    }
}

//! A component's log file, cut in time: at the limit it becomes `.1`, what was `.1` becomes `.2`, and so on.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const LIMIT: u64 = 8 << 20;
const KEPT: u32 = 2;

pub(crate) struct RotatingLog {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl RotatingLog {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::with_limit(path, LIMIT)
    }

    fn with_limit(path: &Path, limit: u64) -> Result<Self> {
        let file = append_to(path).map_err(Error::file("opening the log", path))?;
        let size = file.metadata().map_err(Error::file("reading", path))?.len();
        Ok(Self { path: path.to_path_buf(), file, size, limit })
    }

    /// A line of the supervisor's own, with the time before it.
    pub(crate) fn line(&mut self, text: &str) {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        self.write(format!("{now} {text}\n").as_bytes());
    }

    /// Writes bytes as they came. A full disk loses log lines; it must not stop a component.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if self.size > 0 && self.size + bytes.len() as u64 > self.limit {
            self.rotate();
        }
        if self.file.write_all(bytes).is_ok() {
            self.size += bytes.len() as u64;
        }
    }

    fn rotate(&mut self) {
        for number in (1..KEPT).rev() {
            let _ = std::fs::rename(self.numbered(number), self.numbered(number + 1));
        }
        let _ = std::fs::rename(&self.path, self.numbered(1));
        if let Ok(file) = append_to(&self.path) {
            self.file = file;
            self.size = 0;
        }
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_full_log_makes_room_and_keeps_what_came_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("etcd.log");
        let mut log = RotatingLog::with_limit(&path, 10).unwrap();
        for text in ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"] {
            log.write(text.as_bytes());
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "dddddddd");
        assert_eq!(std::fs::read_to_string(dir.path().join("etcd.log.1")).unwrap(), "cccccccc");
        assert_eq!(std::fs::read_to_string(dir.path().join("etcd.log.2")).unwrap(), "bbbbbbbb");
        assert!(!dir.path().join("etcd.log.3").exists());
    }

    #[test]
    fn a_reopened_log_goes_on_where_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        RotatingLog::with_limit(&path, 10).unwrap().write(b"12345678");
        RotatingLog::with_limit(&path, 10).unwrap().write(b"abc");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "abc");
        assert_eq!(std::fs::read_to_string(dir.path().join("x.log.1")).unwrap(), "12345678");
    }
}

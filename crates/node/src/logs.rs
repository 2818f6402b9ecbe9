//! The logs of a node's components. They are on the real disk: a node need not run for them to be read.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::cluster::Cluster;
use crate::error::{Error, Result};

/// How much of a log an error shows.
const TAIL_LINES: usize = 8;
const TAIL_BYTES: u64 = 8 << 10;

impl Cluster {
    /// The components of a node that have a log, `supervisor` among them.
    pub fn logged(&self, node: &str) -> Result<Vec<String>> {
        self.check_node(node)?;
        let dir = self.layout.node(node).component_logs();
        let mut names: Vec<String> = std::fs::read_dir(&dir)
            .map_err(Error::file("reading", &dir))?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".log").map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// The file that a component logs to now; older parts are beside it, as `.1` and `.2`.
    pub fn log_file(&self, node: &str, component: &str) -> Result<PathBuf> {
        let known = self.logged(node)?;
        if !known.iter().any(|name| name == component) {
            return Err(Error::NoComponent {
                node: node.to_owned(),
                component: component.to_owned(),
                known: known.join(", "),
            });
        }
        Ok(self.layout.node(node).component_logs().join(format!("{component}.log")))
    }

    /// Copies a component's log to `out`; with `follow` it goes on until the future is dropped.
    pub async fn logs(
        &self,
        node: &str,
        component: &str,
        follow: bool,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<()> {
        let path = self.log_file(node, component)?;
        let mut watch = if follow { Some(Changes::of(&path)?) } else { None };
        let open = || tokio::fs::File::open(&path);
        let mut file = open().await.map_err(Error::file("opening", &path))?;
        loop {
            let failed = "reading";
            let mut buffer = vec![0_u8; 64 << 10];
            loop {
                let length = file.read(&mut buffer).await.map_err(Error::file(failed, &path))?;
                if length == 0 {
                    break;
                }
                out.write_all(&buffer[..length]).await.map_err(Error::file("copying", &path))?;
            }
            out.flush().await.map_err(Error::file("copying", &path))?;
            let Some(watch) = &mut watch else { return Ok(()) };
            watch.next().await?;
            if replaced(&mut file, &path).await {
                // What came last in the old file has been read; the new one begins at its beginning.
                file = open().await.map_err(Error::file("opening", &path))?;
            }
        }
    }
}

/// Whether the log was rotated since `file` was opened, and `file` has been read to its end.
async fn replaced(file: &mut tokio::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(held), Ok(named)) = (file.metadata().await, tokio::fs::metadata(path).await) else {
        return false;
    };
    let at = file.stream_position().await.unwrap_or(0);
    held.ino() != named.ino() && at >= held.len()
}

/// Tells of changes in a log's folder.
struct Changes(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

impl Changes {
    fn of(path: &Path) -> Result<Self> {
        use rustix::fs::inotify;
        let failed = || Error::file("watching", path);
        let dir = path.parent().unwrap_or(path);
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let descriptor = inotify::init(flags).map_err(|errno| failed()(errno.into()))?;
        let events =
            inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        inotify::add_watch(&descriptor, dir, events).map_err(|errno| failed()(errno.into()))?;
        Ok(Self(crate::descriptor::readable(descriptor).map_err(failed())?))
    }

    /// Waits for a change, and forgets all that have come until now.
    async fn next(&mut self) -> Result<()> {
        let mut guard = self.0.readable().await.map_err(Error::system("watching a log"))?;
        let mut buffer = [0_u8; 4096];
        while rustix::io::read(guard.get_inner(), &mut buffer).is_ok_and(|length| length > 0) {}
        guard.clear_ready();
        Ok(())
    }
}

/// The last lines of a log, for an error.
pub(crate) fn tail_of(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_else(|error| format!("({}: {error})", path.display()));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .fold(String::new(), |text, line| text + "  " + line + "\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_error_shows_only_the_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        std::fs::write(&path, (1..=100).fold(String::new(), |text, n| format!("{text}line {n}\n"))).unwrap();
        let tail = tail_of(&path);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("  line 100\n"), "{tail}");
        assert!(tail_of(&dir.path().join("none")).contains("none"));
    }
}

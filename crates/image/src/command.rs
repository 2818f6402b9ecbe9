//! Runs a program with its output in a log file, and tells the end of that log when it fails.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, IoContext, Result};

/// Lines of a failed command's output that go into the message.
const TAIL: usize = 20;

/// `what` is for the message. `line` sees every line while the command runs.
pub(crate) fn run(what: &str, mut command: Command, log: &Path, line: &mut dyn FnMut(&str)) -> Result<()> {
    let (reader, writer) = std::io::pipe().on("make a pipe for", log)?;
    let both = writer.try_clone().on("make a pipe for", log)?;
    let mut file = File::options().create(true).append(true).open(log).on("write", log)?;
    let program = command.get_program().to_owned();
    let spawned = command.stdin(Stdio::null()).stdout(writer).stderr(both).spawn();
    // The command holds the pipe's write ends; without this the loop below would never see its end.
    drop(command);
    let mut child = spawned.on("run", Path::new(&program))?;

    let mut tail = std::collections::VecDeque::with_capacity(TAIL);
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).on("read the output of", Path::new(&program))? == 0 {
            break;
        }
        std::io::Write::write_all(&mut file, &bytes).on("write", log)?;
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        line(&text);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text);
    }
    let status = child.wait().on("wait for", Path::new(&program))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Command {
        what: what.to_owned(),
        status: status.to_string(),
        tail: tail.into_iter().collect::<Vec<_>>().join("\n"),
        log: log.to_path_buf(),
    })
}

/// The end of a log, for a message.
pub(crate) fn tail_of(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Standard output of a short command, or nothing if it cannot be run or fails.
pub(crate) fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a program is, by PATH as `execvp` looks for it.
pub(crate) fn exists(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v -- \"$0\"", program])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failure_shows_the_end_of_the_output() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "seq 30; echo broken >&2; exit 3"]);
        let mut lines = 0;
        let error = run("the trial", command, &dir.path().join("log"), &mut |_| lines += 1).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("the trial failed (exit status: 3)"), "{said}");
        assert!(said.contains("broken") && said.contains("\n30\n") && !said.contains("\n5\n"), "{said}");
        assert_eq!(lines, 31);
    }

    #[test]
    fn programs_are_found_by_path() {
        assert!(exists("sh"));
        assert!(!exists("landfall-no-such-program"));
    }
}

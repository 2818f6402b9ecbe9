//! Real Helm, asked over a pipe: `landfall-oracle`, which `landfall images bundle --oracle` builds.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::Result;

/// What Helm answers: the text of `helm template` with hooks and notes, or the words of its error.
pub type Answer = std::result::Result<Vec<u8>, String>;

/// A running oracle. It ends with its input, hence with this value.
pub struct Oracle {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    pub fn start(program: &Path) -> Result<Self> {
        let failed = |error| format!("{}: {error}", program.display());
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the oracle has no output")?;
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// A chart with values files, as `helm template rel CHART -n ns` renders it.
    pub fn chart(&mut self, chart: &Path, files: &[PathBuf]) -> Result<Answer> {
        self.ask(&json!({"do": "chart", "chart": chart, "files": files}))
    }

    pub fn ask(&mut self, question: &Value) -> Result<Answer> {
        let input = self.input.as_mut().ok_or("the oracle has ended")?;
        writeln!(input, "{question}").map_err(|error| format!("the oracle does not listen: {error}"))?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&line)
            .map_err(|error| format!("the oracle ended while it was asked {question}: {error}"))?;
        Ok(match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(base64::engine::general_purpose::STANDARD
                .decode(answer["output"].as_str().unwrap_or_default())
                .map_err(|error| format!("the oracle's answer is no base64: {error}"))?),
        })
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The newest program of that name among those that the bundle has built.
pub fn built(name: &str) -> Result<PathBuf> {
    let variable = format!("LANDFALL_{}", name.trim_start_matches("landfall-").to_uppercase());
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let cache = std::env::var_os("LANDFALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/landfall")))
        .ok_or("neither LANDFALL_CACHE nor HOME is set")?;
    let folders = std::fs::read_dir(cache.join("bin")).into_iter().flatten().flatten();
    folders
        .map(|entry| entry.path().join(name))
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok())
        .ok_or_else(|| format!("{name} is not built yet: `landfall images bundle --oracle` builds it"))
}

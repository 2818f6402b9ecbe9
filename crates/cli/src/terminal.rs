//! stdout for data, stderr for status, and questions where there is somebody to answer.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use landfall_display::say;
use rustix::termios::{self, LocalModes, OptionalActions};
use serde::Serialize;

use crate::Session;
use crate::args::Output;
use crate::exit::{Exit, Failure, Result};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// A line of status.
pub(crate) fn tell(line: &str) {
    // Nothing can be done where stderr is gone.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Data. A reader that went away (`| head`) is no failure.
pub(crate) fn give(text: &str) {
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') && !text.is_empty() {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Data to the letter: no line break is added.
pub(crate) fn give_as_is(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Data with one item a line.
pub(crate) fn lines<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) {
    give(&items.into_iter().fold(String::new(), |text, item| text + &item.to_string() + "\n"));
}

/// Data in the form that programs read: YAML where it is asked for, else JSON.
pub(crate) fn data(output: Output, data: &impl Serialize) -> Result {
    let text = match output {
        Output::Yaml => yaml(data)?,
        _ => serde_json::to_string_pretty(data)
            .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
    };
    give(&text);
    Ok(())
}

/// One YAML document.
pub(crate) fn yaml(data: &impl Serialize) -> Result<String> {
    serde_saphyr::to_string(data).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))
}

/// Status that changes: at a terminal one line that is written over, elsewhere a line each time.
#[derive(Debug)]
pub(crate) struct Line {
    live: bool,
    /// Something stands in the line and must go first.
    written: bool,
}

impl Line {
    pub(crate) fn new(session: &Session) -> Self {
        Self { live: std::io::stderr().is_terminal() && !session.environment.ci, written: false }
    }

    /// Holds until the next.
    pub(crate) fn passing(&mut self, text: &str) {
        if !self.live {
            return tell(text);
        }
        // A line that wraps could not be taken back.
        let text: String = text.chars().take(width() - 1).collect();
        let mut err = std::io::stderr();
        let _ = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
        self.written = true;
    }

    /// As [`passing`](Self::passing), but not worth a line of its own.
    pub(crate) fn fleeting(&mut self, text: &str) {
        if self.live {
            self.passing(text);
        }
    }

    /// Stays.
    pub(crate) fn lasting(&mut self, text: &str) {
        self.clear();
        tell(text);
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.written) {
            let mut err = std::io::stderr();
            let _ = err.write_all(b"\r\x1b[K").and_then(|()| err.flush());
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

pub(crate) fn fail(session: &Session, failure: &Failure) {
    if failure.silent {
        return;
    }
    tell(&format!("{ERROR}error:{ERROR:#} {}", say(&failure.message, session.language())));
    if let Some(hint) = &failure.hint {
        tell(&format!("{HINT}hint:{HINT:#} {}", say(hint, session.language())));
    }
}

pub(crate) fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a yes. Without a terminal the answer is no, and `--yes` is what says otherwise.
pub(crate) fn confirm(session: &Session, question: &str) -> Result {
    if session.global.yes {
        return Ok(());
    }
    if !interactive() {
        return Err(Failure::told(
            Exit::NotConfirmed,
            format!("not confirmed: {question}"),
            format!("확인되지 않았습니다: {question}"),
        )
        .hint(
            "there is no terminal to ask at; --yes confirms",
            "물어볼 터미널이 없습니다. --yes로 확인할 수 있습니다",
        ));
    }
    match ask(&format!("{question} [y/N] "))?.as_str() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::told(
            Exit::NotConfirmed,
            "not confirmed; nothing was changed",
            "확인되지 않아 아무것도 바꾸지 않았습니다",
        )),
    }
}

/// Asks for a line of text.
pub(crate) fn ask(question: &str) -> Result<String> {
    put(question)?;
    Ok(answer().map_err(no_answer)?.trim().to_owned())
}

/// Asks for a line of text that does not show as it is typed.
pub(crate) async fn ask_unseen(question: &str) -> Result<String> {
    let failed = |errno: rustix::io::Errno| no_answer(errno.into());
    put(question)?;
    let shown = termios::tcgetattr(std::io::stdin()).map_err(failed)?;
    let mut unseen = shown.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    unseen.local_modes.insert(LocalModes::ECHONL);
    termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen).map_err(failed)?;
    // A terminal that went on without echo would seem dead to whoever stops here.
    let answered = tokio::select! {
        answered = tokio::task::spawn_blocking(answer) => Some(answered),
        _ = tokio::signal::ctrl_c() => None,
    };
    termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, &shown).map_err(failed)?;
    match answered {
        Some(answered) => {
            let line = answered.map_err(std::io::Error::other).and_then(|line| line).map_err(no_answer)?;
            Ok(line.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => Err(Failure::told(Exit::Stopped, "stopped by Ctrl-C", "Ctrl-C로 멈췄습니다")),
    }
}

fn put(question: &str) -> Result {
    let mut err = anstream::stderr();
    write!(err, "{question}").and_then(|()| err.flush()).map_err(no_answer)
}

fn answer() -> std::io::Result<String> {
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map(|_| answer)
}

fn no_answer(error: std::io::Error) -> Failure {
    Failure::told(
        Exit::Unexpected,
        format!("no answer could be read: {error}"),
        format!("답을 읽을 수 없습니다: {error}"),
    )
}

/// Columns of the terminal, or 80.
pub(crate) fn width() -> usize {
    termios::tcgetwinsize(std::io::stderr())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 20)
        .unwrap_or(80)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn yaml_read_again_is_the_same_data() {
        let nasty = json!({
            "words": ["true", "no", "null", "~", "1", "1.5", "0x1f", "1e3", "2026-11-23", "", " x ", "a: b", "- a",
                      "#x", "x #y", "*x", "&x", "!x", "%x", "@x", "`x", "'", "\"", "{", "[", "한국어", "\t"],
            "text": "one\ntwo\n", "open": "one\n\n two", "trailing": "x\n\n",
            "empty": {"list": [], "map": {}}, "nested": [[1, -2.5, true, null], [{"a": {"b": ["c"]}}]],
            "1": "a key like a number", "a: b": "a key like a pair",
        });
        let text = yaml(&nasty).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, nasty, "{text}");
    }
}

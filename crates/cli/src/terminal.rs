//! stdout for data, stderr for status, and questions where there is somebody to answer.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

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

pub(crate) fn fail(failure: &Failure) {
    if failure.silent {
        return;
    }
    tell(&format!("{ERROR}error:{ERROR:#} {}", failure.message));
    if let Some(hint) = &failure.hint {
        tell(&format!("{HINT}hint:{HINT:#} {hint}"));
    }
}

pub(crate) fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a yes. Without a terminal the answer is no, and `--yes` is what says otherwise.
pub(crate) fn confirm(question: &str, yes: bool) -> Result {
    if yes {
        return Ok(());
    }
    if !interactive() {
        return Err(Failure::new(Exit::NotConfirmed, format!("not confirmed: {question}"))
            .hint("there is no terminal to ask at; --yes confirms"));
    }
    match ask(&format!("{question} [y/N] "))?.as_str() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new(Exit::NotConfirmed, "not confirmed; nothing was changed")),
    }
}

/// Asks for a line of text.
pub(crate) fn ask(question: &str) -> Result<String> {
    let unexpected =
        |error: std::io::Error| Failure::new(Exit::Unexpected, format!("no answer could be read: {error}"));
    let mut err = anstream::stderr();
    write!(err, "{question}").and_then(|()| err.flush()).map_err(unexpected)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(unexpected)?;
    Ok(answer.trim().to_owned())
}

/// Columns of the terminal, or 80.
pub(crate) fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 20)
        .unwrap_or(80)
}

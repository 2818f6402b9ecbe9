//! Errors of templates in Helm's words, with place, source line and hint.

use gotmpl::{Details, Error};

use super::output::NOTES;
use crate::error::{HelmError, TemplateError, line_of};
use crate::functions::unmark;
use crate::yaml::YamlError;

/// A template that does not parse.
pub fn parse_error(file: &str, chart: &str, error: &Error) -> HelmError {
    let text = error.to_string();
    let tokens: Vec<&str> = text.split(": ").collect();
    let message = if tokens.len() < 2 {
        format!("parse error in ({file}): {text}")
    } else {
        format!("parse error at ({}): {}", tokens[1], tokens[tokens.len() - 1])
    };
    let mut failure = describe(file, chart, message, error);
    if let Some(name) = text.split("function \"").nth(1).and_then(|rest| rest.split_once("\" not defined"))
        && failure.hint.is_none()
    {
        failure.hint = Some(format!("Landfall's Helm engine has no function {:?} (yet)", name.0));
    }
    HelmError::Template(Box::new(failure))
}

/// A rendered text that is no UTF-8: no YAML then, but good enough for notes.
pub fn not_utf8(file: &str, bytes: &[u8]) -> Result<String, HelmError> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if file.ends_with(NOTES) {
        return Ok(text);
    }
    let before = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    let error = YamlError::new(line, column, "a byte that is not UTF-8");
    Err(HelmError::Manifest { template: file.to_owned(), text: line_of(&text, line), error })
}

/// A template that fails while it runs.
pub fn exec_error(file: &str, chart: &str, error: &Error) -> HelmError {
    let text = error.to_string();
    let mut parts = text.splitn(3, ": ");
    let message = match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(location), Some(rest)) => match unmark(rest) {
            Some(own) => format!("execution error at ({location}): {own}"),
            None => trace(error).unwrap_or_else(|| text.clone()),
        },
        _ => format!("execution error in ({file}): {text}"),
    };
    HelmError::Template(Box::new(describe(file, chart, message, error)))
}

fn describe(file: &str, chart: &str, message: String, error: &Error) -> TemplateError {
    let root = error.root();
    TemplateError {
        chart: chart.to_owned(),
        template: if root.file.is_empty() { file.to_owned() } else { root.file.clone() },
        line: root.line,
        column: root.column.map_or(0, |column| column + 1),
        message,
        source_line: (root.line > 0).then(|| root.source_line.clone()),
        hint: root.hint.clone(),
    }
}

/// The chain of templates, one place a line. None where a function's own error ends it: Helm prints
/// such errors as they are.
fn trace(error: &Error) -> Option<String> {
    let mut out = String::new();
    let mut last = String::new();
    for details in error.chain() {
        if ends_in_own_words(details) {
            return None;
        }
        let step = step(&details.text)?;
        if step != last {
            out.push_str(&step);
            last = step;
        }
    }
    Some(out.trim().to_owned())
}

/// Whether the error of a function stands between this place and the next, or at the end.
fn ends_in_own_words(details: &Details) -> bool {
    match details.message.strip_prefix("error calling ") {
        None => false,
        Some(rest) => match rest.split_once(": ") {
            Some((_, cause)) => !cause.starts_with("template: "),
            None => true,
        },
    }
}

fn step(text: &str) -> Option<String> {
    let rest = text.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(format!("{text}\n"));
    }
    let cut = |message: &str| message.split(" template:").next().unwrap_or("").to_owned();
    if let Some((location, after)) = rest.split_once(": executing ") {
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (place, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        return Some(format!("{location}\n  executing \"{function}\" at <{place}>:\n    {}\n", cut(message)));
    }
    let (location, message) = rest.rsplit_once(": ")?;
    Some(format!("{location}\n  {}\n", cut(message)))
}

//! What went wrong, where: Go's text for the one line, and for people the source, the chain of includes and
//! a hint.

use std::fmt::{self, Write as _};

/// A template that cannot be parsed or executed. `Display` gives Go's text, word for word where Go has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// The parts of an [`Error`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The whole text as Go's text/template gives it.
    pub text: String,
    /// The message without positions.
    pub message: String,
    /// The name of the file that was parsed.
    pub file: String,
    /// The template being executed (a `define`'s name, or the file's); empty for parse errors.
    pub template: String,
    /// Line in the file, from 1; 0 where there is none.
    pub line: usize,
    /// Column in bytes, from 0, as Go counts; `None` for parse errors, which have only a line.
    pub column: Option<usize>,
    /// The expression in question, as Go writes it back.
    pub context: String,
    /// The source line.
    pub source_line: String,
    /// What may help: the nearest existing keys.
    pub hint: Option<String>,
    /// The `template` actions through which the execution came here, innermost first.
    pub through: Vec<Frame>,
    /// Where a function ran another template that failed: that failure.
    pub cause: Option<Error>,
}

/// A `template` action on the way to an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub file: String,
    pub template: String,
    pub line: usize,
}

impl Error {
    pub(crate) fn new(details: Details) -> Self {
        Error(Box::new(details))
    }

    /// An error without a position.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Error::new(Details { message: text.clone(), text, ..Details::default() })
    }

    pub(crate) fn with_hint(mut self, hint: String) -> Self {
        self.0.hint.get_or_insert(hint);
        self
    }

    pub(crate) fn through(mut self, frame: Frame) -> Self {
        self.0.through.push(frame);
        self
    }

    pub(crate) fn caused_by(mut self, cause: Error) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// The parts.
    pub fn details(&self) -> &Details {
        &self.0
    }

    /// This error and, through functions that ran templates, those that caused it: outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Details> {
        std::iter::successors(Some(&*self.0), |details| details.cause.as_ref().map(Error::details))
    }

    /// The innermost error: where it truly happened.
    pub fn root(&self) -> &Details {
        self.chain().last().unwrap_or(&self.0)
    }

    /// A report of several lines: the innermost message, its source line with a marker, the hint, and the
    /// chain of templates that led there.
    pub fn report(&self) -> String {
        let root = self.root();
        let mut report = String::new();
        let _ = writeln!(report, "{}", root.message);
        write_window(&mut report, root);
        if let Some(hint) = &root.hint {
            let _ = writeln!(report, "   = hint: {hint}");
        }
        let chain: Vec<_> = self.chain().collect();
        for (index, details) in chain.iter().rev().enumerate() {
            if index > 0 && details.line > 0 {
                write_step(&mut report, &details.file, details.line, &details.template);
                let _ = writeln!(report, ": {}", details.context);
            }
            for frame in &details.through {
                write_step(&mut report, &frame.file, frame.line, &frame.template);
                report.push('\n');
            }
        }
        report
    }
}

fn write_step(report: &mut String, file: &str, line: usize, template: &str) {
    let _ = write!(report, "   = from {file}:{line}");
    if template != file {
        let _ = write!(report, ", in {template:?}");
    }
}

fn write_window(report: &mut String, details: &Details) {
    if details.line == 0 {
        return;
    }
    let _ = write!(report, "  --> {}:{}", details.file, details.line);
    if let Some(column) = details.column {
        let _ = write!(report, ":{}", column + 1);
    }
    if !details.template.is_empty() && details.template != details.file {
        let _ = write!(report, ", in {:?}", details.template);
    }
    let number = details.line.to_string();
    let gutter = " ".repeat(number.len());
    let _ = writeln!(report, "\n {gutter} |\n {number} | {}", details.source_line.replace('\t', " "));
    if let Some(column) = details.column {
        let before = details.source_line.get(..column).unwrap_or(&details.source_line);
        let rest = details.source_line.len().saturating_sub(before.len());
        // Columns are bytes; the marker counts characters, as a terminal does.
        let width = details.context.chars().count().clamp(1, rest.max(1));
        let _ = writeln!(report, " {gutter} | {}{}", " ".repeat(before.chars().count()), "^".repeat(width));
    }
}

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + name.chars().count() / 4;
    known
        .map(|other| (strsim::osa_distance(name, other), other))
        .min()
        .filter(|&(distance, _)| distance <= limit)
        .map(|(_, other)| other)
}

/// The known names, those that resemble the name first.
pub(crate) fn by_nearness<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known: Vec<_> = known.map(|other| (strsim::osa_distance(name, other), other)).collect();
    known.sort_unstable();
    known.into_iter().map(|(_, other)| other).collect()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

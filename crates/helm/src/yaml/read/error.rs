//! Why a text cannot be read.

use super::cursor::Mark;

/// Why YAML text could not be read. Its words are goyaml's, and so is the line that it displays, which is none in the
/// first line and often one less than where the cause is; `line` and `column` are the place itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub message: String,
    told: Told,
}

/// What is told before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Line,
    LineBefore,
    /// `yaml: ` alone
    NoLine,
    /// It is no error of YAML's.
    Nothing,
}

impl YamlError {
    /// An error at a place that is displayed as it is.
    pub fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into(), told: Told::Line }
    }

    fn at(mark: Mark, told: Told, message: impl Into<String>) -> Self {
        Self { line: mark.line + 1, column: mark.column + 1, message: message.into(), told }
    }

    /// Of the scanner.
    pub(super) fn scan(mark: Mark, message: impl Into<String>) -> Self {
        Self::at(mark, if mark.line > 0 { Told::Line } else { Told::NoLine }, message)
    }

    /// Of the parser: the lines that it tells count from 0.
    pub(super) fn parse(mark: Mark, message: impl Into<String>) -> Self {
        Self::at(mark, if mark.line > 0 { Told::LineBefore } else { Told::NoLine }, message)
    }

    /// Of what the text means: no line is told.
    pub(super) fn meaning(mark: Mark, message: impl Into<String>) -> Self {
        Self::at(mark, Told::NoLine, message)
    }

    pub(super) fn is_of_json(&self) -> bool {
        self.told == Told::Nothing
    }

    /// Of the way to JSON.
    pub(super) fn json(mark: Mark, message: impl Into<String>) -> Self {
        Self::at(mark, Told::Nothing, message)
    }
}

impl std::error::Error for YamlError {}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.told {
            Told::Line => write!(f, "yaml: line {}: ", self.line)?,
            Told::LineBefore => write!(f, "yaml: line {}: ", self.line.saturating_sub(1))?,
            Told::NoLine => f.write_str("yaml: ")?,
            Told::Nothing => {}
        }
        f.write_str(&self.message)
    }
}

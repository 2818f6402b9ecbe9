//! Errors of a cloud file: where, what, and the nearest right thing.

use std::fmt;

/// What is wrong with a cloud file; each has an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Unreadable,
    /// Not YAML.
    Syntax,
    UnknownField,
    /// A list where text is wanted, and the like.
    WrongType,
    /// Of the right type, but not possible: a domain that is no DNS name.
    Value,
}

/// An error in a cloud file. `Display` prints the source line with a marker under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub kind: Kind,
    pub file: String,
    /// From 1; 0 where no place is known.
    pub line: usize,
    /// From 1; 0 where no place is known.
    pub column: usize,
    pub message: String,
    pub hint: Option<String>,
    /// Text of the line that is meant.
    pub source_line: Option<String>,
}

impl ConfigError {
    pub(crate) fn at(file: &str, text: &str, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Value,
            file: file.to_owned(),
            line,
            column,
            message: message.into(),
            hint: None,
            source_line: line.checked_sub(1).and_then(|index| text.lines().nth(index)).map(str::to_owned),
        }
    }

    pub(crate) fn unreadable(file: String, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "`landfall init` writes a cloud file with every default in it",
            _ => "check the path and its permissions",
        };
        Self {
            kind: Kind::Unreadable,
            file,
            line: 0,
            column: 0,
            message: format!("the cloud file can not be read: {error}"),
            hint: Some(hint.to_owned()),
            source_line: None,
        }
    }

    #[must_use]
    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        }
        if let Some(source) = &self.source_line {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let indent = " ".repeat(self.column.saturating_sub(1));
            write!(f, "\n{margin} |\n{number} | {source}\n{margin} | {indent}^")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The known name nearest to `given`, near enough to be what was meant.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= (name.len() / 2).clamp(1, 3))
        .min()
        .map(|(_, name)| name)
}

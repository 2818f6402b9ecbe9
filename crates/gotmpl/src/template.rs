//! Sets of parsed templates, shared between threads.

use std::sync::Arc;

use crate::error::Error;
use crate::func::FuncMap;

/// What a missing map key gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// No value at all, printed as `<no value>`.
    #[default]
    Default,
    /// The zero value of the map's elements.
    Zero,
    /// An error.
    Error,
}

/// Bounds on one execution; passing one is an error, never a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Templates within templates.
    pub depth: usize,
    /// Bytes written by one rendering, nested ones included.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 10_000, output: 256 << 20 }
    }
}

/// How templates are parsed and executed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub missing_key: MissingKey,
    pub limits: Limits,
    /// Left and right delimiter; empty for `{{` and `}}`.
    pub delimiters: (String, String),
}

/// Templates by name with the functions they call.
#[derive(Clone, Debug)]
pub struct Templates {
    pub(crate) functions: Arc<FuncMap>,
    pub(crate) options: Options,
}

impl Templates {
    /// An empty set.
    pub fn new(functions: impl Into<Arc<FuncMap>>) -> Self {
        Templates { functions: functions.into(), options: Options::default() }
    }

    /// Changes how templates are parsed (from now on) and executed.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Parses a text as the template `name`, and adds it and all that it defines.
    pub fn parse(&mut self, name: &str, _text: &str) -> Result<(), Error> {
        Err(Error::plain(format!("template: {name}: the parser is not there yet")))
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, _name: &str) -> bool {
        false
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

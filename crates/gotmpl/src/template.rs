//! Sets of parsed templates, shared between threads.

use std::fmt;
use std::sync::Arc;

use crate::HashMap;
use crate::ast::{At, File, Template};
use crate::error::Error;
use crate::format::quote;
use crate::func::FuncMap;
use crate::parser;

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

/// Bounds on one rendering; passing one is an error, never a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Templates within templates, those that functions run included. Go's own is 100000.
    pub depth: usize,
    /// Bytes written, counting again what an outer template writes of an inner one.
    pub output: usize,
    /// Texts and actions executed.
    pub steps: u64,
}

impl Limits {
    /// Bytes of a text that a function may make: functions of functions can double it with each step.
    pub const TEXT: usize = 64 << 20;
    /// Elements of a list that a function may make.
    pub const ITEMS: usize = 10_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 10_000, output: 512 << 20, steps: 1 << 30 }
    }
}

/// How templates are parsed and executed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What `.a` gives where a map has no `a`.
    pub missing_key: MissingKey,
    /// Bounds on one rendering.
    pub limits: Limits,
    /// Left and right delimiter; empty for `{{` and `}}`.
    pub delimiters: (String, String),
    /// The name of the set in messages about templates that are not there. Helm's is `gotpl`.
    pub set_name: String,
}

/// One parsed text, to be added to any number of sets that have the same functions.
#[derive(Clone, Debug)]
pub struct Parsed(Arc<File>);

impl Parsed {
    /// The same text as if it had been parsed under another name; what is parsed is shared. None where the text defines
    /// a template of its old or its new name: parse it anew then.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Option<Self> {
        if *self.0.root.name == *name {
            return Some(self.clone());
        }
        self.0.renamed(name).map(|file| Parsed(Arc::new(file)))
    }
}

/// The templates as Go writes its parse trees back, sorted by name: spaces normalized, comments gone.
impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut templates: Vec<_> = self.0.templates.values().collect();
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        for template in templates {
            write!(f, "{{{{define {}}}}}", quote(&template.name))?;
            for node in template.body.iter() {
                f.write_str(&At::Node(node).describe(&template.source))?;
            }
            f.write_str("{{end}}\n")?;
        }
        Ok(())
    }
}

/// Templates by name with the functions they call. Cheap to clone: what is parsed is shared.
#[derive(Clone, Debug)]
pub struct Templates {
    pub(crate) functions: Arc<FuncMap>,
    pub(crate) options: Options,
    pub(crate) by_name: HashMap<Arc<str>, Arc<Template>>,
}

impl Templates {
    /// An empty set.
    pub fn new(functions: impl Into<Arc<FuncMap>>) -> Self {
        Templates { functions: functions.into(), options: Options::default(), by_name: HashMap::default() }
    }

    /// Changes how templates are parsed (from now on) and executed.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How templates are parsed and executed.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Parses a text as the template `name`, and adds it and all that it defines.
    ///
    /// As in Go, a template replaces an earlier one of its name unless it is empty.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let parsed = self.compile(name, text)?;
        self.add(&parsed);
        Ok(())
    }

    /// Parses a text without adding it.
    pub fn compile(&self, name: &str, text: &str) -> Result<Parsed, Error> {
        self.file(name, text).map(|file| Parsed(Arc::new(file)))
    }

    /// Adds a parsed text, which must have been compiled for the same functions.
    pub fn add(&mut self, parsed: &Parsed) {
        for (name, template) in &parsed.0.templates {
            if template.empty && self.by_name.contains_key(name) {
                continue;
            }
            self.by_name.insert(Arc::clone(name), Arc::clone(template));
        }
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> Result<File, Error> {
        let (left, right) = &self.options.delimiters;
        parser::parse(name, text, (left, right), &self.functions)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Renderer, Value};

    #[test]
    fn a_text_parsed_once_serves_under_many_names() {
        let mut set = Templates::new(FuncMap::new());
        let parsed = set.compile("a", "{{define \"x\"}}{{.a.b}}{{end}}{{template \"x\" .}}").unwrap();
        set.add(&parsed.renamed("b").unwrap());
        assert_eq!(set.names(), ["b", "x"]);
        let error =
            Renderer::new(&set).render("b", &Value::map([("a", Value::Int(1))])).unwrap_err().to_string();
        assert!(error.starts_with("template: b:1:"), "{error}");
        assert!(parsed.renamed("x").is_none(), "it defines a template of that name itself");
    }
}

//! Runs templates.
//!
//! [`Renderer`] is the way in; [`Context`] is what functions see; `State` walks the nodes (`walk`), evaluates
//! pipelines (`eval`), follows fields (`field`) and calls functions (`call`).

mod call;
mod eval;
mod field;
mod hint;
mod output;
mod val;
mod walk;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use output::Output;
pub(crate) use val::Val;

use crate::HashMap;
use crate::ast::{At, File, Template};
use crate::error::{Details, Error};
use crate::format::quote;
use crate::template::Templates;
use crate::value::{Str, Value};

type Result<T> = std::result::Result<T, Error>;

/// Renders templates of a set, one after the other, with state that its functions may ask for.
pub struct Renderer<'r> {
    run: Run<'r>,
}

impl<'r> Renderer<'r> {
    /// A renderer without state.
    pub fn new(templates: &'r Templates) -> Self {
        Self::with_state(templates, &())
    }

    /// A renderer whose functions find this state in their [`Context`]. State that changes needs `Cell`s.
    pub fn with_state(templates: &'r Templates, state: &'r dyn Any) -> Self {
        Renderer {
            run: Run {
                templates,
                state,
                depth: Cell::new(0),
                written: Cell::new(0),
                steps: Cell::new(0),
                buffers: RefCell::default(),
                operands: RefCell::default(),
                sheets: RefCell::default(),
                parsed: RefCell::default(),
            },
        }
    }

    /// Executes a template. The limits on output and steps count anew.
    pub fn render(&mut self, name: &str, data: &Value) -> std::result::Result<Str, Error> {
        self.run.depth.set(0);
        self.run.written.set(0);
        self.run.steps.set(0);
        let scope = Scope { local: None, parent: None };
        execute_named(&self.run, &scope, name, data)
    }
}

impl fmt::Debug for Renderer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").finish_non_exhaustive()
    }
}

/// What a function sees of the execution that calls it.
pub struct Context<'c> {
    run: &'c Run<'c>,
    scope: &'c Scope<'c>,
    template: &'c Template,
}

impl Context<'_> {
    /// Executes a template of the set, as Helm's `include` does; gives its output.
    pub fn execute_template(&mut self, name: &str, data: &Value) -> std::result::Result<Str, Error> {
        execute_named(self.run, self.scope, name, data)
    }

    /// Parses a text as a template of its own and executes it, as Helm's `tpl` does. It sees all templates
    /// of the set; what it defines is seen only while it runs.
    pub fn parse_and_execute(
        &mut self,
        name: &str,
        text: &str,
        data: &Value,
    ) -> std::result::Result<Str, Error> {
        let file = self.run.parse(name, text)?;
        let scope = Scope { local: Some(&file), parent: Some(self.scope) };
        execute(self.run, &scope, &file.root, data)
    }

    /// Whether a template of this name can be executed from here.
    pub fn has_template(&self, name: &str) -> bool {
        self.scope.find(self.run, name).is_some()
    }

    /// The state given to the [`Renderer`].
    pub fn state(&self) -> &dyn Any {
        self.run.state
    }

    /// The state, where it is of this type.
    pub fn state_as<T: 'static>(&self) -> Option<&T> {
        self.run.state.downcast_ref()
    }

    /// The name of the template that is being executed.
    pub fn template_name(&self) -> &str {
        &self.template.name
    }

    /// The name of the file in which that template was written.
    pub fn file_name(&self) -> &str {
        &self.template.source.name
    }

    /// How many templates are being executed, one within the other.
    pub fn depth(&self) -> usize {
        self.run.depth.get()
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("template", &self.template.name).finish_non_exhaustive()
    }
}

/// A text with the name it was parsed under.
type Named = (Box<str>, Box<str>);

/// What all executions of a renderer share. Behind a shared reference, since functions reenter.
struct Run<'r> {
    templates: &'r Templates,
    state: &'r dyn Any,
    depth: Cell<usize>,
    written: Cell<usize>,
    steps: Cell<u64>,
    /// Argument lists to be used again.
    buffers: RefCell<Vec<Vec<Value>>>,
    /// The same for Go's own functions.
    operands: RefCell<Vec<Vec<Val>>>,
    sheets: RefCell<Vec<Sheet>>,
    /// Texts that functions had parsed, since `tpl` often sees the same again.
    parsed: RefCell<HashMap<Named, Arc<File>>>,
}

/// What an execution writes on; used again by a later one.
#[derive(Default)]
struct Sheet {
    variables: Vec<(u32, Val)>,
    out: Output,
}

impl Run<'_> {
    fn parse(&self, name: &str, text: &str) -> Result<Arc<File>> {
        let key = (Box::from(name), Box::from(text));
        if let Some(file) = self.parsed.borrow().get(&key) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.templates.file(name, text)?);
        self.parsed.borrow_mut().insert(key, Arc::clone(&file));
        Ok(file)
    }
}

/// The templates that can be seen: those of a text parsed on the way, before those of the set.
struct Scope<'c> {
    local: Option<&'c File>,
    parent: Option<&'c Scope<'c>>,
}

impl<'c> Scope<'c> {
    fn find(&'c self, run: &'c Run<'c>, name: &str) -> Option<&'c Template> {
        let local = self.local.and_then(|file| file.templates.get(name));
        if let Some(template) = local.filter(|template| !template.empty) {
            return Some(template);
        }
        let outer = match self.parent {
            Some(parent) => parent.find(run, name),
            None => run.templates.by_name.get(name).map(|template| &**template),
        };
        outer.or(local.map(|template| &**template))
    }
}

fn execute_named(run: &Run<'_>, scope: &Scope<'_>, name: &str, data: &Value) -> Result<Str> {
    let Some(template) = scope.find(run, name) else {
        let set = quote(&run.templates.options.set_name);
        return Err(Error::plain(format!(
            "template: no template {} associated with template {set}",
            quote(name)
        )));
    };
    execute(run, scope, template, data)
}

fn execute(run: &Run<'_>, scope: &Scope<'_>, template: &Template, data: &Value) -> Result<Str> {
    let dot = Val::concrete(data.clone());
    let mut sheet = run.sheets.borrow_mut().pop().unwrap_or_default();
    sheet.variables.push((0, dot.clone()));
    let Sheet { variables, out } = sheet;
    let mut state = State { run, scope, template, at: None, variables, frame: 0, out };
    state.enter()?;
    let done = crate::stack::grow(|| state.list(&dot, &template.body));
    state.leave();
    done?;
    let text = state.out.take();
    state.variables.clear();
    run.sheets.borrow_mut().push(Sheet { variables: state.variables, out: state.out });
    Ok(text)
}

/// One execution: where it is, its variables and its output.
struct State<'t> {
    run: &'t Run<'t>,
    scope: &'t Scope<'t>,
    template: &'t Template,
    /// What errors point at: Go's notion of the current node.
    at: Option<At<'t>>,
    /// A stack of variables; the present template's begin at `frame`.
    variables: Vec<(u32, Val)>,
    frame: usize,
    out: Output,
}

impl State<'_> {
    /// One template deeper.
    fn enter(&self) -> Result<()> {
        let (depth, limit) = (self.run.depth.get(), self.run.templates.options.limits.depth);
        if depth >= limit {
            return Err(self.error(format!("exceeded maximum template depth ({limit})")));
        }
        self.run.depth.set(depth + 1);
        Ok(())
    }

    fn leave(&self) {
        self.run.depth.set(self.run.depth.get() - 1);
    }

    /// Counts what is about to be written.
    fn count_output(&mut self, bytes: usize) -> Result<()> {
        let (written, limit) = (self.run.written.get() + bytes, self.run.templates.options.limits.output);
        if written > limit {
            return Err(self.error(format!("exceeded maximum output size ({limit} bytes)")));
        }
        self.run.written.set(written);
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> Result<()> {
        self.count_output(text.len())?;
        self.out.push_text(text);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.count_output(bytes.len())?;
        self.out.push(bytes);
        Ok(())
    }

    /// An error at the current node, in Go's form.
    fn error(&self, message: impl Into<String>) -> Error {
        let message = message.into();
        let template = self.template.name.to_string();
        let Some(at) = self.at else {
            let text = format!("template: {template}: {message}");
            return Error::new(Details { text, message, template, ..Details::default() });
        };
        let source = &self.template.source;
        let (line, column) = source.position(at.pos());
        let context = at.describe(source);
        let file = source.name.to_string();
        Error::new(Details {
            text: format!(
                "template: {file}:{line}:{column}: executing {} at <{context}>: {message}",
                quote(&template)
            ),
            message,
            file,
            template,
            line,
            column: Some(column),
            context,
            source_line: source.line(line).to_owned(),
            ..Details::default()
        })
    }
}

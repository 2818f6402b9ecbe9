//! The parsed form of templates, and how Go writes its parts back in error messages.
//!
//! Function names are resolved and variables numbered here, once; texts are ranges of the source. All of it is
//! `Send + Sync`, so that it is compiled once and shared.

use std::fmt;
use std::sync::Arc;

use crate::HashMap;
use crate::builtins::Builtin;
use crate::func::Function;
use crate::literal::Number;
use crate::value::Str;

/// One parsed text with the templates that it defines.
#[derive(Debug)]
pub(crate) struct File {
    pub root: Arc<Template>,
    /// The root too, unless a definition of the same name took its place.
    pub templates: HashMap<Arc<str>, Arc<Template>>,
}

impl File {
    /// The same text under another file's name. None where a definition bears either name: then which of them counts
    /// is for the parser to say.
    pub(crate) fn renamed(&self, name: &str) -> Option<File> {
        let old = &self.root.name;
        if !self.templates.get(old).is_some_and(|named| Arc::ptr_eq(named, &self.root)) {
            return None;
        }
        let source = Source { name: Arc::from(name), text: Arc::clone(&self.root.source.text) };
        let source = Arc::new(source);
        let renamed = |template: &Template, name: Arc<str>| {
            let (source, body) = (Arc::clone(&source), Arc::clone(&template.body));
            Arc::new(Template { name, source, body, empty: template.empty })
        };
        let root = renamed(&self.root, Arc::from(name));
        let mut templates = HashMap::default();
        templates.reserve(self.templates.len());
        for (old_name, template) in self.templates.iter().filter(|(other, _)| *other != old) {
            templates.insert(Arc::clone(old_name), renamed(template, Arc::clone(old_name)));
        }
        match templates.insert(Arc::from(name), Arc::clone(&root)) {
            Some(_) => None,
            None => Some(File { root, templates }),
        }
    }
}

/// Where templates were written.
#[derive(Debug)]
pub(crate) struct Source {
    pub name: Arc<str>,
    pub text: Arc<str>,
}

impl Source {
    /// Line from 1 and column in bytes from 0, as Go counts them (on the first line from the text's start).
    pub(crate) fn position(&self, pos: usize) -> (usize, usize) {
        let before = &self.text.as_bytes()[..pos.min(self.text.len())];
        let line = 1 + self.text[..before.len()].matches('\n').count();
        let column = before.iter().rposition(|&byte| byte == b'\n').map_or(pos, |newline| pos - newline - 1);
        (line, column)
    }

    /// A line by its number from 1.
    pub(crate) fn line(&self, number: usize) -> &str {
        self.text.lines().nth(number.saturating_sub(1)).unwrap_or_default()
    }
}

#[derive(Debug)]
pub(crate) struct Template {
    pub name: Arc<str>,
    pub source: Arc<Source>,
    pub body: Arc<[Node]>,
    /// Nothing but space and comments: never replaces a template that says something.
    pub empty: bool,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// A range of the source.
    Text {
        start: usize,
        end: usize,
    },
    Action {
        pos: usize,
        pipe: Pipe,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        pos: usize,
        name: Arc<str>,
        pipe: Option<Pipe>,
    },
    Break {
        pos: usize,
    },
    Continue {
        pos: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub pos: usize,
    pub pipe: Pipe,
    pub body: Box<[Node]>,
    pub otherwise: Option<Box<[Node]>>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    pub pos: usize,
    /// `=` rather than `:=`.
    pub assign: bool,
    pub variables: Box<[Variable]>,
    pub commands: Box<[Command]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its number within the file.
    pub id: u32,
    pub name: Box<str>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub pos: usize,
    /// Never empty.
    pub args: Box<[Expr]>,
}

#[derive(Debug)]
pub(crate) enum Expr {
    Dot(usize),
    Nil(usize),
    Bool(usize, bool),
    Number {
        pos: usize,
        /// Apart, as few expressions are one.
        number: Box<Number>,
        text: Box<str>,
    },
    String {
        pos: usize,
        value: Str,
        quoted: Box<str>,
    },
    /// `.a.b`
    Field {
        pos: usize,
        names: Box<[Box<str>]>,
    },
    /// `$x.a.b`
    Variable {
        pos: usize,
        variable: Variable,
        names: Box<[Box<str>]>,
    },
    /// A function's name.
    Function {
        pos: usize,
        callee: Callee,
    },
    /// `(pipeline)`
    Pipe(Box<Pipe>),
    /// `(pipeline).a.b`, `function.a.b`
    Chain {
        pos: usize,
        head: Box<Expr>,
        names: Box<[Box<str>]>,
    },
}

/// What a function's name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Callee {
    Builtin(Builtin),
    Custom(Arc<Function>),
}

impl Callee {
    pub(crate) fn name(&self) -> &str {
        match self {
            Callee::Builtin(builtin) => builtin.name(),
            Callee::Custom(function) => &function.name,
        }
    }
}

/// A place in a template that errors point at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expr(&'t Expr),
}

impl At<'_> {
    pub(crate) fn pos(self) -> usize {
        match self {
            At::Node(node) => node.pos(),
            At::Pipe(pipe) => pipe.pos,
            At::Command(command) => command.pos,
            At::Expr(expr) => expr.pos(),
        }
    }
}

impl Node {
    fn pos(&self) -> usize {
        match self {
            Node::Text { start: pos, .. }
            | Node::Action { pos, .. }
            | Node::Template { pos, .. }
            | Node::Break { pos }
            | Node::Continue { pos }
            | Node::If(Branch { pos, .. })
            | Node::With(Branch { pos, .. })
            | Node::Range(Branch { pos, .. }) => *pos,
        }
    }
}

impl Expr {
    pub(crate) fn pos(&self) -> usize {
        match self {
            Expr::Dot(pos)
            | Expr::Nil(pos)
            | Expr::Bool(pos, _)
            | Expr::Number { pos, .. }
            | Expr::String { pos, .. }
            | Expr::Field { pos, .. }
            | Expr::Variable { pos, .. }
            | Expr::Function { pos, .. }
            | Expr::Chain { pos, .. } => *pos,
            Expr::Pipe(pipe) => pipe.pos,
        }
    }
}

impl At<'_> {
    /// The part as Go writes it back.
    pub(crate) fn describe(self, source: &Source) -> String {
        let mut text = String::new();
        let mut writer = Writer { source, out: &mut text };
        match self {
            At::Node(node) => writer.node(node),
            At::Pipe(pipe) => writer.pipe(pipe),
            At::Command(command) => writer.command(command),
            At::Expr(expr) => writer.expr(expr),
        }
        text
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        // Expressions hold no texts, so no source is asked for.
        let source = Source { name: Arc::from(""), text: Arc::from("") };
        Writer { source: &source, out: &mut text }.expr(self);
        f.write_str(&text)
    }
}

struct Writer<'a> {
    source: &'a Source,
    out: &'a mut String,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text { start, end } => {
                self.out.push_str(self.source.text.get(*start..*end).unwrap_or_default());
            }
            Node::Action { pipe, .. } => {
                self.push("{{");
                self.pipe(pipe);
                self.push("}}");
            }
            Node::If(branch) => self.branch("if", branch),
            Node::With(branch) => self.branch("with", branch),
            Node::Range(branch) => self.branch("range", branch),
            Node::Template { name, pipe, .. } => {
                self.push("{{template ");
                self.push(&crate::format::quote(name));
                if let Some(pipe) = pipe {
                    self.push(" ");
                    self.pipe(pipe);
                }
                self.push("}}");
            }
            Node::Break { .. } => self.push("{{break}}"),
            Node::Continue { .. } => self.push("{{continue}}"),
        }
    }

    fn branch(&mut self, keyword: &str, branch: &Branch) {
        self.push("{{");
        self.push(keyword);
        self.push(" ");
        self.pipe(&branch.pipe);
        self.push("}}");
        self.nodes(&branch.body);
        if let Some(otherwise) = &branch.otherwise {
            self.push("{{else}}");
            self.nodes(otherwise);
        }
        self.push("{{end}}");
    }

    fn pipe(&mut self, pipe: &Pipe) {
        for (index, variable) in pipe.variables.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push(&variable.name);
        }
        if !pipe.variables.is_empty() {
            self.push(if pipe.assign { " = " } else { " := " });
        }
        for (index, command) in pipe.commands.iter().enumerate() {
            self.push(if index > 0 { " | " } else { "" });
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for (index, arg) in command.args.iter().enumerate() {
            self.push(if index > 0 { " " } else { "" });
            self.parenthesized(arg);
        }
    }

    fn parenthesized(&mut self, expr: &Expr) {
        if let Expr::Pipe(pipe) = expr {
            self.push("(");
            self.pipe(pipe);
            self.push(")");
        } else {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Dot(_) => self.push("."),
            Expr::Nil(_) => self.push("nil"),
            Expr::Bool(_, truth) => self.push(if *truth { "true" } else { "false" }),
            Expr::Number { text, .. } => self.push(text),
            Expr::String { quoted, .. } => self.push(quoted),
            Expr::Field { names, .. } => self.names(names),
            Expr::Variable { variable, names, .. } => {
                self.push(&variable.name);
                self.names(names);
            }
            Expr::Function { callee, .. } => self.push(callee.name()),
            Expr::Pipe(pipe) => self.pipe(pipe),
            Expr::Chain { head, names, .. } => {
                self.parenthesized(head);
                self.names(names);
            }
        }
    }

    fn names(&mut self, names: &[Box<str>]) {
        for name in names {
            self.push(".");
            self.push(name);
        }
    }
}

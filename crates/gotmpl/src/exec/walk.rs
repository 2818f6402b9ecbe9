//! Walks nodes, writes output, steers.

use super::{Result, State, Val};
use crate::ast::{At, Branch, Node, Pipe, Template};
use crate::error::Frame;
use crate::format::{Printer, quote};
use crate::template::Limits;
use crate::value::{Kind, Value};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> State<'t> {
    pub(super) fn list(&mut self, dot: &Val, nodes: &'t [Node]) -> Result<Flow> {
        for node in nodes {
            match self.node(dot, node)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: &Val, node: &'t Node) -> Result<Flow> {
        self.at = Some(At::Node(node));
        let (steps, limit) = (self.run.steps.get() + 1, self.run.templates.options.limits.steps);
        if steps > limit {
            return Err(self.error(format!("exceeded maximum number of steps ({limit})")));
        }
        self.run.steps.set(steps);
        match node {
            Node::Text { start, end } => {
                let source = &self.template.source;
                self.write_text(&source.text[*start..*end])?;
            }
            Node::Action { pipe, .. } => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.at = Some(At::Node(node));
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return crate::stack::grow(|| self.branch(dot, branch, false)),
            Node::With(branch) => return crate::stack::grow(|| self.branch(dot, branch, true)),
            Node::Range(branch) => return crate::stack::grow(|| self.range(dot, node, branch)),
            Node::Template { name, pipe, .. } => self.template(dot, node, name, pipe.as_ref())?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// `if` and `with`, which differ in the dot only.
    fn branch(&mut self, dot: &Val, branch: &'t Branch, with: bool) -> Result<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.value().is_true() {
            self.list(if with { &value } else { dot }, &branch.body)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Val, node: &'t Node, branch: &'t Branch) -> Result<Flow> {
        self.at = Some(At::Node(node));
        let outer = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?.into_value();
        let ran = self.iterate(branch, &value)?;
        let mut flow = Flow::Next;
        if !ran && let Some(otherwise) = &branch.otherwise {
            // Go runs it within the range, whose break it catches, but not its continue.
            flow = match self.list(dot, otherwise)? {
                Flow::Break => Flow::Next,
                other => other,
            };
        }
        self.variables.truncate(outer);
        Ok(flow)
    }

    /// Runs the body for each element; whether there was any.
    fn iterate(&mut self, branch: &'t Branch, value: &Value) -> Result<bool> {
        let index = |at: usize| Val::concrete(Value::Int(at as i64));
        let listed = value.as_object().and_then(crate::Object::as_list).map(Value::List);
        let value = listed.as_ref().unwrap_or(value);
        match value {
            Value::Nil => return Ok(false),
            Value::Int(_) | Value::Int64(_) | Value::Uint8(_) | Value::Uint64(_) => {
                if branch.pipe.variables.len() > 1 {
                    return Err(
                        self.error(format!("can't use {value} to iterate over more than one variable"))
                    );
                }
                let mut at = 0;
                while let Some(element) = nth(value, at) {
                    if self.once(branch, Val::INVALID, Val::concrete(element))? == Flow::Break {
                        break;
                    }
                    at += 1;
                }
                return Ok(nth(value, 0).is_some());
            }
            Value::List(list) => {
                let interfaces = list.list_type().holds_interfaces();
                for (at, element) in list.iter().enumerate() {
                    let element = Val::element(element.clone(), interfaces);
                    if self.once(branch, index(at), element)? == Flow::Break {
                        break;
                    }
                }
                return Ok(!list.is_empty());
            }
            Value::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    if self.once(branch, index(at), Val::concrete(Value::Uint8(*byte)))? == Flow::Break {
                        break;
                    }
                }
                return Ok(!bytes.is_empty());
            }
            _ => {}
        }
        let map = match value {
            Value::Map(map) => Some(map.clone()),
            Value::Object(object) if object.kind() == Kind::Map => object.as_map(),
            _ => None,
        };
        let Some(map) = map else {
            let shown = printed(value);
            return Err(self.error(format!("range can't iterate over {}", String::from_utf8_lossy(&shown))));
        };
        let interfaces = map.map_type().holds_interfaces();
        // A snapshot, as Go takes one: the body may change the map.
        let entries = map.entries();
        let any = !entries.is_empty();
        for (key, element) in entries {
            let element = Val::element(element, interfaces);
            if self.once(branch, Val::concrete(Value::String(key)), element)? == Flow::Break {
                break;
            }
        }
        Ok(any)
    }

    /// One iteration. The pipeline has pushed the declared variables; they are on top.
    fn once(&mut self, branch: &'t Branch, index: Val, element: Val) -> Result<Flow> {
        let mark = self.variables.len();
        let declared = &branch.pipe.variables;
        if branch.pipe.assign {
            match &declared[..] {
                [key, value] => {
                    self.assign(key, index)?;
                    self.assign(value, element.clone())?;
                }
                [value, ..] => self.assign(value, element.clone())?,
                [] => {}
            }
        } else if !declared.is_empty() {
            if declared.len() > 1 {
                self.variables[mark - 2].1 = index;
            }
            self.variables[mark - 1].1 = element.clone();
        }
        let flow = self.list(&element, &branch.body)?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn template(&mut self, dot: &Val, node: &'t Node, name: &str, pipe: Option<&'t Pipe>) -> Result<()> {
        let Some(template) = self.scope.find(self.run, name) else {
            return Err(self.error(format!("template {} not defined", quote(name))));
        };
        self.enter()?;
        let dot = match pipe.map(|pipe| self.pipeline(dot, pipe)).transpose() {
            Ok(dot) => dot.unwrap_or_default(),
            Err(error) => {
                self.leave();
                return Err(error);
            }
        };
        let caller = std::mem::replace(&mut self.template, template);
        let frame = std::mem::replace(&mut self.frame, self.variables.len());
        self.variables.push((0, dot.clone()));
        let done = crate::stack::grow(|| self.list(&dot, &template.body));
        self.variables.truncate(self.frame);
        self.frame = frame;
        self.template = caller;
        self.leave();
        done.map(|_| ()).map_err(|error| error.through(frame_of(caller, node)))
    }

    fn print(&mut self, value: &Val) -> Result<()> {
        match value.value() {
            Value::Nil => self.write_text("<no value>"),
            Value::String(text) => match text.as_str() {
                Some(text) => self.write_text(text),
                None => self.write(text.as_bytes()),
            },
            other => {
                let text = printed(other);
                if text.len() > Limits::TEXT {
                    return Err(self.error("the value's text is longer than 64 MiB"));
                }
                self.write(&text)
            }
        }
    }
}

fn printed(value: &Value) -> Vec<u8> {
    let mut printer = Printer::new();
    printer.print_pointed_to(value);
    printer.finish()
}

fn frame_of(template: &Template, node: &Node) -> Frame {
    let (line, _) = template.source.position(At::Node(node).pos());
    Frame { file: template.source.name.to_string(), template: template.name.to_string(), line }
}

/// The n-th number that ranging over an integer gives, of the integer's own type.
fn nth(limit: &Value, at: u64) -> Option<Value> {
    match *limit {
        Value::Int(n) => i64::try_from(at).ok().filter(|&at| at < n).map(Value::Int),
        Value::Int64(n) => i64::try_from(at).ok().filter(|&at| at < n).map(Value::Int64),
        Value::Uint8(n) => u8::try_from(at).ok().filter(|&at| at < n).map(Value::Uint8),
        Value::Uint64(n) => Some(at).filter(|&at| at < n).map(Value::Uint64),
        _ => None,
    }
}

//! Actions that steer: `if`, `range`, `with`, `block`, `template`, `break` and `continue`.

use std::sync::Arc;

use super::{DEEPEST, End, Frame, Item, Parser, Result};
use crate::ast::{Branch, Node};
use crate::lexer::Kind;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    Range,
    With,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Control::If => "if",
            Control::Range => "range",
            Control::With => "with",
        }
    }

    fn node(self, branch: Branch) -> Node {
        match self {
            Control::If => Node::If(branch),
            Control::Range => Node::Range(branch),
            Control::With => Node::With(branch),
        }
    }
}

impl Parser<'_> {
    /// What stands after a left delimiter.
    pub(super) fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break | Kind::Continue => {
                let (name, node) = if token.kind == Kind::Break {
                    ("{{break}}", Node::Break { pos: token.pos })
                } else {
                    ("{{continue}}", Node::Continue { pos: token.pos })
                };
                self.expect(Kind::RightDelim, name)?;
                if self.frame.ranges == 0 {
                    return Err(self.error(format!("{name} outside {{{{range}}}}")));
                }
                node
            }
            Kind::Else => {
                // An `if` or `with` right behind is left for the control that the `else` belongs to.
                if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::End(End::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            Kind::If => self.control(Control::If)?,
            Kind::Range => self.control(Control::Range)?,
            Kind::With => self.control(Control::With)?,
            Kind::Template => self.template()?,
            _ => {
                self.backup();
                let pos = self.peek().pos;
                Node::Action { pos, pipe: self.pipeline("command", Kind::RightDelim)? }
            }
        };
        Ok(Item::Node(node))
    }

    fn control(&mut self, control: Control) -> Result<Node> {
        if self.depth >= DEEPEST {
            return Err(self.error(format!("{} is nested too deeply", control.name())));
        }
        self.depth += 1;
        let node = crate::stack::grow(|| self.control_unguarded(control));
        self.depth -= 1;
        node
    }

    fn control_unguarded(&mut self, control: Control) -> Result<Node> {
        let mark = self.frame.variables.len();
        let pipe = self.pipeline(control.name(), Kind::RightDelim)?;
        if control == Control::Range {
            self.frame.ranges += 1;
        }
        let (body, end) = self.list()?;
        if control == Control::Range {
            self.frame.ranges -= 1;
        }
        let otherwise = if end == End::Else { Some(self.otherwise(control)?) } else { None };
        self.frame.variables.truncate(mark);
        Ok(control.node(Branch { pos: pipe.pos, pipe, body: body.into(), otherwise }))
    }

    /// What stands behind an `else`. `else if` is an `if` of its own whose `end` serves both.
    fn otherwise(&mut self, control: Control) -> Result<Box<[Node]>> {
        let next = self.peek().kind;
        if (control == Control::If && next == Kind::If) || (control == Control::With && next == Kind::With) {
            self.next();
            return Ok([self.control(control)?].into());
        }
        match self.list()? {
            (list, End::End) => Ok(list.into()),
            (_, End::Else) => Err(self.error("expected end; found {{else}}")),
        }
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        if self.depth >= DEEPEST {
            return Err(self.error("block is nested too deeply"));
        }
        let outer = std::mem::replace(&mut self.frame, Frame::new());
        self.depth += 1;
        let (body, end) = crate::stack::grow(|| self.list())?;
        self.depth -= 1;
        if end == End::Else {
            return Err(self.error(format!("unexpected {{{{else}}}} in {CONTEXT}")));
        }
        self.add(&name, body)?;
        self.frame = outer;
        Ok(Node::Template { pos: token.pos, name: Arc::from(name), pipe: Some(pipe) })
    }

    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = if self.next_non_space().kind == Kind::RightDelim {
            None
        } else {
            self.backup();
            Some(self.pipeline(CONTEXT, Kind::RightDelim)?)
        };
        Ok(Node::Template { pos: token.pos, name: Arc::from(name), pipe })
    }
}

//! What stands inside an action: pipelines of commands, their operands and literals.

use std::sync::Arc;

use super::{DEEPEST, Parser, Result};
use crate::ast::{Callee, Command, Expr, Pipe, Variable};
use crate::builtins::Builtin;
use crate::format::quote;
use crate::lexer::{Kind, Token};
use crate::literal;

impl<'t> Parser<'t> {
    /// Declarations, then commands up to `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let pos = self.peek_non_space().pos;
        let (assign, variables) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        self.check(&commands, context)?;
        Ok(Pipe { pos, assign, variables, commands: commands.into() })
    }

    /// Variables, and whether they are assigned to (`=`) rather than declared.
    fn declarations(&mut self, context: &str) -> Result<(bool, Box<[Variable]>)> {
        let mut variables = Vec::new();
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok((false, variables.into()));
            }
            self.next();
            // Only what follows tells a declaration from an operand, and a space there matters.
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.next_non_space();
                    variables.push(self.declare(variable));
                    return Ok((next.kind == Kind::Assign, variables.into()));
                }
                Kind::Char if next.text == "," => {
                    self.next_non_space();
                    variables.push(self.declare(variable));
                    if context != "range" || variables.len() >= 2 {
                        return Err(self.error(format!("too many declarations in {context}")));
                    }
                    if !matches!(
                        self.peek_non_space().kind,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ if after.kind == Kind::Space => {
                    self.tokens[1] = after;
                    self.tokens[2] = variable;
                    self.peeked = 3;
                    return Ok((false, variables.into()));
                }
                _ => {
                    self.tokens[1] = variable;
                    self.peeked = 2;
                    return Ok((false, variables.into()));
                }
            }
        }
    }

    fn declare(&mut self, token: Token<'t>) -> Variable {
        self.frame.variables.push(token.text);
        Variable { id: self.id(token.text), name: Box::from(token.text) }
    }

    fn check(&self, commands: &[Command], context: &str) -> Result<()> {
        if commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in commands.iter().enumerate().skip(1) {
            if matches!(
                command.args[0],
                Expr::Bool(..) | Expr::Dot(_) | Expr::Nil(_) | Expr::Number { .. } | Expr::String { .. }
            ) {
                return Err(self.error(format!("non executable command in pipeline stage {}", index + 1)));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let pos = self.peek_non_space().pos;
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.backup();
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(token, "operand")),
            }
        }
        if args.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { pos, args: args.into() })
    }

    /// A term with the fields behind it.
    fn operand(&mut self) -> Result<Option<Expr>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != Kind::Field {
            return Ok(Some(term));
        }
        let (pos, names) = self.fields(term.pos(), None);
        Ok(Some(match term {
            Expr::Bool(..) | Expr::String { .. } | Expr::Number { .. } | Expr::Nil(_) | Expr::Dot(_) => {
                let term = quote(&term.to_string());
                return Err(self.error(format!("unexpected . after term {term}")));
            }
            head => Expr::Chain { pos, head: Box::new(head), names },
        }))
    }

    /// The names of the fields that follow a term, and its position. Go moves that to those behind the first; its messages
    /// show it.
    fn fields(&mut self, pos: usize, first: Option<Token<'t>>) -> (usize, Box<[Box<str>]>) {
        let name = |token: Token<'t>| Box::from(&token.text[1..]);
        let mut names: Vec<_> = first.map(name).into_iter().collect();
        let next = self.peek();
        while self.peek().kind == Kind::Field {
            names.push(name(self.next()));
        }
        (if next.kind == Kind::Field { next.pos } else { pos }, names.into())
    }

    fn term(&mut self) -> Result<Option<Expr>> {
        let token = self.next_non_space();
        let pos = token.pos;
        Ok(Some(match token.kind {
            Kind::Identifier => Expr::Function { pos, callee: self.callee(token.text)? },
            Kind::Dot => Expr::Dot(pos),
            Kind::Nil => Expr::Nil(pos),
            Kind::Variable => {
                if !self.frame.variables.contains(&token.text) {
                    return Err(self.error(format!("undefined variable {}", quote(token.text))));
                }
                let variable = Variable { id: self.id(token.text), name: Box::from(token.text) };
                let (pos, names) = self.fields(pos, None);
                Expr::Variable { pos, variable, names }
            }
            Kind::Field => {
                let (pos, names) = self.fields(pos, Some(token));
                Expr::Field { pos, names }
            }
            Kind::Bool => Expr::Bool(pos, token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let number = match token.kind {
                    Kind::CharConstant => literal::char_constant(token.text),
                    kind => literal::number(token.text, kind == Kind::Complex),
                };
                let number = number.map_err(|message| self.error(message))?;
                Expr::Number { pos, number: Box::new(number), text: Box::from(token.text) }
            }
            Kind::LeftParen => {
                if self.depth >= DEEPEST {
                    return Err(self.error("max expression depth exceeded"));
                }
                self.depth += 1;
                let pipe = crate::stack::grow(|| self.pipeline("parenthesized pipeline", Kind::RightParen))?;
                self.depth -= 1;
                Expr::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let value = literal::unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?;
                Expr::String { pos, value, quoted: Box::from(token.text) }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        }))
    }

    fn callee(&self, name: &str) -> Result<Callee> {
        if let Some(function) = self.functions.get(name) {
            return Ok(Callee::Custom(Arc::clone(function)));
        }
        if let Some(builtin) = Builtin::by_name(name) {
            return Ok(Callee::Builtin(builtin));
        }
        let error = self.error(format!("function {} not defined", quote(name)));
        let functions = self.functions;
        let known = functions.names().into_iter().chain(Builtin::names().map(|name| -> &str { name }));
        Err(match crate::error::nearest(name, known) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error,
        })
    }
}

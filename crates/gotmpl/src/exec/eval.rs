//! Evaluates pipelines, commands and arguments.

use super::{Result, State, Val};
use crate::ast::{At, Command, Expr, Pipe, Variable};
use crate::func::Type;
use crate::literal::Number;
use crate::value::{Kind, Value};

impl<'t> State<'t> {
    /// The value of a pipeline. Variables it declares stay on the stack; the caller takes them off.
    pub(super) fn pipeline(&mut self, dot: &Val, pipe: &'t Pipe) -> Result<Val> {
        self.at = Some(At::Pipe(pipe));
        let mut value = None;
        for command in &pipe.commands {
            // The value of each command is the last argument of the next.
            value = Some(self.command(dot, command, value)?.unwrapped());
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.variables {
            if pipe.assign {
                self.assign(variable, value.clone())?;
            } else {
                self.variables.push((variable.id, value.clone()));
            }
        }
        Ok(value)
    }

    /// Sets the variable of this name that was declared last.
    pub(super) fn assign(&mut self, variable: &Variable, value: Val) -> Result<()> {
        let frame = self.frame;
        match self.variables[frame..].iter_mut().rev().find(|(id, _)| *id == variable.id) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {}", variable.name))),
        }
    }

    fn lookup(&self, variable: &Variable) -> Result<Val> {
        match self.variables[self.frame..].iter().rev().find(|(id, _)| *id == variable.id) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.error(format!("undefined variable: {}", variable.name))),
        }
    }

    fn command(&mut self, dot: &Val, command: &'t Command, last: Option<Val>) -> Result<Val> {
        let args = &command.args[..];
        let first = &args[0];
        match first {
            Expr::Field { names, .. } => {
                self.at = Some(At::Expr(first));
                return self.fields(dot, dot, first, names, args, last);
            }
            Expr::Chain { head, names, .. } => return self.chain(dot, first, head, names, args, last),
            Expr::Function { .. } => return self.function(dot, first, At::Command(command), args, last),
            Expr::Pipe(pipe) => {
                self.refuse_arguments(args, last.is_some())?;
                return crate::stack::grow(|| self.pipeline(dot, pipe));
            }
            Expr::Variable { variable, names, .. } => {
                return self.variable(dot, first, variable, names, args, last);
            }
            _ => {}
        }
        self.at = Some(At::Expr(first));
        self.refuse_arguments(args, last.is_some())?;
        match first {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Nil(_) => Err(self.error("nil is not a command")),
            other => self.constant(other),
        }
    }

    fn refuse_arguments(&self, args: &[Expr], last: bool) -> Result<()> {
        if args.len() > 1 || last {
            return Err(self.error(format!("can't give argument to non-function {}", args[0])));
        }
        Ok(())
    }

    fn variable(
        &mut self,
        dot: &Val,
        expr: &'t Expr,
        variable: &Variable,
        names: &'t [Box<str>],
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        self.at = Some(At::Expr(expr));
        let value = self.lookup(variable)?;
        if names.is_empty() {
            if !args.is_empty() {
                self.refuse_arguments(args, last.is_some())?;
            }
            return Ok(value);
        }
        self.fields(dot, &value, expr, names, args, last)
    }

    fn chain(
        &mut self,
        dot: &Val,
        expr: &'t Expr,
        head: &'t Expr,
        names: &'t [Box<str>],
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        self.at = Some(At::Expr(expr));
        if matches!(head, Expr::Nil(_)) {
            return Err(self.error(format!("indirection through explicit nil in {expr}")));
        }
        let receiver = self.operand(dot, head)?;
        self.fields(dot, &receiver, expr, names, args, last)
    }

    /// An operand that is no literal, with what Go knows of its static type.
    fn operand(&mut self, dot: &Val, expr: &'t Expr) -> Result<Val> {
        self.at = Some(At::Expr(expr));
        match expr {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Field { names, .. } => self.fields(dot, dot, expr, names, &[], None),
            Expr::Variable { variable, names, .. } => self.variable(dot, expr, variable, names, &[], None),
            Expr::Pipe(pipe) => crate::stack::grow(|| self.pipeline(dot, pipe)),
            Expr::Function { .. } => self.function(dot, expr, At::Expr(expr), &[], None),
            Expr::Chain { head, names, .. } => self.chain(dot, expr, head, names, &[], None),
            literal => self.constant(literal),
        }
    }

    /// An argument for a parameter of a type.
    pub(super) fn argument(&mut self, dot: &Val, kind: Type, expr: &'t Expr) -> Result<Val> {
        match expr {
            Expr::Bool(..) | Expr::Number { .. } | Expr::String { .. } => {
                self.at = Some(At::Expr(expr));
                self.literal(kind, expr)
            }
            Expr::Nil(_) => {
                self.at = Some(At::Expr(expr));
                match kind.nil() {
                    Some(nil) => Ok(Val::concrete(nil)),
                    None => Err(self.error(format!("cannot assign nil to {}", kind.name()))),
                }
            }
            _ => {
                let value = self.operand(dot, expr)?;
                self.admit(value, kind)
            }
        }
    }

    /// Checks that a value may be passed for a type; makes the right nil of no value.
    pub(super) fn admit(&self, value: Val, kind: Type) -> Result<Val> {
        if matches!(kind, Type::Any | Type::Reflect) {
            return Ok(value);
        }
        if !value.is_valid() {
            return match kind.nil() {
                Some(nil) => Ok(Val::concrete(nil)),
                None => Err(self.error(format!("invalid value; expected {}", kind.name()))),
            };
        }
        if kind.accepts(value.value()) {
            return Ok(value);
        }
        let found = if value.is_nil_interface() { value.static_type() } else { value.value().type_name() };
        Err(self.error(format!("wrong type for value; expected {}; got {found}", kind.name())))
    }

    /// A literal where the parameter's type decides what it means.
    fn literal(&mut self, kind: Type, expr: &'t Expr) -> Result<Val> {
        let number = match expr {
            Expr::Number { number, .. } => **number,
            _ => Number::default(),
        };
        let (value, expected) = match (kind, kind.kind()) {
            (Type::Any | Type::Reflect, _) => return self.constant(expr),
            (_, Kind::Bool) => (as_bool(expr).map(Value::Bool), "bool"),
            (_, Kind::String) => (as_string(expr), "string"),
            (Type::Int, _) => (number.int.map(Value::Int), "integer"),
            (Type::Int64, _) => (number.int.map(Value::Int64), "integer"),
            (Type::Uint32, _) => {
                (number.uint.map(|n| Value::Uint64(n & u64::from(u32::MAX))), "unsigned integer")
            }
            (Type::Uint64, _) => (number.uint.map(Value::Uint64), "unsigned integer"),
            (Type::Float64, _) => (number.float.map(Value::Float64), "float"),
            _ => return Err(self.error(format!("can't handle {expr} for arg of type {}", kind.name()))),
        };
        match value {
            Some(value) => Ok(Val::concrete(value)),
            None => Err(self.error(format!("expected {expected}; found {expr}"))),
        }
    }

    /// A literal by itself: its syntax decides the type.
    fn constant(&mut self, expr: &'t Expr) -> Result<Val> {
        let value = match expr {
            Expr::Bool(_, truth) => Value::Bool(*truth),
            Expr::String { value, .. } => Value::String(value.clone()),
            Expr::Number { number, text, .. } => {
                self.at = Some(At::Expr(expr));
                if number.complex {
                    return Err(self.error(format!("complex numbers are not supported: {text}")));
                }
                match **number {
                    Number { float: Some(float), .. } if is_float(text) => Value::Float64(float),
                    Number { int: Some(int), .. } => Value::Int(int),
                    _ => return Err(self.error(format!("{text} overflows int"))),
                }
            }
            other => {
                return Err(self
                    .error(format!("can't evaluate command {}", crate::format::quote(&other.to_string()))));
            }
        };
        Ok(Val::concrete(value))
    }
}

/// Whether a number is written as a float: a point or an exponent, but no character and no hexadecimal integer.
fn is_float(text: &str) -> bool {
    let hex_integer = text.len() > 2
        && text.starts_with('0')
        && matches!(text.as_bytes()[1], b'x' | b'X')
        && !text.contains(['p', 'P']);
    !hex_integer && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P'])
}

fn as_bool(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Bool(_, truth) => Some(*truth),
        _ => None,
    }
}

fn as_string(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::String { value, .. } => Some(Value::String(value.clone())),
        _ => None,
    }
}

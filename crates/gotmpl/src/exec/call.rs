//! Calls functions and methods: counts, evaluates and checks the arguments as Go does.

use std::rc::Rc;

use super::{Context, Result, State, Val};
use crate::ast::{At, Callee, Expr};
use crate::builtins::Builtin;
use crate::error::Error;
use crate::func::{FuncError, Signature, Type};
use crate::template::Limits;
use crate::value::{Object, Value};

impl<'t> State<'t> {
    /// Calls what a name stands for. `args` begins with the name itself, where there are any.
    pub(super) fn function(
        &mut self,
        dot: &Val,
        expr: &'t Expr,
        at: At<'t>,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        self.at = Some(At::Expr(expr));
        let Expr::Function { callee, .. } = expr else {
            return Err(self.error(format!("{expr} is not a function")));
        };
        match callee {
            Callee::Builtin(builtin) => self.builtin(dot, *builtin, at, args, last),
            Callee::Custom(function) => {
                let name = &function.name;
                let values = self.arguments(dot, function.signature, name, args, last)?;
                let mut context = Context { run: self.run, scope: self.scope, template: self.template };
                let result = (function.body)(&mut context, &values);
                self.give_back(values);
                self.returned(result, at, name)
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "Go's evalCall takes as many")]
    pub(super) fn method(
        &mut self,
        dot: &Val,
        object: &Rc<dyn Object>,
        signature: Signature,
        at: At<'t>,
        name: &str,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        let values = self.arguments(dot, signature, name, args, last)?;
        let mut context = Context { run: self.run, scope: self.scope, template: self.template };
        let result = object.call(name, &mut context, &values);
        self.give_back(values);
        self.returned(result, at, name)
    }

    fn returned(
        &mut self,
        result: std::result::Result<Value, FuncError>,
        at: At<'t>,
        name: &str,
    ) -> Result<Val> {
        match result {
            Ok(value) => match too_large(&value) {
                None => Ok(Val::concrete(value)),
                Some(words) => Err(self.failed(at, name, FuncError::new(words))),
            },
            Err(failure) => Err(self.failed(at, name, failure)),
        }
    }

    fn failed(&mut self, at: At<'t>, name: &str, failure: FuncError) -> Error {
        self.at = Some(at);
        let error = self.error(format!("error calling {name}: {}", failure.message));
        match failure.cause {
            Some(cause) => error.caused_by(*cause),
            None => error,
        }
    }

    fn give_back(&self, mut values: Vec<Value>) {
        values.clear();
        self.run.buffers.borrow_mut().push(values);
    }

    /// Arguments as plain values, in a list that [`State::give_back`] takes back.
    fn arguments(
        &mut self,
        dot: &Val,
        signature: Signature,
        name: &str,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Vec<Value>> {
        let args = args.get(1..).unwrap_or_default();
        self.count(signature, name, args.len(), last.is_some())?;
        let mut values = self.run.buffers.borrow_mut().pop().unwrap_or_default();
        for (index, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, parameter(signature, index), arg)?.into_value());
        }
        if let Some(last) = last {
            values.push(self.admit(last, parameter(signature, args.len()))?.into_value());
        }
        Ok(values)
    }

    fn count(&self, signature: Signature, name: &str, args: usize, last: bool) -> Result<()> {
        let (given, fixed) = (args + usize::from(last), signature.params.len());
        if signature.variadic.is_some() {
            if given < fixed {
                return Err(
                    self.error(format!("wrong number of args for {name}: want at least {fixed} got {args}"))
                );
            }
        } else if given != fixed {
            return Err(self.error(format!("wrong number of args for {name}: want {fixed} got {given}")));
        }
        Ok(())
    }

    fn builtin(
        &mut self,
        dot: &Val,
        builtin: Builtin,
        at: At<'t>,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        let name = builtin.name();
        let signature = builtin.signature();
        let rest = args.get(1..).unwrap_or_default();
        self.count(signature, name, rest.len(), last.is_some())?;
        if matches!(builtin, Builtin::And | Builtin::Or) {
            // They evaluate no more than they need.
            let mut value = Val::INVALID;
            for arg in rest {
                value = self.argument(dot, Type::Reflect, arg)?;
                if value.value().is_true() == (builtin == Builtin::Or) {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut values = self.run.operands.borrow_mut().pop().unwrap_or_default();
        for (index, arg) in rest.iter().enumerate() {
            values.push(self.argument(dot, parameter(signature, index), arg)?);
        }
        if let Some(last) = last {
            values.push(self.admit(last, parameter(signature, rest.len()))?);
        }
        let result = if builtin == Builtin::Call {
            // There are no function values to call; this only says so, as Go does.
            Err(match values.first().map(Val::value) {
                None | Some(Value::Nil) => "call of nil".to_owned(),
                Some(value) => {
                    let name = match (rest.first(), value) {
                        (Some(callee), _) => callee.to_string(),
                        (None, Value::String(text)) => text.to_string(),
                        (None, other) => format!("<{} Value>", other.type_name()),
                    };
                    format!("non-function {name} of type {}", value.type_name())
                }
            })
        } else {
            builtin.call(&values)
        };
        values.clear();
        self.run.operands.borrow_mut().push(values);
        self.returned(result.map_err(FuncError::new), at, name)
    }
}

/// What functions of functions give can double with each step.
fn too_large(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) if text.len() > Limits::TEXT => Some("the text is longer than 64 MiB"),
        Value::List(list) if list.len() > Limits::ITEMS => Some("the list has more than 10,000,000 elements"),
        _ => None,
    }
}

fn parameter(signature: Signature, index: usize) -> Type {
    signature.params.get(index).copied().or(signature.variadic).unwrap_or(Type::Any)
}

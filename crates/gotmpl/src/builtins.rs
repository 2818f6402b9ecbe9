//! Go's built-in functions, but for `and`, `or` and `call`, which the executor itself carries out.

mod compare;
mod escape;
mod index;

use crate::exec::Val;
use crate::format;
use crate::func::{Signature, Type};
use crate::value::{Str, Value};

/// A built-in function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    UrlQuery,
}

const ALL: [(&str, Builtin); 19] = [
    ("and", Builtin::And),
    ("call", Builtin::Call),
    ("eq", Builtin::Eq),
    ("ge", Builtin::Ge),
    ("gt", Builtin::Gt),
    ("html", Builtin::Html),
    ("index", Builtin::Index),
    ("js", Builtin::Js),
    ("le", Builtin::Le),
    ("len", Builtin::Len),
    ("lt", Builtin::Lt),
    ("ne", Builtin::Ne),
    ("not", Builtin::Not),
    ("or", Builtin::Or),
    ("print", Builtin::Print),
    ("printf", Builtin::Printf),
    ("println", Builtin::Println),
    ("slice", Builtin::Slice),
    ("urlquery", Builtin::UrlQuery),
];

impl Builtin {
    pub(crate) fn by_name(name: &str) -> Option<Builtin> {
        ALL.binary_search_by_key(&name, |&(known, _)| known).ok().map(|at| ALL[at].1)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|&(name, _)| name)
    }

    pub(crate) fn name(self) -> &'static str {
        ALL[self as usize].0
    }

    pub(crate) const fn signature(self) -> Signature {
        match self {
            Builtin::And | Builtin::Or | Builtin::Eq | Builtin::Index | Builtin::Slice | Builtin::Call => {
                Signature::variadic(&[Type::Reflect], Type::Reflect)
            }
            Builtin::Ge | Builtin::Gt | Builtin::Le | Builtin::Lt | Builtin::Ne => {
                Signature::fixed(&[Type::Reflect, Type::Reflect])
            }
            Builtin::Len | Builtin::Not => Signature::fixed(&[Type::Reflect]),
            Builtin::Html | Builtin::Js | Builtin::Print | Builtin::Println | Builtin::UrlQuery => {
                Signature::ANY
            }
            Builtin::Printf => Signature::variadic(&[Type::String], Type::Any),
        }
    }

    /// Runs it on arguments that its signature admits. `and`, `or` and `call` never come here.
    pub(crate) fn call(self, args: &[Val]) -> Result<Value, String> {
        let arg = |at: usize| args.get(at).map_or(&Value::Nil, Val::value);
        Ok(match self {
            Builtin::And | Builtin::Or | Builtin::Call => Value::Nil,
            Builtin::Eq => Value::Bool(compare::equal(args)?),
            Builtin::Ne => Value::Bool(!compare::equal(args)?),
            Builtin::Lt => Value::Bool(compare::less(arg(0), arg(1))?),
            Builtin::Le => Value::Bool(compare::less(arg(0), arg(1))? || compare::equal(args)?),
            Builtin::Gt => Value::Bool(!(compare::less(arg(0), arg(1))? || compare::equal(args)?)),
            Builtin::Ge => Value::Bool(!compare::less(arg(0), arg(1))?),
            Builtin::Not => Value::Bool(!arg(0).is_true()),
            Builtin::Index => index::index(args)?,
            Builtin::Slice => index::slice(args)?,
            Builtin::Len => Value::Int(index::length(args)?),
            Builtin::Print => text(format::sprint(&values(args))),
            Builtin::Println => text(format::sprintln(&values(args))),
            Builtin::Printf => match arg(0) {
                Value::String(template) => {
                    text(format::sprintf(template.as_bytes(), &values(args.get(1..).unwrap_or_default())))
                }
                _ => Value::Nil,
            },
            Builtin::Html => text(escape::html(&printed(args))),
            Builtin::Js => text(escape::js(&printed(args))),
            Builtin::UrlQuery => text(escape::url_query(&printed(args))),
        })
    }
}

fn text(bytes: Vec<u8>) -> Value {
    Value::String(Str::from(bytes))
}

fn values(args: &[Val]) -> Vec<Value> {
    args.iter().map(|arg| arg.value().clone()).collect()
}

/// The arguments as templates print them: nil as `<no value>`, objects without the sign of a pointer.
fn printed(args: &[Val]) -> Vec<u8> {
    let mut printer = format::Printer::new();
    let mut after_string = false;
    for (index, arg) in args.iter().map(Val::value).enumerate() {
        let is_string = matches!(arg, Value::String(_) | Value::Nil);
        if index > 0 && !is_string && !after_string {
            printer.push(b" ");
        }
        match arg {
            Value::Nil => printer.push(b"<no value>"),
            arg => printer.print_pointed_to(arg),
        }
        after_string = is_string;
    }
    printer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for (name, builtin) in ALL {
            assert_eq!(Builtin::by_name(name), Some(builtin), "the table must be sorted");
            assert_eq!(builtin.name(), name);
        }
    }
}

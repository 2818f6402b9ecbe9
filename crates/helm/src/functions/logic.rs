//! Choices and kinds: `default`, `ternary`, `kindIs` and the like.

use gotmpl::{FuncMap, Signature, Type, Value};

use super::{arg, is_empty, text_arg};

const ONE: Signature = Signature::fixed(&[Type::Any]);
const NAME_AND_VALUE: Signature = Signature::fixed(&[Type::String, Type::Any]);

pub fn add(f: &mut FuncMap) {
    f.add("default", Signature::variadic(&[Type::Any], Type::Any), |_, a| {
        Ok(if a.len() < 2 || is_empty(&a[1]) { arg(a, 0) } else { arg(a, 1) })
    });
    f.add("empty", ONE, |_, a| Ok(Value::Bool(is_empty(&arg(a, 0)))));
    f.add("coalesce", Signature::ANY, |_, a| {
        Ok(a.iter().find(|value| !is_empty(value)).cloned().unwrap_or_default())
    });
    f.add("all", Signature::ANY, |_, a| Ok(Value::Bool(!a.iter().any(is_empty))));
    f.add("any", Signature::ANY, |_, a| Ok(Value::Bool(a.iter().any(|value| !is_empty(value)))));
    f.add("ternary", Signature::fixed(&[Type::Any, Type::Any, Type::Bool]), |_, a| {
        Ok(if arg(a, 2).as_bool() == Some(true) { arg(a, 0) } else { arg(a, 1) })
    });
    f.add("typeOf", ONE, |_, a| Ok(Value::from(arg(a, 0).type_name())));
    f.add("typeIs", NAME_AND_VALUE, |_, a| Ok(Value::Bool(text_arg(a, 0) == arg(a, 1).type_name())));
    f.add("typeIsLike", NAME_AND_VALUE, |_, a| {
        let (wanted, have) = (text_arg(a, 0), arg(a, 1).type_name().into_owned());
        Ok(Value::Bool(wanted == have || format!("*{wanted}") == have))
    });
    f.add("kindOf", ONE, |_, a| Ok(Value::from(arg(a, 0).kind().name())));
    f.add("kindIs", NAME_AND_VALUE, |_, a| Ok(Value::Bool(text_arg(a, 0) == arg(a, 1).kind().name())));
    f.add("deepEqual", Signature::fixed(&[Type::Any, Type::Any]), |_, a| {
        Ok(Value::Bool(arg(a, 0).deep_equal(&arg(a, 1))))
    });
    f.add("hello", Signature::fixed(&[]), |_, _| Ok(Value::from("Hello!")));
}

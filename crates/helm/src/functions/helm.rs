//! Helm's own functions, that know of the chart being rendered: `include`, `tpl`, `required`, `fail`, `lookup`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use gotmpl::{Context, FuncError, FuncMap, Map, Signature, Str, Type, Value};

use super::{arg, bytes_arg, text_arg};
use crate::convert::to_value;
use crate::engine::Lookup;

/// How often templates of one name may include each other.
const MAX_INCLUDES: usize = 1_000;

/// Marks messages that charts themselves give, as Helm does while they travel.
const START: &str = "HELM_ERR_START";
const END: &str = "HELM_ERR_END";

/// What functions need to know of a rendering.
#[derive(Default)]
pub struct RenderState {
    pub lookup: Option<Arc<dyn Lookup>>,
    /// As `helm lint` renders: what a chart itself refuses is passed over.
    pub lenient: bool,
    included: RefCell<HashMap<Str, usize, RandomState>>,
}

impl RenderState {
    pub fn new(lookup: Option<Arc<dyn Lookup>>) -> Self {
        Self { lookup, lenient: false, included: RefCell::default() }
    }
}

/// The chart's own message in an error's text.
pub fn unmark(text: &str) -> Option<&str> {
    let start = text.find(START)? + START.len();
    let end = text.rfind(END)?;
    text.get(start..end)
}

fn marked(message: &str) -> FuncError {
    FuncError::new(format!("{START}{message}{END}"))
}

/// The chart's own message, unless such messages are passed over.
fn refuse(context: &Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
    if context.state_as::<RenderState>().is_some_and(|state| state.lenient) {
        return Ok(Value::from(""));
    }
    Err(marked(&text_arg(args, 0)))
}

pub fn add(f: &mut FuncMap) {
    f.add("include", Signature::fixed(&[Type::String, Type::Any]), |context, a| {
        let name = bytes_arg(a, 0);
        if let Some(state) = context.state_as::<RenderState>() {
            let mut included = state.included.borrow_mut();
            let depth = included.entry(name.clone()).or_insert(0);
            if *depth > MAX_INCLUDES {
                return Err(FuncError::new(format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                )));
            }
            *depth += 1;
        }
        let result = context.execute_template(&name.to_str(), &arg(a, 1));
        if let Some(state) = context.state_as::<RenderState>()
            && let Some(depth) = state.included.borrow_mut().get_mut(name.as_bytes())
        {
            *depth -= 1;
        }
        Ok(Value::String(result?))
    });
    f.add("tpl", Signature::fixed(&[Type::String, Type::Any]), |context, a| {
        let text = text_arg(a, 0);
        // All such templates are named as Helm names its root.
        let rendered = context.parse_and_execute("gotpl", &text, &arg(a, 1)).map_err(|error| {
            let quoted = gotmpl::quote(&text);
            // Only what runs has a template that it runs in.
            let failed = if error.details().template.is_empty() {
                "cannot parse template"
            } else {
                "error during tpl function execution for"
            };
            FuncError::wrap(format!("{failed} {quoted}: {error}"), error)
        })?;
        Ok(Value::String(without_no_value(rendered)))
    });
    f.add("required", Signature::fixed(&[Type::String, Type::Any]), |context, a| match arg(a, 1) {
        Value::Nil => refuse(context, a),
        Value::String(text) if text.is_empty() => refuse(context, a),
        value => Ok(value),
    });
    f.add("fail", Signature::fixed(&[Type::String]), |context, a| refuse(context, a));
    f.add(
        "lookup",
        Signature::fixed(&[Type::String, Type::String, Type::String, Type::String]),
        |context, a| {
            let lookup = context.state_as::<RenderState>().and_then(|state| state.lookup.clone());
            let Some(lookup) = lookup else { return Ok(Value::Map(Map::new())) };
            let (version, kind) = (text_arg(a, 0), text_arg(a, 1));
            let (namespace, name) = (text_arg(a, 2), text_arg(a, 3));
            let found = lookup.lookup(&version, &kind, &namespace, &name).map_err(FuncError::new)?;
            Ok(found.map_or_else(|| Value::Map(Map::new()), |object| to_value(&object)))
        },
    );
    // Kept from templates: they would see the environment of whoever renders.
    for name in ["env", "expandenv"] {
        f.remove(name);
    }
}

/// What Go prints for a missing value is blanked.
pub fn without_no_value(text: Str) -> Str {
    const MARK: &[u8] = b"<no value>";
    let mut out = Vec::new();
    let (bytes, mut rest) = (text.as_bytes(), 0);
    for at in memchr::memmem::find_iter(bytes, MARK) {
        out.extend_from_slice(&bytes[rest..at]);
        rest = at + MARK.len();
    }
    if rest == 0 {
        return text;
    }
    out.extend_from_slice(&bytes[rest..]);
    Str::from(out)
}

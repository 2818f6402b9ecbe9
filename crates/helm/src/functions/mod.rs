//! The functions that templates call: Sprig's and Helm's own, by the names and with the habits that
//! Go's have. A name that is not here makes a template fail to parse, naming function and line.

mod cases;
mod crypto;
mod dates;
mod decimal;
mod dicts;
mod durations;
mod encode;
mod helm;
mod lists;
mod logic;
mod merge;
mod moment;
mod numbers;
mod passwords;
mod paths;
mod pki;
mod regexes;
mod text;
mod urls;
mod versions;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use gotmpl::{FuncError, FuncMap, Limits, Str, Value};

pub(crate) use crypto::hex;
pub(crate) use durations::Duration;
pub(crate) use helm::{RenderState, unmark, without_no_value};
pub(crate) use moment::{from_zoned, rfc3339};
pub(crate) use paths::{base as path_base, clean as path_clean};

/// What a function gives.
type Outcome = Result<Value, FuncError>;

static ALL: LazyLock<Arc<FuncMap>> = LazyLock::new(|| {
    let mut functions = FuncMap::new();
    text::add(&mut functions);
    lists::add(&mut functions);
    dicts::add(&mut functions);
    numbers::add(&mut functions);
    logic::add(&mut functions);
    encode::add(&mut functions);
    regexes::add(&mut functions);
    paths::add(&mut functions);
    versions::add(&mut functions);
    dates::add(&mut functions);
    durations::add(&mut functions);
    crypto::add(&mut functions);
    passwords::add(&mut functions);
    pki::add(&mut functions);
    urls::add(&mut functions);
    helm::add(&mut functions);
    Arc::new(functions)
});

/// All functions, shared by every rendering.
pub fn all() -> Arc<FuncMap> {
    Arc::clone(&ALL)
}

/// Parts of a value that a function may copy or write at most: lists that hold others twice grow with each step.
pub(crate) const MAX_PARTS: usize = 4_000_000;

/// An error where a text would be too long.
fn fits(size: usize) -> Result<(), FuncError> {
    if size > Limits::TEXT { Err(FuncError::new("the text would be longer than 64 MiB")) } else { Ok(()) }
}

/// An error where a value has too many parts.
fn few_parts(value: &Value) -> Result<(), FuncError> {
    if value.has_more_parts_than(MAX_PARTS) {
        return Err(FuncError::new("the value has more than 4,000,000 parts"));
    }
    Ok(())
}

/// The argument, or nil: signatures have already counted.
fn arg(args: &[Value], at: usize) -> Value {
    args.get(at).cloned().unwrap_or_default()
}

/// Text of a string argument; bytes that are no UTF-8 are replaced.
fn text_arg(args: &[Value], at: usize) -> Cow<'_, str> {
    match args.get(at) {
        Some(Value::String(text)) => text.to_str(),
        _ => Cow::Borrowed(""),
    }
}

fn bytes_arg(args: &[Value], at: usize) -> Str {
    match args.get(at) {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    }
}

fn int_arg(args: &[Value], at: usize) -> i64 {
    args.get(at).and_then(Value::as_int).unwrap_or(0)
}

/// Sprig's `strval`: what a value is as text.
fn strval(value: &Value) -> Str {
    match value {
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => Str::from(&bytes[..]),
        Value::Object(object) => match object.display() {
            Some(text) => Str::from(text),
            None => Str::from(gotmpl::sprint(std::slice::from_ref(value))),
        },
        other => Str::from(gotmpl::sprint(std::slice::from_ref(other))),
    }
}

/// Sprig's `empty`: zero, empty, nil.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.as_map().is_some_and(|map| map.is_empty()),
        other => !other.is_true(),
    }
}

//! Functions on lists. Lists are never changed: each function gives a new one.

use gotmpl::{FuncError, FuncMap, Limits, List, ListType, Signature, Str, Type, Value};

use super::numbers::to_int64;
use super::{Outcome, arg, fits, int_arg, is_empty, strval};

/// What a list may hold whose elements are all compared with each other.
const MAX_COMPARED: usize = 20_000;

const ONE: Signature = Signature::fixed(&[Type::Any]);
const TWO: Signature = Signature::fixed(&[Type::Any, Type::Any]);
const REST: Signature = Signature::variadic(&[Type::Any], Type::Any);

pub fn add(f: &mut FuncMap) {
    for name in ["list", "tuple"] {
        f.add(name, Signature::ANY, |_, a| Ok(Value::from(a.to_vec())));
    }
    for name in ["append", "push", "mustAppend", "mustPush"] {
        f.add(name, TWO, |_, a| {
            let mut list = items(&arg(a, 0), "push on")?;
            list.push(arg(a, 1));
            Ok(Value::from(list))
        });
    }
    for name in ["prepend", "mustPrepend"] {
        f.add(name, TWO, |_, a| {
            let mut list = vec![arg(a, 1)];
            list.extend(items(&arg(a, 0), "prepend on")?);
            Ok(Value::from(list))
        });
    }
    for name in ["first", "mustFirst"] {
        f.add(name, ONE, |_, a| Ok(items(&arg(a, 0), "find first on")?.first().cloned().unwrap_or_default()));
    }
    for name in ["last", "mustLast"] {
        f.add(name, ONE, |_, a| Ok(items(&arg(a, 0), "find last on")?.last().cloned().unwrap_or_default()));
    }
    for name in ["rest", "mustRest"] {
        f.add(name, ONE, |_, a| {
            let list = items(&arg(a, 0), "find rest on")?;
            Ok(if list.is_empty() { nil_list() } else { Value::from(list[1..].to_vec()) })
        });
    }
    for name in ["initial", "mustInitial"] {
        f.add(name, ONE, |_, a| {
            let list = items(&arg(a, 0), "find initial on")?;
            Ok(if list.is_empty() { nil_list() } else { Value::from(list[..list.len() - 1].to_vec()) })
        });
    }
    for name in ["reverse", "mustReverse"] {
        f.add(name, ONE, |_, a| {
            let mut list = items(&arg(a, 0), "find reverse on")?;
            list.reverse();
            Ok(Value::from(list))
        });
    }
    for name in ["compact", "mustCompact"] {
        f.add(name, ONE, |_, a| {
            let mut list = items(&arg(a, 0), "compact on")?;
            list.retain(|item| !is_empty(item));
            Ok(Value::from(list))
        });
    }
    for name in ["uniq", "mustUniq"] {
        f.add(name, ONE, |_, a| {
            let list = items(&arg(a, 0), "find uniq on")?;
            if list.len() > MAX_COMPARED {
                return Err(FuncError::new("find uniq on more than 20,000 elements"));
            }
            let mut unique: Vec<Value> = Vec::new();
            for item in list {
                if !unique.iter().any(|have| have.deep_equal(&item)) {
                    unique.push(item);
                }
            }
            Ok(Value::from(unique))
        });
    }
    for name in ["without", "mustWithout"] {
        f.add(name, REST, |_, a| {
            let mut list = items(&arg(a, 0), "find without on")?;
            list.retain(|item| !a[1..].iter().any(|out| out.deep_equal(item)));
            Ok(Value::from(list))
        });
    }
    for name in ["has", "mustHas"] {
        f.add(name, TWO, |_, a| {
            let (needle, haystack) = (arg(a, 0), arg(a, 1));
            if matches!(haystack, Value::Nil) {
                return Ok(Value::Bool(false));
            }
            let list = items(&haystack, "find has on")?;
            Ok(Value::Bool(list.iter().any(|item| item.deep_equal(&needle))))
        });
    }
    for name in ["slice", "mustSlice"] {
        f.add(name, REST, |_, a| slice(a));
    }
    f.add("concat", Signature::ANY, |_, a| {
        let mut all = Vec::new();
        for list in a {
            match items(list, "") {
                Ok(items) => all.extend(items),
                Err(error) if matches!(list, Value::Nil) => return Err(error),
                Err(_) => {
                    return Err(FuncError::new(format!("Cannot concat type {} as list", list.kind().name())));
                }
            }
        }
        Ok(if all.is_empty() { nil_list() } else { Value::from(all) })
    });
    for name in ["chunk", "mustChunk"] {
        f.add(name, Signature::fixed(&[Type::Int, Type::Any]), |_, a| {
            let list = items(&arg(a, 1), "chunk")?;
            let size = usize::try_from(int_arg(a, 0)).ok().filter(|size| *size > 0);
            let size = size.ok_or("runtime error: makeslice: len out of range")?;
            let chunks = list.chunks(size).map(|chunk| Value::from(chunk.to_vec()));
            Ok(Value::List(List::of(ListType::List, chunks.collect())))
        });
    }
    f.add("toStrings", ONE, |_, a| Ok(Value::strings(strings(&arg(a, 0))?)));
    f.add("join", Signature::fixed(&[Type::String, Type::Any]), |_, a| {
        let separator = super::bytes_arg(a, 0);
        let parts = strings(&arg(a, 1))?;
        let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
        let size = |part: &&[u8]| part.len() + separator.len();
        fits(parts.iter().map(size).fold(0, usize::saturating_add))?;
        Ok(Value::string(parts.join(separator.as_bytes())))
    });
    f.add("sortAlpha", ONE, |_, a| {
        let list = arg(a, 0);
        let mut parts = if items(&list, "").is_ok() { strings(&list)? } else { vec![strval(&list)] };
        parts.sort();
        Ok(Value::strings(parts))
    });
    f.add("until", Signature::fixed(&[Type::Int]), |_, a| {
        let count = int_arg(a, 0);
        until_step(0, count, if count < 0 { -1 } else { 1 }).map(ints)
    });
    f.add("untilStep", Signature::fixed(&[Type::Int, Type::Int, Type::Int]), |_, a| {
        until_step(int_arg(a, 0), int_arg(a, 1), int_arg(a, 2)).map(ints)
    });
    f.add("seq", Signature::variadic(&[], Type::Int), |_, a| seq(a));
}

fn nil_list() -> Value {
    Value::List(List::nil(ListType::Any))
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::of(ListType::Int, numbers.into_iter().map(Value::Int).collect()))
}

/// The elements of a list; the words are Sprig's.
fn items(value: &Value, what: &str) -> Result<Vec<Value>, FuncError> {
    match value {
        Value::List(list) => Ok(list.to_vec()),
        Value::Bytes(bytes) => Ok(bytes.iter().map(|byte| Value::Uint8(*byte)).collect()),
        Value::Nil => Err(FuncError::new("runtime error: invalid memory address or nil pointer dereference")),
        other => match other.as_object().and_then(gotmpl::Object::as_list) {
            Some(list) => Ok(list.to_vec()),
            None => Err(FuncError::new(format!("Cannot {what} type {}", other.kind().name()))),
        },
    }
}

/// Sprig's `strslice`: lists element by element without nils, anything else as one.
pub fn strings(value: &Value) -> Result<Vec<Str>, FuncError> {
    if matches!(value, Value::Nil) {
        return Ok(Vec::new());
    }
    let Ok(items) = items(value, "") else { return Ok(vec![strval(value)]) };
    let mut made = 0;
    let texts = items.iter().filter(|item| !matches!(item, Value::Nil)).map(|item| {
        let text = strval(item);
        if !matches!(item, Value::String(_)) {
            made += text.len();
        }
        fits(made)?;
        Ok(text)
    });
    texts.collect()
}

fn slice(args: &[Value]) -> Outcome {
    let source = arg(args, 0);
    let list = match items(&source, "") {
        Ok(list) => list,
        Err(error) if matches!(source, Value::Nil) => return Err(error),
        Err(_) => {
            let kind = source.kind().name();
            return Err(FuncError::new(format!("list should be type of slice or array but {kind}")));
        }
    };
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_int64);
    let end = args.get(2).map_or(list.len() as i64, to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| list.get(start..end));
    match part {
        Some(part) => {
            let object = source.as_object().and_then(gotmpl::Object::as_list);
            let kind = source.as_list().or(object.as_ref()).map_or(ListType::Any, List::list_type);
            Ok(Value::List(List::of(kind, part.to_vec())))
        }
        None => Err(FuncError::new("reflect.Value.Slice: slice index out of bounds")),
    }
}

fn until_step(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    let mut numbers = Vec::new();
    let mut at = start;
    let down = stop < start;
    if (down && step >= 0) || (!down && step <= 0) {
        return Ok(numbers);
    }
    while if down { at > stop } else { at < stop } {
        if numbers.len() >= Limits::ITEMS {
            return Err(FuncError::new("the list would be too long"));
        }
        numbers.push(at);
        at = at.saturating_add(step);
    }
    Ok(numbers)
}

fn seq(args: &[Value]) -> Outcome {
    let number = |at: usize| int_arg(args, at);
    let numbers = match args.len() {
        1 => {
            let step = if number(0) < 1 { -1 } else { 1 };
            until_step(1, number(0) + step, step)?
        }
        2 => {
            let step = if number(1) < number(0) { -1 } else { 1 };
            until_step(number(0), number(1) + step, step)?
        }
        3 => {
            let mut increment = 1;
            if number(2) < number(0) {
                increment = -1;
                if number(1) > 0 {
                    return Ok(Value::from(""));
                }
            }
            until_step(number(0), number(2) + increment, number(1))?
        }
        _ => return Ok(Value::from("")),
    };
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::from(words.join(" ")))
}

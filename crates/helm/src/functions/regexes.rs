//! Regular expressions: Go's RE2 syntax on Rust's engine, which is of the same family. What differs
//! (ASCII classes, literal brackets in classes) is translated.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gotmpl::{FuncError, FuncMap, List, ListType, Signature, Type, Value};
use regex::Regex;

use super::{fits, int_arg, text_arg};

const TWO: Signature = Signature::fixed(&[Type::String, Type::String]);
const THREE: Signature = Signature::fixed(&[Type::String, Type::String, Type::String]);
const TEXT_TEXT_INT: Signature = Signature::fixed(&[Type::String, Type::String, Type::Int]);

pub fn add(f: &mut FuncMap) {
    f.add("regexMatch", TWO, |_, a| {
        Ok(Value::Bool(compile(&text_arg(a, 0)).is_ok_and(|regex| regex.is_match(&text_arg(a, 1)))))
    });
    f.add("mustRegexMatch", TWO, |_, a| Ok(Value::Bool(compile(&text_arg(a, 0))?.is_match(&text_arg(a, 1)))));
    for name in ["regexFind", "mustRegexFind"] {
        f.add(name, TWO, move |_, a| {
            let text = text_arg(a, 1);
            Ok(Value::from(
                compile_for(name, &text_arg(a, 0))?.find(&text).map_or("", |found| found.as_str()),
            ))
        });
    }
    for name in ["regexFindAll", "mustRegexFindAll"] {
        f.add(name, TEXT_TEXT_INT, move |_, a| {
            let (regex, text, most) = (compile_for(name, &text_arg(a, 0))?, text_arg(a, 1), int_arg(a, 2));
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let found: Vec<&str> = regex.find_iter(&text).take(most).map(|found| found.as_str()).collect();
            Ok(if found.is_empty() {
                Value::List(List::nil(ListType::String))
            } else {
                Value::strings(found)
            })
        });
    }
    for name in ["regexReplaceAll", "mustRegexReplaceAll"] {
        f.add(name, THREE, move |_, a| {
            let (regex, text, with) = (compile_for(name, &text_arg(a, 0))?, text_arg(a, 1), text_arg(a, 2));
            // Each group that is put in is a part of what was found.
            let groups = with.matches('$').count();
            let mut out = String::new();
            let mut rest = 0;
            for found in regex.captures_iter(&text) {
                let Some(whole) = found.get(0) else { continue };
                out.push_str(&text[rest..whole.start()]);
                fits(groups.saturating_mul(whole.len()).saturating_add(with.len() + out.len()))?;
                found.expand(&with, &mut out);
                rest = whole.end();
            }
            out.push_str(&text[rest..]);
            Ok(Value::from(out))
        });
    }
    for name in ["regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"] {
        f.add(name, THREE, move |_, a| {
            let (regex, text, with) = (compile_for(name, &text_arg(a, 0))?, text_arg(a, 1), text_arg(a, 2));
            let found = if with.is_empty() { 0 } else { regex.find_iter(&text).count() };
            fits(found.saturating_mul(with.len()).saturating_add(text.len()))?;
            Ok(Value::from(regex.replace_all(&text, regex::NoExpand(&with)).into_owned()))
        });
    }
    for name in ["regexSplit", "mustRegexSplit"] {
        f.add(name, TEXT_TEXT_INT, move |_, a| {
            let pattern = text_arg(a, 0);
            let regex = compile_for(name, &pattern)?;
            Ok(split(&regex, pattern.is_empty(), &text_arg(a, 1), int_arg(a, 2)))
        });
    }
    f.add("regexQuoteMeta", Signature::fixed(&[Type::String]), |_, a| {
        let mut quoted = String::new();
        for c in text_arg(a, 0).chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        Ok(Value::from(quoted))
    });
}

fn split(regex: &Regex, empty_pattern: bool, text: &str, most: i64) -> Value {
    if most == 0 {
        return Value::List(List::nil(ListType::String));
    }
    if !empty_pattern && text.is_empty() {
        return Value::strings([""]);
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(text).take(most) {
        if parts.len() + 1 == most {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[begin..end]);
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(&text[begin..]);
    }
    Value::strings(parts)
}

thread_local! {
    static COMPILED: RefCell<HashMap<String, Rc<Regex>>> = RefCell::new(HashMap::new());
}

/// A compiled expression, kept for the next call. Shared, since a clone would begin without its working memory.
fn compile(pattern: &str) -> Result<Rc<Regex>, FuncError> {
    COMPILED.with(|compiled| {
        if let Some(regex) = compiled.borrow().get(pattern) {
            return Ok(Rc::clone(regex));
        }
        let regex = Regex::new(&translate(pattern))
            .map_err(|error| FuncError::new(format!("error parsing regexp: {}", reason(pattern, &error))))?;
        let regex = Rc::new(regex);
        let mut compiled = compiled.borrow_mut();
        if compiled.len() > 64 {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), Rc::clone(&regex));
        Ok(regex)
    })
}

/// Go's words for the common mistakes, else those of the engine here.
fn reason(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let known = [
        ("unclosed group", "missing closing )"),
        ("unopened group", "unexpected )"),
        ("look-around", "invalid or unsupported Perl syntax"),
    ];
    if let Some((_, words)) = known.iter().find(|(sign, _)| text.contains(sign)) {
        return format!("{words}: `{pattern}`");
    }
    if text.contains("unclosed character class") {
        return format!("missing closing ]: `{}`", pattern.find('[').map_or("", |at| &pattern[at..]));
    }
    let last = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
    format!("{last}: `{pattern}`")
}

/// What Go's functions that cannot fail do with a bad expression: they panic.
fn compile_or_panic(pattern: &str) -> Result<Rc<Regex>, FuncError> {
    compile(pattern).map_err(|error| {
        let quoted = if pattern.contains('`') { gotmpl::quote(pattern) } else { format!("`{pattern}`") };
        FuncError::new(format!("regexp: Compile({quoted}): {error}"))
    })
}

fn compile_for(name: &str, pattern: &str) -> Result<Rc<Regex>, FuncError> {
    if name.starts_with("must") { compile(pattern) } else { compile_or_panic(pattern) }
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    while let Some(c) = chars.next() {
        let first_of_class = std::mem::take(&mut class_start);
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(if in_class { r"\t\n\f\r " } else { r"[\t\n\f\r ]" }),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some('Q') => {
                    let rest: String = chars.by_ref().collect();
                    let (literal, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
                    out.push_str(&regex::escape(literal));
                    out.push_str(&translate(after));
                    return out;
                }
                Some(escaped) => {
                    out.push('\\');
                    out.push(escaped);
                }
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // A named class is copied up to its end.
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str(r"\["),
            ']' if in_class && first_of_class => out.push_str(r"\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn classes_are_ascii_as_in_go() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣"));
        assert!(compile(r"^[\w-]+$").unwrap().is_match("a_b-1"));
        assert!(compile(r"^[[a&&b]+$").unwrap().is_match("[a&b"));
        assert!(compile(r"^[]a]+$").unwrap().is_match("]a"));
        assert!(compile(r"\Qa.b\E+").unwrap().is_match("a.b"));
        assert!(compile("(").is_err());
    }

    #[test]
    fn splitting_follows_go() {
        let split = |pattern: &str, text: &str, most| {
            split(&compile(pattern).unwrap(), pattern.is_empty(), text, most).to_string()
        };
        assert_eq!(split("a", "banana", -1), "[b n n ]");
        assert_eq!(split("a", "banana", 2), "[b nana]");
        assert_eq!(split("x", "", -1), "[]");
    }
}

//! The little language of `--set`: `a.b=1,c[0].d={x,y},e\.f=z`. Follows Helm's `strvals`.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

const MAX_INDEX: usize = 65_536;
const MAX_DEPTH: usize = 30;
/// Lists within lists; Helm knows no end of them.
const MAX_LISTS: usize = 500;

/// What the text behind `=` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Numbers, booleans, null, else text.
    Typed,
    Text,
    /// The content of the file of that name.
    File,
    Json,
}

/// Sets what the text says.
pub fn set(values: &mut Map<String, Value>, text: &str, mode: Mode) -> Result<(), String> {
    run(values, Parser { rest: text.chars().peekable(), mode, literal: false })
}

/// As [`set`], but nothing in the value has a meaning, and all of it is one value.
pub fn set_literal(values: &mut Map<String, Value>, text: &str) -> Result<(), String> {
    run(values, Parser { rest: text.chars().peekable(), mode: Mode::Text, literal: true })
}

fn run(values: &mut Map<String, Value>, mut parser: Parser<'_>) -> Result<(), String> {
    loop {
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Wrong(message)) => return Err(message),
        }
    }
}

/// Why no further key is read. Helm takes a text that ends too early for one that ends, in many places.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    End,
    Wrong(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Wrong(message)
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    mode: Mode,
    literal: bool,
}

impl Parser<'_> {
    /// Text up to one of the stops, and that stop; None at the end of the input.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            if stops.contains(&c) {
                return (text, Some(c));
            }
            if c == '\\' && !self.literal {
                match self.rest.next() {
                    Some(escaped) => text.push(escaped),
                    None => return (text, None),
                }
            } else {
                text.push(c);
            }
        }
        (text, None)
    }

    fn key(&mut self, values: &mut Map<String, Value>, depth: usize) -> Result<(), Stop> {
        let stops: &[char] = if self.literal { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(format!("key {} has no value", gotmpl::quote(&key)).into()),
            Some('[') => {
                let index = self.index()?;
                let mut list = match values.get(&key) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => list.clone(),
                    Some(_) => return Err(format!("unable to parse key: {key} is not a list").into()),
                };
                let done = self.list_item(&mut list, index, depth, 0);
                put(values, key, Value::Array(list));
                done
            }
            Some('=') => {
                let (value, ended) = self.value()?;
                put(values, key, value);
                if ended { Err(Stop::End) } else { Ok(()) }
            }
            Some('.') => {
                if depth + 1 > MAX_DEPTH {
                    return Err(too_deep());
                }
                let mut inner = match values.get(&key) {
                    None => Map::new(),
                    Some(Value::Object(map)) => map.clone(),
                    Some(_) => return Err(format!("unable to parse key: {key} is not a mapping").into()),
                };
                let done = self.key(&mut inner, depth + 1);
                if inner.is_empty() && done.is_ok() {
                    return Err(format!("key map {} has no value", gotmpl::quote(&key)).into());
                }
                if !inner.is_empty() {
                    put(values, key, Value::Object(inner));
                }
                done
            }
            Some(_) => {
                let message = format!("key {} has no value (cannot end with ,)", gotmpl::quote(&key));
                put(values, key, Value::String(String::new()));
                Err(message.into())
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            return Err(Stop::End);
        }
        text.parse().map_err(|_| {
            // What stands behind an equals sign may be a password.
            let text = text.split('=').next().unwrap_or("").to_owned();
            format!("error parsing index: strconv.Atoi: parsing {}: invalid syntax", gotmpl::quote(&text))
                .into()
        })
    }

    /// What follows an index; `lists` counts the lists around this one.
    fn list_item(
        &mut self,
        list: &mut Vec<Value>,
        index: i64,
        depth: usize,
        lists: usize,
    ) -> Result<(), Stop> {
        let at = usize::try_from(index).map_err(|_| format!("negative {index} index not allowed"))?;
        if lists > MAX_LISTS {
            return Err(too_deep());
        }
        let (key, stop) = self.until(&['[', '.', '=']);
        if !key.is_empty() {
            return Err(format!("unexpected data at end of array index: {}", gotmpl::quote(&key)).into());
        }
        let value = match stop {
            None => return Err(Stop::End),
            Some('=') => self.value()?.0,
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get(at) {
                    Some(Value::Array(inner)) => inner.clone(),
                    None | Some(Value::Null) => Vec::new(),
                    Some(_) => return Err(format!("unable to parse key: element {at} is not a list").into()),
                };
                self.list_item(&mut inner, next, depth, lists + 1)?;
                Value::Array(inner)
            }
            Some(_) => {
                let mut inner = match list.get(at) {
                    Some(Value::Object(inner)) => inner.clone(),
                    _ => Map::new(),
                };
                if lists + depth > MAX_LISTS {
                    return Err(too_deep());
                }
                let done = self.key(&mut inner, depth);
                if done.is_err() {
                    // What was there already has changed all the same.
                    if let Some(element) = list.get_mut(at) {
                        *element = Value::Object(inner);
                    }
                    return done;
                }
                Value::Object(inner)
            }
        };
        if at > MAX_INDEX {
            return Err(
                format!("index of {at} is greater than maximum supported index of {MAX_INDEX}").into()
            );
        }
        if list.len() <= at {
            list.resize(at + 1, Value::Null);
        }
        list[at] = value;
        Ok(())
    }

    /// The value, and whether the text ends where it should begin.
    fn value(&mut self) -> Result<(Value, bool), Stop> {
        if self.literal {
            let text: String = self.rest.by_ref().collect();
            return Ok((Value::String(text), false));
        }
        if self.mode == Mode::Json {
            return self.json().map(|value| (value, false)).map_err(Stop::Wrong);
        }
        match self.rest.peek() {
            None => Ok((Value::String(String::new()), true)),
            Some('{') => {
                self.rest.next();
                Ok((self.braces()?, false))
            }
            Some(_) => {
                let (text, _) = self.until(&[',']);
                Ok((self.typed(text)?, false))
            }
        }
    }

    /// `{a,b,c}`
    fn braces(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            match stop {
                None => return Err("list must terminate with '}'".to_owned()),
                Some('}') => {
                    if self.rest.peek() == Some(&',') {
                        self.rest.next();
                    }
                    items.push(self.typed(text)?);
                    return Ok(Value::Array(items));
                }
                Some(_) => items.push(self.typed(text)?),
            }
        }
    }

    fn json(&mut self) -> Result<Value, String> {
        if self.skip_blanks() {
            return Ok(Value::Null);
        }
        let text: String = self.rest.clone().collect();
        // A number or word ends where nothing more fits; all else shows its end itself.
        let end = scalar_end(&text).unwrap_or(text.len());
        let mut stream = serde_json::Deserializer::from_str(&text[..end]).into_iter::<Value>();
        let mut value = match stream.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(error.to_string()),
            None => Value::Null,
        };
        crate::yaml::to_floats(&mut value)?;
        let taken = text[..stream.byte_offset()].chars().count();
        for _ in 0..taken {
            self.rest.next();
        }
        self.skip_blanks();
        Ok(value)
    }

    /// Skips white space and one comma; whether the value ends here.
    fn skip_blanks(&mut self) -> bool {
        loop {
            match self.rest.peek() {
                None => return true,
                Some(',') => {
                    self.rest.next();
                    return true;
                }
                Some(c) if c.is_whitespace() => {
                    self.rest.next();
                }
                Some(_) => return false,
            }
        }
    }

    fn typed(&self, text: String) -> Result<Value, String> {
        match self.mode {
            Mode::Text | Mode::Json => Ok(Value::String(text)),
            Mode::File => {
                let bytes = std::fs::read(&text).map_err(|error| format!("{text}: {error}"))?;
                Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Mode::Typed => Ok(if text.eq_ignore_ascii_case("true") {
                Value::Bool(true)
            } else if text.eq_ignore_ascii_case("false") {
                Value::Bool(false)
            } else if text.eq_ignore_ascii_case("null") {
                Value::Null
            } else if text == "0" {
                Value::from(0i64)
            } else if text.starts_with('0') {
                Value::String(text)
            } else {
                text.parse::<i64>().map_or(Value::String(text), Value::from)
            }),
        }
    }
}

fn too_deep() -> Stop {
    let most = "value name nested level is greater than maximum supported nested level of";
    Stop::Wrong(format!("{most} {MAX_DEPTH}"))
}

/// Where a JSON number, `true`, `false` or `null` at the start of a text ends.
fn scalar_end(text: &str) -> Option<usize> {
    if let Some(word) = ["true", "false", "null"].into_iter().find(|word| text.starts_with(word)) {
        return Some(word.len());
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut at = usize::from(text.starts_with('-'));
    at +=
        if text[at..].starts_with('0') { 1 } else { Some(digits(&text[at..])).filter(|count| *count > 0)? };
    if text[at..].starts_with('.') {
        at += 1 + digits(&text[at + 1..]);
    }
    if text[at..].starts_with(['e', 'E']) {
        let sign = usize::from(text[at + 1..].starts_with(['+', '-']));
        at += 1 + sign + digits(&text[at + 1 + sign..]);
    }
    Some(at)
}

fn put(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Value, String> {
        let mut values = Map::new();
        set(&mut values, text, Mode::Typed)?;
        Ok(Value::Object(values))
    }

    #[test]
    fn the_language_follows_helm() {
        let rows = [
            ("a=b", json!({"a": "b"})),
            ("a=", json!({"a": ""})),
            ("a=1,b=2", json!({"a": 1, "b": 2})),
            ("a.b.c=x", json!({"a": {"b": {"c": "x"}}})),
            ("a={x,1,true}", json!({"a": ["x", 1, true]})),
            ("a={x},b=y", json!({"a": ["x"], "b": "y"})),
            ("a[1]=x", json!({"a": [null, "x"]})),
            ("a[0].b=x,a[0].c=y", json!({"a": [{"b": "x", "c": "y"}]})),
            ("a[0][1]=x", json!({"a": [[null, "x"]]})),
            ("a\\.b=x\\,y", json!({"a.b": "x,y"})),
            ("a=00012", json!({"a": "00012"})),
            ("a=-5", json!({"a": -5})),
            ("a=null", json!({"a": null})),
            ("a=1.5", json!({"a": "1.5"})),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a", "a.b", "a[-1]=x", "a[x]=1", "a={x", "a[70000]=x", "a,b=1", "a=1,a.b=2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

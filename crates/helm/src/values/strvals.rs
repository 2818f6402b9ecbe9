//! The little language of `--set`: `a.b=1,c[0].d={x,y},e\.f=z`. Follows Helm's `strvals`.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

const MAX_INDEX: usize = 65_536;
const MAX_DEPTH: usize = 30;

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
    let mut parser = Parser { rest: text.chars().peekable(), mode, literal: false };
    while parser.key(values, 0)? == Step::More {}
    Ok(())
}

/// As [`set`], but nothing in the value has a meaning, and all of it is one value.
pub fn set_literal(values: &mut Map<String, Value>, text: &str) -> Result<(), String> {
    let mut parser = Parser { rest: text.chars().peekable(), mode: Mode::Text, literal: true };
    while parser.key(values, 0)? == Step::More {}
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    End,
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

    fn key(&mut self, values: &mut Map<String, Value>, depth: usize) -> Result<Step, String> {
        let stops: &[char] = if self.literal { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Ok(Step::End),
            None => Err(format!("key {key:?} has no value")),
            Some('[') => {
                let index = self.index()?;
                let list = match values.get(&key) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => list.clone(),
                    Some(_) => return Err(format!("unable to parse key: {key} is not a list")),
                };
                let (list, step) = self.list_item(list, index, depth)?;
                put(values, key, Value::Array(list));
                Ok(step)
            }
            Some('=') => {
                let (value, step) = self.value()?;
                put(values, key, value);
                Ok(step)
            }
            Some('.') => {
                if depth + 1 > MAX_DEPTH {
                    return Err(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_DEPTH}"
                    ));
                }
                let mut inner = match values.get(&key) {
                    None => Map::new(),
                    Some(Value::Object(map)) => map.clone(),
                    Some(_) => return Err(format!("unable to parse key: {key} is not a mapping")),
                };
                let result = self.key(&mut inner, depth + 1);
                if inner.is_empty() && result == Ok(Step::More) {
                    return Err(format!("key map {key:?} has no value"));
                }
                if !inner.is_empty() {
                    put(values, key, Value::Object(inner));
                }
                result
            }
            Some(_) => {
                put(values, key.clone(), Value::String(String::new()));
                Err(format!("key {key:?} has no value (cannot end with ,)"))
            }
        }
    }

    fn index(&mut self) -> Result<usize, String> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            return Err("error parsing index: EOF".to_owned());
        }
        match text.parse::<i64>() {
            Ok(index) if index < 0 => Err(format!("negative {index} index not allowed")),
            Ok(index) => {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                if index > MAX_INDEX {
                    return Err(format!(
                        "index of {index} is greater than maximum supported index of {MAX_INDEX}"
                    ));
                }
                Ok(index)
            }
            Err(_) => Err(format!("error parsing index: {text:?} is no number")),
        }
    }

    fn list_item(
        &mut self,
        mut list: Vec<Value>,
        at: usize,
        depth: usize,
    ) -> Result<(Vec<Value>, Step), String> {
        if depth > MAX_DEPTH {
            return Err(format!("lists are nested more than {MAX_DEPTH} deep"));
        }
        let (key, stop) = self.until(&['[', '.', '=']);
        if !key.is_empty() {
            return Err(format!("unexpected data at end of array index: {key:?}"));
        }
        let (value, step) = match stop {
            None => return Ok((list, Step::End)),
            Some('=') => self.value()?,
            Some('[') => {
                let next = self.index()?;
                let inner = match list.get(at) {
                    Some(Value::Array(inner)) => inner.clone(),
                    None | Some(Value::Null) => Vec::new(),
                    Some(_) => return Err(format!("unable to parse key: element {at} is not a list")),
                };
                let (inner, step) = self.list_item(inner, next, depth + 1)?;
                (Value::Array(inner), step)
            }
            Some(_) => {
                let mut inner = match list.get(at) {
                    Some(Value::Object(inner)) => inner.clone(),
                    _ => Map::new(),
                };
                let step = self.key(&mut inner, depth + 1)?;
                (Value::Object(inner), step)
            }
        };
        if list.len() <= at {
            list.resize(at + 1, Value::Null);
        }
        list[at] = value;
        Ok((list, step))
    }

    fn value(&mut self) -> Result<(Value, Step), String> {
        if self.literal {
            let text: String = self.rest.by_ref().collect();
            return Ok((Value::String(text), Step::End));
        }
        if self.mode == Mode::Json {
            return self.json();
        }
        if self.rest.peek() == Some(&'{') {
            self.rest.next();
            return self.braces();
        }
        if self.rest.peek().is_none() {
            return Ok((Value::String(String::new()), Step::End));
        }
        let (text, stop) = self.until(&[',']);
        let step = if stop.is_some() { Step::More } else { Step::End };
        Ok((self.typed(text)?, step))
    }

    /// `{a,b,c}`
    fn braces(&mut self) -> Result<(Value, Step), String> {
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
                    return Ok((Value::Array(items), Step::More));
                }
                Some(_) => items.push(self.typed(text)?),
            }
        }
    }

    fn json(&mut self) -> Result<(Value, Step), String> {
        if self.skip_blanks() {
            return Ok((Value::Null, Step::More));
        }
        let text: String = self.rest.clone().collect();
        let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
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
        Ok((value, Step::More))
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

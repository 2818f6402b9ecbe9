//! Writing YAML with the bytes of goyaml v2's emitter: natural key order, lists not indented below
//! their key, folding at 80 columns, literal blocks for text with line breaks.

use std::cmp::Ordering;

use serde_json::Value;

use super::resolve::needs_quotes;
use crate::json::number_text;
use crate::number::format_g;

const WIDTH: usize = 80;
const INDENT: isize = 2;
/// Longer keys are written in the `? key` form.
const SIMPLE_KEY: usize = 128;

/// YAML text with its final line break.
pub fn write(value: &Value) -> String {
    let mut emitter = Emitter::default();
    emitter.node(value, Context::default());
    emitter.write_indent();
    emitter.out
}

#[derive(Debug, Clone, Copy, Default)]
struct Context {
    mapping: bool,
    simple_key: bool,
}

struct Emitter {
    out: String,
    column: usize,
    indent: isize,
    whitespace: bool,
    indention: bool,
}

impl Default for Emitter {
    fn default() -> Self {
        Self { out: String::new(), column: 0, indent: -1, whitespace: true, indention: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Emitter {
    fn node(&mut self, value: &Value, context: Context) {
        match value {
            Value::Null => self.scalar("null", Style::Plain, context),
            Value::Bool(true) => self.scalar("true", Style::Plain, context),
            Value::Bool(false) => self.scalar("false", Style::Plain, context),
            Value::Number(number) => self.scalar(&number_scalar(number), Style::Plain, context),
            Value::String(text) => {
                let style = if text.contains('\n') {
                    Style::Literal
                } else if needs_quotes(text) {
                    Style::Double
                } else {
                    Style::Plain
                };
                self.scalar(text, style, context);
            }
            Value::Array(items) if items.is_empty() => {
                self.indicator("[", true, true, false);
                self.indicator("]", false, false, false);
            }
            Value::Object(map) if map.is_empty() => {
                self.indicator("{", true, true, false);
                self.indicator("}", false, false, false);
            }
            Value::Array(items) => {
                let outer = self.indent;
                self.increase_indent(context.mapping && !self.indention);
                for item in items {
                    self.write_indent();
                    self.indicator("-", true, false, true);
                    self.node(item, Context::default());
                }
                self.indent = outer;
            }
            Value::Object(map) => {
                let outer = self.indent;
                self.increase_indent(false);
                let mut keys: Vec<&String> = map.keys().collect();
                sort_naturally(&mut keys);
                for key in keys {
                    self.entry(key, &map[key.as_str()]);
                }
                self.indent = outer;
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Value) {
        self.write_indent();
        let style = if key.contains('\n') {
            Style::Literal
        } else if needs_quotes(key) {
            Style::Double
        } else {
            Style::Plain
        };
        if key.len() <= SIMPLE_KEY && !has_break(key) {
            self.scalar(key, style, Context { mapping: true, simple_key: true });
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.scalar(key, style, Context { mapping: true, simple_key: false });
            self.write_indent();
            self.indicator(":", true, false, true);
        }
        self.node(value, Context { mapping: true, simple_key: false });
    }

    fn increase_indent(&mut self, indentless: bool) {
        if self.indent < 0 {
            self.indent = 0;
        } else if !indentless {
            self.indent += INDENT;
        }
    }

    fn scalar(&mut self, text: &str, wanted: Style, context: Context) {
        let facts = Facts::of(text);
        let mut style = wanted;
        if context.simple_key && facts.multiline {
            style = Style::Double;
        }
        if style == Style::Plain && (!facts.plain || text.is_empty() && context.simple_key) {
            style = Style::Single;
        }
        if style == Style::Single && !facts.single {
            style = Style::Double;
        }
        if style == Style::Literal && (!facts.block || context.simple_key) {
            style = Style::Double;
        }
        let outer = self.indent;
        self.indent = if self.indent < 0 { INDENT } else { self.indent + INDENT };
        let breaks = !context.simple_key;
        match style {
            Style::Plain => self.plain(text, breaks),
            Style::Single => self.single_quoted(text, breaks),
            Style::Double => self.double_quoted(text, breaks),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn write_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }

    fn indicator(&mut self, text: &str, needs_space: bool, whitespace: bool, indention: bool) {
        if needs_space && !self.whitespace {
            self.put(' ');
        }
        for c in text.chars() {
            self.put(c);
        }
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
    }

    fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn plain(&mut self, text: &str, allow_breaks: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' {
                if allow_breaks && !spaces && self.column > WIDTH && chars.peek() != Some(&' ') {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                self.indention = false;
                spaces = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("'", true, false, false);
        let mut spaces = false;
        let mut breaks = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            if c == ' ' {
                let next_is_space = text[at + 1..].starts_with(' ');
                if allow_breaks && !spaces && self.column > WIDTH && at > 0 && at < last && !next_is_space {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("\"", true, false, false);
        // goyaml looks for a byte order mark at the start of the text, whatever place it is at.
        let escape_all = text.starts_with('\u{feff}');
        let mut spaces = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            if escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                if allow_breaks && !spaces && self.column > WIDTH && at > 0 && at < last {
                    self.write_indent();
                    if text[at + 1..].starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = c as u32;
                let text = match code {
                    0..=0xff => format!("x{code:02X}"),
                    0x100..=0xffff => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                for c in text.chars() {
                    self.put(c);
                }
                return;
            }
        };
        self.put(short);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut ends = text.chars().rev();
        match ends.next() {
            Some(c) if is_break(c) => {
                if ends.next().is_none_or(is_break) {
                    self.indicator("+", false, false, false);
                }
            }
            _ => self.indicator("-", false, false, false),
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.write_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }
}

/// A number passes through JSON text and is read again: large whole floats become integers.
fn number_scalar(number: &serde_json::Number) -> String {
    let text = number_text(number);
    match super::resolve::resolve(&text) {
        super::resolve::Scalar::Float(float) => match format_g(float).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        super::resolve::Scalar::Int(integer) => integer.to_string(),
        _ => text,
    }
}

/// What the text allows.
struct Facts {
    multiline: bool,
    plain: bool,
    single: bool,
    block: bool,
}

impl Facts {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { multiline: false, plain: true, single: true, block: false };
        }
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special) = (false, false);
        let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut after_blank = true;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            let before_blank = text[end..].starts_with([' ', '\t']) || end == text.len();
            if at == 0 {
                match c {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                    | '@' | '`' => indicators = true,
                    '?' | ':' | '-' if before_blank => indicators = true,
                    _ => {}
                }
            } else if (c == ':' && before_blank) || (c == '#' && after_blank) {
                indicators = true;
            }
            special |= !is_printable(c);
            if c == ' ' {
                leading |= at == 0;
                trailing_space |= end == text.len();
                break_space |= previous_break;
                previous_space = true;
                previous_break = false;
            } else if is_break(c) {
                breaks = true;
                leading |= at == 0;
                trailing_break |= end == text.len();
                space_break |= previous_space;
                previous_space = false;
                previous_break = true;
            } else {
                previous_space = false;
                previous_break = false;
            }
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
        }
        let torn = space_break || special;
        Self {
            multiline: breaks,
            plain: !(leading
                || trailing_space
                || trailing_break
                || break_space
                || torn
                || breaks
                || indicators),
            single: !(break_space || torn),
            block: !(trailing_space || torn),
        }
    }
}

fn has_break(text: &str) -> bool {
    text.chars().any(is_break)
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// Sorts keys as goyaml does: digits by their number, letters after everything else. The order is
/// not a total one for strange keys, so this is a merge sort of our own, which cannot mind.
fn sort_naturally(keys: &mut Vec<&String>) {
    keys.sort_unstable();
    let mut sorted: Vec<&String> = Vec::with_capacity(keys.len());
    for key in keys.drain(..) {
        let at = sorted.partition_point(|other| natural_order(other, key) != Ordering::Greater);
        sorted.insert(at, key);
    }
    *keys = sorted;
}

fn natural_order(a: &str, b: &str) -> Ordering {
    if a == b {
        Ordering::Equal
    } else if less(a, b) {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn less(a: &str, b: &str) -> bool {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            continue;
        }
        let (a_letter, b_letter) = (a[at].is_alphabetic(), b[at].is_alphabetic());
        if a_letter && b_letter {
            return a[at] < b[at];
        }
        if a_letter || b_letter {
            return b_letter;
        }
        // A zero counts only behind another digit that is none.
        let mut leading = 0i64;
        if a[at] == '0' || b[at] == '0' {
            for digit in a[..at].iter().rev().take_while(|c| c.is_ascii_digit()) {
                if *digit != '0' {
                    leading = 1;
                    break;
                }
            }
        }
        let (a_number, a_end) = number_at(&a, at, leading);
        let (b_number, b_end) = number_at(&b, at, leading);
        if a_number != b_number {
            return a_number < b_number;
        }
        if a_end != b_end {
            return a_end < b_end;
        }
        return a[at] < b[at];
    }
    a.len() < b.len()
}

fn number_at(text: &[char], start: usize, leading: i64) -> (i64, usize) {
    let mut number = leading;
    let mut at = start;
    while at < text.len() && text[at].is_ascii_digit() {
        number = number.wrapping_mul(10).wrapping_add(i64::from(text[at] as u32 - u32::from(b'0')));
        at += 1;
    }
    (number, at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_lists_and_scalars_look_as_goyaml_writes_them() {
        let value = json!({
            "b10": 1, "b2": 2, "list": ["a", {"x": 1, "y": [1, 2]}, [], {}, [["deep"]]],
            "text": "one\ntwo\n", "strip": "one\ntwo", "keep": "one\n\n", "lead": " x\ny",
            "yes": "yes", "n": "n", "num": "1", "float": 2.5, "big": 1_000_000.0, "huge": 1e22,
            "empty": "", "null": null, "colon": "a: b", "hash": "a #b", "tab": "a\tb", "quote": "it's: ok",
            "_": "first", "A": 1, "a": 1, "date": "2024-01-01", "trail": "x "
        });
        let expected = "_: first
A: 1
a: 1
b2: 2
b10: 1
big: 1000000
colon: 'a: b'
date: \"2024-01-01\"
empty: \"\"
float: 2.5
hash: 'a #b'
huge: 1e+22
keep: |+
  one

lead: |2-
   x
  y
list:
- a
- x: 1
  \"y\":
  - 1
  - 2
- []
- {}
- - - deep
\"n\": \"n\"
\"null\": null
num: \"1\"
quote: 'it''s: ok'
strip: |-
  one
  two
tab: \"a\\tb\"
text: |
  one
  two
trail: 'x '
\"yes\": \"yes\"
";
        assert_eq!(write(&value), expected);
    }

    #[test]
    fn long_plain_text_folds_behind_column_80() {
        let words = "word ".repeat(30);
        let text = write(&json!({"k": words.trim_end()}));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].len() > 80 && lines[0].len() < 90 && lines[1].starts_with("  word"), "{text}");
    }

    #[test]
    fn long_keys_take_the_question_mark_form() {
        let key = "k".repeat(129);
        assert_eq!(write(&json!({key.clone(): [1]})), format!("? {key}\n: - 1\n"));
    }

    #[test]
    fn scalars_stand_alone_too() {
        assert_eq!(write(&json!("x")), "x\n");
        assert_eq!(write(&json!(null)), "null\n");
        assert_eq!(write(&json!([])), "[]\n");
    }
}

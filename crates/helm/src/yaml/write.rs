//! Writing YAML with the bytes of goyaml v2's emitter: natural key order, lists not indented below
//! their key, folding at 80 columns, literal blocks for text with line breaks.

use serde_json::{Number, Value};

use super::facts::{Facts, has_break};
use super::json::folded;
use super::order::sort_naturally;
use super::resolve::needs_quotes;
use crate::json::number_text;
use crate::number::format_g;

const INDENT: isize = 2;
/// Longer keys are written in the `? key` form.
const SIMPLE_KEY: usize = 128;

/// Whose bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// goyaml v2, by way of JSON: what `toYaml` gives.
    V2,
    /// go.yaml.in v3: no folding, lists indented below their key. What `toYamlPretty` gives.
    V3,
}

/// YAML text with its final line break.
pub fn write(value: &Value) -> String {
    write_as(value, Dialect::V2)
}

/// YAML text of a dialect, with its final line break.
pub fn write_as(value: &Value, dialect: Dialect) -> String {
    let mut emitter = Emitter::new(dialect);
    // What is in JSON can be written.
    let _ = value.write(&mut emitter, Context::default());
    emitter.end()
}

/// YAML text of what is written as goyaml v2 does; None where it cannot be written.
pub(super) fn emit(node: impl Node) -> Option<String> {
    let mut emitter = Emitter::new(Dialect::V2);
    node.write(&mut emitter, Context::default())?;
    Some(emitter.end())
}

/// What can be written, with what is within it.
pub(super) trait Node: Copy {
    /// None where it cannot; what was written until then is of no use.
    fn write(self, emitter: &mut Emitter, context: Context) -> Option<()>;
}

impl Node for &Value {
    fn write(self, emitter: &mut Emitter, context: Context) -> Option<()> {
        match self {
            Value::Null => emitter.null(context),
            Value::Bool(flag) => emitter.bool(*flag, context),
            Value::Number(number) => emitter.number(number, context),
            Value::String(text) => emitter.text(text, context),
            Value::Array(items) => emitter.list(items.iter(), context)?,
            Value::Object(map) => {
                emitter.map(map.iter().map(|(key, value)| (key.as_str(), value)).collect())?;
            }
        }
        Some(())
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    mapping: bool,
    simple_key: bool,
}

pub(super) struct Emitter {
    pub(super) out: String,
    pub(super) column: usize,
    pub(super) indent: isize,
    pub(super) whitespace: bool,
    /// Whether the line holds nothing but indentation and indicators so far.
    pub(super) indention: bool,
    pub(super) dialect: Dialect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Emitter {
    fn new(dialect: Dialect) -> Self {
        Self { out: String::new(), column: 0, indent: -1, whitespace: true, indention: true, dialect }
    }

    fn end(mut self) -> String {
        self.write_indent();
        self.out
    }

    pub(super) fn null(&mut self, context: Context) {
        self.scalar("null", Style::Plain, context);
    }

    pub(super) fn bool(&mut self, flag: bool, context: Context) {
        self.scalar(if flag { "true" } else { "false" }, Style::Plain, context);
    }

    pub(super) fn number(&mut self, number: &Number, context: Context) {
        self.scalar(&number_scalar(number, self.dialect), Style::Plain, context);
    }

    pub(super) fn text(&mut self, text: &str, context: Context) {
        let text = match self.dialect {
            Dialect::V2 => &*folded(text),
            Dialect::V3 => text,
        };
        self.scalar(text, style_of(text), context);
    }

    pub(super) fn list<N: Node>(
        &mut self,
        items: impl ExactSizeIterator<Item = N>,
        context: Context,
    ) -> Option<()> {
        if items.len() == 0 {
            self.indicator("[", true, true, false);
            self.indicator("]", false, false, false);
            return Some(());
        }
        let outer = self.indent;
        self.increase_indent(self.dialect == Dialect::V2 && context.mapping && !self.indention);
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            item.write(self, Context::default())?;
        }
        self.indent = outer;
        Some(())
    }

    /// Of entries with keys that differ.
    pub(super) fn map<N: Node>(&mut self, mut entries: Vec<(&str, N)>) -> Option<()> {
        if entries.is_empty() {
            self.indicator("{", true, true, false);
            self.indicator("}", false, false, false);
            return Some(());
        }
        let outer = self.indent;
        self.increase_indent(false);
        sort_naturally(&mut entries, self.dialect);
        for (key, value) in entries {
            self.key(key);
            value.write(self, Context { mapping: true, simple_key: false })?;
        }
        self.indent = outer;
        Some(())
    }

    /// A key and what stands behind it.
    fn key(&mut self, key: &str) {
        self.write_indent();
        if key.len() <= SIMPLE_KEY && !has_break(key) {
            self.scalar(key, style_of(key), Context { mapping: true, simple_key: true });
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.scalar(key, style_of(key), Context { mapping: true, simple_key: false });
            self.write_indent();
            self.indicator(":", true, false, true);
        }
    }

    fn increase_indent(&mut self, indentless: bool) {
        if self.indent < 0 {
            self.indent = 0;
        } else if !indentless {
            self.indent += INDENT;
        }
    }

    fn scalar(&mut self, text: &str, wanted: Style, context: Context) {
        let facts = Facts::of(text, self.dialect);
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
}

/// How a text is written where nothing speaks against it.
fn style_of(text: &str) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if needs_quotes(text) {
        Style::Double
    } else {
        Style::Plain
    }
}

/// In version 2 a number passes through JSON text and is read again: large whole floats become integers.
fn number_scalar(number: &Number, dialect: Dialect) -> String {
    if dialect == Dialect::V3
        && number.is_f64()
        && let Some(float) = number.as_f64()
    {
        return format_g(float);
    }
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

    #[test]
    fn the_pretty_dialect_indents_lists_and_does_not_fold() {
        let words = "word ".repeat(30);
        let value = json!({"list": ["a", ["b", {"c": [1], "d": "x\ty\n"}]], "f": 1_000_000.0, "long": words.trim_end()});
        let expected = format!(
            "f: 1e+06\nlist:\n  - a\n  - - b\n    - c:\n        - 1\n      d: |\n        x\ty\nlong: {}\n",
            words.trim_end()
        );
        assert_eq!(write_as(&value, Dialect::V3), expected);
    }
}

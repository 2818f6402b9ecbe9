//! Reading YAML 1.1 into a JSON-like tree, as goyaml v2 and sigs.k8s.io/yaml read it: from the text to tokens
//! (`scanner`), to events (`events`), to a tree (`tree`); or by a short way (`blocks`). Keys keep their order; of equal keys
//! the last one wins.

mod blocks;
mod collections;
mod cursor;
mod error;
mod events;
mod indicators;
mod line;
mod meaning;
mod open;
mod properties;
mod scalars;
mod scanner;
mod token;
mod tree;

use serde_json::{Map, Number, Value};

pub use error::YamlError;
pub(crate) use open::{Part, Parts};
use tree::Reader;

/// The first document of the text; integers stay integers. No document gives null. What follows the document is not
/// looked at.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    match blocks::read(text, None) {
        Some(value) => Ok(value),
        None => Ok(Reader::new(text)?.document()?.unwrap_or(Value::Null)),
    }
}

/// As [`parse`], but of a mapping only some parts; errors are found in all of it.
pub(crate) fn parse_parts(text: &str, parts: &'static Parts) -> Result<Value, YamlError> {
    match blocks::read(text, Some(parts)) {
        Some(value) => Ok(value),
        None => Ok(Reader::new(text)?.only(parts).document()?.unwrap_or(Value::Null)),
    }
}

/// Every document of the text.
pub fn parse_documents(text: &str) -> Result<Vec<Value>, YamlError> {
    if let Some(only) = blocks::read(text, None) {
        return Ok(vec![only]);
    }
    let mut reader = Reader::new(text)?;
    let mut documents = Vec::new();
    while let Some(document) = reader.document()? {
        documents.push(document);
    }
    Ok(documents)
}

/// The first document as templates see it: all numbers are floats, as after a trip through JSON.
pub fn read_value(text: &str) -> Result<Value, YamlError> {
    let mut value = parse(text)?;
    to_floats(&mut value).map_err(|message| YamlError::new(1, 1, message))?;
    Ok(value)
}

/// A document that has to be a mapping (or nothing), numbers as floats.
pub fn read_map(text: &str) -> Result<Map<String, Value>, YamlError> {
    match read_value(text)? {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        other => Err(YamlError::new(1, 1, format!("expected a mapping, found {}", kind_name(&other)))),
    }
}

/// What JSON calls a value; for messages.
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Makes every number a float, in place.
///
/// # Errors
/// Never for trees of this crate's reader; kept for trees with numbers that no float can hold.
pub fn to_floats(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Number(number) => {
            if !number.is_f64() {
                let float = number.as_f64().unwrap_or(0.0);
                *number = Number::from_f64(float).ok_or_else(|| format!("{number} is no number"))?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(to_floats),
        Value::Object(map) => map.values_mut().try_for_each(to_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_anchors_and_merges_become_a_tree() {
        let text = "base: &b {a: 1, b: yes}\nuse:\n  <<: *b\n  b: 'yes'\nmode: 0644\n1: one\non: x\nempty:\nlit: |\n  a\n  b\n";
        let expected = json!({
            "base": {"a": 1, "b": true}, "use": {"a": 1, "b": "yes"}, "mode": 420, "1": "one", "true": "x",
            "empty": null, "lit": "a\nb\n"
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(parse("a: 1\na: 2\n").unwrap(), json!({"a": 2}));
    }

    #[test]
    fn a_block_scalar_at_the_end_gets_no_line_break_of_its_own() {
        assert_eq!(parse("a: |\n  text").unwrap(), json!({"a": "text"}));
    }

    #[test]
    fn the_line_breaks_of_yaml_1_1_end_lines() {
        assert_eq!(parse("a: 1\u{85}b: 2\rc: 3\r\nd: 4").unwrap(), json!({"a": 1, "b": 2, "c": 3, "d": 4}));
        assert_eq!(parse("a: x\u{2028}  y\u{85}  z\n").unwrap(), json!({"a": "x\u{2028}y z"}));
        assert_eq!(parse("a: |\n  x\u{2029}  y\n").unwrap(), json!({"a": "x\u{2029}y\n"}));
    }

    #[test]
    fn errors_have_goyamls_words_and_lines() {
        let told = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(told("a: b: c"), "yaml: mapping values are not allowed in this context");
        assert_eq!(told("a: 1\nb: c: d"), "yaml: line 2: mapping values are not allowed in this context");
        assert_eq!(told("a: 1\nb\n"), "yaml: line 3: could not find expected ':'");
        assert_eq!(told("a: 1\n- b\n"), "yaml: line 1: did not find expected key");
        assert_eq!(told("a: .nan"), "json: unsupported value: NaN");
        assert_eq!(told("a: *b\nc: d"), "yaml: unknown anchor 'b' referenced");
    }

    #[test]
    fn what_follows_the_first_document_is_not_looked_at() {
        assert_eq!(parse("a: 1\n---\n}").unwrap(), json!({"a": 1}));
        assert!(parse_documents("a: 1\n---\n}").is_err());
    }

    #[test]
    fn parts_are_read_as_they_are_in_the_whole() {
        const PARTS: Parts =
            Parts(&[("kind", Part::Whole), ("metadata", Part::Parts(&Parts(&[("name", Part::Whole)])))]);
        let parts = |text: &str| parse_parts(text, &PARTS);
        let text = "kind: a\nspec: {x: &x [1, {q: z}], ~k: 1}\nmetadata: {name: *x, labels: {kind: b}}\n";
        assert_eq!(parts(text).unwrap(), json!({"kind": "a", "metadata": {"name": [1, {"q": "z"}]}}));
        assert_eq!(parts("a: &a {kind: b, c: d}\n<<: *a\n").unwrap(), json!({"kind": "b", "c": "d"}));
        assert_eq!(parts("[a, b]").unwrap(), json!(["a", "b"]));
        for wrong in
            ["spec: {x: [.nan]}", "spec: {~: 1}", "spec: {[a]: 1}", "spec: {<<: 1}", "spec: {x: !!int y}"]
        {
            assert_eq!(parts(wrong).unwrap_err(), parse(wrong).unwrap_err(), "{wrong}");
        }
    }

    #[test]
    fn an_anchor_names_its_newest_node() {
        assert_eq!(parse("a: &x {b: &x 1}\nc: *x").unwrap(), json!({"a": {"b": 1}, "c": 1}));
        assert_eq!(parse("a: &x [*x]").unwrap_err().to_string(), "yaml: anchor 'x' value contains itself");
    }

    #[test]
    fn numbers_are_floats_for_templates() {
        assert_eq!(read_value("[1, 2.5]").unwrap(), json!([1.0, 2.5]));
    }

    #[test]
    fn errors_carry_the_line() {
        let error = parse("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(error.line >= 2, "{error}");
        assert!(read_map("- 1\n").unwrap_err().message.contains("array"));
    }

    #[test]
    fn aliases_that_explode_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let previous = level - 1;
            let list = vec![format!("*a{previous}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert!(parse(&text).unwrap_err().message.contains("aliasing"));
    }

    #[test]
    fn anchors_within_anchors_do_not_fill_the_memory() {
        let text = format!("{}{}{}", "&a [".repeat(200), "1,".repeat(50_000), "]".repeat(200));
        assert!(parse(&text).is_ok(), "nothing is kept where there is no alias");
        let names: Vec<String> = (0..200).map(|at| format!("&a{at} [")).collect();
        let names = names.concat();
        let text = format!("- {names}{}{}\n- *a0\n", "1,".repeat(50_000), "]".repeat(200));
        assert!(parse(&text).unwrap_err().message.contains("anchors"));
    }

    #[test]
    fn documents_are_told_apart() {
        assert_eq!(parse_documents("a: 1\n---\n# nothing\n---\nb: 2\n").unwrap().len(), 3);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        let lines: Vec<String> = (0..2_000).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
        assert!(parse(&lines.join("\n")).is_err());
    }
}

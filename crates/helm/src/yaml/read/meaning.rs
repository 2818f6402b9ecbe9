//! What scalars mean: by their form, or by the tag before them.

use base64::Engine as _;
use serde_json::{Number, Value};

use super::cursor::Mark;
use super::error::YamlError;
use super::scanner::Result;
use super::token::Style;
use crate::yaml::resolve::{Scalar, resolve};

/// Of the tags that YAML itself has.
pub const NAMESPACE: &str = "tag:yaml.org,2002:";

/// What a scalar is.
pub enum Meaning {
    /// Itself
    Text,
    Other(Value),
}

/// What a text is; a key becomes text, so that it may be a number that JSON does not have.
pub fn meaning(text: &str, style: Style, tag: Option<&str>, mark: Mark, is_key: bool) -> Result<Meaning> {
    let resolved = match tag {
        None if style == Style::Plain => resolve(text),
        None => Scalar::Text,
        Some(tag) => match tag.strip_prefix(NAMESPACE) {
            Some("binary") => return binary(text, mark).map(Meaning::Other),
            Some(name) => tagged(name, text, mark)?,
            // Tags of one's own mean nothing: the text stays as it is.
            None => Scalar::Text,
        },
    };
    Ok(Meaning::Other(match resolved {
        Scalar::Timestamp | Scalar::Text => return Ok(Meaning::Text),
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => Value::Bool(flag),
        Scalar::Int(integer) => Value::from(integer),
        Scalar::Uint(integer) => Value::from(integer),
        Scalar::Float(float) => match (Number::from_f64(float), float) {
            (Some(number), _) => Value::Number(number),
            // A key becomes text anyway.
            (None, f64::INFINITY) if is_key => Value::from(".inf"),
            (None, f64::NEG_INFINITY) if is_key => Value::from("-.inf"),
            (None, _) if is_key => Value::from(".nan"),
            (None, float) => {
                let shown = match float {
                    f64::INFINITY => "+Inf",
                    f64::NEG_INFINITY => "-Inf",
                    _ => "NaN",
                };
                return Err(YamlError::json(mark, format!("json: unsupported value: {shown}")));
            }
        },
    }))
}

/// What a tag of YAML's own makes of a text.
fn tagged(name: &str, text: &str, mark: Mark) -> Result<Scalar> {
    if !matches!(name, "bool" | "int" | "float" | "null" | "timestamp") {
        return Ok(Scalar::Text);
    }
    let found = match resolve(text) {
        Scalar::Timestamp if name != "timestamp" => Scalar::Text,
        found => found,
    };
    let is = match found {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Uint(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Timestamp => "timestamp",
        Scalar::Text => "str",
    };
    match found {
        found if is == name => Ok(found),
        Scalar::Int(integer) if name == "float" => Ok(Scalar::Float(integer as f64)),
        _ => Err(YamlError::meaning(mark, format!("cannot decode !!{is} `{text}` as a !!{name}"))),
    }
}

fn binary(text: &str, mark: Mark) -> Result<Value> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let data = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|_| YamlError::meaning(mark, "!!binary value contains invalid base64 data"))?;
    Ok(Value::String(String::from_utf8_lossy(&data).into_owned()))
}

//! YAML, JSON and base64, both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{FuncError, FuncMap, Map, Signature, Type, Value};
use serde_json::Value as Json;

use super::{arg, bytes_arg, few_parts, text_arg};
use crate::convert::{to_json, to_map, to_tree, to_value};
use crate::json::{self, Style};
use crate::{toml, yaml};

const ONE: Signature = Signature::fixed(&[Type::Any]);
const TEXT: Signature = Signature::fixed(&[Type::String]);

pub fn add(f: &mut FuncMap) {
    f.add("toYaml", ONE, |_, a| Ok(Value::from(to_yaml(&arg(a, 0)).unwrap_or_default())));
    f.add("mustToYaml", ONE, |_, a| Ok(Value::from(to_yaml(&arg(a, 0))?)));
    f.add("toYamlPretty", ONE, |_, a| {
        Ok(Value::from(to_tree(&arg(a, 0)).map(|tree| yaml::write_pretty(&tree)).unwrap_or_default()))
    });
    f.add("toToml", ONE, |_, a| match arg(a, 0) {
        nil @ Value::Nil => Ok(Value::from(toml::write(&nil)?)),
        value => {
            few_parts(&value)?;
            Ok(Value::from(toml::write(&value).unwrap_or_else(|error| error)))
        }
    });
    f.add("mustToToml", ONE, |_, a| {
        let value = arg(a, 0);
        few_parts(&value)?;
        Ok(Value::from(toml::write(&value)?))
    });
    f.add("fromToml", TEXT, |_, a| {
        Ok(Value::Map(toml::read(&text_arg(a, 0)).unwrap_or_else(|error| error_map(&error))))
    });
    f.add("toJson", ONE, |_, a| Ok(Value::from(json_text(&arg(a, 0), Style::COMPACT).unwrap_or_default())));
    f.add("mustToJson", ONE, |_, a| Ok(Value::from(json_text(&arg(a, 0), Style::COMPACT)?)));
    f.add("toPrettyJson", ONE, |_, a| {
        Ok(Value::from(json_text(&arg(a, 0), Style::PRETTY).unwrap_or_default()))
    });
    f.add("mustToPrettyJson", ONE, |_, a| Ok(Value::from(json_text(&arg(a, 0), Style::PRETTY)?)));
    for name in ["toRawJson", "mustToRawJson"] {
        f.add(name, ONE, |_, a| Ok(Value::from(json_text(&arg(a, 0), Style::RAW)?)));
    }
    f.add("fromYaml", TEXT, |_, a| {
        Ok(Value::Map(match yaml::read_value(&text_arg(a, 0)) {
            Ok(Json::Null) => Map::new(),
            Ok(Json::Object(map)) => to_map(&map),
            Ok(other) => {
                error_map(&wrong_kind("error unmarshaling JSON: while decoding JSON: ", &other, OBJECT))
            }
            Err(error) => error_map(&format!("error converting YAML to JSON: {error}")),
        }))
    });
    f.add("fromYamlArray", TEXT, |_, a| {
        Ok(match yaml::read_value(&text_arg(a, 0)) {
            Ok(Json::Null) => Value::from(Vec::new()),
            Ok(list @ Json::Array(_)) => to_value(&list),
            Ok(other) => {
                Value::list([wrong_kind("error unmarshaling JSON: while decoding JSON: ", &other, ARRAY)])
            }
            Err(error) => Value::list([format!("error converting YAML to JSON: {error}")]),
        })
    });
    f.add("fromJson", TEXT, |_, a| {
        Ok(Value::Map(match read_json(&text_arg(a, 0)) {
            Ok(Json::Null) => Map::nil(gotmpl::MapType::Any),
            Ok(Json::Object(map)) => to_map(&map),
            Ok(other) => error_map(&wrong_kind("", &other, OBJECT)),
            Err(error) => error_map(&error),
        }))
    });
    f.add("fromJsonArray", TEXT, |_, a| {
        Ok(match read_json(&text_arg(a, 0)) {
            Ok(Json::Null) => Value::List(gotmpl::List::nil(gotmpl::ListType::Any)),
            Ok(list @ Json::Array(_)) => to_value(&list),
            Ok(other) => Value::list([wrong_kind("", &other, ARRAY)]),
            Err(error) => Value::list([error]),
        })
    });
    f.add("mustFromJson", TEXT, |_, a| Ok(to_value(&read_json(&text_arg(a, 0))?)));
    f.add("b64enc", TEXT, |_, a| Ok(Value::from(STANDARD.encode(bytes_arg(a, 0).as_bytes()))));
    f.add("b32enc", TEXT, |_, a| Ok(Value::from(base32(bytes_arg(a, 0).as_bytes()))));
    f.add("b32dec", TEXT, |_, a| {
        Ok(base32_decode(bytes_arg(a, 0).as_bytes()).map_or_else(Value::from, Value::string))
    });
    f.add("b64dec", TEXT, |_, a| Ok(base64_decode(bytes_arg(a, 0).as_bytes())));
}

const OBJECT: &str = "map[string]interface {}";
const ARRAY: &str = "[]interface {}";

fn error_map(text: &str) -> Map {
    [("Error", text)].into_iter().collect()
}

fn wrong_kind(prefix: &str, value: &Json, wanted: &str) -> String {
    format!("{prefix}json: cannot unmarshal {} into Go value of type {wanted}", yaml::kind_name(value))
}

/// What `toYaml` gives.
pub fn to_yaml(value: &Value) -> Result<String, FuncError> {
    if let Some(text) = yaml::write_value(value) {
        return Ok(yaml::without_line_break(text));
    }
    let json =
        to_json(value).map_err(|error| FuncError::new(format!("error marshaling into JSON: {error}")))?;
    yaml::marshal(&json)
        .map(yaml::without_line_break)
        .map_err(|error| FuncError::new(format!("error converting JSON to YAML: {error}")))
}

fn json_text(value: &Value, style: Style) -> Result<String, FuncError> {
    Ok(json::write(&to_json(value)?, style))
}

fn read_json(text: &str) -> Result<Json, String> {
    let mut json: Json = serde_json::from_str(text).map_err(|error| {
        if text.trim().is_empty() { "unexpected end of JSON input".to_owned() } else { error.to_string() }
    })?;
    yaml::to_floats(&mut json)?;
    Ok(json)
}

/// Broken base64 gives the error's text as the result, as Sprig has it.
fn base64_decode(bytes: &[u8]) -> Value {
    base64_bytes(bytes).map_or_else(Value::from, Value::string)
}

/// # Errors
/// In Go's words, with the place where it sees the trouble.
pub fn base64_bytes(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |at: usize| format!("illegal base64 data at input byte {at}");
    let is_break = |at: usize| matches!(bytes.get(at), Some(b'\n' | b'\r'));
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut at = 0;
    loop {
        let (mut group, mut digits) = (0u32, 0);
        while digits < 4 {
            let Some(byte) = bytes.get(at) else {
                return if digits == 0 { Ok(out) } else { Err(wrong(at - digits)) };
            };
            at += 1;
            match byte {
                b'\n' | b'\r' => {}
                b'=' if digits >= 2 => {
                    while is_break(at) {
                        at += 1;
                    }
                    if digits == 2 {
                        match bytes.get(at) {
                            None => return Err(wrong(bytes.len())),
                            Some(b'=') => at += 1,
                            Some(_) => return Err(wrong(at - 1)),
                        }
                    }
                    while is_break(at) {
                        at += 1;
                    }
                    if at < bytes.len() {
                        return Err(wrong(at));
                    }
                    group <<= 6 * (4 - digits);
                    out.extend_from_slice(&group.to_be_bytes()[1..digits]);
                    return Ok(out);
                }
                byte => {
                    let digit = BASE64.iter().position(|known| known == byte).ok_or_else(|| wrong(at - 1))?;
                    group = group << 6 | digit as u32;
                    digits += 1;
                }
            }
        }
        out.extend_from_slice(&group.to_be_bytes()[1..]);
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let group = (0..5).fold(0u64, |all, at| all << 8 | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let used = (chunk.len() * 8).div_ceil(5);
        out.extend((0..8).map(|at| {
            if at < used { char::from(BASE32[(group >> (35 - 5 * at)) as usize & 31]) } else { '=' }
        }));
    }
    out
}

fn base32_decode(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let wrong = |at: usize| format!("illegal base32 data at input byte {at}");
    let mut out = Vec::with_capacity(bytes.len() / 8 * 5);
    let mut at = 0;
    loop {
        let (mut group, mut digits) = (0u64, 0);
        let mut ended = false;
        while digits < 8 && !ended {
            let Some(byte) = bytes.get(at) else {
                return if digits == 0 { Ok(out) } else { Err(wrong(at - digits)) };
            };
            at += 1;
            let left = &bytes[at..];
            if *byte == b'=' && digits >= 2 && left.len() < 8 {
                if left.len() + digits < 7 {
                    return Err(wrong(bytes.len()));
                }
                if let Some(off) = left.iter().take(7 - digits).position(|b| *b != b'=') {
                    return Err(wrong(at + off - 1));
                }
                if matches!(digits, 3 | 6) {
                    return Err(wrong(at - 1));
                }
                ended = true;
            } else {
                let digit = BASE32.iter().position(|known| known == byte).ok_or_else(|| wrong(at - 1))?;
                group = group << 5 | digit as u64;
                digits += 1;
            }
        }
        group <<= 5 * (8 - digits);
        out.extend_from_slice(&group.to_be_bytes()[3..3 + digits * 5 / 8]);
        if ended {
            return Ok(out);
        }
    }
}

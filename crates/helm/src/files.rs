//! `.Files`: what a chart holds beside templates, as templates see it.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use gotmpl::{Context, FuncError, Kind, List, ListType, Map, MapType, Object, Signature, Str, Type, Value};
use serde_json::Value as Json;

use crate::chart::File;
use crate::functions::path_base;
use crate::glob::Glob;
use crate::yaml;

/// `engine.files`: contents by path.
#[derive(Debug, Clone)]
pub struct Files(BTreeMap<String, Arc<[u8]>>);

impl Files {
    pub fn new(files: &[File]) -> Self {
        Self(files.iter().map(|file| (file.name.clone(), Arc::clone(&file.data))).collect())
    }

    fn bytes(&self, name: &str) -> &[u8] {
        self.0.get(name).map_or(&[], |data| data)
    }

    fn glob(&self, pattern: &str) -> Files {
        // A broken pattern matches everything, as in Helm.
        let glob = Glob::compile(pattern);
        let matches = |name: &str| glob.as_ref().is_none_or(|glob| glob.matches(name));
        Self(
            self.0
                .iter()
                .filter(|(name, _)| matches(name))
                .map(|(k, v)| (k.clone(), Arc::clone(v)))
                .collect(),
        )
    }

    fn as_yaml(&self, content: impl Fn(&[u8]) -> String) -> String {
        let mut map = serde_json::Map::new();
        for (name, data) in &self.0 {
            map.insert(path_base(name), Json::String(content(data)));
        }
        yaml::write_trimmed(&Json::Object(map))
    }
}

impl Object for Files {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("engine.files")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn as_map(&self) -> Option<Map> {
        let map = Map::of(MapType::Bytes);
        for (name, data) in &self.0 {
            map.insert(name, Value::bytes(&data[..]));
        }
        Some(map)
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(Signature::fixed(&[Type::String])),
            "AsConfig" | "AsSecrets" => Some(Signature::fixed(&[])),
            _ => None,
        }
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        let text = args.first().and_then(Value::as_str).unwrap_or("");
        Ok(match name {
            "Get" => Value::string(self.bytes(text)),
            "GetBytes" => Value::bytes(self.bytes(text)),
            "Glob" => Value::object(self.glob(text)),
            "Lines" => {
                let bytes = self.bytes(text);
                let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                if self.bytes(text).is_empty() {
                    return Ok(Value::List(List::of(ListType::String, Vec::new())));
                }
                Value::strings(bytes.split(|b| *b == b'\n').map(Str::from))
            }
            "AsConfig" => Value::from(self.as_yaml(|data| String::from_utf8_lossy(data).into_owned())),
            "AsSecrets" => {
                Value::from(self.as_yaml(|data| base64::engine::general_purpose::STANDARD.encode(data)))
            }
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }
}

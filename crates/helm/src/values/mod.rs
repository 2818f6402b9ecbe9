//! Values: files, `--set` and its like, and what charts make of them.

mod coalesce;
mod dependencies;
mod schema;
mod strvals;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub(crate) use coalesce::coalesce_values_at_last;
pub(crate) use dependencies::{Node, process_dependencies};
pub(crate) use schema::{validate, validate_one};

use crate::HelmError;
use crate::yaml;

/// A user's values, laid over a chart's own. Numbers of files are floats, those of `--set` integers.
#[derive(Clone, Default, PartialEq)]
pub struct Values(Map<String, Value>);

/// Values may hold passwords: only the keys are shown.
impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Values").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

/// Where values come from, in the order in which Helm applies the kinds.
#[derive(Debug, Clone, Default)]
pub struct ValueSources {
    /// `-f`, `--values`
    pub files: Vec<PathBuf>,
    pub set_json: Vec<String>,
    pub set: Vec<String>,
    pub set_string: Vec<String>,
    pub set_file: Vec<String>,
    pub set_literal: Vec<String>,
}

impl Values {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Values as if they had come from one `-f` file.
    ///
    /// # Errors
    /// Where the tree is no mapping.
    pub fn from_json(json: &Value) -> Result<Self, HelmError> {
        match json {
            Value::Null => Ok(Self::default()),
            Value::Object(_) => {
                let mut json = json.clone();
                yaml::to_floats(&mut json).map_err(HelmError::Values)?;
                match json {
                    Value::Object(map) => Ok(Self(map)),
                    _ => Ok(Self::default()),
                }
            }
            _ => Err(HelmError::Values("values have to be a mapping".to_owned())),
        }
    }

    /// Values of YAML text; `file` is for messages. Several documents are merged.
    pub fn from_yaml(text: &str, file: &str) -> Result<Self, HelmError> {
        read_values(text, file).map(Self)
    }

    /// Everything that the command line gives, merged as Helm does.
    pub fn merge(sources: &ValueSources) -> Result<Self, HelmError> {
        let mut values = Self::default();
        for path in &sources.files {
            let text = read_file(path)?;
            values.overlay(Self::from_yaml(&text, &path.display().to_string())?);
        }
        for text in &sources.set_json {
            values.set_json(text)?;
        }
        for text in &sources.set {
            values.set(text)?;
        }
        for text in &sources.set_string {
            values.set_string(text)?;
        }
        for text in &sources.set_file {
            values.set_file(text)?;
        }
        for text in &sources.set_literal {
            values.set_literal(text)?;
        }
        Ok(values)
    }

    /// Lays other values over these: maps are merged, all else is replaced.
    pub fn overlay(&mut self, other: Values) {
        merge_maps(&mut self.0, other.0);
    }

    /// `--set a.b=1,c[0]=x`
    pub fn set(&mut self, text: &str) -> Result<(), HelmError> {
        strvals::set(&mut self.0, text, strvals::Mode::Typed).map_err(|m| set_error("set", text, m))
    }

    /// `--set-string`
    pub fn set_string(&mut self, text: &str) -> Result<(), HelmError> {
        strvals::set(&mut self.0, text, strvals::Mode::Text).map_err(|m| set_error("set-string", text, m))
    }

    /// `--set-file a=path`: the content of the file as text.
    pub fn set_file(&mut self, text: &str) -> Result<(), HelmError> {
        strvals::set(&mut self.0, text, strvals::Mode::File).map_err(|m| set_error("set-file", text, m))
    }

    /// `--set-literal`
    pub fn set_literal(&mut self, text: &str) -> Result<(), HelmError> {
        strvals::set_literal(&mut self.0, text).map_err(|m| set_error("set-literal", text, m))
    }

    /// `--set-json a=[1]`, or a whole object.
    pub fn set_json(&mut self, text: &str) -> Result<(), HelmError> {
        let failed = |message: String| set_error("set-json", text, message);
        if text.trim_start().starts_with('{') {
            let mut json: Value = serde_json::from_str(text.trim()).map_err(|e| failed(e.to_string()))?;
            yaml::to_floats(&mut json).map_err(failed)?;
            if let Value::Object(map) = json {
                merge_maps(&mut self.0, map);
            }
            return Ok(());
        }
        strvals::set(&mut self.0, text, strvals::Mode::Json).map_err(failed)
    }

    /// The tree.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The tree, as release records hold it (`config`).
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

fn set_error(flag: &'static str, text: &str, message: String) -> HelmError {
    // Only the key may be shown: the value may be a password.
    let text = text.split('=').next().unwrap_or("").to_owned();
    HelmError::Set { flag, text, message }
}

fn read_file(path: &Path) -> Result<String, HelmError> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
            .map_err(|source| HelmError::Io { path: path.to_owned(), source })?;
        bytes
    } else {
        std::fs::read(path).map_err(|source| HelmError::Io { path: path.to_owned(), source })?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Values of YAML text; several documents are merged, later ones over earlier ones.
pub(crate) fn read_values(text: &str, file: &str) -> Result<Map<String, Value>, HelmError> {
    let text = text.trim_start_matches('\u{feff}');
    // A block scalar that ends the file ends with its line.
    let text = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let mut values = Map::new();
    for document in yaml::parse_documents(&text).map_err(|error| HelmError::yaml(file, &text, error))? {
        let mut document = document;
        yaml::to_floats(&mut document).map_err(HelmError::Values)?;
        match document {
            Value::Null => {}
            Value::Object(map) => merge_maps(&mut values, map),
            _ => {
                return Err(HelmError::Yaml {
                    file: file.to_owned(),
                    line: 1,
                    message: "values have to be a mapping".to_owned(),
                    text: text.lines().next().map(str::to_owned),
                });
            }
        }
    }
    Ok(values)
}

fn merge_maps(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge_maps(below, above),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn sources_are_merged_in_helms_order() {
        let mut values = Values::from_yaml("a: {b: 1, c: 2}\nl: [1]\n", "one").unwrap();
        values.overlay(Values::from_yaml("a: {b: 3}\nl: []\n", "two").unwrap());
        values.set_json("j=[1,{\"x\":2}],k=null").unwrap();
        values.set("a.c=4,s={a,b},n=null,t=true,z=007").unwrap();
        values.set_string("a.d=5").unwrap();
        values.set_literal("lit=a,b\\c").unwrap();
        assert_eq!(
            values.into_json(),
            json!({"a": {"b": 3.0, "c": 4, "d": "5"}, "l": [], "j": [1.0, {"x": 2.0}], "k": null,
                "s": ["a", "b"], "n": null, "t": true, "z": "007", "lit": "a,b\\c"})
        );
    }

    #[test]
    fn broken_values_name_file_and_line() {
        let error = Values::from_yaml("a: 1\nb: [\n", "my.yaml").unwrap_err().to_string();
        assert!(error.starts_with("my.yaml:"), "{error}");
    }

    #[test]
    fn a_failing_set_does_not_show_the_value() {
        let mut values = Values::new();
        for text in ["password[x]=geheim", "password[x=geheim]"] {
            let error = values.set(text).unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}

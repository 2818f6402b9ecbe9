//! `Chart.yaml`: reading it, checking it, and its forms as JSON (release records) and as template value.

use serde_json::{Map as JsonMap, Value as Json, json};

use gotmpl::{List, ListType, Map, MapType, Value};

use crate::HelmError;
use crate::semver::Version;
use crate::yaml::scalar_text;

/// What `Chart.yaml` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    pub name: String,
    pub home: String,
    pub sources: Vec<String>,
    pub version: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub maintainers: Vec<Maintainer>,
    pub icon: String,
    pub api_version: String,
    pub condition: String,
    pub tags: String,
    pub app_version: String,
    pub deprecated: bool,
    /// None where there is no such field.
    pub annotations: Option<Vec<(String, String)>>,
    pub kube_version: String,
    pub dependencies: Vec<Dependency>,
    /// `application`, `library` or empty.
    pub kind: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintainer {
    pub name: String,
    pub email: String,
    pub url: String,
}

/// A subchart that the chart asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub repository: String,
    pub condition: String,
    pub tags: Vec<String>,
    /// Set while values are worked out.
    pub enabled: bool,
    pub import_values: Vec<Json>,
    pub alias: String,
}

impl Metadata {
    /// Takes the fields of a `Chart.yaml` (or a `requirements.yaml`) over what is already here.
    pub(super) fn read(&mut self, file: &Json) -> Result<(), String> {
        let Json::Object(fields) = file else {
            return if file.is_null() { Ok(()) } else { Err("expected a mapping".to_owned()) };
        };
        let fields = Fields(fields);
        fields.text("name", &mut self.name)?;
        fields.text("home", &mut self.home)?;
        fields.texts("sources", &mut self.sources)?;
        fields.text("version", &mut self.version)?;
        fields.text("description", &mut self.description)?;
        fields.texts("keywords", &mut self.keywords)?;
        fields.text("icon", &mut self.icon)?;
        fields.text("apiVersion", &mut self.api_version)?;
        fields.text("condition", &mut self.condition)?;
        fields.text("tags", &mut self.tags)?;
        fields.text("appVersion", &mut self.app_version)?;
        fields.flag("deprecated", &mut self.deprecated)?;
        fields.text("kubeVersion", &mut self.kube_version)?;
        fields.text("type", &mut self.kind)?;
        match fields.get("annotations") {
            None | Some(Json::Null) => {}
            Some(Json::Object(map)) => {
                let mut annotations = Vec::new();
                for (key, value) in map {
                    let text = if value.is_null() { Some(String::new()) } else { scalar_text(value) };
                    annotations.push((key.clone(), text.ok_or_else(|| not_text("annotations"))?));
                }
                annotations.sort();
                self.annotations = Some(annotations);
            }
            Some(_) => return Err("annotations: expected a mapping".to_owned()),
        }
        if let Some(items) = fields.list("maintainers")? {
            self.maintainers = Vec::new();
            for item in items {
                let Json::Object(map) = item else {
                    return Err("maintainers must not contain empty or null nodes".to_owned());
                };
                let (fields, mut maintainer) = (Fields(map), Maintainer::default());
                fields.text("name", &mut maintainer.name)?;
                fields.text("email", &mut maintainer.email)?;
                fields.text("url", &mut maintainer.url)?;
                self.maintainers.push(maintainer);
            }
        }
        if let Some(items) = fields.list("dependencies")? {
            self.dependencies = items.iter().map(Dependency::read).collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// Helm's checks; text loses what does not print.
    pub(super) fn validate(&mut self) -> Result<(), HelmError> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        let fail =
            |message: String| Err(HelmError::chart(self.name.clone(), format!("validation: {message}")));
        if self.api_version.is_empty() {
            return fail("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return fail("chart.metadata.name is required".to_owned());
        }
        if self.name == "." || self.name == ".." || self.name.contains('/') {
            return fail(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return fail("chart.metadata.version is required".to_owned());
        }
        if Version::parse(&self.version).is_err() {
            return fail(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return fail("chart.metadata.type must be application or library".to_owned());
        }
        let mut seen: Vec<&str> = Vec::new();
        for dependency in &self.dependencies {
            let alias = &dependency.alias;
            if !alias.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
                return fail(format!(
                    "dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            let key = if alias.is_empty() { &dependency.name } else { alias };
            if seen.contains(&key.as_str()) {
                return fail(format!("more than one dependency with name or alias {key:?}"));
            }
            seen.push(key);
        }
        Ok(())
    }

    /// As release records hold it.
    pub fn to_json(&self) -> Json {
        let mut out = JsonMap::new();
        let mut text = |key: &str, value: &str| {
            if !value.is_empty() {
                out.insert(key.to_owned(), json!(value));
            }
        };
        text("name", &self.name);
        text("home", &self.home);
        text("version", &self.version);
        text("description", &self.description);
        text("icon", &self.icon);
        text("apiVersion", &self.api_version);
        text("condition", &self.condition);
        text("tags", &self.tags);
        text("appVersion", &self.app_version);
        text("kubeVersion", &self.kube_version);
        text("type", &self.kind);
        if !self.sources.is_empty() {
            out.insert("sources".to_owned(), json!(self.sources));
        }
        if !self.keywords.is_empty() {
            out.insert("keywords".to_owned(), json!(self.keywords));
        }
        if !self.maintainers.is_empty() {
            let maintainers: Vec<Json> = self.maintainers.iter().map(Maintainer::to_json).collect();
            out.insert("maintainers".to_owned(), Json::Array(maintainers));
        }
        if self.deprecated {
            out.insert("deprecated".to_owned(), json!(true));
        }
        if let Some(annotations) = self.annotations.as_ref().filter(|a| !a.is_empty()) {
            let map: JsonMap<String, Json> = annotations.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            out.insert("annotations".to_owned(), Json::Object(map));
        }
        if !self.dependencies.is_empty() {
            let dependencies: Vec<Json> = self.dependencies.iter().map(Dependency::to_json).collect();
            out.insert("dependencies".to_owned(), Json::Array(dependencies));
        }
        Json::Object(out)
    }

    /// Reads back what [`Metadata::to_json`] wrote.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let mut metadata = Metadata::default();
        metadata.read(json)?;
        Ok(metadata)
    }

    /// As `.Chart` shows it, by the names of Go's fields.
    pub(crate) fn to_value(&self) -> Map {
        let map = Map::new();
        map.insert("Name", self.name.as_str());
        map.insert("Home", self.home.as_str());
        map.insert("Sources", Value::list(&self.sources));
        map.insert("Version", self.version.as_str());
        map.insert("Description", self.description.as_str());
        map.insert("Keywords", Value::list(&self.keywords));
        map.insert("Maintainers", Value::list(self.maintainers.iter().map(Maintainer::to_value)));
        map.insert("Icon", self.icon.as_str());
        map.insert("APIVersion", self.api_version.as_str());
        map.insert("Condition", self.condition.as_str());
        map.insert("Tags", self.tags.as_str());
        map.insert("AppVersion", self.app_version.as_str());
        map.insert("Deprecated", self.deprecated);
        let annotations = match &self.annotations {
            None => Map::nil(MapType::String),
            Some(annotations) => {
                let map = Map::of(MapType::String);
                for (key, value) in annotations {
                    map.insert(key, value.as_str());
                }
                map
            }
        };
        map.insert("Annotations", annotations);
        map.insert("KubeVersion", self.kube_version.as_str());
        map.insert("Dependencies", Value::list(self.dependencies.iter().map(Dependency::to_value)));
        map.insert("Type", self.kind.as_str());
        map
    }
}

impl Maintainer {
    fn to_json(&self) -> Json {
        let mut out = JsonMap::new();
        for (key, value) in [("name", &self.name), ("email", &self.email), ("url", &self.url)] {
            if !value.is_empty() {
                out.insert(key.to_owned(), json!(value));
            }
        }
        Json::Object(out)
    }

    fn to_value(&self) -> Value {
        Value::map([("Name", self.name.as_str()), ("Email", self.email.as_str()), ("URL", self.url.as_str())])
    }
}

impl Dependency {
    /// Reads an entry of `dependencies`.
    pub fn read(item: &Json) -> Result<Self, String> {
        let Json::Object(map) = item else {
            return Err("dependencies must not contain empty or null nodes".to_owned());
        };
        let (fields, mut dependency) = (Fields(map), Dependency::default());
        fields.text("name", &mut dependency.name)?;
        fields.text("version", &mut dependency.version)?;
        fields.text("repository", &mut dependency.repository)?;
        fields.text("condition", &mut dependency.condition)?;
        fields.texts("tags", &mut dependency.tags)?;
        fields.flag("enabled", &mut dependency.enabled)?;
        fields.text("alias", &mut dependency.alias)?;
        if let Some(items) = fields.list("import-values")? {
            dependency.import_values = items.clone();
        }
        for text in [&mut dependency.name, &mut dependency.version, &mut dependency.repository] {
            sanitize(text);
        }
        Ok(dependency)
    }

    /// As release records hold it.
    pub fn to_json(&self) -> Json {
        let mut out = JsonMap::new();
        out.insert("name".to_owned(), json!(self.name));
        if !self.version.is_empty() {
            out.insert("version".to_owned(), json!(self.version));
        }
        out.insert("repository".to_owned(), json!(self.repository));
        if !self.condition.is_empty() {
            out.insert("condition".to_owned(), json!(self.condition));
        }
        if !self.tags.is_empty() {
            out.insert("tags".to_owned(), json!(self.tags));
        }
        if self.enabled {
            out.insert("enabled".to_owned(), json!(true));
        }
        if !self.import_values.is_empty() {
            out.insert("import-values".to_owned(), json!(self.import_values));
        }
        if !self.alias.is_empty() {
            out.insert("alias".to_owned(), json!(self.alias));
        }
        Json::Object(out)
    }

    fn to_value(&self) -> Value {
        let map = Map::new();
        map.insert("Name", self.name.as_str());
        map.insert("Version", self.version.as_str());
        map.insert("Repository", self.repository.as_str());
        map.insert("Condition", self.condition.as_str());
        map.insert("Tags", Value::list(&self.tags));
        map.insert("Enabled", self.enabled);
        let imports = self.import_values.iter().map(crate::convert::to_value).collect();
        map.insert("ImportValues", List::of(ListType::Any, imports));
        map.insert("Alias", self.alias.as_str());
        Value::Map(map)
    }
}

/// Fields by name; Go's JSON takes another case too where the exact name is missing.
struct Fields<'a>(&'a JsonMap<String, Json>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a Json> {
        let nearly = || self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.0.get(name).or_else(nearly)
    }

    fn text(&self, name: &str, into: &mut String) -> Result<(), String> {
        match self.get(name) {
            None | Some(Json::Null) => Ok(()),
            Some(value) => {
                *into = scalar_text(value).ok_or_else(|| not_text(name))?;
                Ok(())
            }
        }
    }

    fn flag(&self, name: &str, into: &mut bool) -> Result<(), String> {
        match self.get(name) {
            None | Some(Json::Null) => Ok(()),
            Some(Json::Bool(flag)) => {
                *into = *flag;
                Ok(())
            }
            Some(_) => Err(format!("{name}: expected true or false")),
        }
    }

    fn list(&self, name: &str) -> Result<Option<&'a Vec<Json>>, String> {
        match self.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            Some(_) => Err(format!("{name}: expected a list")),
        }
    }

    fn texts(&self, name: &str, into: &mut Vec<String>) -> Result<(), String> {
        if let Some(items) = self.list(name)? {
            *into = items
                .iter()
                .map(|item| scalar_text(item).ok_or_else(|| not_text(name)))
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

fn not_text(name: &str) -> String {
    format!("{name}: expected text")
}

fn sanitize(text: &mut String) {
    if text.chars().any(|c| c.is_whitespace() && c != ' ' || c.is_control()) {
        *text = text
            .chars()
            .filter_map(|c| if c.is_whitespace() { Some(' ') } else { (!c.is_control()).then_some(c) })
            .collect();
    }
}

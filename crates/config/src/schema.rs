//! The shape of a cloud file, its defaults and its checks. Fields are those of `docs/cloud-file.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::error::{ConfigError, Kind, nearest};

pub const API_VERSION: &str = "landfall.dev/v1";

/// What the user wants, complete: every default is filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cloud {
    pub name: String,
    /// Public names are `keystone.<domain>`, `glance.<domain>`, …; `None` asks or takes the default.
    pub domain: Option<String>,
    pub namespace: String,
    /// Empty means all that Landfall carries out.
    pub services: Vec<String>,
    pub charts: Charts,
    pub storage: Storage,
    pub nodes: Nodes,
    pub ingress: Ingress,
    /// Values laid over a service's own, by service.
    pub overrides: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charts {
    /// The charts inside the binary.
    #[default]
    Bundled,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    pub ceph: Ceph,
    /// StorageClass of the databases' volumes; `None` takes the cluster's default class.
    pub class: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ceph {
    pub namespace: String,
}

/// Which nodes carry a role: `"*"` or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NodeSelection {
    One(String),
    Names(Vec<String>),
}

impl NodeSelection {
    /// Names as the catalog wants them; `["*"]` is every node.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Names(names) => names.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Nodes {
    pub control_plane: NodeSelection,
    pub compute: NodeSelection,
    pub network: NodeSelection,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingress {
    pub class: String,
}

impl Default for Ceph {
    fn default() -> Self {
        Self { namespace: "rook-ceph".to_owned() }
    }
}

impl Default for Nodes {
    fn default() -> Self {
        let all = || NodeSelection::One("*".to_owned());
        Self { control_plane: all(), compute: all(), network: all() }
    }
}

impl Default for Ingress {
    fn default() -> Self {
        Self { class: "nginx".to_owned() }
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            name: "landfall".to_owned(),
            domain: None,
            namespace: "openstack".to_owned(),
            services: Vec::new(),
            charts: Charts::default(),
            storage: Storage::default(),
            nodes: Nodes::default(),
            ingress: Ingress::default(),
            overrides: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct File {
    api_version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metadata {
    name: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Spec {
    domain: Option<Spanned<String>>,
    namespace: Option<Spanned<String>>,
    services: Vec<String>,
    charts: Charts,
    storage: Storage,
    nodes: Nodes,
    ingress: Ingress,
    overrides: BTreeMap<String, Spanned<Value>>,
}

pub(crate) fn read(text: &str, file: &str) -> Result<Cloud, ConfigError> {
    // A file of nothing but comments is a null document, which a struct refuses.
    let blank = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    let read: File = if blank {
        File::default()
    } else {
        serde_saphyr::from_str(text).map_err(|error| explain(&error, text, file))?
    };
    let place = |at: &serde_saphyr::Location, message: String| {
        ConfigError::at(file, text, at.line() as usize, at.column() as usize, message)
    };
    if let Some(found) = &read.api_version
        && found.value != API_VERSION
    {
        return Err(place(&found.referenced, format!("apiVersion {} is not known", found.value))
            .hint(Some(format!("this Landfall reads {API_VERSION}"))));
    }
    if let Some(found) = &read.kind
        && found.value != "Cloud"
    {
        return Err(place(&found.referenced, format!("kind {} is not known", found.value))
            .hint(Some("a cloud file has `kind: Cloud`".to_owned())));
    }
    let label = |found: &Option<Spanned<String>>, field: &str, dots: bool| match found {
        None => Ok(None),
        Some(found) if dns_name(&found.value, dots) => Ok(Some(found.value.clone())),
        Some(found) => Err(place(&found.referenced, format!("{field} {:?} is not a DNS name", found.value))
            .hint(Some("lower-case letters, digits and '-', as in citec.com".to_owned()))),
    };
    for (service, values) in &read.spec.overrides {
        if !values.value.is_object() {
            return Err(place(&values.referenced, format!("overrides of {service} are not a map of values"))
                .kind(Kind::WrongType)
                .hint(Some(format!("as in `{service}: {{pod: {{replicas: {{api: 3}}}}}}`"))));
        }
    }
    let default = Cloud::default();
    Ok(Cloud {
        name: label(&read.metadata.name, "metadata.name", false)?.unwrap_or(default.name),
        domain: label(&read.spec.domain, "spec.domain", true)?,
        namespace: label(&read.spec.namespace, "spec.namespace", false)?.unwrap_or(default.namespace),
        services: read.spec.services,
        charts: read.spec.charts,
        storage: read.spec.storage,
        nodes: read.spec.nodes,
        ingress: read.spec.ingress,
        overrides: read.spec.overrides.into_iter().map(|(name, found)| (name, found.value)).collect(),
    })
}

/// RFC 1123: labels of letters, digits and inner hyphens; `dots` allows several labels.
fn dns_name(name: &str, dots: bool) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253 && if dots { name.split('.').all(label) } else { label(name) }
}

/// Turns the reader's error into ours: first line of its message, place, nearest known field.
fn explain(error: &serde_saphyr::Error, text: &str, file: &str) -> ConfigError {
    let plain = error.without_snippet().to_string();
    let message = plain.lines().next().unwrap_or("not valid YAML").trim().to_owned();
    let (line, column) = error.location().map_or((0, 0), |at| (at.line() as usize, at.column() as usize));
    let hint =
        unknown_field(&plain).map(|(given, known)| match nearest(&given, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        });
    let kind = if hint.is_some() {
        Kind::UnknownField
    } else if serde_saphyr::from_str::<Value>(text).is_err() {
        Kind::Syntax
    } else {
        Kind::WrongType
    };
    ConfigError::at(file, text, line, column, message).kind(kind).hint(hint)
}

/// Reads the words of serde's error: unknown field `x`, expected one of a, b.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = message.split_once("unknown field `")?;
    let (given, rest) = rest.split_once('`')?;
    let (_, known) = rest.split_once("expected ").unwrap_or_default();
    let known = known.lines().next().unwrap_or_default().trim_start_matches("one of ");
    let names = known.split(',').map(|name| name.trim().trim_matches('`').to_owned());
    Some((given.to_owned(), names.filter(|name| !name.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn error(text: &str) -> ConfigError {
        read(text, "cloud.yaml").unwrap_err()
    }

    #[test]
    fn an_empty_file_is_a_cloud_of_defaults() {
        assert_eq!(read("", "cloud.yaml").unwrap(), Cloud::default());
        assert_eq!(read("# nothing yet\n---\n", "cloud.yaml").unwrap(), Cloud::default());
    }

    #[test]
    fn fields_given_are_kept_and_the_rest_defaults() {
        let cloud = read(
            "apiVersion: landfall.dev/v1\nkind: Cloud\nmetadata: {name: citec}\nspec:\n  domain: citec.com\n  services: [keystone]\n  overrides: {keystone: {pod: {replicas: {api: 3}}}}\n",
            "cloud.yaml",
        )
        .unwrap();
        assert_eq!(cloud.name, "citec");
        assert_eq!(cloud.domain.as_deref(), Some("citec.com"));
        assert_eq!(cloud.namespace, "openstack");
        assert_eq!(cloud.overrides["keystone"]["pod"]["replicas"]["api"], 3);
    }

    #[test]
    fn an_unknown_field_names_its_line_and_the_nearest_field() {
        let error = error("spec:\n  domian: citec.com\n");
        assert_eq!((error.line, error.source_line.as_deref()), (2, Some("  domian: citec.com")));
        assert!(error.message.contains("domian"), "{error}");
        assert_eq!(error.kind, Kind::UnknownField);
        assert_eq!(error.hint.as_deref(), Some("did you mean `domain`?"));
    }

    #[test]
    fn a_wrong_type_names_its_line() {
        let error = error("metadata:\n  name: citec\nspec:\n  services: keystone\n");
        assert_eq!((error.line, error.kind), (4, Kind::WrongType), "{error}");
    }

    #[test]
    fn broken_yaml_names_its_line() {
        let error = error("spec:\n  domain: [citec\n");
        assert!(error.line >= 2, "{error}");
        assert_eq!(error.kind, Kind::Syntax);
    }

    #[test]
    fn a_domain_that_no_resolver_takes_is_refused_with_its_place() {
        let error = error("spec:\n  domain: Citec_Com\n");
        assert_eq!((error.line, error.column), (2, 11), "{error}");
    }

    #[test]
    fn overrides_must_be_maps() {
        let error = error("spec:\n  overrides:\n    keystone: 3\n");
        assert_eq!(error.line, 3, "{error}");
    }

    #[test]
    fn another_api_version_is_refused() {
        assert!(error("apiVersion: landfall.dev/v9\n").to_string().contains("landfall.dev/v1"));
    }
}

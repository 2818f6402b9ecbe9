//! Rules about `Chart.yaml`.

use serde_json::Value;

use super::web;
use super::{Linter, Severity};
use crate::chart::Metadata;
use crate::semver::{Constraints, Version};
use crate::yaml;

const FILE: &str = "Chart.yaml";

/// The fields of `Chart.yaml`, its maintainers and its dependencies.
const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];
const MAINTAINER: [&str; 3] = ["name", "email", "url"];
const DEPENDENCY: [&str; 8] =
    ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

pub fn check(linter: &mut Linter<'_>) {
    let path = linter.folder.join(FILE);
    if path.is_dir() {
        linter.find(Severity::Error, FILE, "should be a file, not a directory");
    }
    let read = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| yaml::parse(&text).map_err(|error| error.to_string()))
        .and_then(|file| Metadata::from_json(&file).map(|metadata| (file, metadata)));
    let (file, metadata) = match read {
        Ok(read) => read,
        Err(why) => return linter.find(Severity::Error, FILE, format!("unable to parse YAML\n\t{why}")),
    };
    if let Some(field) = unknown(&file) {
        let why = format!("error unmarshaling JSON: while decoding JSON: json: unknown field {field:?}");
        linter.find(
            Severity::Warning,
            FILE,
            format!("failed to strictly parse chart metadata file\n\t{why}"),
        );
    }
    for (severity, done) in [
        (Severity::Error, name(&metadata)),
        (Severity::Error, api_version(&metadata)),
        (Severity::Error, is_text(&file, "version")),
        (Severity::Error, version(&metadata)),
        (Severity::Error, is_text(&file, "appVersion")),
        (Severity::Error, maintainers(&metadata)),
        (Severity::Error, sources(&metadata)),
        (Severity::Info, given(&metadata.icon, "icon is recommended")),
        (Severity::Error, icon(&metadata)),
        (Severity::Error, kind(&metadata)),
        (Severity::Error, dependencies(&metadata)),
        (Severity::Warning, strict_version(&metadata)),
    ] {
        linter.check(severity, FILE, done);
    }
}

/// The first field that Helm does not know, in the order in which it reads them.
fn unknown(file: &Value) -> Option<String> {
    let Value::Object(fields) = file else { return None };
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    let stranger = |value: &Value, known: &[&str]| -> Option<String> {
        let mut names: Vec<&String> = value.as_object()?.keys().collect();
        names.sort();
        names.into_iter().find(|name| !known.iter().any(|k| k.eq_ignore_ascii_case(name))).cloned()
    };
    names.into_iter().find_map(|name| {
        let within = |known: &[&str]| fields[name].as_array()?.iter().find_map(|item| stranger(item, known));
        match name.as_str() {
            "maintainers" => within(&MAINTAINER),
            "dependencies" => within(&DEPENDENCY),
            name => (!FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name))).then(|| name.to_owned()),
        }
    })
}

fn given(text: &str, otherwise: &str) -> Result<(), String> {
    if text.is_empty() { Err(otherwise.to_owned()) } else { Ok(()) }
}

fn name(metadata: &Metadata) -> Result<(), String> {
    given(&metadata.name, "name is required")?;
    if metadata.name.contains('/') || metadata.name == "." || metadata.name == ".." {
        return Err(format!("chart name {:?} is invalid", metadata.name));
    }
    Ok(())
}

fn api_version(metadata: &Metadata) -> Result<(), String> {
    let must = "The value must be either \"v1\" or \"v2\"";
    match metadata.api_version.as_str() {
        "" => Err(format!("apiVersion is required. {must}")),
        "v1" | "v2" => Ok(()),
        other => Err(format!("apiVersion '{other}' is not valid. {must}")),
    }
}

fn is_text(file: &Value, key: &str) -> Result<(), String> {
    let of = match file.get(key) {
        None | Some(Value::String(_)) => return Ok(()),
        Some(Value::Null) => "<nil>",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "float64",
        Some(Value::Array(_)) => "[]interface {}",
        Some(Value::Object(_)) => "map[string]interface {}",
    };
    Err(format!("{key} should be of type string but it's of type {of}"))
}

fn version(metadata: &Metadata) -> Result<(), String> {
    given(&metadata.version, "version is required")?;
    let version = Version::parse(&metadata.version)
        .map_err(|_| format!("version '{}' is not a valid SemVer", metadata.version))?;
    let least = ">0.0.0-0";
    if Constraints::parse(least).is_ok_and(|constraint| !constraint.check(&version)) {
        return Err(format!("version {} is less than or equal to 0.0.0-0", metadata.version));
    }
    Ok(())
}

/// Three numbers without leading zeros, and what may follow them.
fn strict_version(metadata: &Metadata) -> Result<(), String> {
    let text = &metadata.version;
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let number = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    if parts.len() == 3 && parts.iter().all(number) && Version::parse(text).is_ok() {
        return Ok(());
    }
    Err(format!("version '{text}' is not a valid SemVerV2"))
}

fn maintainers(metadata: &Metadata) -> Result<(), String> {
    for maintainer in &metadata.maintainers {
        let name = &maintainer.name;
        given(name, "each maintainer requires a name")?;
        if !maintainer.email.is_empty() && !web::is_email(&maintainer.email) {
            return Err(format!("invalid email '{}' for maintainer '{name}'", maintainer.email));
        }
        if !maintainer.url.is_empty() && !web::is_url(&maintainer.url) {
            return Err(format!("invalid url '{}' for maintainer '{name}'", maintainer.url));
        }
    }
    Ok(())
}

fn sources(metadata: &Metadata) -> Result<(), String> {
    match metadata.sources.iter().find(|source| !web::is_request_url(source)) {
        Some(source) => Err(format!("invalid source URL '{source}'")),
        None => Ok(()),
    }
}

fn icon(metadata: &Metadata) -> Result<(), String> {
    if metadata.icon.is_empty() || web::is_request_url(&metadata.icon) {
        return Ok(());
    }
    Err(format!("invalid icon URL '{}'", metadata.icon))
}

fn kind(metadata: &Metadata) -> Result<(), String> {
    if metadata.kind.is_empty() || metadata.api_version == "v2" {
        return Ok(());
    }
    Err(format!(
        "chart type is not valid in apiVersion '{}'. It is valid in apiVersion 'v2'",
        metadata.api_version
    ))
}

fn dependencies(metadata: &Metadata) -> Result<(), String> {
    if metadata.dependencies.is_empty() || metadata.api_version == "v2" {
        return Ok(());
    }
    Err(format!(
        "dependencies are not valid in the Chart file with apiVersion '{}'. They are valid in apiVersion 'v2'",
        metadata.api_version
    ))
}

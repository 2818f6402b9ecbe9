//! `index.yaml`: which charts a repository has, in which versions, and where each lies.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

use super::{RepositoryError, Result};
use crate::semver::{Constraints, Version};
use crate::yaml;

/// A repository's charts by name, the newest version first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    pub entries: BTreeMap<String, Vec<Entry>>,
}

/// One version of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    pub name: String,
    pub version: String,
    /// Addresses, absolute or relative to the repository's own.
    pub urls: Vec<String>,
    /// SHA-256 in hexadecimal, perhaps with `sha256:` before it; empty where the index has none.
    pub digest: String,
}

impl Index {
    /// Reads an index; entries without a name or a proper version are left out, as in Helm.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(RepositoryError::told("empty index.yaml file"));
        }
        let file =
            yaml::parse(text).map_err(|error| RepositoryError::told(format!("index.yaml: {error}")))?;
        if file["apiVersion"].as_str().is_none_or(str::is_empty) {
            return Err(RepositoryError::told("no API version specified"));
        }
        let mut index = Self::default();
        let Some(entries) = file["entries"].as_object() else { return Ok(index) };
        for (name, versions) in entries {
            let mut all: Vec<Entry> =
                versions.as_array().into_iter().flatten().filter_map(Entry::read).collect();
            all.sort_by(|a, b| newest_first(&a.version, &b.version));
            index.entries.insert(name.clone(), all);
        }
        Ok(index)
    }

    /// The newest version of a chart that fits: a version, a range, or empty for the newest release.
    pub fn get(&self, name: &str, version: &str) -> Result<&Entry> {
        let all = self.entries.get(name).filter(|all| !all.is_empty());
        let all = all.ok_or_else(|| RepositoryError::told("no chart name found"))?;
        if let Some(exact) = all.iter().find(|entry| !version.is_empty() && entry.version == version) {
            return Ok(exact);
        }
        let fits = range(version)?;
        all.iter()
            .find(|entry| Version::parse(&entry.version).is_ok_and(|version| fits.check(&version)))
            .ok_or_else(|| RepositoryError::told(format!("no chart version found for {name}-{version}")))
    }
}

impl Entry {
    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let (name, version) = (text("name"), text("version"));
        if name.is_empty() || Version::parse(&version).is_err() {
            return None;
        }
        let urls = value["urls"].as_array().into_iter().flatten();
        let urls = urls.filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { name, version, urls, digest: text("digest") })
    }
}

/// A range of versions; empty for all releases.
pub(super) fn range(text: &str) -> Result<Constraints> {
    Constraints::parse(if text.is_empty() { "*" } else { text })
        .map_err(|error| RepositoryError::told(format!("improper constraint: {text}: {error}")))
}

pub(super) fn newest_first(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => b.compare(&a),
        (a, b) => a.is_err().cmp(&b.is_err()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const INDEX: &str = "
apiVersion: v1
entries:
  web:
  - {name: web, version: 1.9.0, urls: [a], digest: aa}
  - {name: web, version: 1.10.0, urls: [b], digest: bb}
  - {name: web, version: 2.0.0-rc.1, urls: [c]}
  - {name: web, version: not-a-version, urls: [d]}
  - null
";

    #[test]
    fn the_newest_version_that_fits_is_found() {
        let index = Index::parse(INDEX).unwrap();
        let find = |version: &str| index.get("web", version).map(|entry| entry.version.clone());
        assert_eq!(find("").unwrap(), "1.10.0");
        assert_eq!(find("~1.9").unwrap(), "1.9.0");
        assert_eq!(find(">0.0.0-0").unwrap(), "2.0.0-rc.1");
        assert_eq!(find("2.0.0-rc.1").unwrap(), "2.0.0-rc.1");
        assert!(find("^3").is_err() && find("x y").is_err() && index.get("other", "").is_err());
    }

    #[test]
    fn what_is_no_index_is_told() {
        for text in ["", "entries: {}", "- a", "a: ["] {
            assert!(Index::parse(text).is_err(), "{text}");
        }
    }
}

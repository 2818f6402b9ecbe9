//! `repositories.yaml`: the repositories that `helm repo add` has noted.

use serde_json::Value;

use super::{Access, Login, RepositoryError, Result};
use crate::yaml;

/// The repositories that are known by name.
#[derive(Debug, Clone, Default)]
pub struct Repositories(pub Vec<Repository>);

/// A repository with how to reach it.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    pub name: String,
    pub url: String,
    pub access: Access,
}

impl Repositories {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self> {
        let failed = |why: String| RepositoryError::told(format!("repositories.yaml: {why}"));
        let file = yaml::parse(text).map_err(|error| failed(error.to_string()))?;
        let list = match &file["repositories"] {
            Value::Null => return Ok(Self::default()),
            Value::Array(list) => list,
            _ => return Err(failed("repositories: expected a list".to_owned())),
        };
        Ok(Self(list.iter().map(Repository::read).collect()))
    }

    /// By name, or by an address that differs in a slash at its end at most.
    pub fn find(&self, reference: &str) -> Option<&Repository> {
        let name = reference.strip_prefix('@').or_else(|| reference.strip_prefix("alias:"));
        self.0.iter().find(|known| match name {
            Some(name) => known.name == name,
            None => same_address(&known.url, reference),
        })
    }

    pub fn by_name(&self, name: &str) -> Option<&Repository> {
        self.0.iter().find(|known| known.name == name)
    }
}

impl Repository {
    fn read(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let path = |key: &str| Some(text(key)).filter(|path| !path.is_empty()).map(Into::into);
        let flag = |key: &str| value[key].as_bool().unwrap_or(false);
        let login = Some(Login { user: text("username"), password: text("password") });
        Self {
            name: text("name"),
            url: text("url"),
            access: Access {
                login: login.filter(|login| !login.user.is_empty() && !login.password.is_empty()),
                pass_credentials: flag("pass_credentials_all"),
                ca_file: path("caFile"),
                cert_file: path("certFile"),
                key_file: path("keyFile"),
                insecure: flag("insecure_skip_tls_verify"),
                plain_http: false,
            },
        }
    }
}

/// Whether two addresses name the same place.
pub(super) fn same_address(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn repositories_are_found_by_name_alias_and_address() {
        let known = Repositories::parse(
            "apiVersion: \"\"\nrepositories:\n- {name: a, url: 'https://a.example/x/', username: u, password: p}\n",
        )
        .unwrap();
        for reference in ["@a", "alias:a", "https://a.example/x"] {
            assert_eq!(known.find(reference).unwrap().name, "a", "{reference}");
        }
        assert!(known.find("@b").is_none() && known.by_name("a").unwrap().access.login.is_some());
        assert!(!format!("{known:?}").contains("\"p\""), "passwords are not shown");
    }
}

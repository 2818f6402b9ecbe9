//! The cloud file: what the user wants, with a default for every field, and errors that point at
//! the line. What Landfall reads from the environment is read here too, and nowhere below.

mod environment;
mod error;
mod schema;

pub use environment::{Environment, HelmPlaces, Language};
pub use error::{ConfigError, Kind as ErrorKind};
pub use schema::{Ceph, Charts, Cloud, Ingress, NodeSelection, Nodes, Storage};

use std::path::Path;

/// Reads a cloud file. An empty file is a valid cloud.
///
/// # Errors
/// The file is unreadable, not YAML, or holds a field or value that the schema does not know.
pub fn load(path: &Path) -> Result<Cloud, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::unreadable(path.display().to_string(), &error))?;
    parse(&text, &path.display().to_string())
}

/// Parses the text of a cloud file; `name` is what errors call it.
///
/// # Errors
/// See [`load`].
pub fn parse(text: &str, name: &str) -> Result<Cloud, ConfigError> {
    schema::read(text, name)
}

//! Release records as the engine needs them; the bytes are Helm's and come from `landfall-helm`.

use landfall_plan::model::Object;

use crate::error::Result;

/// Annotation of a record's Secret that holds [`RenderedRelease::digest`](landfall_plan::model::RenderedRelease).
pub const DIGEST_ANNOTATION: &str = "landfall.dev/digest";

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSpec {
    pub release: String,
    pub namespace: String,
    pub revision: u32,
    /// Helm's word: `pending-install`, `pending-upgrade`, `deployed`, `superseded`, `failed`.
    pub status: String,
    pub description: String,
}

/// Makes and rewrites the Secrets in which Helm keeps its releases.
pub trait Records: Send + Sync + std::fmt::Debug {
    /// The Secret `sh.helm.release.v1.<release>.v<revision>`, without the digest annotation.
    fn encode(&self, spec: &RecordSpec) -> Result<Object>;
    /// The same record with another status and description.
    fn restate(&self, secret: &Object, status: &str, description: &str) -> Result<Object>;
}

//! What makes a plan impossible.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// In the order of waiting; the first is repeated at the end.
    #[error("these wait for each other in a ring: {}; drop one of the dependencies (`dependencies` in the values)", path.join(" <- "))]
    Cycle { path: Vec<String> },
    #[error(
        "{who} waits for {what}, which no release brings and the cluster does not have; add the service that brings it, or correct `dependencies` in the values"
    )]
    Unmet { who: String, what: String },
    #[error("the cluster has no node {}; it has {}; correct `nodes` in the cloud file", missing.join(", "), present.join(", "))]
    NoNode { missing: Vec<String>, present: Vec<String> },
    #[error("release {release}: {message}")]
    Malformed { release: String, message: String },
}

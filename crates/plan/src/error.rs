//! What makes a plan impossible.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Step ids in the order of waiting; the first is repeated at the end.
    #[error("these wait for each other in a ring: {}; drop one of the dependencies in the values (`dependencies.static`)", path.join(" <- "))]
    Cycle { path: Vec<String> },
    #[error("{who} waits for {what}, which no release brings and the cluster does not have; add the service or correct `dependencies` in its values")]
    Unmet { who: String, what: String },
    #[error("release {release}: {message}")]
    Malformed { release: String, message: String },
}

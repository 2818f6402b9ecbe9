//! Errors that say what was asked and what came back.

/// Longest piece of an answer that an error shows.
const SHOWN: usize = 300;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{asked}: no answer from {address}: {message}")]
    NoAnswer { asked: String, address: String, message: String },
    #[error("{asked}: answered {status}: {body}")]
    Status { asked: String, status: u16, body: String },
    #[error("{asked}: the answer is not what Keystone gives: {message}")]
    Answer { asked: String, message: String },
    #[error("no HTTP client: {0}")]
    Client(String),
}

impl Error {
    pub(crate) fn status(asked: &str, status: u16, body: &str) -> Self {
        let body = match serde_json::from_str::<serde_json::Value>(body) {
            // Keystone's own words.
            Ok(json) if json["error"]["message"].is_string() => {
                json["error"]["message"].as_str().unwrap_or_default().to_owned()
            }
            _ => body.trim().chars().take(SHOWN).collect(),
        };
        Self::Status { asked: asked.to_owned(), status, body }
    }

    /// Worth another try: nobody there, or a proxy without a backend yet.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Status { status, .. } => matches!(status, 404 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

//! Errors that say what was asked and what came back.

use serde_json::Value;

/// Longest piece of an answer that an error shows.
const SHOWN: usize = 300;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{asked}: no answer from {address}: {message}")]
    NoAnswer { asked: String, address: String, message: String },
    #[error("{asked}: answered {status}: {body}")]
    Status { asked: String, status: u16, body: String },
    #[error("{asked}: the answer is not what was expected: {message}")]
    Answer { asked: String, message: String },
    #[error("no HTTP client: {0}")]
    Client(String),
}

impl Error {
    pub(crate) fn status(asked: &str, status: u16, body: &str) -> Self {
        let words = serde_json::from_str::<Value>(body).ok().and_then(|json| words(&json));
        let body = words.unwrap_or_else(|| plain(body));
        Self::Status { asked: asked.to_owned(), status, body }
    }

    /// The HTTP status, where there was an answer.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Nobody there, or a proxy without a backend: another try may find somebody.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Status { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// Worth another try right after a start, when an Ingress may not know its names yet.
    pub fn is_transient(&self) -> bool {
        self.is_absence() || matches!(self.code(), Some(404 | 500))
    }
}

/// Of a deletion: one that is gone already is as good.
pub(crate) fn gone(answer: Result<Value, Error>) -> Result<(), Error> {
    match answer {
        Ok(_) | Err(Error::Status { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The service's own words: Keystone's, Neutron's, Placement's; Nova's, which lie under the error's name.
fn words(json: &Value) -> Option<String> {
    let named = || json.as_object()?.values().find_map(|error| error["message"].as_str());
    ["/error/message", "/NeutronError/message", "/errors/0/detail", "/message"]
        .iter()
        .find_map(|place| json.pointer(place)?.as_str())
        .or_else(named)
        .map(str::to_owned)
}

/// Text of a page, as Glance and proxies answer, without its tags.
fn plain(body: &str) -> String {
    let mut inside = false;
    let text: String = body
        .chars()
        .filter(|c| {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    return false;
                }
                _ => {}
            }
            !inside
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_services_own_words_are_shown() {
        let shown = |body: &str| Error::status("GET x", 409, body).to_string();
        assert_eq!(shown(r#"{"error": {"message": "no"}}"#), "GET x: answered 409: no");
        assert_eq!(shown(r#"{"NeutronError": {"message": "in use"}}"#), "GET x: answered 409: in use");
        assert_eq!(shown(r#"{"errors": [{"detail": "gone"}]}"#), "GET x: answered 409: gone");
        assert_eq!(
            shown(r#"{"itemNotFound": {"code": 404, "message": "none"}}"#),
            "GET x: answered 409: none"
        );
        assert_eq!(
            shown("<html>\n <title>409 Conflict</title>\n <body>It is\nthere.</body></html>"),
            "GET x: answered 409: 409 Conflict It is there."
        );
    }
}

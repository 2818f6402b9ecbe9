//! What an execution has written.

use crate::value::Str;

/// Text; and from the first piece on that is none, bytes. Almost all output is text throughout, and is not read again
/// to be known as such.
#[derive(Default)]
pub(super) struct Output {
    text: String,
    bytes: Vec<u8>,
}

impl Output {
    pub fn push_text(&mut self, text: &str) {
        if self.bytes.is_empty() {
            self.text.push_str(text);
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push_text(text),
            Err(_) => self.bytes.extend_from_slice(bytes),
        }
    }

    /// The whole; what is written next begins anew.
    pub fn take(&mut self) -> Str {
        let whole = if self.bytes.is_empty() {
            Str::from(self.text.as_str())
        } else {
            // Two pieces that are no text may be one together.
            Str::from([self.text.as_bytes(), &self.bytes].concat())
        };
        self.text.clear();
        self.bytes.clear();
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_are_no_text_keep_their_bytes_and_may_be_text_together() {
        let mut output = Output::default();
        output.push_text("a");
        output.push(b"\xc3");
        output.push(b"\xa9");
        output.push_text("b");
        assert_eq!(output.take().as_str(), Some("aéb"));
        output.push(b"\xff");
        assert_eq!(output.take().as_bytes(), b"\xff");
        assert!(output.take().is_empty());
    }
}

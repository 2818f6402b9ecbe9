//! Go's string: bytes that are usually, but not surely, UTF-8.
//!
//! Base64-decoded secrets and slices through the middle of a character are strings in Go, so a Rust `str`
//! alone would change bytes. Almost all strings are valid, so that case keeps its proof.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

/// An immutable, cheaply cloned Go string. Ordered bytewise, as Go orders strings.
///
/// Shared with the parsed templates, which cross threads: hence `Arc`.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Text(Arc<str>),
    /// Only ever bytes that are *not* valid UTF-8, so that equal strings have equal forms.
    Raw(Arc<[u8]>),
}

impl Str {
    /// The bytes, as Go's `[]byte(s)`.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(text) => text.as_bytes(),
            Repr::Raw(bytes) => bytes,
        }
    }

    /// The text, or `None` where the bytes are not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Raw(_) => None,
        }
    }

    /// The text with U+FFFD for each byte that is not part of a valid character, as ranging over a string
    /// in Go gives it.
    pub fn to_str(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Raw(bytes) => Cow::Owned(runes(bytes).collect()),
        }
    }

    /// Length in bytes, as Go's `len`.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The characters of a byte string, U+FFFD for each invalid byte.
pub(crate) fn runes(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (rune, width) = decode_rune(rest)?;
        rest = &rest[width..];
        Some(rune.unwrap_or(char::REPLACEMENT_CHARACTER))
    })
}

/// The first character and its width: `(None, 1)` for an invalid byte, `None` at the end.
pub(crate) fn decode_rune(bytes: &[u8]) -> Option<(Option<char>, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((Some(char::from(first)), 1));
    }
    let width = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return Some((None, 1)),
    };
    let decoded = bytes.get(..width).and_then(|head| std::str::from_utf8(head).ok());
    Some(match decoded.and_then(|text| text.chars().next()) {
        Some(rune) => (Some(rune), width),
        None => (None, 1),
    })
}

impl Default for Str {
    fn default() -> Self {
        Str(Repr::Text(Arc::clone(&EMPTY)))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Str(Repr::Text(Arc::from(text))) }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Arc<str>> for Str {
    fn from(text: Arc<str>) -> Self {
        Str(Repr::Text(text))
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from(text),
            Err(_) => Str(Repr::Raw(Arc::from(bytes))),
        }
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Lets maps keyed by [`Str`] be asked with plain bytes.
impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_str(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_survive() {
        let raw = Str::from(&b"a\xff\xe2\x82b"[..]);
        assert_eq!(raw.as_str(), None);
        assert_eq!(raw.as_bytes(), b"a\xff\xe2\x82b");
        assert_eq!(raw.to_str(), "a\u{fffd}\u{fffd}\u{fffd}b", "one mark a byte, as Go ranges");
    }

    #[test]
    fn order_is_bytewise() {
        let mut keys = [Str::from("b"), Str::from("é"), Str::from("Z"), Str::from(&b"\xff"[..])];
        keys.sort();
        let bytes: Vec<_> = keys.iter().map(|k| k.as_bytes()[0]).collect();
        assert_eq!(bytes, [b'Z', b'b', 0xc3, 0xff]);
    }
}

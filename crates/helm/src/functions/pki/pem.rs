//! PEM as Go writes it: lines of 64 characters, and no other words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first block of a text.
#[derive(Debug)]
pub struct Block {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`
    pub kind: String,
    pub content: Vec<u8>,
}

/// The text of one block.
pub fn encode(kind: &str, content: &[u8]) -> String {
    let body = STANDARD.encode(content);
    let mut out = format!("-----BEGIN {kind}-----\n");
    for (at, c) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    if !body.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// Finds the first block, whatever stands around it; headers of a block are passed over.
pub fn decode(text: &[u8]) -> Option<Block> {
    let text = String::from_utf8_lossy(text);
    let mut rest = &*text;
    while let Some(start) = rest.find("-----BEGIN ") {
        let at_line_start = start == 0 || rest[..start].ends_with('\n');
        rest = &rest[start + "-----BEGIN ".len()..];
        let Some((kind, after)) = rest.split_once("-----").filter(|(kind, _)| !kind.contains('\n')) else {
            continue;
        };
        let Some((body, _)) = after.split_once(&format!("-----END {kind}-----")) else { continue };
        let lines = body.lines().map(str::trim).filter(|line| !line.contains(':'));
        let compact: String = lines.collect();
        if let Some(content) = STANDARD.decode(compact).ok().filter(|_| at_line_start) {
            return Some(Block { kind: kind.to_owned(), content });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn blocks_are_found_among_other_text() {
        let text = format!("note\n{}more\n", encode("A KEY", &[1; 100]));
        assert_eq!(text.lines().nth(2).unwrap().len(), 64);
        let block = decode(text.as_bytes()).unwrap();
        assert_eq!((block.kind.as_str(), block.content), ("A KEY", vec![1; 100]));
        for broken in ["", "-----BEGIN X-----\nAA\n", "-----BEGIN X-----\n!!\n-----END X-----\n"] {
            assert!(decode(broken.as_bytes()).is_none(), "{broken}");
        }
    }
}

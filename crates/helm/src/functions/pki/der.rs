//! The little of DER that keys and certificates take: elements written and read, one after another.

/// Tags that are used here.
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OID: u8 = 0x06;
pub const UTF8_STRING: u8 = 0x0c;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// `[n]` of what is within.
pub const fn explicit(n: u8) -> u8 {
    0xa0 | n
}

/// An element with its content.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

/// An element of others.
pub fn group<T: AsRef<[u8]>>(tag: u8, parts: impl IntoIterator<Item = T>) -> Vec<u8> {
    let content = parts.into_iter().fold(Vec::new(), |mut all, part| {
        all.extend_from_slice(part.as_ref());
        all
    });
    element(tag, &content)
}

/// A sequence.
pub fn sequence<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Vec<u8> {
    group(SEQUENCE, parts)
}

/// A number that is not negative, of its big-endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
    let mut content = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_none_or(|first| *first >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(digits);
    element(INTEGER, &content)
}

/// Whole bytes as a bit string.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    group(BIT_STRING, [&[0][..], bytes])
}

/// An object identifier.
pub fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    let first = arcs.first().copied().unwrap_or(0) * 40 + arcs.get(1).copied().unwrap_or(0);
    for arc in std::iter::once(first).chain(arcs.iter().skip(2).copied()) {
        let digits = (0..5).rev().map(|at| (arc >> (7 * at)) as u8 & 0x7f).skip_while(|digit| *digit == 0);
        let digits: Vec<u8> = digits.collect();
        let (last, rest) = digits.split_last().unwrap_or((&0, &[]));
        content.extend(rest.iter().map(|digit| digit | 0x80));
        content.push(*last);
    }
    element(OID, &content)
}

/// Reads elements one after another.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element's tag and content.
    pub fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&length, mut rest) = rest.split_first()?;
        let length = if length < 0x80 {
            usize::from(length)
        } else {
            let count = usize::from(length & 0x7f);
            if count == 0 || count > 4 || rest.len() < count {
                return None;
            }
            let (bytes, after) = rest.split_at(count);
            rest = after;
            bytes.iter().fold(0usize, |all, byte| all << 8 | usize::from(*byte))
        };
        if rest.len() < length {
            return None;
        }
        let (content, after) = rest.split_at(length);
        self.0 = after;
        Some((tag, content))
    }

    /// The content of the next element, which has to be of this kind.
    pub fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// The elements within the next one.
    pub fn within(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.expect(tag).map(Reader)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = vec![7u8; 300];
        let all = sequence([integer(&[0, 0x80]), element(OCTET_STRING, &text), oid(&[1, 2, 840, 113_549])]);
        let mut reader = Reader::new(&all);
        let mut inner = reader.within(SEQUENCE).unwrap();
        assert!(reader.is_empty());
        assert_eq!(inner.expect(INTEGER).unwrap(), [0, 0x80]);
        assert!(inner.expect(SEQUENCE).is_none());
        assert_eq!(inner.expect(OCTET_STRING).unwrap(), text);
        assert_eq!(inner.expect(OID).unwrap(), [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(integer(&[]), [INTEGER, 1, 0]);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in
            [&[0x30][..], &[0x30, 5, 1], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x84, 0xff]]
        {
            assert!(Reader::new(bytes).next().is_none(), "{bytes:?}");
        }
    }
}

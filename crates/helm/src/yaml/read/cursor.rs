//! A place in a text of YAML 1.1, whose line breaks are more than `\n`: also CR, CR LF, NEL (U+0085), LS (U+2028) and
//! PS (U+2029).

use crate::yaml::facts::{is_break, is_forbidden};

/// A place: line and column count from 0, in characters; so does the index, from the start of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
    pub index: usize,
}

/// Reads a text from start to end. Behind the end are NULs, which no text of YAML may hold.
#[derive(Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: usize,
    line_start: usize,
    /// Bytes before this place, and before its line, that only continue a character.
    continued: usize,
    continued_at_line: usize,
    ascii: bool,
    /// Whether `\n` is the only line break of this text.
    only_newlines: bool,
}

impl<'a> Cursor<'a> {
    /// None if the text has a character that YAML allows nowhere.
    pub fn new(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let bytes = text.as_bytes();
        let ascii = bytes.is_ascii();
        // One pass without a branch for each byte: texts are long, and such characters rare.
        let (mut forbidden, mut returns) = (false, false);
        for &byte in bytes {
            forbidden |= byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f;
            returns |= byte == b'\r';
        }
        let wide = |allowed: fn(char) -> bool| ascii || text.chars().all(allowed);
        if forbidden || !wide(|c| !is_forbidden(c)) {
            return None;
        }
        let only_newlines = !returns && wide(|c| c == '\n' || !is_break(c));
        let mut cursor = Self {
            text,
            bytes,
            at: 0,
            line: 0,
            line_start: 0,
            continued: 0,
            continued_at_line: 0,
            ascii,
            only_newlines,
        };
        if text.starts_with('\u{feff}') {
            cursor.skip();
        }
        Some(cursor)
    }

    pub fn mark(&self) -> Mark {
        Mark { line: self.line, column: self.column(), index: self.at - self.continued }
    }

    pub fn column(&self) -> usize {
        (self.at - self.line_start) - (self.continued - self.continued_at_line)
    }

    /// The place in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.text[from..to]
    }

    pub fn byte(&self) -> u8 {
        self.peek(0)
    }

    pub fn peek(&self, ahead: usize) -> u8 {
        self.byte_at(self.at + ahead)
    }

    pub fn byte_at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Goes over one character, which is no line break.
    pub fn skip(&mut self) {
        let next = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at += next;
        self.continued += next.saturating_sub(1);
    }

    /// Goes to a place ahead in the same line.
    pub fn advance_to(&mut self, to: usize) {
        if !self.ascii {
            self.continued += self.bytes[self.at..to].iter().filter(|byte| **byte & 0xc0 == 0x80).count();
        }
        self.at = to;
    }

    /// Goes over a line break if there is one, and gives what it stands for: LS and PS for themselves, others for `\n`.
    pub fn line_break(&mut self) -> Option<&'static str> {
        let (length, meaning) = self.break_at(self.at)?;
        self.continued += if self.byte() == b'\r' { 0 } else { length - 1 };
        self.at += length;
        self.line += 1;
        self.line_start = self.at;
        self.continued_at_line = self.continued;
        Some(meaning)
    }

    /// Where this line ends, before its break.
    pub fn line_end(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let length = if self.only_newlines {
            memchr::memchr(b'\n', rest)
        } else {
            (0..rest.len()).find(|ahead| self.is_break(self.at + ahead))
        };
        self.at + length.unwrap_or(rest.len())
    }

    /// The end of a text ends its line too.
    pub fn end_line(&mut self) {
        if self.column() > 0 {
            self.line += 1;
            self.line_start = self.at;
            self.continued_at_line = self.continued;
        }
    }

    /// The line break that begins at a place: its bytes, and what it stands for.
    fn break_at(&self, at: usize) -> Option<(usize, &'static str)> {
        let byte = |ahead: usize| self.byte_at(at + ahead);
        match byte(0) {
            b'\r' if byte(1) == b'\n' => Some((2, "\n")),
            b'\r' | b'\n' => Some((1, "\n")),
            0xc2 if byte(1) == 0x85 => Some((2, "\n")),
            0xe2 if byte(1) == 0x80 && byte(2) == 0xa8 => Some((3, "\u{2028}")),
            0xe2 if byte(1) == 0x80 && byte(2) == 0xa9 => Some((3, "\u{2029}")),
            _ => None,
        }
    }

    /// What begins at a place in bytes is a line break.
    pub fn is_break(&self, at: usize) -> bool {
        self.break_at(at).is_some()
    }

    /// A blank, a line break or the end.
    pub fn is_blank_or_end(&self, at: usize) -> bool {
        matches!(self.byte_at(at), 0 | b' ' | b'\t') || self.is_break(at)
    }

    pub fn is_break_or_end(&self, at: usize) -> bool {
        self.byte_at(at) == 0 || self.is_break(at)
    }

    pub fn at_blank(&self) -> bool {
        matches!(self.byte(), b' ' | b'\t')
    }

    pub fn skip_blanks(&mut self) {
        while self.at_blank() {
            self.at += 1;
        }
    }

    /// Goes over a comment that begins here.
    pub fn skip_comment(&mut self) {
        if self.byte() == b'#' {
            self.advance_to(self.line_end());
        }
    }

    /// `---` or `...` at the start of a line.
    pub fn at_document_indicator(&self) -> bool {
        self.at == self.line_start
            && matches!(self.byte(), b'-' | b'.')
            && matches!(self.bytes[self.at..], [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
            && self.is_blank_or_end(self.at + 3)
    }
}

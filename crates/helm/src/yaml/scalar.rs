//! Writing scalars: plain, quoted and literal, folded where the dialect folds.

use super::facts::{is_break, is_printable, line_end};
use super::write::{Dialect, Emitter};

/// Text is folded behind this column.
const WIDTH: usize = 80;

impl Emitter {
    pub(super) fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    /// Text within a line.
    fn put_text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
        self.indention = false;
    }

    fn width(&self) -> usize {
        match self.dialect {
            Dialect::V2 => WIDTH,
            Dialect::V3 => usize::MAX,
        }
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention |= self.dialect == Dialect::V3;
    }

    /// A line break of the text itself.
    fn write_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
        self.indention = true;
    }

    pub(super) fn indicator(&mut self, text: &str, needs_space: bool, whitespace: bool, indention: bool) {
        if needs_space && !self.whitespace {
            self.put(' ');
        }
        for c in text.chars() {
            self.put(c);
        }
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
    }

    pub(super) fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention |= self.dialect == Dialect::V2;
    }

    pub(super) fn plain(&mut self, text: &str, allow_breaks: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix(' ') {
                if allow_breaks && !spaces && self.column > self.width() && !behind.starts_with(' ') {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
                rest = behind;
            } else {
                let (word, behind) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
                self.put_text(word);
                spaces = false;
                rest = behind;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("'", true, false, false);
        let mut spaces = false;
        let mut breaks = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            if c == ' ' {
                let next_is_space = text[at + 1..].starts_with(' ');
                if allow_breaks
                    && !spaces
                    && self.column > self.width()
                    && at > 0
                    && at < last
                    && !next_is_space
                {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn double_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("\"", true, false, false);
        // goyaml looks for a byte order mark at the start of the text, whatever place it is at.
        let escape_all = text.starts_with('\u{feff}');
        let mut spaces = false;
        let last = text.len().saturating_sub(1);
        for (at, c) in text.char_indices() {
            if escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                if allow_breaks && !spaces && self.column > self.width() && at > 0 && at < last {
                    self.write_indent();
                    if text[at + 1..].starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = c as u32;
                let text = match code {
                    0..=0xff => format!("x{code:02X}"),
                    0x100..=0xffff => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                for c in text.chars() {
                    self.put(c);
                }
                return;
            }
        };
        self.put(short);
    }

    pub(super) fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut ends = text.chars().rev();
        match ends.next() {
            Some(c) if is_break(c) => {
                if ends.next().is_none_or(is_break) {
                    self.indicator("+", false, false, false);
                }
            }
            _ => self.indicator("-", false, false, false),
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if is_break(c) {
                self.write_break(c);
                rest = &rest[c.len_utf8()..];
            } else {
                self.write_indent();
                let (line, behind) = rest.split_at(line_end(rest));
                self.put_text(line);
                rest = behind;
            }
        }
    }
}

//! Texts: plain, in quotes, and in blocks.

use std::borrow::Cow;

use super::scanner::{Result, Scanner};

/// Line breaks between two lines of a text: one becomes a space, and of several the first is left out.
#[derive(Debug, Default)]
struct Breaks {
    first: Option<&'static str>,
    others: String,
}

impl Breaks {
    fn add(&mut self, one: &'static str) {
        match self.first {
            None => self.first = Some(one),
            Some(_) => self.others.push_str(one),
        }
    }

    fn fold_into(&mut self, text: &mut String) {
        match self.first.take() {
            Some("\n") if self.others.is_empty() => text.push(' '),
            Some("\n") | None => {}
            // LS and PS mean themselves.
            Some(other) => text.push_str(other),
        }
        text.push_str(&self.others);
        self.others.clear();
    }
}

impl<'a> Scanner<'a> {
    /// A text without quotes, and whether it reaches up to the start of another line.
    pub(super) fn plain_scalar(&mut self) -> Result<(Cow<'a, str>, bool)> {
        let indent = (self.indent + 1) as usize;
        let start = self.cursor.at();
        let mut end = start;
        // Only what spans lines has to be put together.
        let mut joined: Option<String> = None;
        let mut breaks = Breaks::default();
        while !self.cursor.at_document_indicator() && self.cursor.byte() != b'#' {
            let piece = self.cursor.at();
            let piece_end = self.plain_piece_end();
            if piece_end > piece {
                if breaks.first.is_some() {
                    let text = joined.get_or_insert_with(|| self.cursor.slice(start, end).to_owned());
                    breaks.fold_into(text);
                    text.push_str(self.cursor.slice(piece, piece_end));
                } else if let Some(text) = &mut joined {
                    text.push_str(self.cursor.slice(end, piece_end));
                }
                self.cursor.advance_to(piece_end);
                end = piece_end;
            }
            if !self.cursor.at_blank() && !self.cursor.is_break(piece_end) {
                break;
            }
            loop {
                if self.cursor.at_blank() {
                    if breaks.first.is_some() && self.cursor.byte() == b'\t' && self.cursor.column() < indent
                    {
                        return Err(self.error("found a tab character that violates indentation"));
                    }
                    self.cursor.advance_to(self.cursor.at() + 1);
                } else if let Some(one) = self.cursor.line_break() {
                    breaks.add(one);
                } else {
                    break;
                }
            }
            if !self.in_flow() && self.cursor.column() < indent {
                break;
            }
        }
        let text = joined.map_or_else(|| Cow::Borrowed(self.cursor.slice(start, end)), Cow::Owned);
        Ok((text, breaks.first.is_some()))
    }

    /// Where a run without blanks ends, or what ends a plain text.
    fn plain_piece_end(&self) -> usize {
        let mut at = self.cursor.at();
        loop {
            match self.cursor.byte_at(at) {
                0 | b' ' | b'\t' | b'\n' | b'\r' => return at,
                b':' if self.cursor.is_blank_or_end(at + 1) => return at,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.in_flow() => return at,
                0xc2 | 0xe2 if self.cursor.is_break(at) => return at,
                _ => at += 1,
            }
        }
    }

    pub(super) fn quoted_scalar(&mut self) -> Result<Cow<'a, str>> {
        let quote = self.cursor.byte();
        self.cursor.skip();
        let start = self.cursor.at();
        let mut end = start;
        loop {
            match self.cursor.byte_at(end) {
                byte if byte == quote => break,
                b'\\' if quote == b'"' => return self.quoted_lines(quote).map(Cow::Owned),
                // A line break, or perhaps one; or no end.
                0 | b'\n' | b'\r' | 0xc2 | 0xe2 => return self.quoted_lines(quote).map(Cow::Owned),
                _ => end += 1,
            }
        }
        if quote == b'\'' && self.cursor.byte_at(end + 1) == quote {
            return self.quoted_lines(quote).map(Cow::Owned);
        }
        self.cursor.advance_to(end);
        self.cursor.skip();
        Ok(Cow::Borrowed(self.cursor.slice(start, end)))
    }

    /// What stands in quotes, with escapes or over several lines.
    fn quoted_lines(&mut self, quote: u8) -> Result<String> {
        let single = quote == b'\'';
        let mut text = String::new();
        loop {
            if self.cursor.at_document_indicator() {
                return Err(self.error("found unexpected document indicator"));
            }
            if self.cursor.byte() == 0 {
                return Err(self.error("found unexpected end of stream"));
            }
            // A break that is escaped is none, but blanks behind it are those of a line's start.
            let mut new_line = false;
            while !self.cursor.is_blank_or_end(self.cursor.at()) {
                match self.cursor.byte() {
                    b'\'' if single && self.cursor.peek(1) == b'\'' => {
                        text.push('\'');
                        self.cursor.advance_to(self.cursor.at() + 2);
                    }
                    byte if byte == quote => {
                        self.cursor.skip();
                        return Ok(text);
                    }
                    b'\\' if !single && self.cursor.is_break(self.cursor.at() + 1) => {
                        self.cursor.skip();
                        self.cursor.line_break();
                        new_line = true;
                        break;
                    }
                    b'\\' if !single => text.push(self.escape()?),
                    _ => {
                        let from = self.cursor.at();
                        self.cursor.skip();
                        text.push_str(self.cursor.slice(from, self.cursor.at()));
                    }
                }
            }
            let blanks = self.cursor.at();
            self.cursor.skip_blanks();
            let blanks = self.cursor.slice(blanks, self.cursor.at());
            let mut breaks = Breaks::default();
            if new_line {
                // What was escaped stands for the first of the breaks, and for nothing.
                breaks.first = Some("");
            }
            loop {
                if self.cursor.at_blank() {
                    self.cursor.skip_blanks();
                } else if let Some(one) = self.cursor.line_break() {
                    breaks.add(one);
                } else {
                    break;
                }
            }
            match breaks.first {
                None => text.push_str(blanks),
                Some(_) => breaks.fold_into(&mut text),
            }
        }
    }

    /// `\n`, `\u00e9` and its like.
    fn escape(&mut self) -> Result<char> {
        let digits = match self.cursor.peek(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                let c = match byte {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' | b'"' | b'\'' | b'\\' => char::from(byte),
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.error("found unknown escape character")),
                };
                self.cursor.advance_to(self.cursor.at() + 2);
                return Ok(c);
            }
        };
        self.cursor.advance_to(self.cursor.at() + 2);
        let mut code: u32 = 0;
        for ahead in 0..digits {
            let digit = char::from(self.cursor.peek(ahead)).to_digit(16);
            let digit = digit.ok_or_else(|| self.error("did not find expected hexdecimal number"))?;
            code = code << 4 | digit;
        }
        let c =
            char::from_u32(code).ok_or_else(|| self.error("found invalid Unicode character escape code"))?;
        self.cursor.advance_to(self.cursor.at() + digits);
        Ok(c)
    }

    /// A literal (`|`) or folded (`>`) block.
    pub(super) fn block_scalar(&mut self) -> Result<String> {
        let literal = self.cursor.byte() == b'|';
        self.cursor.skip();
        let (chomping, increment) = self.block_header()?;
        let mut indent = increment.map(|increment| self.indent.max(0) as usize + increment);
        let mut text = String::new();
        let mut breaks = Breaks::default();
        let mut blank_before = false;
        self.block_breaks(&mut indent, &mut breaks.others)?;
        while indent == Some(self.cursor.column()) && self.cursor.byte() != 0 {
            let blank = self.cursor.at_blank();
            // Lines that are indented further are not folded, nor what is around them.
            if literal || blank_before || blank {
                text.push_str(breaks.first.take().unwrap_or_default());
                text.push_str(&breaks.others);
                breaks.others.clear();
            } else {
                breaks.fold_into(&mut text);
            }
            blank_before = blank;
            let end = self.cursor.line_end();
            text.push_str(self.cursor.slice(self.cursor.at(), end));
            self.cursor.advance_to(end);
            breaks.first = self.cursor.line_break();
            self.block_breaks(&mut indent, &mut breaks.others)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(breaks.first.unwrap_or_default());
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks.others);
        }
        Ok(text)
    }

    /// What stands behind `|` or `>`: how to end, and how far the text is indented.
    fn block_header(&mut self) -> Result<(Chomping, Option<usize>)> {
        let (mut chomping, mut increment) = (None, None);
        for _ in 0..2 {
            match self.cursor.byte() {
                b'+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                b'-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                b'0' if increment.is_none() => {
                    return Err(self.error("found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(digit - b'0')),
                _ => break,
            }
            self.cursor.skip();
        }
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(self.cursor.at()) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.cursor.line_break();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    /// Goes over indentation and empty lines. The first line that is not empty tells the indentation, or the longest of
    /// those before it.
    fn block_breaks(&mut self, indent: &mut Option<usize>, breaks: &mut String) -> Result<()> {
        let mut longest = 0;
        loop {
            while self.cursor.byte() == b' ' && indent.is_none_or(|indent| self.cursor.column() < indent) {
                self.cursor.advance_to(self.cursor.at() + 1);
            }
            longest = longest.max(self.cursor.column());
            if self.cursor.byte() == b'\t' && indent.is_none_or(|indent| self.cursor.column() < indent) {
                return Err(self.error("found a tab character where an indentation space is expected"));
            }
            match self.cursor.line_break() {
                Some(one) => breaks.push_str(one),
                None => break,
            }
        }
        if indent.is_none() {
            *indent = Some(longest.max((self.indent + 1) as usize).max(1));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    /// One line break stays.
    Clip,
    Keep,
}

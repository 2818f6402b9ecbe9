//! What stands before a node or a document: anchors, aliases, tags and directives.

use std::borrow::Cow;

use super::scanner::{Result, Scanner};
use super::token::{Kind, Token};

impl<'a> Scanner<'a> {
    /// `%YAML 1.1` or `%TAG !a! prefix`, up to the end of its line.
    pub(super) fn directive(&mut self) -> Result<Token<'a>> {
        let mark = self.cursor.mark();
        self.cursor.skip();
        let name = self.word();
        if name.is_empty() {
            return Err(self.error("could not find expected directive name"));
        }
        if !self.at_blank_or_end() {
            return Err(self.error("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.cursor.skip_blanks();
                let major = self.version_number()?;
                if self.cursor.byte() != b'.' {
                    return Err(self.error("did not find expected digit or '.' character"));
                }
                self.cursor.skip();
                Kind::Version(major, self.version_number()?)
            }
            "TAG" => {
                self.cursor.skip_blanks();
                let handle = self.tag_handle()?;
                if handle != "!" && !(handle.len() > 1 && handle.ends_with('!')) {
                    return Err(self.error("did not find expected '!'"));
                }
                if !self.cursor.at_blank() {
                    return Err(self.error("did not find expected whitespace"));
                }
                self.cursor.skip_blanks();
                let prefix = self.tag_uri("")?;
                if !self.at_blank_or_end() {
                    return Err(self.error("did not find expected whitespace or line break"));
                }
                Kind::TagDirective(handle, prefix)
            }
            _ => return Err(self.error("found unknown directive name")),
        };
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(self.cursor.at()) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.cursor.line_break();
        Ok(Token { kind, mark })
    }

    fn version_number(&mut self) -> Result<u8> {
        let start = self.cursor.at();
        let mut number: u8 = 0;
        while self.cursor.byte().is_ascii_digit() {
            if self.cursor.at() - start == 2 {
                return Err(self.error("found extremely long version number"));
            }
            number = number * 10 + (self.cursor.byte() - b'0');
            self.cursor.skip();
        }
        if self.cursor.at() == start {
            return Err(self.error("did not find expected version number"));
        }
        Ok(number)
    }

    /// `&name` or `*name`
    pub(super) fn anchor(&mut self) -> Result<Token<'a>> {
        let mark = self.cursor.mark();
        let is_anchor = self.cursor.byte() == b'&';
        self.cursor.skip();
        let name = self.word();
        let ends = self.at_blank_or_end()
            || matches!(self.cursor.byte(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return Err(self.error("did not find expected alphabetic or numeric character"));
        }
        Ok(Token { kind: if is_anchor { Kind::Anchor(name) } else { Kind::Alias(name) }, mark })
    }

    /// `!<uri>`, `!suffix`, `!!suffix` or `!handle!suffix`
    pub(super) fn tag(&mut self) -> Result<Token<'a>> {
        let mark = self.cursor.mark();
        let (handle, suffix) = if self.cursor.peek(1) == b'<' {
            self.cursor.advance_to(self.cursor.at() + 2);
            let uri = self.tag_uri("")?;
            if self.cursor.byte() != b'>' {
                return Err(self.error("did not find the expected '>'"));
            }
            self.cursor.skip();
            ("", uri)
        } else {
            let handle = self.tag_handle()?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.tag_uri("")?)
            } else {
                // It was the beginning of the suffix.
                match self.tag_uri(handle)? {
                    suffix if suffix.is_empty() => ("", Cow::Borrowed("!")),
                    suffix => ("!", suffix),
                }
            }
        };
        if !self.at_blank_or_end() {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok(Token { kind: Kind::Tag(handle, suffix), mark })
    }

    /// `!`, `!!` or `!word!`, or what might have become that.
    fn tag_handle(&mut self) -> Result<&'a str> {
        if self.cursor.byte() != b'!' {
            return Err(self.error("did not find expected '!'"));
        }
        let start = self.cursor.at();
        self.cursor.skip();
        self.word();
        if self.cursor.byte() == b'!' {
            self.cursor.skip();
        }
        Ok(self.cursor.slice(start, self.cursor.at()))
    }

    /// The rest of a tag, behind what of it was read already: that begins with a `!`, which is left out.
    fn tag_uri(&mut self, head: &'a str) -> Result<Cow<'a, str>> {
        let start = self.cursor.at();
        let mut bytes = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        loop {
            match self.cursor.byte() {
                b'%' => self.uri_escape(&mut bytes)?,
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    bytes.push(byte);
                    self.cursor.skip();
                }
                _ => break,
            }
        }
        if head.is_empty() && self.cursor.at() == start {
            return Err(self.error("did not find expected tag URI"));
        }
        Ok(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A character as `%C3%A9`.
    fn uri_escape(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let mut left = None;
        while left != Some(0) {
            let digit = |ahead: usize| char::from(self.cursor.peek(ahead)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.cursor.byte(), digit(1), digit(2)) else {
                return Err(self.error("did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            left = Some(match left {
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.error("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => left - 1,
                None => match octet.leading_ones() {
                    0 => 0,
                    ones @ 2..=4 => ones - 1,
                    _ => return Err(self.error("found an incorrect leading UTF-8 octet")),
                },
            });
            bytes.push(octet);
            self.cursor.advance_to(self.cursor.at() + 3);
        }
        Ok(())
    }

    fn word(&mut self) -> &'a str {
        let start = self.cursor.at();
        while is_word(self.cursor.byte()) {
            self.cursor.skip();
        }
        self.cursor.slice(start, self.cursor.at())
    }

    fn at_blank_or_end(&self) -> bool {
        self.cursor.is_blank_or_end(self.cursor.at())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

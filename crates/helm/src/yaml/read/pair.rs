//! The short way for what most lines of most documents are: `key: value` in a mapping of a block, where both end with
//! their line and hold nothing that could mean more. All else goes the long way, from which this must not differ.

use std::ops::Range;

use super::cursor::Mark;
use super::scanner::{MAX_SIMPLE_KEY, Scanner};
use super::token::Style;

/// A key and its value, with where they begin.
pub(super) struct Pair<'a> {
    pub key: (&'a str, Mark),
    pub value: (&'a str, Style, Mark),
}

impl<'a> Scanner<'a> {
    /// The pair that begins here, where the next key of the open mapping would; goes on to what comes behind it.
    pub(super) fn pair(&mut self) -> Option<Pair<'a>> {
        let key_begins = self.queue.is_empty()
            && self.simple_key_allowed
            && !self.in_flow()
            && self.levels.iter().all(|level| level.key.is_none())
            && self.indent == self.cursor.column() as isize;
        if !key_begins {
            return None;
        }
        let rest = self.cursor.rest();
        let length = rest.iter().position(|byte| !is_name(*byte))?;
        if length > MAX_SIMPLE_KEY || !rest[0].is_ascii_alphanumeric() || rest[length] != b':' {
            return None;
        }
        let behind = &rest[length + 1..];
        let spaces = behind.iter().position(|byte| *byte != b' ').filter(|spaces| *spaces > 0)?;
        let (text, style, end) = value(&behind[spaces..])?;
        if !self.ends_pair(&behind[spaces + end..]) {
            return None;
        }

        let start = self.cursor.at();
        let key = (self.cursor.slice(start, start + length), self.cursor.mark());
        let begin = start + length + 1 + spaces;
        self.cursor.advance_to(begin);
        let value = (self.cursor.slice(begin + text.start, begin + text.end), style, self.cursor.mark());
        self.cursor.advance_to(begin + end);
        while self.cursor.line_break().is_some() {
            self.cursor.skip_spaces();
        }
        Some(Pair { key, value })
    }

    /// Whether the next line that is not empty belongs to this block, or to one around it.
    fn ends_pair(&self, mut rest: &[u8]) -> bool {
        let mut indent = 0;
        while let Some((b'\n', behind)) = rest.split_first() {
            indent = behind.iter().position(|byte| *byte != b' ').unwrap_or(behind.len());
            rest = &behind[indent..];
        }
        indent as isize <= self.indent && rest.first().is_none_or(u8::is_ascii_graphic)
    }
}

/// What keys mostly consist of.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// The text that begins here, and where its line ends, both in bytes from here.
fn value(rest: &[u8]) -> Option<(Range<usize>, Style, usize)> {
    let end = rest.iter().position(|byte| !matches!(byte, b' '..=b'~')).filter(|end| rest[*end] == b'\n')?;
    let line = &rest[..end];
    match line {
        [quote @ (b'"' | b'\''), inner @ ..] => {
            let length = inner.iter().position(|byte| byte == quote || *byte == b'\\')?;
            (length + 1 == inner.len() && inner[length] == *quote).then_some((
                1..length + 1,
                Style::Quoted,
                end,
            ))
        }
        [first, ..] if first.is_ascii_alphanumeric() || *first == b'/' => {
            let mut text = line.trim_ascii_end();
            let length = text.len();
            while let Some(at) = memchr::memchr2(b':', b'#', text) {
                let is_text = match text[at] {
                    b':' => text.get(at + 1).is_some_and(|byte| *byte != b' '),
                    _ => at > 0 && text[at - 1] != b' ',
                };
                if !is_text {
                    return None;
                }
                text = &text[at + 1..];
            }
            Some((0..length, Style::Plain, end))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What is found behind `a: 1` in the same mapping.
    fn behind(lines: &str) -> Option<(String, String, Style)> {
        let text = format!("m:\n  a: 1\n{lines}");
        let mut scanner = Scanner::new(&text).unwrap();
        // Two mappings begin, each with a key and a value.
        for _ in 0..9 {
            scanner.take().unwrap();
        }
        let Pair { key: (key, _), value: (value, style, _) } = scanner.pair()?;
        Some((key.to_owned(), value.to_owned(), style))
    }

    #[test]
    fn plain_and_quoted_values_of_a_line_are_found() {
        let found = |key: &str, value: &str, style| Some((key.to_owned(), value.to_owned(), style));
        assert_eq!(behind("  b: c d  \n"), found("b", "c d", Style::Plain));
        assert_eq!(behind("  b/c-d:   x:y#z\n\n   \nn: 1\n"), found("b/c-d", "x:y#z", Style::Plain));
        assert_eq!(behind("  b: 'c: d # e'\n  f: 1\n"), found("b", "c: d # e", Style::Quoted));
        assert_eq!(behind("  b: \"c\"\n# d\n"), found("b", "c", Style::Quoted));
    }

    #[test]
    fn all_else_goes_the_long_way() {
        for lines in [
            "  b: c\n    d\n",
            "  b: c",
            "  b:\n",
            "  b:c\n",
            "  b: c # d\n",
            "  b: c: d\n",
            "  b: c:\n",
            "  b: 'c''d'\n",
            "  b: \"c\\n\"\n",
            "  b: [c]\n",
            "  b: &c d\n",
            "  b: é\n",
            "  b: c\n\td: e\n",
            "  - b: c\n",
            "n: 1\n",
        ] {
            assert_eq!(behind(lines), None, "{lines}");
        }
    }
}

//! The short way for documents as nearly all are written: mappings and lists in blocks, scalars that end with their
//! line, literal blocks of text. It goes by lines in place of tokens. All else, and all that is wrong, goes the long way,
//! from which this must not differ.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::cursor::Mark;
use super::line::{flow_list, is_blank, plain, quoted};
use super::meaning::{Meaning, meaning};
use super::open::{Part, Parts, key_text};
use super::token::Style;
use crate::yaml::facts::{is_break, is_forbidden};

/// Nesting beyond which the long way is taken, which does not recurse.
const DEEPEST: usize = 64;
/// So long a key is surely read in brief, in bytes.
const LONGEST_KEY: usize = 1000;
/// The column behind the end of the document.
const END: isize = -1;

/// The document of a text that holds just one, and only parts of its mapping where these are given. None where the long
/// way is to be taken.
pub fn read(text: &str, parts: Option<&'static Parts>) -> Option<Value> {
    if !is_common(text) {
        return None;
    }
    let mut lines = Lines { text, bytes: text.as_bytes(), at: 0, column: END };
    lines.start()?;
    let value = lines.node(END, Wanted { left_out: false, parts }, 0)?;
    (lines.column == END && lines.ends()).then_some(value)
}

/// Whether lines end with `\n` only, and nothing in the text is forbidden.
fn is_common(text: &str) -> bool {
    // One pass without a branch for each byte: texts are long, and other characters rare.
    let (mut special, mut wide) = (false, false);
    for &byte in text.as_bytes() {
        special |= byte < b' ' && !matches!(byte, b'\t' | b'\n') || byte == 0x7f;
        wide |= byte >= 0x80;
    }
    let is_special = |c: char| c != '\n' && (is_break(c) || is_forbidden(c) || c == '\u{feff}');
    !(special || wide && text.contains(is_special))
}

/// What of a node is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    /// Nothing, but it has to have a meaning.
    left_out: bool,
    /// Of a mapping these parts.
    parts: Option<&'static Parts>,
}

impl Wanted {
    fn of_key(self, key: &str) -> Self {
        match self.parts.map(|parts| parts.find(key)) {
            None | Some(Some(Part::Whole)) => Self { parts: None, ..self },
            Some(Some(Part::Parts(parts))) => Self { parts: Some(parts), ..self },
            Some(None) => Self { left_out: true, parts: None },
        }
    }
}

/// Where in the text reading is: at something, and the column of it.
struct Lines<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    column: isize,
}

impl<'a> Lines<'a> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn spaces(&self, at: usize) -> usize {
        self.bytes[at..].iter().take_while(|byte| **byte == b' ').count()
    }

    /// Whether nothing but spaces and a comment follows in the line. Right here none can begin.
    fn ends_line(&self, at: usize) -> bool {
        let spaces = self.spaces(at);
        match self.byte(at + spaces) {
            None | Some(b'\n') => true,
            Some(b'#') => spaces > 0,
            Some(_) => false,
        }
    }

    /// To the next line, and there to what it says.
    fn next_line(&mut self) {
        self.at =
            memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.bytes.len(), |at| self.at + at + 1);
        self.find();
    }

    /// From the start of a line to the next that says anything.
    fn find(&mut self) {
        loop {
            let spaces = self.spaces(self.at);
            match self.byte(self.at + spaces) {
                Some(b'\n') => self.at += spaces + 1,
                Some(b'#') => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                }
                None => {
                    (self.at, self.column) = (self.bytes.len(), END);
                    return;
                }
                Some(b'.') if spaces == 0 && self.bytes[self.at..].starts_with(b"...") => {
                    self.column = END;
                    return;
                }
                Some(_) => {
                    self.at += spaces;
                    self.column = spaces as isize;
                    return;
                }
            }
        }
    }

    /// To the first thing, behind a line of `---`.
    fn start(&mut self) -> Option<()> {
        self.find();
        if self.column == 0 && self.bytes[self.at..].starts_with(b"---") {
            if !self.ends_line(self.at + 3) {
                return None;
            }
            self.next_line();
        }
        (self.column != END).then_some(())
    }

    /// Whether nothing follows the document, but for a line of `...`.
    fn ends(&mut self) -> bool {
        if self.at < self.bytes.len() && self.ends_line(self.at + 3) {
            self.next_line();
        }
        self.at == self.bytes.len()
    }

    /// A `-` that begins an element.
    fn at_element(&self) -> bool {
        self.byte(self.at) == Some(b'-') && matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n'))
    }

    /// What begins here, in a block of this column.
    fn node(&mut self, column: isize, wanted: Wanted, depth: usize) -> Option<Value> {
        if depth == DEEPEST {
            None
        } else if self.at_element() {
            self.list(wanted, depth)
        } else if self.key().is_some() {
            self.mapping(wanted, depth)
        } else {
            self.scalar(column, wanted)
        }
    }

    /// What follows `-` or `:` on the lines below; null where nothing does.
    fn node_below(
        &mut self,
        column: isize,
        may_be_level: bool,
        wanted: Wanted,
        depth: usize,
    ) -> Option<Value> {
        self.next_line();
        if self.column > column || may_be_level && self.column == column && self.at_element() {
            self.node(column, wanted, depth + 1)
        } else {
            Some(Value::Null)
        }
    }

    fn list(&mut self, wanted: Wanted, depth: usize) -> Option<Value> {
        let column = self.column;
        let wanted = Wanted { parts: None, ..wanted };
        let mut items = Vec::new();
        while self.column == column && self.at_element() {
            self.at += 1;
            let item = if self.ends_line(self.at) {
                self.node_below(column, false, wanted, depth)?
            } else {
                let spaces = self.spaces(self.at);
                self.at += spaces;
                self.column += 1 + spaces as isize;
                self.node(column, wanted, depth + 1)?
            };
            if !wanted.left_out {
                items.push(item);
            }
        }
        (self.column <= column).then_some(Value::Array(items))
    }

    fn mapping(&mut self, wanted: Wanted, depth: usize) -> Option<Value> {
        let column = self.column;
        let mut map = Map::new();
        while self.column == column {
            let (text, style, length) = self.key()?;
            let key = match meaning(&text, style, None, Mark::default(), true).ok()? {
                Meaning::Text => text,
                Meaning::Other(value) => Cow::Owned(key_text(value, Mark::default()).ok()?),
            };
            self.at += length;
            let wanted = wanted.of_key(&key);
            let value = if self.ends_line(self.at) {
                self.node_below(column, true, wanted, depth)?
            } else {
                self.at += self.spaces(self.at);
                self.scalar(column, wanted)?
            };
            if !wanted.left_out {
                map.insert(key.into_owned(), value);
            }
        }
        (self.column < column).then_some(Value::Object(map))
    }

    /// A key, and the bytes up to behind its `:`.
    fn key(&self) -> Option<(Cow<'a, str>, Style, usize)> {
        let rest = &self.text[self.at..];
        let (text, style, colon) = match rest.as_bytes().first()? {
            b'"' | b'\'' => quoted(rest).map(|(text, length)| (text, Style::Quoted, length))?,
            _ => plain(rest).map(|text| (text.into(), Style::Plain, text.len()))?,
        };
        let ends = rest[colon..].starts_with(':') && is_blank(rest.as_bytes().get(colon + 1));
        // What is merged has a way of its own.
        (ends && colon <= LONGEST_KEY && text != "<<").then_some((text, style, colon + 1))
    }

    /// A scalar, or a list or mapping of nothing, in a block of this column; goes on to the next line.
    fn scalar(&mut self, column: isize, wanted: Wanted) -> Option<Value> {
        let rest = &self.text[self.at..];
        let (value, length) = match rest.as_bytes() {
            [b'"' | b'\'', ..] => {
                let (text, length) = quoted(rest)?;
                (if wanted.left_out { Value::Null } else { Value::from(text) }, length)
            }
            [b'[', ..] => flow_list(rest)?,
            [b'{', b'}', ..] => (Value::Object(Map::new()), 2),
            [b'|', ..] => return self.literal(column, wanted),
            _ => {
                let text = plain(rest)?;
                let value = match meaning(text, Style::Plain, None, Mark::default(), false).ok()? {
                    Meaning::Text if wanted.left_out => Value::Null,
                    Meaning::Text => Value::from(text),
                    Meaning::Other(value) => value,
                };
                (value, text.len())
            }
        };
        self.at += length;
        if !self.ends_line(self.at) {
            return None;
        }
        self.next_line();
        Some(value)
    }

    /// A text as it stands there, behind `|`.
    fn literal(&mut self, column: isize, wanted: Wanted) -> Option<Value> {
        self.at += 1;
        let chomping = self.byte(self.at).filter(|byte| matches!(byte, b'-' | b'+'));
        self.at += usize::from(chomping.is_some());
        if !self.ends_line(self.at) {
            return None;
        }
        self.at += memchr::memchr(b'\n', &self.bytes[self.at..])? + 1;
        let indent = self.indentation(column)?;
        let mut text = String::new();
        let mut breaks = 0;
        loop {
            let spaces = self.bytes[self.at..].iter().take(indent).take_while(|byte| **byte == b' ').count();
            match self.byte(self.at + spaces) {
                Some(b'\n') => {
                    self.at += spaces + 1;
                    breaks += 1;
                }
                Some(b'\t') if spaces < indent => return None,
                Some(_) if spaces == indent => {
                    let start = self.at + spaces;
                    let rest = &self.bytes[start..];
                    let length = memchr::memchr(b'\n', rest);
                    if !wanted.left_out {
                        text.extend(std::iter::repeat_n('\n', breaks));
                        text.push_str(&self.text[start..start + length.unwrap_or(rest.len())]);
                    }
                    breaks = usize::from(length.is_some());
                    self.at = start + length.map_or(rest.len(), |length| length + 1);
                }
                _ => break,
            }
        }
        let kept = match chomping {
            Some(b'-') => 0,
            Some(_) => breaks,
            None => breaks.min(1),
        };
        text.extend(std::iter::repeat_n('\n', kept));
        self.find();
        Some(Value::String(text))
    }

    /// How far the lines of a literal are indented: as its first one that is not empty.
    fn indentation(&self, column: isize) -> Option<usize> {
        let (mut at, mut longest) = (self.at, 0);
        loop {
            let spaces = self.spaces(at);
            match self.byte(at + spaces)? {
                b'\n' => longest = longest.max(spaces),
                b'\t' => return None,
                _ => return (spaces as isize > column.max(0) && spaces >= longest).then_some(spaces),
            }
            at += spaces + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tree::Reader;
    use super::*;

    const PARTS: Parts =
        Parts(&[("a", Part::Whole), ("b", Part::Parts(&Parts(&[("c", Part::Whole), ("e", Part::Whole)])))]);

    /// What both ways make of a text, and of parts of it, has to be the same.
    fn both(text: &str) -> Option<Value> {
        let found = read(text, None);
        let parts = read(text, Some(&PARTS));
        assert_eq!(found.is_some(), parts.is_some(), "{text}");
        if found.is_some() {
            let whole = Reader::new(text).and_then(|mut reader| reader.document());
            assert_eq!(whole, Ok(found.clone()), "{text}");
            let only = Reader::new(text).and_then(|reader| reader.only(&PARTS).document());
            assert_eq!(only, Ok(parts), "{text}");
        }
        found
    }

    #[test]
    fn blocks_of_mappings_lists_and_scalars_are_read() {
        let text = "# c\n---\na: 1\nb:  # c\n  - x y # z\n  -\n  - - d\n    -   e: 'f # g'\n        \"h i\": {}\n  # c\n\n  - []\n\
                    j:\n- k\n-\n  l: m#n:o\np:\nq/r.s-t: ~\n  \nyes: no\n7: \"\"\n...\n# c\n";
        let expected = json!({
            "a": 1, "b": ["x y", null, ["d", {"e": "f # g", "h i": {}}], []], "j": ["k", {"l": "m#n:o"}], "p": null,
            "q/r.s-t": null, "true": false, "7": ""
        });
        assert_eq!(both(text), Some(expected));
        let text = "- é ü: -b\n  c:d: e:f#\n  g:\n    h # i\n-\n  \"\\\"\\n\"\n";
        assert_eq!(both(text), Some(json!([{"é ü": "-b", "c:d": "e:f#", "g": "h"}, "\"\n"])));
        assert_eq!(both("a"), Some(json!("a")));
        assert_eq!(both("a: [b-c, \"d\",'e',  1]  # f\n"), Some(json!({"a": ["b-c", "d", "e", 1]})));
    }

    #[test]
    fn literals_are_read() {
        let text =
            "a: |\n\n  x\n   y\n\n \n  \tz\nb: |-\n  x # y\n  \n  \n# c\nc:\n- |+\n x\n\n\n- |  # c\n   x";
        let expected = json!({"a": "\nx\n y\n\n\n\tz\n", "b": "x # y", "c": ["x\n\n\n", "x"]});
        assert_eq!(both(text), Some(expected));
    }

    #[test]
    fn all_else_goes_the_long_way() {
        #[rustfmt::skip]
        let texts = [
            "", "# c\n", "a\n b\n", "a: b\n  c\n", "a: 'b'\n  c\n", "a:\n  b\n  c\n", "a:\n  b\n    c\n",
            "a: b: c\n", "a: b:\n", "a:\tb\n", "a: b\tc\n", "a:\n\tb: c\n", "a: 'b''c'\n", "a: \"\\x20\"\n",
            "a: \"b\n  c\"\n", "|\na\n", "a: 'b\n  c'\n", "a: 'b'c\n", "a: [b,]\n", "a: [b: c]\n",
            "a: [b c]\n", "a: [[b]]\n", "a: [b\n]\n", "a: [\"b\": c]\n", "a: [,]\n", "a: [b]c\n", "[a]: b\n",
            "a: {b: c}\n", "a: [ ]\n", "a: &b c\n", "a: *b\n", "a: !!str b\n", "? a\n", "<<: {}\n",
            "a: >\n  b\n", "a: |2\n   b\n", "a: |\nb: c\n", "a: |\n    \n  b\n", "a: |\n  b\n \tc\n", "a: |\n",
            "null: a\n", "a: .nan\n", "a: b\r\n", "a: b\n---\nc: d\n", "a: b\n...\nc: d\n", "--- a\n",
            "%YAML 1.1\n---\na: b\n", "a: b\n c: d\n", "a:\n  - b\n - c\n", "- a\nb: c\n", "a: b\n- c\n",
            "a: -\n", "a: - b\n", "a : b\n", "\u{feff}a: b\n", "a: b\u{85}", "a: @b\n", "a: `b\n",
        ];
        for text in texts {
            assert_eq!(both(text), None, "{text}");
        }
        assert_eq!(both(&"- ".repeat(100)), None);
    }

    #[test]
    fn documents_of_any_pieces_are_read_as_the_long_way_reads_them() {
        #[rustfmt::skip]
        const PIECES: &[&str] = &[
            "a", "b: ", "c:", "'d'", "\"e\": ", "\"\\\"\\n\"", "- ", "-", "  ", " ", "\n", "\n", "\n  ",
            "\n    ", "\n- ", "|\n", "|-\n", ">\n", "# f", " # g", "[]", "{}", "[", "]", ", ", "---\n",
            "...\n", "\t", ": ", "1", "~", "<<: ", "é", "x y", "?", "&h ", "*h", "\n\n",
        ];
        let (mut state, mut taken) = (1_u64, 0);
        for _ in 0..50_000 {
            let mut text = String::new();
            while text.is_empty() || state >> 62 != 0 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
            }
            taken += usize::from(both(&text).is_some());
        }
        assert!(taken > 5_000, "{taken}");
    }
}
